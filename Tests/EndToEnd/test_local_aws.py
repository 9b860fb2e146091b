"""`scripts/start-local-aws.sh`: one command for a DynamoDB with the flag tables."""

import os
import socket
import subprocess

import pytest

import dynamodb
from server import REPOSITORY, binary, clean_environment, free_port

SCRIPT = REPOSITORY / "scripts" / "start-local-aws.sh"
TABLES = ["feature-flags-dev", "feature-flags-local", "feature-flags-prod"]


def script(*arguments, program=None):
    return subprocess.run(
        [SCRIPT, *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd="/",
        env=clean_environment({"TESTED_FLAG_SERVER": os.path.abspath(program or binary())}))


@pytest.fixture
def place(tmp_path):
    """Options for a directory and a port of the test's own; whatever runs there is stopped in the end."""
    options = ["--port", free_port(), "--data-dir", tmp_path / "local-aws"]
    yield options
    script("--stop", *options)


def test_it_has_the_flag_tables_says_so_when_started_twice_and_keeps_the_data_over_a_stop(place):
    port = place[1]
    first = script(*place)
    assert first.returncode == 0, first.stderr
    assert f"http://127.0.0.1:{port}" in first.stdout
    client = dynamodb.client(port)
    assert client.list_tables()["TableNames"] == TABLES
    client.put_item(TableName=TABLES[0], Item=dynamodb.typed_flag("kept"))

    second = script(*place)
    assert second.returncode == 0 and "is running already" in second.stdout
    assert client.list_tables()["TableNames"] == TABLES

    stopped = script("--stop", *place)
    assert stopped.returncode == 0 and "Stopped" in stopped.stdout
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert script("--stop", *place).returncode == 0, "Stopping what does not run is no failure"

    assert script(*place).returncode == 0
    assert client.scan(TableName=TABLES[0])["Count"] == 1


def test_the_program_may_have_any_name_and_what_is_printed_stops_it(place, tmp_path):
    program = tmp_path / "another-name"
    program.symlink_to(os.path.abspath(binary()))
    started = script(*place, program=program)
    assert started.returncode == 0, started.stderr
    stop = started.stdout.strip().splitlines()[-1].split("start-local-aws.sh ")[1].split()
    assert "Stopped" in script(*stop, program=program).stdout


def test_a_port_that_is_taken_is_refused_with_what_to_do(place, server):
    refused = script("--port", server.port, *place[2:])
    assert refused.returncode == 1
    assert "--port" in refused.stderr


def test_its_tables_are_those_that_serve_makes(place, start_server):
    assert script(*place).returncode == 0
    table_port = free_port()
    start_server("--auth", "off", "--dynamodb-port", table_port, environment="dev")
    kinds = ("KeySchema", "AttributeDefinitions", "ProvisionedThroughput", "GlobalSecondaryIndexes")

    def described(port: int) -> dict:
        table = dynamodb.client(port).describe_table(TableName="feature-flags-dev")["Table"]
        table["AttributeDefinitions"].sort(key=lambda definition: definition["AttributeName"])
        indexes = sorted(table["GlobalSecondaryIndexes"], key=lambda index: index["IndexName"])
        table["GlobalSecondaryIndexes"] = [
            {name: index[name] for name in ("IndexName", "KeySchema", "Projection")} for index in indexes]
        table["ProvisionedThroughput"] = {
            name: table["ProvisionedThroughput"][name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
        return {kind: table[kind] for kind in kinds}

    assert described(place[1]) == described(table_port)


def test_it_and_a_local_server_take_turns_on_one_directory_and_are_told_of_each_other(place, start_server, data_dir):
    place = ["--port", place[1], "--data-dir", data_dir]
    server = start_server()
    server.create_flag("shared", defaultEnabled=True)
    beside = script(*place)
    assert beside.returncode == 1
    assert str(server.process.pid) in beside.stderr and "--dynamodb-port" in beside.stderr, beside.stderr
    assert server.terminate() == 0

    assert script(*place).returncode == 0
    client = dynamodb.client(place[1])
    assert client.list_tables()["TableNames"] == TABLES
    key = {"PK": {"S": "FLAG#development#shared"}, "SK": {"S": "METADATA"}}
    client.update_item(TableName=TABLES[1], Key=key, UpdateExpression="SET defaultEnabled = :off",
                       ExpressionAttributeValues={":off": {"BOOL": False}})
    assert "Stopped" in script("--stop", *place).stdout

    server.start()
    assert server.evaluate("shared")[1]["value"] is False
