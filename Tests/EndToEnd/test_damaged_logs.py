"""Damage of continuous backups is told and made no worse, by a server, by `verify` and by a restore."""

import hashlib
import json
import sqlite3
import time

import pytest
from botocore.exceptions import ClientError

from server import await_true, free_port, run_command
from tables import client_for

TABLE = "feature-flags-local"


def command(data_dir, *arguments, status=0):
    completed = run_command(*arguments, "--data-dir", data_dir)
    assert completed.returncode == status, completed.stdout + completed.stderr
    return completed


def everything(data_dir):
    """Names, contents and times of all that is in a directory."""
    return {str(path): (path.stat().st_mtime_ns, path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest())
            for path in data_dir.rglob("*")}


def logs(data_dir):
    return sorted((data_dir / "continuous").glob("*/log-*.log"))


@pytest.fixture
def history(start_server, data_dir):
    """A directory with a log of 200 changes that the change stream does not have any more."""
    server = start_server()
    command(data_dir, "backup", "continuous", "on")
    for number in range(100):
        server.create_flag(f"flag-{number}", defaultEnabled=True)
    await_true(lambda: " 0 in logs" not in command(data_dir, "verify").stdout, 5, "no log")
    assert server.terminate() == 0
    with sqlite3.connect(data_dir / "flags.db") as connection:
        connection.execute("DELETE FROM change WHERE sequence < (SELECT max(sequence) FROM change)")
    connection.close()
    command(data_dir, "verify")
    return server


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


def test_a_flipped_bit_older_than_the_stream_is_named_everywhere_and_nothing_is_cut(history, data_dir):
    server = history
    log, = logs(data_dir)
    size = log.stat().st_size
    flip(log, size // 2)
    before = everything(data_dir)
    for _ in range(2):
        completed = command(data_dir, "verify", status=1)
        assert "is not what was written" in completed.stdout and str(log) in completed.stdout
        assert "cannot be restored to a time from 20" in completed.stdout
        assert everything(data_dir) == before

    port = free_port()
    server.options += ["--dynamodb-port", str(port)]
    server.start()
    await_true(lambda: "the continuous backups of a table are damaged" in server.log, 5, "no word of it in the log")
    assert "log-" in server.log and "lostFrom" in server.log
    assert server.metric("flag_server_backup_log_damages") == {"": 1}
    status, _, body = server.request("GET", "/health/ready")
    assert status == 200 and body["status"] == "ok" and "damaged" in body["checks"]["backups"]
    aside = log.with_suffix(".damaged")
    assert aside.stat().st_size == size and not log.exists()
    told = command(data_dir, "backup", "continuous", "status", "--table", TABLE).stdout
    assert f"{TABLE}  on  restorable from 20" in told and "not restorable from 20" in told and str(aside) in told
    table, = json.loads(command(
        data_dir, "backup", "continuous", "status", "--table", TABLE, "--format", "json").stdout)
    damage, = table["damages"]
    # The window goes on, and what was before the damage can be restored.
    server.create_flag("afterwards", defaultEnabled=True)
    assert "restored" in command(data_dir, "restore", "--time", "latest", "--to", "latest").stdout
    assert "restored" in command(data_dir, "restore", "--time", table["earliest"], "--to", "first").stdout
    refused = command(data_dir, "restore", "--time", damage["lostFrom"], "--to", "lost", status=1)
    assert "cannot be restored" in refused.stderr and str(aside) in refused.stderr
    with pytest.raises(ClientError) as error:
        client_for(port).restore_table_to_point_in_time(
            SourceTableName=TABLE, TargetTableName="lost", RestoreDateTime=damage["lostFrom"])
    assert error.value.response["Error"]["Code"] == "InvalidRestoreTimeException"
    assert "problem" not in command(data_dir, "verify", status=1).stderr
    assert server.terminate() == 0
    # And another start makes it no worse.
    server.start()
    await_true(lambda: server.metric("flag_server_backup_log_damages") == {"": 1}, 5, "it was forgotten")
    assert aside.stat().st_size == size


@pytest.mark.parametrize("kind", ["base-", "log-"])
def test_a_file_that_was_deleted_is_missed(history, data_dir, kind):
    server = history
    gone, = (data_dir / "continuous").glob(f"*/{kind}*")
    gone.unlink()
    before = everything(data_dir)
    assert "the file is gone" in command(data_dir, "verify", status=1).stdout
    assert everything(data_dir) == before
    server.start()
    await_true(lambda: "the file is gone" in server.log, 5, "nobody missed it")
    assert "the file is gone" in command(data_dir, "backup", "continuous", "status").stdout
    assert "restored" in command(data_dir, "restore", "--time", "latest", "--to", "latest").stdout


def test_a_restore_that_fails_is_told_and_counted(start_server, data_dir):
    port = free_port()
    server = start_server("--dynamodb-port", port)
    command(data_dir, "backup", "continuous", "on")
    for number in range(50):
        server.create_flag(f"flag-{number}", defaultEnabled=True)
    await_true(lambda: " 0 in logs" not in command(data_dir, "verify").stdout, 5, "no log")
    time.sleep(0.6)
    # Behind the server's back, in what it has just written.
    log, = logs(data_dir)
    flip(log, log.stat().st_size // 3)
    client = client_for(port)
    client.restore_table_to_point_in_time(
        SourceTableName=TABLE, TargetTableName="copy", UseLatestRestorableTime=True)
    await_true(lambda: server.metric("flag_server_restores_failed_total") == {"": 1}, 10, "it was not counted")
    assert "a restore failed: there is no such table" in server.log
    with pytest.raises(ClientError) as error:
        client.describe_table(TableName="copy")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert "Its restore failed" in error.value.response["Error"]["Message"]
    # It is looked at once, a base is made, and the next one succeeds.
    await_true(lambda: server.metric("flag_server_backup_log_damages") == {"": 1}, 10, "the damage was not noted")
    assert "restored" in command(data_dir, "restore", "--time", "latest", "--to", "copy").stdout
    assert client.describe_table(TableName="copy")["Table"]["TableStatus"] == "ACTIVE"


def test_verify_after_a_kill_writes_nothing_and_sees_what_is_in_the_log_only(start_server, data_dir):
    server = start_server()
    command(data_dir, "backup", "continuous", "on")
    for number in range(30):
        server.create_flag(f"flag-{number}", defaultEnabled=True)
    server.kill()
    assert (data_dir / "flags.db-wal").stat().st_size > 0
    before = everything(data_dir)
    told = command(data_dir, "verify").stdout
    assert everything(data_dir) == before
    server.start()
    assert len(server.all_flags()) == 30
    assert int(told.split()[1]) >= 30
