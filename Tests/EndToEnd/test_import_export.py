"""`import` and `export`: offline and beside a running server, in both formats, and what they refuse."""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from server import NOBODY, REPOSITORY, FlagServer, killed_by_signal, run_command

FLAGD = {
    "flags": {
        "banner": {
            "state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off",
            "targeting": {"if": [{"==": [{"var": "plan"}, "premium"]}, "on", None]},
            "metadata": {"owner": "web", "description": "The banner on top"},
        },
        "rate": {"state": "ENABLED", "variants": {"low": 2.0, "high": 2.5}, "defaultVariant": "low"},
    },
}

WITH_MISTAKES = {
    "flags": {
        "fine": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"},
        "odd": {
            "state": "SOMETIMES", "variants": {"on": True, "off": False}, "defaultVariant": "on",
        },
        "broken": {
            "state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on",
            "targeting": {"if": [{"no_such_operator": [1]}, "on", "off"]},
        },
    },
}


@pytest.fixture
def flagd_file(tmp_path) -> Path:
    return written(tmp_path / "flags.flagd.json", FLAGD)


@pytest.fixture
def broken_file(tmp_path) -> Path:
    return written(tmp_path / "broken.json", WITH_MISTAKES)


def written(path: Path, content) -> Path:
    path.write_text(json.dumps(content))
    return path


def command(*arguments, status: int = 0) -> str:
    """Runs a command that must end with `status`; returns all it printed."""
    ended = run_command(*arguments)
    text = ended.stdout + ended.stderr
    assert not killed_by_signal(ended), text
    assert ended.returncode == status, text
    assert "Fatal error" not in text
    return text


def exported(data_dir, *options) -> str:
    return command_output("export", "--data-dir", data_dir, *options)


