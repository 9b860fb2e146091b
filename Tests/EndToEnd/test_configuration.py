"""Where settings come from, what the profiles mean, and what a server says of itself when it starts."""

import json
import re
import time

import pytest

from server import REPOSITORY, free_port, run_command


def test_options_win_over_variables_and_variables_over_the_file(start_server, tmp_path):
    ports = [free_port() for _ in range(3)]
    file = tmp_path / "server.yaml"
    file.write_text(f"port: {ports[0]}\nloops: 1\nlog:\n  format: json\n")
    variables = {"FLAG_SERVER_CONFIG": str(file), "FLAG_SERVER_PORT": str(ports[1]), "FLAG_SERVER_LOG_FORMAT": "text"}
    server = start_server(port=ports[2], env=variables)
    assert "loops=1" in server.log, "a setting of the file that nothing overrides"
    assert f":{ports[2]}" in server.log
    assert f":{ports[0]}" not in server.log and f":{ports[1]}" not in server.log
    assert not server.log.startswith("{"), "the variable's log format, not the file's"


def test_the_start_log_names_the_file_that_was_read(start_server, tmp_path):
    assert "built-in defaults" in start_server(data_dir=tmp_path / "one").log
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "local.yaml").write_text("loops: 1\n")
    assert "config/local.yaml" in start_server(data_dir=tmp_path / "two").log


@pytest.mark.parametrize("profile", ["local", "dev", "prod"])
def test_the_shipped_files_start_a_server_as_the_defaults_do(profile, start_server):
    file = REPOSITORY / "config" / f"{profile}.yaml"
    server = start_server("--config", file, "--auth", "off", environment=profile)
    assert str(file) in server.log


@pytest.mark.parametrize("profile, environment", [
    ("local", "development"), ("dev", "staging"), ("prod", "production")])
def test_a_profile_has_its_default_environment(profile, environment, start_server):
    server = start_server("--auth", "off", environment=profile)
    assert server.create_flag("here", defaultEnabled=True)["environment"] == environment
    answer = server.expect(200, "POST", "/api/evaluate", {"tenantId": "acme", "flagKey": "here"})
    assert (answer["environment"], answer["value"]) == (environment, True)
    assert server.evaluate("here")[1]["value"] is True


@pytest.mark.parametrize("profile", ["dev", "prod"])
def test_without_a_key_a_server_with_authentication_refuses_everything_but_its_health(profile, start_server):
    server = start_server(environment=profile)
    assert server.evaluate("anything")[0] == 401
    for method, path, body in [
        ("GET", "/api/flags", None), ("POST", "/api/flags", {}), ("POST", "/api/evaluate", {}),
        ("POST", "/ofrep/v1/evaluate/flags", {}), ("POST", "/api/emergency/kill-switch", {}),
    ]:
        status, _, problem = server.request(method, path, body)
        assert status == 401, f"{method} {path}"
        assert problem


def test_the_memory_store_forgets_and_writes_no_database(start_server, data_dir):
    server = start_server("--store", "memory")
    server.create_flag("fleeting", defaultEnabled=True)
    assert server.evaluate("fleeting")[1]["value"] is True
    assert not (data_dir / "flags.db").exists()
    server.terminate()
    server.start()
    assert server.evaluate("fleeting")[0] == 404


def test_the_json_log_is_one_object_a_line(start_server):
    server = start_server("--log-format", "json")
    server.create_flag("logged", defaultEnabled=True)
    server.terminate()
    lines = [json.loads(line) for line in server.log.splitlines()]
    assert len(lines) >= 3
    assert all(line["level"] and line["message"] for line in lines), lines[0]


def test_neither_log_nor_metrics_show_what_was_asked(start_server):
    server = start_server("--log-level", "trace")
    server.create_flag("quiet", defaultEnabled=True)
    secrets = {"targetingKey": "secret-user", "email": "ada@secret.example", "tenantId": "secret-tenant"}
    server.evaluate("quiet", secrets)
    server.evaluate("no-such-flag", {"targetingKey": "secret-user"})
    server.request("POST", "/ofrep/v1/evaluate/flags/quiet", b'{"context":{"a":"secret-broken"')
    metrics = server.expect(200, "GET", "/metrics").decode()
    server.terminate()
    assert "secret" not in server.log and "secret" not in metrics


