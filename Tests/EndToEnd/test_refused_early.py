"""What could only fail later is refused when it is written, with the place; what only run time can know is named."""

import json
import time

import pytest

import dynamodb
from server import free_port, run_command

ON_OFF = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}


def rule(targeting) -> dict:
    return ON_OFF | {"flagKey": "f", "description": "A flag", "owner": "tests", "targeting": targeting}


@pytest.mark.parametrize("targeting, pointer", [
    ({"if": [{"var": "x"}, "onn", "off"]}, "/targeting/if/1"),
    ({"if": [{"var": "x"}, True, False]}, "/targeting/if/1"),
    ({"==": [{"var": "x"}, 1]}, "/targeting/=="),
    ({"fractional": [["on", 50], ["of", 50]]}, "/targeting/fractional/1/0"),
])
def test_a_rule_that_names_no_variant_is_refused_with_its_place(server, tmp_path, targeting, pointer):
    told = server.expect(400, "POST", "/api/flags", rule(targeting))
    assert told["errors"][0]["pointer"] == pointer
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flags": {"f": ON_OFF | {"targeting": targeting}}}))
    refused = run_command("import", file, "--data-dir", server.data_dir)
    assert refused.returncode == 1 and f"/flags/f{pointer}" in refused.stdout + refused.stderr
    # What is kept all the same answers as far as it can be understood.
    kept = run_command("import", file, "--keep-invalid", "--data-dir", server.data_dir)
    assert kept.returncode == 0 and f"/flags/f{pointer}" in kept.stdout + kept.stderr
    assert server.evaluate("f", {"targetingKey": "u"})[0] in (200, 400)
    assert server.expect(200, "GET", "/api/flags/f")["targeting"] == targeting


def test_a_shared_rule_is_named_where_it_stands(server, tmp_path):
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({
        "$evaluators": {"paying": {"if": [{"var": "paying"}, "onn"]}},
        "flags": {key: ON_OFF | {"targeting": {"$ref": "paying"}} for key in ("a", "b")}}))
    refused = run_command("import", file, "--data-dir", server.data_dir)
    assert refused.returncode == 1
    assert (refused.stdout + refused.stderr).count("/$evaluators/paying/if/1") == 1


def test_a_variant_stays_as_long_as_something_names_it(server, tmp_path):
    server.expect(201, "POST", "/api/flags", rule({"if": [{"var": "x"}, "on"]}))
    told = server.expect(400, "PATCH", "/api/flags/f", {"variants": {"on": None}})
    assert told["errors"][0]["pointer"] == "/targeting/if/1"
    server.create_flag("needs", defaultEnabled=True, requires=[{"flagKey": "f", "variant": "on"}])
    told = server.expect(400, "PATCH", "/api/flags/f", {"variants": {"on": None}, "targeting": None})
    assert told["errors"] == [{"pointer": "/variants", "detail": "on must stay: the flag needs requires it"}]
    # A file may not do it either, unless it changes both.
    path = tmp_path / "flags.json"
    path.write_text(json.dumps({"flags": {"new": ON_OFF, "f": {"state": "ENABLED", "variants": {"off": False}}}}))
    refused = run_command("import", path, "--data-dir", server.data_dir)
    assert refused.returncode == 1
    assert "/flags/1/variants on must stay: the flag needs requires it" in refused.stdout + refused.stderr
    server.expect(200, "PATCH", "/api/flags/needs", {"requires": None})
    server.expect(200, "PATCH", "/api/flags/f", {"variants": {"on": None}, "targeting": None})


def test_what_only_run_time_can_know_is_named_in_the_answer_the_log_and_the_explanation(server):
    server.expect(201, "POST", "/api/flags", rule({"var": "plan"}))
    details = 'targeting came to "gold", which is no variant of the flag'
    status, answer = server.evaluate("f", {"plan": "gold"})
    assert (status, answer["errorCode"], answer["errorDetails"]) == (400, "GENERAL", details)
    explained = server.expect(200, "POST", "/api/explain?flagKey=f", {"context": {"plan": "gold"}})
    assert explained["errorDetails"] == details
    assert server.evaluate("f", {"plan": "on"})[1]["value"] is True
    deadline = time.monotonic() + 5
    while "no variant of the flag" not in server.log and time.monotonic() < deadline:
        time.sleep(0.05)
    # What came with the context is for whoever sent it.
    assert "something that is no variant of the flag" in server.log and "gold" not in server.log


def test_an_override_that_has_ended_is_refused_by_hand_and_taken_from_a_file(server, tmp_path):
    server.create_flag("f", defaultEnabled=True)
    ended = {"enabled": False, "updatedBy": "ada", "expiresAt": "2020-01-01T00:00:00Z"}
    told = server.expect(400, "PUT", "/api/tenants/acme/flags/f", ended)
    assert told["errors"][0]["pointer"] == "/expiresAt" and "past" in told["errors"][0]["detail"]
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"overrides": [ended | {"tenantId": "acme", "flagKey": "f"}]}))
    assert run_command("import", file, "--data-dir", server.data_dir).returncode == 0
    assert server.evaluate("f", {"tenantId": "acme"})[1]["value"] is True


@pytest.mark.parametrize("member, pointer", [
    ('"variants":{"a":1e400}', "/variants/a"), ('"variants":{"a":1},"metadata":{"m":-1e400}', "/metadata/m"),
    ('"variants":{"a":1},"targeting":{"if":[{"<":[{"var":"x"},1e400]},"a"]}', "/targeting/if/0/</1"),
])
def test_a_number_that_no_program_can_read_is_refused(server, member, pointer):
    body = f'{{"flagKey":"f","description":"d","owner":"o","state":"ENABLED",{member}}}'
    told = server.expect(400, "POST", "/api/flags", body.encode())
    assert told["errors"][0]["pointer"] == pointer and "1e400 is more" in told["errors"][0]["detail"]


def test_an_item_of_a_mistyped_environment_is_told_in_the_log(start_server):
    port = free_port()
    server = start_server("--dynamodb-port", port)
    table = dynamodb.client(port)
    table.put_item(TableName="feature-flags-local", Item=dynamodb.typed_flag("x", environment="stagin"))
    table.put_item(TableName="feature-flags-local", Item={"PK": {"S": "NOTES#1"}, "SK": {"S": "mine"}})
    deadline = time.monotonic() + 5
    while "FLAG#stagin#x" not in server.log and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "an item was put where nothing is looked for" in server.log
    assert "NOTES#1" not in server.log


def test_an_item_that_never_was_valid_has_a_clear_answer(start_server):
    port = free_port()
    server = start_server("--dynamodb-port", port)
    table = dynamodb.client(port)
    key = {"PK": {"S": "FLAG#development#bare"}, "SK": {"S": "METADATA"}}
    for attributes in ({}, {"definition": {"S": "{"}}, {"defaultEnabled": {"BOOL": True}, "tags": {"S": "x"}}):
        table.put_item(TableName="feature-flags-local", Item=key | attributes)
        told = server.expect(409, "GET", "/api/flags/bare")
        assert told["code"] == "invalid_item" and told["errors"]