def command_output(*arguments) -> str:
    ended = run_command(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_flagd_file_is_imported_offline_and_served(flagd_file, data_dir, start_server):
    command("import", flagd_file, "--create", "--data-dir", data_dir)
    server = start_server()
    assert server.evaluate("banner", {"plan": "premium"})[1]["value"] is True
    assert server.evaluate("banner", {"plan": "free"})[1]["value"] is False
    stored = {flag["flagKey"]: flag for flag in server.all_flags()}
    assert (stored["banner"]["owner"], stored["banner"]["description"]) == ("web", "The banner on top")
    assert (stored["rate"]["owner"], stored["rate"]["description"]) == ("imported", "rate")


def test_a_running_server_takes_an_import_over_its_socket_and_serves_it_at_once(flagd_file, data_dir, server):
    assert server.evaluate("banner")[0] == 404
    command("import", flagd_file, "--data-dir", data_dir)
    assert server.evaluate("banner", {"plan": "premium"})[1]["value"] is True
    _, _, answer = server.request("POST", "/ofrep/v1/evaluate/flags/rate", {})
    assert answer["value"] == 2.0 and isinstance(answer["value"], float)


@pytest.mark.parametrize("running", [False, True], ids=["offline", "beside a server"])
def test_importing_twice_changes_nothing(running, flagd_file, data_dir, start_server):
    if running:
        start_server()
    command("import", flagd_file, "--create", "--data-dir", data_dir)
    once = exported(data_dir)
    command("import", flagd_file, "--data-dir", data_dir)
    assert exported(data_dir) == once


@pytest.mark.parametrize("running", [False, True], ids=["offline", "beside a server"])
def test_a_dry_run_prints_the_difference_and_stores_nothing(running, flagd_file, data_dir, start_server, tmp_path):
    if running:
        start_server()
    command("import", flagd_file, "--create", "--data-dir", data_dir)
    before = exported(data_dir)
    changed = json.loads(json.dumps(FLAGD))
    changed["flags"]["rate"]["defaultVariant"] = "high"
    changed["flags"]["added"] = {"state": "ENABLED", "variants": {"on": True}, "defaultVariant": "on"}
    text = command("import", written(tmp_path / "changed.json", changed), "--data-dir", data_dir, "--dry-run")
    assert "rate" in text and "added" in text
    assert exported(data_dir) == before


@pytest.mark.parametrize("running", [False, True], ids=["offline", "beside a server"])
def test_mistakes_are_all_listed_with_pointers_and_nothing_is_imported(running, broken_file, data_dir, start_server):
    if running:
        start_server()
    text = command("import", broken_file, "--create", "--data-dir", data_dir, status=1)
    assert "/flags/odd/state" in text
    assert "/flags/broken/targeting/if/0" in text
    server = start_server() if not running else None
    if server:
        assert server.all_flags() == []
    else:
        assert json.loads(exported(data_dir))["flags"] in ([], {})


@pytest.mark.parametrize("running", [False, True], ids=["offline", "beside a server"])
def test_kept_mistakes_answer_a_parse_error_and_the_rest_is_served(running, broken_file, data_dir, start_server):
    server = start_server() if running else None
    text = command("import", broken_file, "--create", "--data-dir", data_dir, "--keep-invalid")
    assert "broken" in text
    server = server or start_server()
    status, failure = server.evaluate("broken")
    assert (status, failure["errorCode"]) == (400, "PARSE_ERROR")
    assert failure["errorDetails"]
    assert server.evaluate("fine")[1]["value"] is True
    bulk = server.expect(200, "POST", "/ofrep/v1/evaluate/flags", {})
    assert {flag["key"]: flag.get("errorCode") for flag in bulk["flags"]} == {
        "fine": None, "odd": "PARSE_ERROR", "broken": "PARSE_ERROR"}


@pytest.mark.parametrize("form", ["native", "flagd"])
def test_an_export_imported_elsewhere_gives_the_same_answers(form, flagd_file, data_dir, start_server, tmp_path):
    command("import", flagd_file, "--create", "--data-dir", data_dir)
    file = tmp_path / "export.json"
    command("export", "--format", form, "--output", file, "--data-dir", data_dir)
    other = tmp_path / "other"
    command("import", file, "--create", "--data-dir", other)
    assert exported(other, "--format", "flagd") == exported(data_dir, "--format", "flagd")
    server = start_server(data_dir=other)
    assert server.evaluate("banner", {"plan": "premium"})[1]["value"] is True
    assert b'"value":2.0' in raw_answer(server, "rate")


def raw_answer(server: FlagServer, key: str) -> bytes:
    connection = server.connect()
    connection.request("POST", f"/ofrep/v1/evaluate/flags/{key}", "{}")
    return connection.getresponse().read()


def test_a_native_export_holds_overrides_and_kill_switches(data_dir, server, tmp_path):
    server.create_flag("piloted", defaultEnabled=False)
    server.create_flag("stopped", defaultEnabled=True)
    server.request("PUT", "/api/tenants/acme/flags/piloted", {"enabled": True, "updatedBy": "tests"})
    server.request("POST", "/api/emergency/kill-switch", {"flagKey": "stopped", "reason": "fire", "activatedBy": "us"})
    beside = exported(data_dir)
    server.terminate()
    assert exported(data_dir) == beside, "offline and beside a server the export is the same"
    file = tmp_path / "export.json"
    file.write_text(beside)
    command("import", file, "--create", "--data-dir", tmp_path / "other")
    with FlagServer(tmp_path / "other") as copy:
        copy.start()
        assert copy.evaluate("piloted", {"tenantId": "acme"})[1]["value"] is True
        assert copy.evaluate("piloted", {"tenantId": "globex"})[1]["value"] is False
        assert copy.evaluate("stopped")[1]["value"] is False


def test_importing_an_export_changes_nothing(data_dir, server, tmp_path):
    server.create_flag("one", defaultEnabled=True)
    server.expect(200, "PATCH", "/api/flags/one", {"description": "Changed once"})
    before = exported(data_dir)
    command("import", written(tmp_path / "export.json", json.loads(before)), "--data-dir", data_dir)
    assert exported(data_dir) == before


def test_create_only_leaves_what_is_there_alone(data_dir, server, tmp_path):
    server.create_flag("rate", state="ENABLED", variants={"low": 1.0, "high": 1.5}, defaultVariant="low")
    command("import", written(tmp_path / "flags.json", FLAGD), "--data-dir", data_dir, "--mode", "create-only")
    assert server.evaluate("rate")[1]["value"] == 1.0
    assert server.evaluate("banner")[0] == 200


def test_merge_changes_what_the_file_names_and_keeps_the_rest(data_dir, server, tmp_path):
    server.create_flag("rate", state="ENABLED", variants={"low": 1.0, "high": 1.5}, defaultVariant="low")
    server.create_flag("unnamed", defaultEnabled=True)
    command("import", written(tmp_path / "flags.json", FLAGD), "--data-dir", data_dir, "--mode", "merge")
    assert server.evaluate("rate")[1]["value"] == 2.0
    assert server.evaluate("unnamed")[0] == 200


def test_replace_leaves_only_what_the_file_names(data_dir, server, tmp_path):
    server.create_flag("unnamed", defaultEnabled=True)
    command("import", written(tmp_path / "flags.json", FLAGD), "--data-dir", data_dir, "--mode", "replace")
    assert server.evaluate("unnamed")[0] == 404
    assert {flag["flagKey"] for flag in server.all_flags()} == {"banner", "rate"}


def test_an_environment_is_filled_apart_from_the_others(flagd_file, data_dir, server):
    command("import", flagd_file, "--data-dir", data_dir, "--environment", "staging")
    assert server.all_flags() == []
    assert {flag["flagKey"] for flag in server.all_flags("environment=dev")} == {"banner", "rate"}


@pytest.mark.parametrize("content, words", [
    (b'{"flags": {', ["byte"]),
    (b"\xff\xfe", ["byte"]),
    (b"[]", ["/"]),
    (b"{}", []),
    (b'{"flags": 7}', ["/flags"]),
    (b'{"flags": {"a": 7}}', ["/flags/a"]),
])
def test_a_file_that_is_none_is_refused_with_the_place(content, words, data_dir, tmp_path):
    file = tmp_path / "file.json"
    file.write_bytes(content)
    text = command("import", file, "--create", "--data-dir", data_dir, status=1)
    for word in [*words, str(file)]:
        assert word in text, text


def test_a_file_that_is_not_there_is_named(data_dir):
    assert "/no/such.json" in command("import", "/no/such.json", "--data-dir", data_dir, status=1)


def test_an_unknown_environment_is_refused_with_those_that_exist(flagd_file, data_dir):
    ended = run_command("import", flagd_file, "--data-dir", data_dir, "--environment", "test")
    assert ended.returncode not in (0, -6)
    for name in ("development", "staging", "production"):
        assert name in ended.stdout + ended.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_root_beside_a_server_of_another_user_leaves_no_file_that_it_cannot_open(flagd_file):
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, NOBODY, NOBODY)
    folder.chmod(0o755)
    try:
        with FlagServer(folder / "data", cwd="/", user=NOBODY) as server:
            server.start()
            command("import", flagd_file, "--data-dir", server.data_dir)
            assert server.evaluate("rate")[0] == 200
            assert {path.stat().st_uid for path in server.data_dir.rglob("*")} == {NOBODY}
            stranger = run_command("export", "--data-dir", server.data_dir, user=1, cwd="/")
            assert stranger.returncode != 0, "another user than root and the server's own is refused"
    finally:
        shutil.rmtree(folder)


