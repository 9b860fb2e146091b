"""The table that a server serves is protected from deletion; when it is gone all the same, everybody is told."""

import json
import time

import pytest
from botocore.exceptions import ClientError

import dynamodb
from server import REPOSITORY, free_port, run_command
from tables import TableServer
from test_bad_starts import serve

TABLE = "feature-flags-local"


@pytest.fixture
def table_port() -> int:
    return free_port()


@pytest.fixture
def served(start_server, table_port):
    """A server with a flag and a backup, and its DynamoDB port open."""
    server = start_server("--dynamodb-port", table_port)
    server.create_flag("precious", defaultEnabled=True)
    assert server.evaluate("precious")[1]["value"] is True
    made = run_command("backup", "create", "--data-dir", server.data_dir)
    assert made.returncode == 0, made.stderr
    return server


@pytest.fixture
def client(served, table_port):
    return dynamodb.client(table_port)


def is_protected(client) -> bool:
    return client.describe_table(TableName=TABLE)["Table"]["DeletionProtectionEnabled"]


def end(client):
    """Deletes the table as somebody does who means it."""
    client.update_table(TableName=TABLE, DeletionProtectionEnabled=False)
    client.delete_table(TableName=TABLE)


def await_health(server, status: int) -> dict:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        got, _, body = server.request("GET", "/health/ready")
        if got == status:
            return body
        time.sleep(0.01)
    raise AssertionError(f"/health/ready does not answer {status}\n{server.log}")


def restore(server):
    backup = run_command("backup", "list", "--data-dir", server.data_dir).stdout.split()[0]
    restored = run_command("restore", backup, "--data-dir", server.data_dir)
    assert restored.returncode == 0, restored.stderr


def changes(server) -> list[str]:
    """What the log tells of changes, without the time."""
    return [line.split("change ", 1)[1] for line in server.log.splitlines() if " change " in line]


def test_the_log_tells_of_every_change_of_tables_backups_and_flags_on_the_port(served, client):
    before = len(changes(served))
    client.create_table(
        TableName="things", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}])
    # The daily work of others is counted, and not told.
    client.put_item(TableName="things", Item={"pk": {"S": TABLE}})
    client.get_item(TableName=TABLE, Key={"PK": {"S": "FLAG#development#precious"}, "SK": {"S": "METADATA"}})
    client.update_item(
        TableName=TABLE, Key={"PK": {"S": "FLAG#development#precious"}, "SK": {"S": "METADATA"}},
        UpdateExpression="SET description = :text", ExpressionAttributeValues={":text": {"S": "By hand"}})
    arn = client.create_backup(TableName="things", BackupName="nightly")["BackupDetails"]["BackupArn"]
    client.restore_table_from_backup(TargetTableName="copy", BackupArn=arn)
    with pytest.raises(ClientError):
        client.delete_table(TableName=TABLE)
    assert [sorted(part for part in line.split() if not part.startswith(("client=", "backup=arn")))
            for line in changes(served)[before:]] == [
        sorted(line.split()) for line in [
            "operation=CreateTable principal=anonymous status=200 table=things",
            f"operation=UpdateItem principal=anonymous status=200 table={TABLE}",
            "backup=nightly operation=CreateBackup principal=anonymous status=200 table=things",
            "operation=RestoreTableFromBackup principal=anonymous status=200 table=copy",
            f"operation=DeleteTable principal=anonymous status=400 table={TABLE}"]]


def test_the_table_is_protected_until_somebody_turns_that_off(served, client):
    assert is_protected(client)
    with pytest.raises(ClientError, match="protected against deletion"):
        client.delete_table(TableName=TABLE)
    client.update_table(TableName=TABLE, DeletionProtectionEnabled=False)
    assert served.terminate() == 0
    served.start()
    assert not is_protected(client), "what somebody has turned off stays so"


def test_a_table_that_another_program_made_is_protected_once_it_is_served(data_dir, start_server, table_port):
    with TableServer(data_dir) as tables:
        definition = json.loads((REPOSITORY / "config" / "flag-table.json").read_text())
        tables.start().client.create_table(TableName=TABLE, **definition)
        assert not is_protected(tables.client)
    start_server("--dynamodb-port", table_port)
    assert is_protected(dynamodb.client(table_port))


def test_when_the_table_is_gone_health_is_red_and_the_log_says_so_and_a_restore_mends_it(served, client):
    end(client)
    checks = await_health(served, 503)["checks"]
    assert checks["store"] == "the table of the flags is gone; what is known goes on being served"
    errors = [line for line in served.log.splitlines() if "ERROR" in line]
    assert len([line for line in errors if "the table of the flags is gone" in line]) == 1
    assert served.evaluate("precious")[1]["value"] is True
    status, _, problem = served.request(
        "POST", "/api/flags", {"flagKey": "new", "description": "d", "owner": "o", "defaultEnabled": True})
    assert (status, problem["code"]) == (503, "store_unavailable") and "flag-server restore" in problem["detail"]
    restore(served)
    await_health(served, 200)
    assert "the table of the flags is there again" in served.log
    served.create_flag("new", defaultEnabled=True)
    deadline = time.monotonic() + 10
    while not is_protected(client):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("way", ["restore", "import --create"])
def test_no_start_makes_it_anew_in_silence(way, served, client, data_dir, tmp_path):
    end(client)
    assert served.terminate() == 0
    refused = serve(data_dir)
    assert refused.returncode == 1
    assert f"the table {TABLE}, which was served from {data_dir}, is gone" in refused.stderr
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flags": [
        {"flagKey": "other", "description": "d", "owner": "o", "defaultEnabled": True}]}))
    for command in (["export"], ["import", file], ["import", file, "--dry-run"]):
        told = run_command(*command, "--data-dir", data_dir)
        assert told.returncode == 1 and "is gone: make it again from a backup" in told.stderr
    if way == "restore":
        restore(served)
    else:
        assert run_command("import", file, "--create", "--data-dir", data_dir).returncode == 0
    served.start()
    assert [flag["flagKey"] for flag in served.all_flags()] == ["precious" if way == "restore" else "other"]
