"""Backups through DynamoDB's protocol, as boto3 asks for them."""

import datetime
import json
import threading
import time

import pytest
from server import run_command
from table_drill import Refused, TableServer, call

boto3 = pytest.importorskip("boto3")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

TABLE = "orders"


@pytest.fixture
def client(data_dir):
    server = TableServer(data_dir)
    server.start()
    yield boto3.client(
        "dynamodb", endpoint_url=f"http://127.0.0.1:{server.port}", region_name="us-east-1",
        aws_access_key_id="any", aws_secret_access_key="any", config=Config(retries={"max_attempts": 1}))
    server.kill()


@pytest.fixture
def table(client):
    client.create_table(
        TableName=TABLE, ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "owner")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[{
            "IndexName": "by-owner", "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}}])
    for number in range(10):
        put(client, number)
    return TABLE


def put(client, number, table=TABLE):
    client.put_item(TableName=table, Item={"pk": {"S": str(number)}, "owner": {"S": "o"}})


def keys(client, table):
    return {item["pk"]["S"] for item in client.scan(TableName=table)["Items"]}


def refused(code, operation, **members):
    with pytest.raises(ClientError) as error:
        operation(**members)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response["Error"]["Message"]


def test_a_backup_is_made_described_listed_restored_and_deleted(client, table):
    details = client.create_backup(TableName=table, BackupName="before")["BackupDetails"]
    arn = details["BackupArn"]
    assert f":table/{table}/backup/0" in arn
    assert (details["BackupName"], details["BackupStatus"], details["BackupType"]) == ("before", "AVAILABLE", "USER")
    assert details["BackupSizeBytes"] > 0
    put(client, 10)

    described = client.describe_backup(BackupArn=arn)["BackupDescription"]
    assert described["BackupDetails"] == details
    source = described["SourceTableDetails"]
    table_description = client.describe_table(TableName=table)["Table"]
    assert source["TableName"] == table and source["ItemCount"] == 10 and source["BillingMode"] == "PROVISIONED"
    assert source["TableId"] == table_description["TableId"]
    assert source["KeySchema"] == table_description["KeySchema"]
    assert [index["IndexName"] for index in described["SourceTableFeatureDetails"]["GlobalSecondaryIndexes"]] == [
        "by-owner"]

    summary, = client.list_backups(TableName=table)["BackupSummaries"]
    assert (summary["BackupArn"], summary["TableName"]) == (arn, table)

    restored = client.restore_table_from_backup(TargetTableName="copy", BackupArn=arn)["TableDescription"]
    assert restored["TableStatus"] == "CREATING" and restored["RestoreSummary"]["RestoreInProgress"]
    client.get_waiter("table_exists").wait(TableName="copy", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert keys(client, "copy") == {str(number) for number in range(10)}
    copy = client.describe_table(TableName="copy")["Table"]
    assert copy["RestoreSummary"]["SourceBackupArn"] == arn and not copy["RestoreSummary"]["RestoreInProgress"]
    assert copy["ItemCount"] == 10 and copy["TableId"] != table_description["TableId"]
    assert client.query(
        TableName="copy", IndexName="by-owner", KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "owner"}, ExpressionAttributeValues={":o": {"S": "o"}})["Count"] == 10

    assert client.delete_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupStatus"] == "DELETED"
    assert client.list_backups()["BackupSummaries"] == []
    assert arn in refused("BackupNotFoundException", client.describe_backup, BackupArn=arn)
    refused("BackupNotFoundException", client.delete_backup, BackupArn=arn)
    refused("BackupNotFoundException", client.restore_table_from_backup, TargetTableName="more", BackupArn=arn)


def test_lists_have_pages_and_filters(client, table):
    made = [client.create_backup(TableName=table, BackupName=f"number-{number}")["BackupDetails"] for number in range(5)]
    arns, start = [], {}
    while True:
        page = client.list_backups(Limit=2, **start)
        assert len(page["BackupSummaries"]) <= 2
        arns += [summary["BackupArn"] for summary in page["BackupSummaries"]]
        if "LastEvaluatedBackupArn" not in page:
            break
        start = {"ExclusiveStartBackupArn": page["LastEvaluatedBackupArn"]}
    assert sorted(arns) == sorted(backup["BackupArn"] for backup in made)
    moment = made[0]["BackupCreationDateTime"]
    hour = datetime.timedelta(hours=1)
    assert len(client.list_backups(TimeRangeLowerBound=moment - hour)["BackupSummaries"]) == 5
    assert client.list_backups(TimeRangeUpperBound=moment - hour)["BackupSummaries"] == []
    assert client.list_backups(BackupType="SYSTEM")["BackupSummaries"] == []
    assert client.list_backups(TableName="another")["BackupSummaries"] == []


def test_a_table_is_restored_to_a_moment(client, table):
    recovery = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"] == {"PointInTimeRecoveryStatus": "DISABLED"}
    refused("PointInTimeRecoveryUnavailableException", client.restore_table_to_point_in_time,
            SourceTableName=table, TargetTableName="copy", UseLatestRestorableTime=True)
    answer = client.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED" and recovery["RecoveryPeriodInDays"] == 35
    for days in (7, 35):
        answer = client.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification={
            "PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": days})
        described = client.describe_continuous_backups(TableName=table)
        for told in (answer, described):
            told = told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
            assert told["RecoveryPeriodInDays"] == days
    # Clients send whole seconds: one must pass that lies between turning it on and what comes later.
    moment = recovery["EarliestRestorableDateTime"]
    while datetime.datetime.now(datetime.timezone.utc) <= moment:
        time.sleep(0.02)
    put(client, "later")
    client.delete_item(TableName=table, Key={"pk": {"S": "0"}})

    client.restore_table_to_point_in_time(SourceTableName=table, TargetTableName="then", RestoreDateTime=moment)
    client.restore_table_to_point_in_time(
        SourceTableArn=client.describe_table(TableName=table)["Table"]["TableArn"], TargetTableName="latest",
        UseLatestRestorableTime=True, BillingModeOverride="PAY_PER_REQUEST", GlobalSecondaryIndexOverride=[])
    for name in ("then", "latest"):
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert keys(client, "then") == {str(number) for number in range(10)}
    assert keys(client, "latest") == keys(client, table)
    latest = client.describe_table(TableName="latest")["Table"]
    assert latest["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert "GlobalSecondaryIndexes" not in latest
    assert client.list_backups()["BackupSummaries"] == []

    earliest = recovery["EarliestRestorableDateTime"]
    refused("InvalidRestoreTimeException", client.restore_table_to_point_in_time, SourceTableName=table,
            TargetTableName="more", RestoreDateTime=earliest - datetime.timedelta(seconds=1))
    refused("InvalidRestoreTimeException", client.restore_table_to_point_in_time, SourceTableName=table,
            TargetTableName="more", RestoreDateTime=moment + datetime.timedelta(hours=1))
    refused("TableAlreadyExistsException", client.restore_table_to_point_in_time, SourceTableName=table,
            TargetTableName="then", UseLatestRestorableTime=True)
    refused("ValidationException", client.restore_table_to_point_in_time, SourceTableName=table,
            TargetTableName="more")


def test_deleting_a_table_with_recovery_leaves_a_system_backup(client, table):
    client.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    client.delete_table(TableName=table)
    backup, = client.list_backups(BackupType="SYSTEM")["BackupSummaries"]
    assert backup["BackupName"] == f"{table}$DeletedTableBackup" and "BackupExpiryDateTime" in backup
    client.restore_table_from_backup(TargetTableName=table, BackupArn=backup["BackupArn"])
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert len(keys(client, table)) == 10


@pytest.mark.parametrize("way", ["restore --replace", "DeleteTable"])
def test_no_answered_write_is_lost_when_a_table_ends(client, table, data_dir, way):
    """Each is in the table that is there afterwards, or in the backup of the one that was."""
    client.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    for number in range(2000):
        put(client, f"early {number}")
    backup = client.create_backup(TableName=table, BackupName="before")["BackupDetails"]["BackupArn"].rpartition("/")[2]
    port = client.meta.endpoint_url.rpartition(":")[2]
    answered, over = set(), threading.Event()

    def write(writer):
        server = TableServer(data_dir)
        server.port = int(port)
        connection = server.connect()
        number = 0
        while not over.is_set():
            key = f"writer {writer} {number}"
            number += 1
            try:
                call(connection, "PutItem", {"TableName": table, "Item": {"pk": {"S": key}, "owner": {"S": "o"}}})
            except Refused as refusal:
                assert refusal.code == "ResourceNotFoundException"
                continue
            answered.add(key)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(3 if way == "restore --replace" else 1):
            enough = len(answered) + 50
            while len(answered) < enough:
                time.sleep(0.005)
            if way == "DeleteTable":
                client.delete_table(TableName=table)
            else:
                completed = run_command("restore", backup, "--replace", "--data-dir", data_dir)
                assert completed.returncode == 0, completed.stderr
        time.sleep(0.2)
    finally:
        over.set()
        for writer in writers:
            writer.join()
    there = set()
    if way == "restore --replace":
        there |= all_keys(client, table)
    for number, kept in enumerate(client.list_backups(BackupType="SYSTEM")["BackupSummaries"]):
        client.restore_table_from_backup(TargetTableName=f"kept-{number}", BackupArn=kept["BackupArn"])
        client.get_waiter("table_exists").wait(
            TableName=f"kept-{number}", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        there |= all_keys(client, f"kept-{number}")
    assert answered - there == set()
    assert run_command("verify", "--data-dir", data_dir).returncode == 0
    # The times before can still be restored.
    status = run_command("backup", "continuous", "status", "--format", "json", "--data-dir", data_dir)
    ended = [each for each in json.loads(status.stdout) if each.get("ended")]
    assert ended and all(each["table"] == table and each["earliest"] < each["latest"] for each in ended[:1])
    completed = run_command(
        "restore", "--time", ended[0]["latest"], "--table", table, "--to", "then", "--data-dir", data_dir)
    assert completed.returncode == 0, completed.stderr
    assert {key for key in all_keys(client, "then") if key.startswith("early")} == {
        f"early {number}" for number in range(2000)}


def all_keys(client, table):
    pages = client.get_paginator("scan").paginate(TableName=table)
    return {item["pk"]["S"] for page in pages for item in page["Items"]}


def test_a_damaged_backup_is_told_and_deleted_and_hides_no_other(client, table, data_dir):
    arns = [
        client.create_backup(TableName=table, BackupName=f"number-{number}")["BackupDetails"]["BackupArn"]
        for number in range(3)]
    damaged = arns[1].rpartition("/")[2]
    file = data_dir / "backups" / f"{damaged}.backup"
    file.write_bytes(file.read_bytes()[:-20])
    (data_dir / "backups" / "README").write_text("not a backup")

    states = {summary["BackupArn"].rpartition("/")[2]: summary["BackupStatus"]
              for summary in client.list_backups()["BackupSummaries"]}
    assert sorted(states.values()) == ["AVAILABLE", "AVAILABLE", "DAMAGED"] and states[damaged] == "DAMAGED"
    arn = next(summary["BackupArn"] for summary in client.list_backups()["BackupSummaries"]
               if summary["BackupStatus"] == "DAMAGED")
    details = client.describe_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]
    assert details["BackupStatus"] == "DAMAGED" and details["BackupSizeBytes"] == file.stat().st_size
    assert "is damaged" in refused(
        "InternalServerError", client.restore_table_from_backup, TargetTableName="copy", BackupArn=arn)

    listed = run_command("backup", "list", "--data-dir", data_dir).stdout
    assert f"{damaged}  20" in listed and str(file) in listed and listed.count("\n") == 3
    entry, = [each for each in json.loads(run_command(
        "backup", "list", "--format", "json", "--data-dir", data_dir).stdout) if each["status"] == "damaged"]
    assert entry["id"] == damaged and str(file) in entry["reason"]
    verified = run_command("verify", "--data-dir", data_dir)
    assert verified.returncode == 1 and str(file) in verified.stdout
    assert "is damaged" in run_command("restore", damaged, "--to", "copy", "--data-dir", data_dir).stderr

    deleted = client.delete_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]
    assert deleted["BackupStatus"] == "DELETED"
    assert not file.exists() and len(client.list_backups()["BackupSummaries"]) == 2
    other = arns[0].rpartition("/")[2]
    (data_dir / "backups" / f"{other}.backup").write_bytes(b"")
    assert "damaged" in run_command("backup", "delete", other, "--data-dir", data_dir).stdout
    assert run_command("verify", "--data-dir", data_dir).returncode == 0


def test_what_cannot_be_done_has_dynamodbs_names(client, table):
    refused("TableNotFoundException", client.create_backup, TableName="none", BackupName="name")
    refused("TableNotFoundException", client.describe_continuous_backups, TableName="none")
    refused("TableNotFoundException", client.update_continuous_backups, TableName="none",
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    refused("ValidationException", client.create_backup, TableName=table, BackupName="n ame")
    arn = client.create_backup(TableName=table, BackupName="name")["BackupDetails"]["BackupArn"]
    refused("TableAlreadyExistsException", client.restore_table_from_backup, TargetTableName=table, BackupArn=arn)


def test_local_indexes_are_restored_unless_they_are_left_out(client):
    client.create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "rank")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        LocalSecondaryIndexes=[{
            "IndexName": "by-rank",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "rank", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"}}])
    for sort, rank in (("a", "2"), ("b", "1"), ("c", None)):
        item = {"pk": {"S": "p"}, "sk": {"S": sort}} | ({"rank": {"S": rank}} if rank else {})
        client.put_item(TableName=TABLE, Item=item)
    arn = client.create_backup(TableName=TABLE, BackupName="local")["BackupDetails"]["BackupArn"]
    features = client.describe_backup(BackupArn=arn)["BackupDescription"]["SourceTableFeatureDetails"]
    assert [index["IndexName"] for index in features["LocalSecondaryIndexes"]] == ["by-rank"]
    assert "GlobalSecondaryIndexes" not in features

    waiter = client.get_waiter("table_exists")
    client.restore_table_from_backup(TargetTableName="copy", BackupArn=arn)
    waiter.wait(TableName="copy", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    found = client.query(
        TableName="copy", IndexName="by-rank", ConsistentRead=True, KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "p"}})
    assert [item["sk"]["S"] for item in found["Items"]] == ["b", "a"]

    client.restore_table_from_backup(TargetTableName="bare", BackupArn=arn, LocalSecondaryIndexOverride=[])
    waiter.wait(TableName="bare", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert "LocalSecondaryIndexes" not in client.describe_table(TableName="bare")["Table"]