def test_sample_flags_are_loaded_into_an_empty_store_and_never_over_another(start_server, data_dir):
    samples = REPOSITORY / "config" / "sample-flags.json"
    server = start_server("--sample-flags", samples)
    loaded = {flag["flagKey"] for flag in server.all_flags()}
    assert len(loaded) == 8
    gone = sorted(loaded)[0]
    server.expect(204, "DELETE", f"/api/flags/{gone}")
    server.terminate()
    server.start()
    assert {flag["flagKey"] for flag in server.all_flags()} == loaded - {gone}


def test_the_help_names_every_option_of_serve():
    text = command_output("serve", "--help")
    for option in ("profile", "environment", "config", "host", "port", "data-dir", "store", "auth", "loops", "sample-flags",
                   "log-level", "log-format"):
        assert re.search(rf"--{option}\b", text), option
    assert all(len(line) <= 120 for line in text.splitlines())


def test_a_rollout_survives_export_and_import_and_becomes_a_rule_of_flagd(server, tmp_path):
    rollout = {"percentage": 25.5, "startAt": "2026-01-01T00:00:00Z", "regions": ["eu"]}
    server.create_flag("stepwise", defaultEnabled=False, rollout=rollout)
    native, flagd = tmp_path / "native.json", tmp_path / "flagd.json"
    command("export", "--output", native, "--data-dir", server.data_dir)
    command("export", "--format", "flagd", "--output", flagd, "--data-dir", server.data_dir)
    users = [{"targetingKey": f"user-{number}", "region": "eu"} for number in range(200)]
    before = [server.evaluate("stepwise", user)[1]["variant"] for user in users]
    assert set(before) == {"on", "off"}
    command("import", native, "--data-dir", server.data_dir)
    assert server.expect(200, "GET", "/api/flags/stepwise")["rollout"] == rollout
    assert server.expect(200, "GET", "/api/flags/stepwise")["version"] == 1
    server.expect(204, "DELETE", "/api/flags/stepwise")
    command("import", flagd, "--data-dir", server.data_dir)
    assert "rollout" not in server.expect(200, "GET", "/api/flags/stepwise")
    assert [server.evaluate("stepwise", user)[1]["variant"] for user in users] == before
