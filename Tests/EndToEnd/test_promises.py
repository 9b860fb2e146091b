"""What a change promises: whoever has its answer sees it everywhere, at once, also under full load."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from load import Saturation
from server import binary, clean_environment, send

LOOPS = max(2, os.cpu_count() or 2)
CONNECTIONS = 8 * LOOPS
"""So many that every loop has several of them."""


@pytest.fixture
def loops(start_server):
    """A server with several loops, and kept-alive connections spread over all of them."""
    server = start_server("--loops", LOOPS)
    connections = [server.connect() for _ in range(CONNECTIONS)]
    for connection in connections:
        send(connection, "GET", "/health/live")
    yield server, connections
    for connection in connections:
        connection.close()


def values(connections, key: str) -> set:
    """The values that the connections are served."""
    path = f"/ofrep/v1/evaluate/flags/{key}"
    return {send(connection, "POST", path, {"context": {}})[2].get("value") for connection in connections}


def test_a_kill_switch_is_in_force_within_a_second_while_all_loops_are_saturated(loops):
    server, connections = loops
    server.create_flag("dark-mode", defaultEnabled=True)
    assert values(connections, "dark-mode") == {True}
    switch = "/api/emergency/kill-switch"
    requests = "flag_server_loop_requests_total"
    before = server.metric(requests)
    with Saturation(server, "dark-mode") as load:
        for attempt in range(5):
            started = time.monotonic()
            send(connections[attempt], "POST", switch, {"flagKey": "dark-mode", "reason": "fire", "activatedBy": "us"})
            answered = time.monotonic() - started
            load.forbid(b'"value":true')
            assert values(connections, "dark-mode") == {False}
            load.await_answers(2_000)
            assert answered < 1, "the kill switch took a second to be answered"
            assert load.forbidden == 0, "evaluations asked for after the answer still served the flag"
            load.allow()
            status, _, _ = send(connections[-1], "DELETE", switch, {"flagKey": "dark-mode", "deactivatedBy": "us"})
            assert status in (200, 204)
            assert values(connections, "dark-mode") == {True}
    after = server.metric(requests)
    assert len(after) == LOOPS
    assert all(after[loop] - before[loop] > 1_000 for loop in after), "the load reached every loop"


def test_a_kill_switch_does_not_wait_for_a_large_import(start_server, tmp_path, data_dir):
    server = start_server()
    server.create_flag("dark-mode", defaultEnabled=True)
    document = tmp_path / "large.json"
    flag = {"description": "Imported", "owner": "tests", "defaultEnabled": True}
    overrides = ({"tenantId": f"t{number}", "flagKey": f"f{number % 100}", "enabled": True, "updatedBy": "tests"}
                 for number in range(40_000))
    document.write_text(json.dumps({
        "flags": [{"flagKey": f"f{number}", **flag} for number in range(100)], "overrides": list(overrides)}))
    importing = subprocess.Popen([binary(), "import", document, "--data-dir", data_dir], env=clean_environment())
    slowest, switched = 0.0, 0
    while importing.poll() is None:
        started = time.monotonic()
        body = {"flagKey": "dark-mode", "reason": "fire", "activatedBy": "us"}
        server.expect(200, "POST", "/api/emergency/kill-switch", body)
        assert server.evaluate("dark-mode")[1]["value"] is False
        slowest, switched = max(slowest, time.monotonic() - started), switched + 1
        server.expect(204, "DELETE", "/api/emergency/kill-switch", {"flagKey": "dark-mode", "deactivatedBy": "us"})
    assert importing.returncode == 0
    assert switched >= 3, "the import was over before anything could be tried"
    assert slowest < 1


def test_a_kill_switch_holds_after_kill_nine_right_behind_its_answer(start_server):
    server = start_server()
    server.create_flag("dark-mode", defaultEnabled=True)
    server.create_flag("other", defaultEnabled=True)
    switch = {"flagKey": "dark-mode", "reason": "fire", "activatedBy": "us"}
    server.expect(200, "POST", "/api/emergency/kill-switch", switch)
    server.kill()
    server.start()
    assert server.evaluate("dark-mode")[1]["value"] is False
    assert server.evaluate("other")[1]["value"] is True


def test_a_flag_change_is_seen_by_every_connection_after_its_answer(loops):
    server, connections = loops
    server.create_flag("flipping", defaultEnabled=False)
    for attempt in range(40):
        enabled = attempt % 2 == 0
        writer = connections[attempt % CONNECTIONS]
        status, _, _ = send(writer, "PATCH", "/api/flags/flipping", {"defaultEnabled": enabled})
        assert status == 200
        assert values(connections, "flipping") == {enabled}, f"after change {attempt + 1}"


def test_an_override_is_seen_by_every_connection_after_its_answer(loops):
    server, connections = loops
    server.create_flag("piloted", defaultEnabled=False)
    path = "/api/tenants/acme/flags/piloted"
    body = {"context": {"tenantId": "acme"}}

    def served() -> set:
        route = "/ofrep/v1/evaluate/flags/piloted"
        return {send(connection, "POST", route, body)[2].get("value") for connection in connections}

    for attempt in range(15):
        writer = connections[attempt % CONNECTIONS]
        send(writer, "PUT", path, {"enabled": True, "updatedBy": "us"})
        assert served() == {True}, f"after override {attempt + 1}"
        send(writer, "DELETE", path)
        assert served() == {False}, f"after taking override {attempt + 1} back"


def test_a_flag_asked_for_before_it_existed_is_served_after_its_creation(loops):
    server, connections = loops
    for attempt in range(15):
        key = f"late-{attempt}"
        assert values(connections, key) == {None}
        server.create_flag(key, defaultEnabled=True)
        assert values(connections, key) == {True}
        server.expect(204, "DELETE", f"/api/flags/{key}")
        assert values(connections, key) == {None}


def test_bulk_answers_show_a_change_after_its_answer(loops):
    server, connections = loops
    server.create_flag("listed", defaultEnabled=False)
    for attempt in range(20):
        enabled = attempt % 2 == 0
        send(connections[attempt % CONNECTIONS], "PATCH", "/api/flags/listed", {"defaultEnabled": enabled})
        for connection in connections:
            _, _, answer = send(connection, "POST", "/ofrep/v1/evaluate/flags", {"context": {}})
            assert [flag["value"] for flag in answer["flags"]] == [enabled]


def test_room_for_every_connection_is_made_while_nobody_has_to_wait_for_it(start_server):
    server = start_server()
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    slots = int(re.search(r"FDSize:\s*(\d+)", status)[1])
    assert slots > 10_000, "the kernel lets whoever comes next wait until the table of descriptors has grown"
