"""Flags, overrides and kill switches that are written as items on the DynamoDB port, past the flag routes."""

import json
import subprocess
import time

import pytest

import dynamodb
from dynamodb import typed_flag
from server import free_port

TABLE = "feature-flags-dev"

PROMISED = 1.0
"""Seconds after which a write is in force, and everything that follows from it done."""


class Served:
    """A server of the `dev` profile with its DynamoDB port open."""

    def __init__(self, start_server, **settings):
        self.table_port = free_port()
        self.server = start_server(
            "--auth", "off", "--dynamodb-port", self.table_port, environment="dev", **settings)
        self.client = dynamodb.client(self.table_port)

    def put(self, item: dict):
        self.client.put_item(TableName=TABLE, Item=item)

    def item(self, key: str) -> dict:
        name = {"PK": {"S": f"FLAG#staging#{key}"}, "SK": {"S": "METADATA"}}
        return self.client.get_item(TableName=TABLE, Key=name, ConsistentRead=True).get("Item", {})

    def of_owner(self, owner: str) -> list[str]:
        """Keys of an owner's flags by the index."""
        found = self.client.query(
            TableName=TABLE, IndexName="GSI2-OWNER-INDEX", KeyConditionExpression="GSI2PK = :owner",
            ExpressionAttributeValues={":owner": {"S": f"OWNER#staging#{owner}"}})
        return [item["flagKey"]["S"] for item in found["Items"]]

    def history(self, key: str) -> list[dict]:
        return self.server.expect(200, "GET", f"/api/flags/{key}/history")["history"]

    def eventually(self, condition):
        """Waits until `condition` holds, for as long as is promised."""
        deadline = time.monotonic() + PROMISED
        while not (last := condition()):
            assert time.monotonic() < deadline, f"not within {PROMISED} s; last: {last}"
            time.sleep(0.005)
        return last


@pytest.fixture
def served(start_server) -> Served:
    return Served(start_server)


def test_a_flag_put_with_the_aws_command_is_an_ordinary_flag_within_a_second(served):
    put = subprocess.run(
        ["aws", "dynamodb", "put-item", "--table-name", TABLE, "--item", json.dumps(typed_flag("new-feature"))],
        env=dynamodb.environment(served.table_port), capture_output=True, text=True)
    assert (put.returncode, put.stdout) == (0, ""), put.stderr
    answered = time.monotonic()
    assert served.server.evaluate("new-feature")[1]["value"] is True, "At once: it was answered after it was in force"
    served.eventually(lambda: served.of_owner("platform-team") == ["new-feature"])
    assert time.monotonic() - answered < PROMISED
    [flag] = served.server.all_flags("owner=platform-team")
    assert (flag["flagKey"], flag["environment"], flag["version"]) == ("new-feature", "staging", 1)
    status, _, bulk = served.server.request("POST", "/ofrep/v1/evaluate/flags", {})
    assert status == 200 and [answer["key"] for answer in bulk["flags"]] == ["new-feature"]


def killed(served) -> tuple:
    answer = served.server.evaluate("checkout")[1]
    return answer["value"], answer["reason"], answer["metadata"].get("killSwitch")


def test_a_kill_switch_put_as_an_item_works_at_once(served):
    served.put(typed_flag("checkout"))
    assert served.server.evaluate("checkout")[1]["value"] is True
    served.put({"PK": {"S": "EMERGENCY#staging"}, "SK": {"S": "FLAG#checkout"}, "reason": {"S": "broken"},
                "enabled": {"BOOL": True}})
    assert killed(served) == (False, "STATIC", "flag")
    served.client.delete_item(
        TableName=TABLE, Key={"PK": {"S": "EMERGENCY#staging"}, "SK": {"S": "FLAG#checkout"}})
    assert served.server.evaluate("checkout")[1]["value"] is True
    served.put({"PK": {"S": "EMERGENCY#staging"}, "SK": {"S": "GLOBAL"}})
    assert killed(served) == (False, "STATIC", "global"), "In doubt it is on"


def test_an_owner_that_is_changed_by_hand_moves_the_flag_and_gives_it_the_next_version(served):
    created = served.server.create_flag("chat", defaultEnabled=True, owner="web")
    served.client.update_item(
        TableName=TABLE, Key={"PK": {"S": "FLAG#staging#chat"}, "SK": {"S": "METADATA"}},
        UpdateExpression="SET #owner = :new", ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":new": {"S": "mobile"}})
    served.eventually(lambda: served.of_owner("mobile") == ["chat"])
    assert served.of_owner("web") == []
    flag = served.server.expect(200, "GET", "/api/flags/chat")
    assert flag["version"] == created["version"] + 1 and flag["updatedAt"] > created["updatedAt"]
    got, _, _ = served.server.request(
        "PUT", "/api/flags/chat", {"description": "d", "owner": "web", "defaultEnabled": False, "version": 1})
    assert got == 412, "Whoever read the flag before does not overwrite what was changed by hand"


