"""What /metrics says, read by Prometheus's own parsers."""

import os
import time

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from server import run_command

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


def families(server, accept: str | None = None, media_type: str = PLAIN) -> dict:
    """The families that `/metrics` shows, by their names."""
    status, fields, body = server.request("GET", "/metrics", headers={"Accept": accept} if accept else {})
    assert status == 200 and fields["Content-Type"] == media_type and fields["Vary"] == "Accept"
    parse = openmetrics if media_type == OPENMETRICS else prometheus
    return {family.name: family for family in parse(body.decode())}


def value(family, **labels) -> float:
    found, = [sample.value for sample in family.samples if labels.items() <= sample.labels.items()]
    return found


@pytest.mark.parametrize("accept, media_type", [
    (None, PLAIN), ("text/plain", PLAIN), ("*/*", PLAIN), ("application/openmetrics-text;q=0, */*", PLAIN),
    ("text/plain, application/openmetrics-text;q=0.5", PLAIN), ("application/openmetrics-text", OPENMETRICS),
    # What Prometheus 2.42 sends.
    ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OPENMETRICS),
])
def test_a_client_has_the_format_that_it_asks_for(server, accept, media_type):
    server.evaluate("no-such-flag")
    found = families(server, accept, media_type)
    assert found["flag_server_http_requests"].type == "counter"
    assert found["flag_server_http_request_duration_seconds"].type == "histogram"
    assert found["process_resident_memory_bytes"].type == "gauge"


def test_both_formats_tell_the_same_families(server):
    assert families(server).keys() == families(server, OPENMETRICS, OPENMETRICS).keys()


def test_the_process_tells_of_itself_what_the_kernel_says(server):
    found = families(server)
    folder = f"/proc/{server.process.pid}"
    assert abs(value(found["process_open_fds"]) - len(os.listdir(f"{folder}/fd"))) <= 3
    status = dict(line.split(":", 1) for line in open(f"{folder}/status"))
    assert abs(value(found["process_threads"]) - int(status["Threads"])) <= 3
    assert value(found["process_max_fds"]) >= 1024
    assert value(found["process_cpu_seconds"]) > 0
    assert time.time() - 600 < value(found["process_start_time_seconds"]) <= time.time()
    room = os.statvfs(server.data_dir)
    assert value(found["flag_server_data_size_bytes"]) == room.f_blocks * room.f_frsize
    assert 0 < value(found["flag_server_data_free_bytes"]) <= room.f_blocks * room.f_frsize


def test_the_age_of_the_newest_backup_is_told(start_server, data_dir):
    server = start_server()
    newest = "flag_server_newest_backup_time_seconds"
    assert value(families(server)[newest]) == 0
    made = run_command("backup", "create", "--name", "nightly", "--data-dir", data_dir)
    assert made.returncode == 0, made.stderr
    assert time.time() - 60 < value(families(server)[newest]) <= time.time()


def test_what_rules_look_for_is_there_before_it_happens(server):
    server.evaluate("no-such-flag")
    text = server.expect(200, "GET", "/metrics").decode()
    for status in ("429", "500", "503"):
        assert f'status="{status}"}} 0' in text


def test_a_check_of_the_audit_log_is_told(server):
    broken = "flag_server_audit_chain_broken"
    assert families(server)[broken].samples == []
    report = server.expect(200, "POST", "/api/audit/chain/verify", {})
    assert report["problems"] == []
    assert value(families(server)[broken]) == 0
