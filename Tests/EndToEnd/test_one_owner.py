"""A data directory has one server; a second one is told which, and commands work beside it."""

import fcntl
import json
import subprocess
import time

import pytest

from server import binary, clean_environment, free_port, run_command
from tables import THINGS, TableServer, client_for


@pytest.fixture(params=["serve", "dynamodb"])
def owner(request, data_dir, start_server):
    """A running server of flags, or of tables alone: its command's name and the server."""
    if request.param == "serve":
        yield request.param, start_server()
    else:
        server = TableServer(data_dir).start()
        yield request.param, server
        server.kill()


@pytest.mark.parametrize("second", ["serve", "dynamodb"])
def test_a_second_server_says_who_holds_the_directory_and_ends(owner, second, data_dir):
    command, server = owner
    began = time.monotonic()
    ended = run_command(second, "--port", free_port(), "--data-dir", data_dir, timeout=20, cwd=data_dir.parent)
    assert ended.returncode == 1, ended.stderr
    assert f"`flag-server {command}`, process {server.process.pid}, since 20" in ended.stderr
    assert f"the data directory {data_dir} is in use" in ended.stderr
    assert server.process.poll() is None
    assert sorted(path.name for path in data_dir.iterdir() if path.suffix == ".sock") == ["control.sock"]
    # At once: a server does not go away by itself, as a command would.
    assert time.monotonic() - began < 5
    # The commands' way to the first one is still there.
    assert run_command("verify", "--data-dir", data_dir).returncode == 0


def test_of_two_that_start_at_once_one_serves(data_dir):
    ports = [free_port(), free_port()]
    started = [subprocess.Popen(
        [binary(), "dynamodb", "--port", str(port), "--data-dir", str(data_dir)], stderr=subprocess.PIPE, text=True,
        env=clean_environment(), cwd=data_dir.parent) for port in ports]
    try:
        while all(process.poll() is None for process in started):
            time.sleep(0.01)
        loser, winner = sorted(started, key=lambda process: process.poll() is None)
        assert loser.returncode == 1 and f"process {winner.pid}" in loser.stderr.read()
        assert winner.poll() is None
    finally:
        for process in started:
            process.kill()
            process.wait(20)


def test_after_a_crash_the_directory_is_free(owner, data_dir):
    _, server = owner
    server.kill()
    with TableServer(data_dir) as again:
        assert again.start().client.list_tables()["TableNames"] is not None


def test_a_server_of_flags_sees_at_once_what_commands_write_beside_it(start_server, data_dir, tmp_path):
    port = free_port()
    server = start_server("--dynamodb-port", port)
    server.create_flag("flag", defaultEnabled=False)
    assert server.evaluate("flag")[1]["value"] is False
    document = tmp_path / "flags.json"
    document.write_text(json.dumps({"flags": {"flag": {
        "state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}}}))
    imported = run_command("import", document, "--data-dir", data_dir)
    assert imported.returncode == 0, imported.stderr
    assert server.evaluate("flag")[1]["value"] is True
    items = client_for(port).scan(TableName="feature-flags-local")["Items"]
    assert [item["version"] for item in items if item["PK"]["S"] == "FLAG#development#flag"] == [{"N": "2"}]
    exported = run_command("export", "--data-dir", data_dir)
    assert [flag["flagKey"] for flag in json.loads(exported.stdout)["flags"]] == ["flag"]


def test_a_server_of_tables_sees_at_once_what_commands_write_beside_it(data_dir):
    with TableServer(data_dir) as server:
        client = server.start().client
        client.create_table(**THINGS)
        client.put_item(TableName="things", Item={"pk": {"S": "a"}, "sk": {"N": "1"}})
        made = run_command("backup", "create", "--data-dir", data_dir)
        assert made.returncode == 0, made.stderr
        assert [backup["TableName"] for backup in client.list_backups()["BackupSummaries"]] == ["things"]
        restored = run_command("restore", made.stdout.split()[0], "--to", "copy", "--data-dir", data_dir)
        assert restored.returncode == 0, restored.stderr
        assert client.scan(TableName="copy")["Items"] == [{"pk": {"S": "a"}, "sk": {"N": "1"}}]
        refused = run_command("export", "--data-dir", data_dir)
        assert refused.returncode == 1 and "serves tables without flags" in refused.stderr


def test_commands_without_a_server_wait_for_each_other(data_dir, start_server):
    server = start_server()
    server.create_flag("flag", defaultEnabled=True)
    assert server.terminate() == 0
    commands = [subprocess.Popen([binary(), "verify", "--data-dir", str(data_dir)], stdout=subprocess.PIPE, text=True,
                                 env=clean_environment(), cwd=data_dir.parent) for _ in range(4)]
    outputs = [command.communicate(timeout=60)[0] for command in commands]
    assert [command.returncode for command in commands] == [0] * 4
    assert len(set(outputs)) == 1


@pytest.mark.parametrize("arguments", [
    ["verify"], ["export"], ["backup", "list"], ["backup", "create"], ["backup", "delete", "1-a"],
    ["backup", "continuous", "status"], ["restore", "1-a"], ["restore", "--time", "latest"]], ids=" ".join)
def test_a_command_in_the_wrong_directory_says_so_and_leaves_nothing_there(arguments, tmp_path):
    wrong = tmp_path / "wrong"
    assert "there is no data directory" in run_command(*arguments, "--data-dir", wrong).stderr
    assert not wrong.exists()
    wrong.mkdir()
    refused = run_command(*arguments, "--data-dir", wrong)
    assert refused.returncode == 1 and f"nothing is stored in {wrong}" in refused.stderr
    assert list(wrong.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "dynamodb"])
def test_a_server_waits_for_a_command_that_is_at_work(command, data_dir):
    data_dir.mkdir(mode=0o700)
    with open(data_dir / "owner.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(json.dumps({"process": 1, "command": "verify", "startedAt": "2026-01-02T03:04:05Z"}))
        lock.flush()
        server = subprocess.Popen(
            [binary(), command, "--port", str(free_port()), "--data-dir", str(data_dir)], stderr=subprocess.PIPE,
            text=True, env=clean_environment(), cwd=data_dir.parent)
        # It has looked at the lock when it has read the file that says whose it is.
        assert "starting" in server.stderr.readline()
        time.sleep(0.3)
        assert server.poll() is None
    try:
        assert "ready" in server.stderr.readline()
    finally:
        server.kill()
        server.communicate(timeout=20)


def test_a_directory_without_a_name_is_refused(tmp_path):
    refused = run_command("dynamodb", "--port", free_port(), "--data-dir", "", cwd=tmp_path)
    assert refused.returncode == 1 and "has no name: give it one with --data-dir" in refused.stderr
