"""Long work is listed, can be cancelled, stops with its client and with the server, and says what is done."""

import json
import re
import socket
import subprocess
import time

import pytest

import dynamodb
from server import FlagServer, binary, clean_environment, free_port, run_command
from tables import THINGS

FLAGS = 60_000
"""Far more than can be imported while somebody looks."""

STOPPED = re.compile(
    rf"stopped after (\d+) of {FLAGS} changes because (.*?); import the same file again to do the rest")


@pytest.fixture(scope="module")
def large_file(tmp_path_factory):
    flags = [{"flagKey": f"f{number}", "description": "d", "owner": "o", "defaultEnabled": True}
             for number in range(FLAGS)]
    file = tmp_path_factory.mktemp("files") / "large.json"
    file.write_text(json.dumps({"flags": flags}))
    return file


def await_work(server) -> dict:
    """The one piece of work that is under way, once it has changed something."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        work = server.expect(200, "GET", "/api/work")["work"]
        if work and work[0]["done"] > 0:
            return work[0]
        time.sleep(0.002)
    raise AssertionError(f"nothing is under way\n{server.log}")


def await_end(server):
    """Returns once nothing is under way."""
    deadline = time.monotonic() + 20
    while server.expect(200, "GET", "/api/work")["work"]:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def notices(server) -> list[str]:
    return [line for line in server.log.splitlines() if "long work" in line]


def upload(server, file) -> socket.socket:
    """A connection on which an import was asked for."""
    body = file.read_bytes()
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(b"POST /api/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(body) + body)
    return connection


def command(server, file, *options) -> subprocess.Popen:
    return subprocess.Popen(
        [binary(), "import", str(file), *map(str, options or ("--data-dir", server.data_dir))], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment(), cwd=server.data_dir.parent)


def flags_stored(server) -> int:
    exported = json.loads(run_command("export", "--data-dir", server.data_dir).stdout)
    return len(exported["flags"])


def test_an_import_over_http_is_listed_and_cancelled_and_says_how_far_it_came(server, large_file):
    with upload(server, large_file) as connection:
        work = await_work(server)
        assert (work["what"], work["by"], work["total"]) == ("import", "anonymous from 127.0.0.1", FLAGS)
        assert server.request("DELETE", f"/api/work/{work['id']}")[0] == 202
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 503 ") and '"code":"work_stopped"' in answer
    done, reason = STOPPED.search(answer).groups()
    assert reason == "it was cancelled by anonymous from 127.0.0.1"
    assert server.request("DELETE", f"/api/work/{work['id']}")[0] == 404
    assert flags_stored(server) == int(done) < FLAGS
    assert [STOPPED.search(line)[1] for line in notices(server)] == [done]


@pytest.mark.parametrize("how", ["closed", "half closed"])
def test_an_import_whose_client_leaves_stops(how, server, large_file):
    with upload(server, large_file) as connection:
        await_work(server)
        connection.shutdown(socket.SHUT_WR) if how == "half closed" else connection.close()
        await_end(server)
        if how == "half closed":
            assert "the client has left" in connection.recv(65536).decode()
    done, reason = STOPPED.search(notices(server)[0]).groups()
    assert "the client has left" in reason
    assert flags_stored(server) == int(done) < FLAGS


def test_an_import_command_that_is_killed_stops(server, large_file):
    importing = command(server, large_file)
    work = await_work(server)
    assert re.fullmatch(rf"local:\S+ from process {importing.pid}", work["by"])
    importing.kill()
    importing.communicate(timeout=20)
    await_end(server)
    assert "the client has left" in STOPPED.search(notices(server)[0])[2]


def test_commands_look_at_an_import_command_and_cancel_it_while_it_works(server, large_file):
    place = ("--data-dir", server.data_dir)
    importing, waiting = command(server, large_file), None
    try:
        work = await_work(server)
        waiting = command(server, large_file)
        listed = run_command("work", "list", *place)
        assert listed.returncode == 0, listed.stderr
        assert re.fullmatch(rf"{work['id']}  import  \d+ of {FLAGS} changes  since 20\S+Z  {work['by']}\n",
                            listed.stdout)
        assert run_command("work", "list", "--server", server.origin, "--format", "json").stdout.count('"id"') == 1
        cancelled = run_command("work", "cancel", work["id"], *place)
        assert cancelled.returncode == 0 and cancelled.stdout.startswith(f"will stop: {work['id']}  import")
        _, told = importing.communicate(timeout=60)
        assert importing.returncode == 1
        done, reason = STOPPED.search(told).groups()
        assert f"flag-server: {large_file}: stopped" in told and "it was cancelled by local:" in reason
        # The one behind it is next.
        following = await_work(server)
        assert following["by"].endswith(f" from process {waiting.pid}") and following["total"] == FLAGS - int(done)
        assert run_command("work", "cancel", following["id"], "--server", server.origin).returncode == 0
        waiting.communicate(timeout=60)
        refused = run_command("work", "cancel", work["id"], *place)
        assert refused.returncode == 1 and f"there is no work {work['id']} under way" in refused.stderr
        assert run_command("work", "list", *place).stdout == ""
    finally:
        for process in filter(None, (importing, waiting)):
            process.kill()


@pytest.mark.parametrize("door", ["http", "command", "remote command"])
def test_sigterm_stops_an_import_at_once_and_the_same_file_does_the_rest(door, server, large_file):
    options = ("--server", server.origin) if door == "remote command" else ()
    client = upload(server, large_file) if door == "http" else command(server, large_file, *options)
    await_work(server)
    started = time.monotonic()
    assert server.terminate() == 0
    assert time.monotonic() - started < 8
    told = client.recv(65536).decode() if door == "http" else client.communicate(timeout=20)[1]
    done, reason = STOPPED.search(told).groups()
    assert reason == "the server is stopping"
    assert [STOPPED.search(line)[1] for line in notices(server)] == [done]
    assert flags_stored(server) == int(done) < FLAGS
    if door != "command":
        return
    rest = run_command("import", large_file, "--data-dir", server.data_dir)
    assert f"flags: {FLAGS - int(done)} created, 0 changed, 0 removed, {done} unchanged" in rest.stdout
    assert flags_stored(server) == FLAGS


def test_backups_and_restores_are_told_of_as_well(server):
    server.create_flag("kept", defaultEnabled=True)
    place = ("--data-dir", server.data_dir)
    backup = run_command("backup", "create", *place).stdout.split()[0]
    assert run_command("restore", backup, "--to", "copy", *place).returncode == 0
    lines = notices(server)
    assert len(lines) == 2 and all("long work done" in line and "by=" in line for line in lines)
    assert "backup of feature-flags-local" in lines[0] and "restore of copy" in lines[1]


def test_without_a_server_there_is_no_work_to_look_at(data_dir):
    with FlagServer(data_dir) as server:
        server.start()
    refused = run_command("work", "list", "--data-dir", data_dir)
    assert refused.returncode == 1 and f"no server runs on {data_dir}" in refused.stderr


def test_a_restore_that_was_asked_on_the_dynamodb_port_is_listed_and_can_be_cancelled(start_server):
    port = free_port()
    server = start_server("--dynamodb-port", port)
    client = dynamodb.client(port)
    client.create_table(**THINGS)
    for number in range(400):
        client.batch_write_item(RequestItems={"things": [
            {"PutRequest": {"Item": {"pk": {"S": f"{number}"}, "sk": {"N": f"{item}"}, "text": {"S": "x" * 2000}}}}
            for item in range(25)]})
    arn = client.create_backup(TableName="things", BackupName="all")["BackupDetails"]["BackupArn"]

    def work() -> list:
        return server.expect(200, "GET", "/api/work")["work"]

    client.restore_table_from_backup(TargetTableName="copy", BackupArn=arn)
    listed = work()
    assert [(entry["what"], entry["by"]) for entry in listed] == [("restore of copy", "DynamoDB port")]
    server.request("DELETE", f"/api/work/{listed[0]['id']}")
    deadline = time.monotonic() + 20
    while work():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "copy" not in client.list_tables()["TableNames"]
    assert server.expect(200, "GET", "/health/ready")["status"] == "ok"
