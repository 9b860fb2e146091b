"""Segments: conditions with names, and long lists of keys, through every door."""

import json
import time

import pytest

import dynamodb
from server import free_port, run_command

KEYS = 100_000
"""How many keys a segment may list."""

PROMISED = 1.0
"""Seconds after which a write past the routes is in force."""


def flag_of(segment: str, key: str = "feature") -> dict:
    return {
        "flagKey": key, "description": "For some", "owner": "tests", "state": "ENABLED",
        "variants": {"on": True, "off": False}, "defaultVariant": "off",
        "targeting": {"if": [{"segment": segment}, "on"]},
    }


def create(server, name: str, **members):
    body = {"name": name, "description": "Some of all", "owner": "tests"} | members
    return server.expect(201, "POST", "/api/segments", body)


def is_on(server, user: str, key: str = "feature") -> bool:
    body = {"context": {"targetingKey": user}}
    return server.expect(200, "POST", f"/ofrep/v1/evaluate/flags/{key}", body)["value"]


@pytest.fixture
def server(start_server):
    return start_server()


def test_a_hundred_thousand_keys_arrive_in_batches_and_count_at_once(server):
    create(server, "large")
    server.expect(201, "POST", "/api/flags", flag_of("large"))
    keys = [f"user-{number}" for number in range(KEYS)]
    batch = 20_000
    server.expect(200, "PUT", "/api/segments/large/keys", {"keys": keys[:batch]})
    for start in range(batch, KEYS, batch):
        answer = server.expect(200, "POST", "/api/segments/large/keys", {"add": keys[start:start + batch]})
        assert answer["keyCount"] == start + batch
        assert is_on(server, keys[start + batch - 1])
    assert server.expect(200, "GET", "/api/segments/large")["keyCount"] == KEYS
    for user in (keys[0], keys[777], keys[-1]):
        assert is_on(server, user)
    assert not is_on(server, f"user-{KEYS}")
    refused = server.expect(400, "POST", "/api/segments/large/keys", {"add": ["one-more"]})
    assert "at most 100000" in refused["detail"]
    assert server.expect(200, "POST", "/api/segments/large/keys", {"add": ["one-more"], "remove": ["user-5"]})
    assert is_on(server, "one-more") and not is_on(server, "user-5")


def test_they_are_there_after_a_restart_and_are_exported_and_imported_without_a_change(server, tmp_path):
    keys = [f"user-{number}" for number in range(KEYS)]
    file = tmp_path / "segments.json"
    file.write_text(json.dumps({
        "segments": [{"name": "large", "description": "d", "owner": "o", "keys": keys}],
        "flags": [flag_of("large")],
    }))
    store = ("--data-dir", server.data_dir)
    imported = run_command("import", file, *store)
    assert imported.returncode == 0, imported.stderr
    assert "segments: 1 created" in imported.stdout
    assert is_on(server, keys[-1])
    exported = run_command("export", *store)
    assert exported.returncode == 0 and "leaves out" not in exported.stderr
    copy = tmp_path / "copy.json"
    copy.write_text(exported.stdout)
    again = run_command("import", copy, "--mode", "replace", "--dry-run", *store)
    assert "segments: 0 created, 0 changed, 0 removed, 1 unchanged" in again.stdout
    flagd = run_command("export", "--format", "flagd", *store)
    assert "the flag feature: the segment large lists 100000 keys, too many for a rule" in flagd.stderr
    assert server.terminate() == 0
    server.start()
    assert is_on(server, keys[0]) and is_on(server, keys[-1]) and not is_on(server, "nobody")


def test_segments_that_are_used_or_unknown_are_refused_with_the_names(server):
    refused = server.expect(400, "POST", "/api/flags", flag_of("nowhere"))
    assert refused["errors"][0]["pointer"] == "/targeting/if/0/segment"
    create(server, "beta", condition={"ends_with": [{"var": "email"}, "@example.com"]})
    server.expect(201, "POST", "/api/flags", flag_of("beta"))
    used = server.expect(409, "DELETE", "/api/segments/beta")
    assert used["code"] == "segment_used" and "the flag feature" in used["detail"]
    server.expect(204, "DELETE", "/api/flags/feature")
    server.expect(204, "DELETE", "/api/segments/beta")


def test_items_that_are_put_on_the_dynamodb_port_count_within_a_second(start_server):
    port = free_port()
    server = start_server("--dynamodb-port", port)
    client = dynamodb.client(port)

    def put(sort: str, **attributes):
        item = {"PK": {"S": "SEGMENT#development#beta"}, "SK": {"S": sort}} | attributes
        client.put_item(TableName="feature-flags-local", Item=item)

    def eventually(condition):
        deadline = time.monotonic() + PROMISED
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    typed = {"description": {"S": "d"}, "owner": {"S": "o"}, "createdAt": {"S": "2026-01-01T00:00:00Z"}}
    put("METADATA", **typed, condition={"M": {"==": {"L": [{"M": {"var": {"S": "plan"}}}, {"S": "gold"}]}}})
    server.expect(201, "POST", "/api/flags", flag_of("beta"))
    assert not is_on(server, "user-1")
    put("KEY#user-1")
    eventually(lambda: is_on(server, "user-1"))
    body = {"context": {"plan": "gold"}}
    assert server.expect(200, "POST", "/ofrep/v1/evaluate/flags/feature", body)["value"]
    # What is not valid breaks nothing: the last valid form stays in force.
    put("METADATA", **typed, condition={"S": "{"})
    time.sleep(0.2)
    assert server.expect(200, "POST", "/ofrep/v1/evaluate/flags/feature", body)["value"]
    assert server.expect(200, "GET", "/api/segments/beta")["keyCount"] == 1
    eventually(lambda: server.expect(200, "GET", "/api/segments").get("invalid"))
    history = server.expect(200, "GET", "/api/segments/beta/history")["history"]
    assert [entry["change"] for entry in history] == ["refused", "created"]
    assert history[0]["issues"][0]["pointer"] == "/condition"
    eventually(lambda: server.expect(200, "GET", "/api/segments")["segments"][0]["name"] == "beta")