def test_metrics_count_evaluations_and_name_each_metric_once(server):
    server.create_flag("counted", defaultEnabled=True)
    before = sum(server.metric("flag_server_evaluations_total").values())
    for _ in range(7):
        server.evaluate("counted")
    assert sum(server.metric("flag_server_evaluations_total").values()) == before + 7
    text = server.expect(200, "GET", "/metrics").decode()
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    for line in text.splitlines():
        assert line.startswith("#") or float(line.rsplit(" ", 1)[1]) is not None


def test_a_check_says_that_all_is_well_and_leaves_nothing_behind(tmp_path):
    for command in (["serve", "--check"], ["config", "check"]):
        checked = run_command(*command, "--port", "4000", "--data-dir", tmp_path / "data")
        assert checked.returncode == 0, checked.stderr
        assert checked.stdout.startswith("ok: ") and "port 4000" in checked.stdout
    assert not (tmp_path / "data").exists()


def test_a_check_names_everything_that_would_stop_a_start(tmp_path):
    (tmp_path / "key.pem").write_text("no key")
    (tmp_path / "key.pem").chmod(0o600)
    (tmp_path / "flags.json").write_text('{"flags": {"a": 1}}')
    options = ["--tls-certificate", tmp_path / "none.pem", "--tls-key", tmp_path / "key.pem", "--sample-flags",
               tmp_path / "flags.json"]
    checked = run_command("config", "check", *options)
    assert checked.returncode == 78
    assert f"{tmp_path}/none.pem" in checked.stderr and "/flags/a" in checked.stderr
    started = run_command("serve", *options[:4], "--data-dir", tmp_path / "data", "--port", str(free_port()))
    assert started.returncode == 78 and f"{tmp_path}/none.pem" in started.stderr


def test_an_empty_cursor_is_the_first_page(server):
    server.create_flag("first", defaultEnabled=True)
    for path in ["/api/flags", "/api/flags/first/tenants", "/api/segments"]:
        first, empty = server.request("GET", path), server.request("GET", path + "?cursor=")
        assert (empty[0], empty[2]) == (200, first[2]), path


def test_variables_of_the_scripts_are_no_settings(start_server):
    start_server(env={"TESTED_FLAG_SERVER": "x", "LONG_TESTS": "1"})


def test_changes_are_told_of_with_who_and_what_came_of_them(start_server):
    server = start_server()
    server.create_flag("told", defaultEnabled=True)
    server.request("GET", "/api/flags")
    server.request("DELETE", "/api/flags/told?dryRun=true")
    server.request("PATCH", "/api/flags/missing?environment=staging", {"defaultEnabled": False})
    def told():
        return [line for line in server.log.splitlines() if " change " in line]

    # A line follows its answer within moments.
    deadline = time.monotonic() + 20
    while len(told()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    changes = told()
    line = "NOTICE   change client=127.0.0.1 method=POST principal=anonymous request=[0-9a-f]{32} status=201 "
    assert re.search(line + "target=/api/flags", changes[0]), changes[0]
    assert "INFO     change" in changes[1] and 'target="/api/flags/missing?environment=staging"' in changes[1]
    assert "status=404" in changes[1] and len(changes) == 2
    assert " request " not in server.log, "what only looks is told at the level debug"


def test_lines_in_the_journal_have_their_priority(start_server, tmp_path):
    port = free_port()
    log = tmp_path / f"data-{port}.log"
    log.touch()
    status = log.stat()
    server = start_server(data_dir=tmp_path / "data", port=port,
                          env={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    lines = server.log.splitlines()
    assert lines and all(line[:3] in ("<5>", "<6>") for line in lines), server.log
    assert any(line.startswith("<5>") and " ready " in line for line in lines)
