"""Histories say what changed, from what to what: of flags, of their overrides and of segments, whoever wrote them."""

import json
import time

import pytest

import dynamodb
from server import free_port, run_command

PROMISED = 1.0
"""Seconds after which an entry follows its change."""


@pytest.fixture
def server(start_server):
    return start_server()


def told(server, count: int, path: str = "/api/flags/dark-mode/history") -> list[dict]:
    """A history without times, once it has so many entries."""
    deadline = time.monotonic() + PROMISED
    while len(entries := server.expect(200, "GET", path)["history"]) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(entries) == count, entries
    return [{name: value for name, value in entry.items() if name != "at"} for entry in entries]


def test_a_flag_is_told_from_what_to_what_and_as_it_was_when_it_was_deleted(server):
    created = server.create_flag("dark-mode", defaultEnabled=True)
    server.expect(200, "PATCH", "/api/flags/dark-mode", {"defaultEnabled": False, "tags": ["ui"]})
    gone = server.expect(200, "GET", "/api/flags/dark-mode")
    server.expect(204, "DELETE", "/api/flags/dark-mode")
    deleted, changed, first = told(server, 3)
    derived = ("environment", "updatedAt", "version")
    assert first == {"by": "anonymous", "change": "created", "changes": [
        {"pointer": "", "after": {name: value for name, value in created.items() if name not in derived}}]}
    assert changed == {"by": "anonymous", "change": "changed", "attributes": ["defaultEnabled", "tags"], "changes": [
        {"pointer": "/defaultEnabled", "before": True, "after": False}, {"pointer": "/tags", "after": ["ui"]}]}
    [change] = deleted["changes"]
    assert change == {"pointer": "", "before": {name: value for name, value in gone.items() if name not in derived}}
    # What was deleted by mistake is made again from its history.
    server.expect(201, "POST", "/api/flags", change["before"])


def test_overrides_leave_a_trace_through_every_door(start_server):
    port = free_port()
    server = start_server("--dynamodb-port", port)
    client = dynamodb.client(port)
    server.create_flag("dark-mode", defaultEnabled=True)
    path = "/api/tenants/acme/flags/dark-mode"
    server.expect(200, "PUT", path, {"enabled": True, "updatedBy": "ada", "reason": "beta"})
    server.expect(200, "PUT", path, {"enabled": False, "updatedBy": "bob"})
    server.expect(204, "DELETE", path)
    key = {"PK": {"S": "TENANT#development#acme"}, "SK": {"S": "FLAG#dark-mode"}}
    client.put_item(TableName="feature-flags-local", Item=key | {"enabled": {"BOOL": True}})
    client.put_item(TableName="feature-flags-local", Item=key | {"enabled": {"S": "no"}})
    client.delete_item(TableName="feature-flags-local", Key=key)
    entries = told(server, 7)
    assert [entry["change"] for entry in entries] == [
        "override_deleted", "override_refused", "override_created",
        "override_deleted", "override_changed", "override_created", "created"]
    assert all(entry["by"] == "anonymous" and entry.get("tenantId", "acme") == "acme" for entry in entries)
    assert entries[5]["updatedBy"] == "ada" and entries[5]["reason"] == "beta"
    assert entries[4] == {
        "by": "anonymous", "change": "override_changed", "tenantId": "acme", "updatedBy": "bob",
        "attributes": ["enabled", "reason", "updatedBy"], "changes": [
            {"pointer": "/enabled", "before": True, "after": False}, {"pointer": "/reason", "before": "beta"},
            {"pointer": "/updatedBy", "before": "ada", "after": "bob"}]}
    assert entries[3]["changes"] == [{"pointer": "", "before": {"enabled": False, "updatedBy": "bob"}}]
    assert entries[1]["issues"][0]["pointer"] == "/enabled"


def test_an_import_of_many_overrides_is_one_entry_and_pushes_nothing_out(server, tmp_path):
    server.create_flag("dark-mode", defaultEnabled=True)
    server.expect(200, "PATCH", "/api/flags/dark-mode", {"owner": "ops"})
    file = tmp_path / "overrides.json"
    file.write_text(json.dumps({"flags": [], "overrides": [
        {"flagKey": "dark-mode", "tenantId": f"tenant-{number:05}", "enabled": False, "updatedBy": "file"}
        for number in range(3_000)]}))
    imported = run_command("import", file, "--data-dir", server.data_dir)
    assert imported.returncode == 0, imported.stderr
    counted, changed, created = told(server, 3)
    assert counted["change"] == "overrides_changed" and counted["overrides"]["created"]["count"] == 3_000
    assert counted["overrides"]["created"]["first"][:2] == ["tenant-00000", "tenant-00001"]
    assert changed["changes"] == [{"pointer": "/owner", "before": "tests", "after": "ops"}]
    # Over a restart, too; and the overrides that go with the flag are told.
    server.kill()
    server.start()
    server.expect(204, "DELETE", "/api/flags/dark-mode")
    entries = told(server, 5)
    assert [entry["change"] for entry in entries].count("overrides_changed") == 2
    assert sum(entry.get("overrides", {}).get("deleted", {}).get("count", 0) for entry in entries) == 3_000


def test_segments_are_told_with_their_keys(server):
    server.expect(201, "POST", "/api/segments", {"name": "beta", "description": "d", "owner": "o"})
    keys = [f"user-{number}" for number in range(2_000)]
    server.expect(200, "POST", "/api/segments/beta/keys", {"add": keys})
    server.expect(200, "PATCH", "/api/segments/beta", {"condition": {"==": [{"var": "plan"}, "gold"]}})
    server.expect(200, "PUT", "/api/segments/beta/keys", {"keys": ["user-5", "somebody"]})
    replaced, changed, added, created = told(server, 4, "/api/segments/beta/history")
    assert created["changes"][0]["after"]["owner"] == "o"
    assert added["keys"]["added"]["count"] == 2_000 and len(added["keys"]["added"]["first"]) == 20
    assert changed["changes"] == [{"pointer": "/condition", "after": {"==": [{"var": "plan"}, "gold"]}}]
    assert replaced["keys"]["added"] == {"count": 1, "first": ["somebody"]}
    assert replaced["keys"]["removed"]["count"] == 1_999