@pytest.mark.parametrize("broken", [
    {"defaultEnabled": {"S": "yes"}}, {"owner": None}, {"createdAt": {"S": "yesterday"}},
    {"defaultEnabled": None, "definition": {"S": "{"}},
    {"defaultEnabled": None, "definition": {"S": '{"state":"ENABLED","variants":{},"defaultVariant":"on"}'}},
], ids=["type", "missing", "time", "no JSON", "no such variant"])
def test_an_item_that_is_no_valid_flag_breaks_nothing(served, broken, start_server, data_dir):
    served.put(typed_flag("new-feature"))
    served.put(typed_flag("other"))
    served.put(typed_flag("new-feature", **broken))
    # The last valid form stays in force …
    assert served.server.evaluate("new-feature")[1]["value"] is True
    assert served.server.evaluate("other")[1]["value"] is True
    _, _, bulk = served.server.request("POST", "/ofrep/v1/evaluate/flags", {})
    assert {answer["key"]: answer.get("value") for answer in bulk["flags"]} == {"new-feature": True, "other": True}
    # … with a metric, a log line, and an entry in the flag's history …
    assert served.server.metric("flag_server_invalid_items_total")[""] >= 1
    assert "its last valid form stays in force" in served.server.log
    refused = served.eventually(lambda: [entry for entry in served.history("new-feature")
                                         if entry["change"] == "refused"])
    assert refused[0]["issues"][0]["detail"]
    assert served.server.metric("flag_server_flags_in_last_valid_form")[""] == 1
    # … also after a crash, until somebody puts it right.
    served.server.kill()
    again = Served(start_server)
    assert again.server.evaluate("new-feature")[1]["value"] is True
    _, _, bulk = again.server.request("POST", "/ofrep/v1/evaluate/flags", {})
    assert {answer["key"]: answer.get("value") for answer in bulk["flags"]} == {"new-feature": True, "other": True}
    again.put(typed_flag("new-feature", defaultEnabled={"BOOL": False}))
    assert again.server.evaluate("new-feature")[1]["value"] is False
    again.eventually(lambda: again.server.metric("flag_server_flags_in_last_valid_form")[""] == 0)


@pytest.mark.parametrize("version", ["9223372036854775807", "1E+30", "-1", "1.5"])
def test_a_version_that_cannot_be_stops_nothing_and_no_start(served, version, start_server):
    served.put(typed_flag("new-feature", version={"N": version}))
    served.put({"PK": {"S": "SEGMENT#staging#beta"}, "SK": {"S": "METADATA"}, "description": {"S": "d"},
                "owner": {"S": "o"}, "createdAt": {"S": "2026-01-02T03:04:05Z"}, "version": {"N": version}})
    served.server.expect(200, "PATCH", "/api/flags/new-feature", {"owner": "web"})
    served.server.expect(200, "POST", "/api/segments/beta/keys", {"add": ["ada"]})
    served.put(typed_flag("new-feature", version={"N": version}))
    served.server.kill()
    again = Served(start_server)
    again.server.expect(200, "PATCH", "/api/flags/new-feature", {"owner": "web"})
    again.eventually(lambda: again.item("new-feature")["version"]["N"].isdigit())


@pytest.mark.parametrize("revision", [{"S": "many"}, {"N": "9.9E+125"}, {"N": "9223372036854775807"}, {"L": []}])
def test_a_revision_that_is_none_keeps_no_kill_switch_from_being_set(served, revision, start_server):
    kill = {"all": True, "reason": "checkout is down", "activatedBy": "ada"}
    item = {"PK": {"S": "REVISION#staging"}, "SK": {"S": "METADATA"}, "revision": revision}
    served.put(typed_flag("new-feature"))
    served.put(item)
    served.server.expect(200, "POST", "/api/emergency/kill-switch", kill)
    assert served.server.evaluate("new-feature")[1]["value"] is False
    served.put(item)
    served.server.kill()
    again = Served(start_server)
    again.server.expect(204, "DELETE", "/api/emergency/kill-switch", {"all": True, "deactivatedBy": "ada"})
    again.put(typed_flag("other"))
    again.eventually(lambda: again.of_owner("platform-team") == ["new-feature", "other"])


def test_what_does_not_fit_beside_the_table_is_set_aside_and_told(served, start_server):
    long = "k" * (2048 - len("FLAG#staging#"))
    for owner in ("a", "b"):
        served.put(typed_flag(long, owner={"S": owner}))
    served.put(typed_flag("new-feature"))
    served.eventually(lambda: served.history("new-feature"))
    assert served.server.metric("flag_server_changes_set_aside_total")[""] >= 2
    assert "something that follows from a change cannot be done, and is set aside" in served.server.log
    served.server.kill()
    again = Served(start_server)
    again.put(typed_flag("other"))
    again.eventually(lambda: again.history("other"))


def test_what_was_written_while_no_server_ran_flags_is_completed_at_the_next_start(served, start_server):
    served.put(typed_flag("before"))
    served.server.kill()
    # The table alone, without anybody who knows of flags.
    again = Served(start_server)
    again.eventually(lambda: again.of_owner("platform-team") == ["before"])
    assert [entry["change"] for entry in again.eventually(lambda: again.history("before"))] == ["created"]


def test_only_the_flag_table_of_the_profile_is_completed_and_internal_tables_are_not_there(served):
    served.put(typed_flag("new-feature"))
    served.eventually(lambda: served.history("new-feature"))
    description = served.client.describe_table(TableName=TABLE)["Table"]
    served.client.create_table(
        TableName="other", KeySchema=description["KeySchema"], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")])
    served.client.put_item(TableName="other", Item=typed_flag("elsewhere"))
    assert served.client.list_tables()["TableNames"] == [TABLE, "other"]
    served.put(typed_flag("later"))
    served.eventually(lambda: "version" in served.item("later"))
    [item] = served.client.scan(TableName="other")["Items"]
    assert item == typed_flag("elsewhere")
    assert served.server.evaluate("elsewhere")[0] == 404
    internal = f"__internal.history.{TABLE}"
    with pytest.raises(served.client.exceptions.ResourceNotFoundException):
        served.client.scan(TableName=internal)
