"""Histories say what changed, from what to what: of flags, of their overrides and of segments, whoever wrote them; and
what they keep is compared, rolled back to and brought back."""

import json
import time

import pytest

import dynamodb
from server import free_port, run_command

PASSING = ("at", "entry", "version", "requestId")

PROMISED = 1.0
"""Seconds after which an entry follows its change."""


@pytest.fixture
def server(start_server):
    return start_server()


def told(server, count: int, path: str = "/api/flags/dark-mode/history") -> list[dict]:
    """A history without times, numbers and requests, once it has so many entries."""
    deadline = time.monotonic() + PROMISED
    while len(entries := server.expect(200, "GET", path)["history"]) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(entries) == count, entries
    return [{name: value for name, value in entry.items() if name not in PASSING} for entry in entries]


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


# Versions


def test_whoever_changed_something_reads_at_once_what_it_said_before(server):
    server.create_flag("dark-mode", defaultEnabled=True)
    for percentage in range(1, 40):
        server.expect(200, "PATCH", "/api/flags/dark-mode", {"rollout": {"percentage": percentage}})
        version = server.expect(200, "GET", f"/api/flags/dark-mode/history/{percentage}")
        assert version["content"].get("rollout", {}).get("percentage", 0) == percentage - 1
    page = server.expect(200, "GET", "/api/flags/dark-mode/history?limit=30")
    rest = server.expect(200, "GET", f"/api/flags/dark-mode/history?limit=30&cursor={page['nextCursor']}")
    assert [entry["version"] for entry in page["history"] + rest["history"]] == list(range(40, 0, -1))
    assert rest["nextCursor"] is None
    difference = server.expect(200, "GET", "/api/flags/dark-mode/diff?from=11&to=31")
    assert difference["words"] == ["percentage 10 → 30"]
    assert difference["patch"] == [{"op": "replace", "path": "/rollout/percentage", "value": 30}]
    assert server.expect(404, "GET", "/api/flags/dark-mode/history/41")["code"] == "version_not_found"


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(server):
    """Each change is followed by a kill -9: what was answered stands in the history, with what it said."""
    server.create_flag("dark-mode", defaultEnabled=True)
    for version in range(2, 6):
        server.expect(200, "PATCH", "/api/flags/dark-mode", {"owner": f"o{version}", "reason": f"r{version}"})
        server.kill()
        server.start()
        kept = server.expect(200, "GET", f"/api/flags/dark-mode/history/{version}")
        assert (kept["content"]["owner"], kept["reason"]) == (f"o{version}", f"r{version}")
    server.expect(200, "POST", "/api/flags/dark-mode/rollback", {"version": 3})
    server.kill()
    server.start()
    assert server.expect(200, "GET", "/api/flags/dark-mode")["owner"] == "o3"


def test_a_rollback_over_renamed_segments_is_refused_with_what_is_missing(server):
    for name in ("beta", "gamma"):
        server.expect(201, "POST", "/api/segments", {"name": name, "description": "d", "owner": "o"})
    rule = {"if": [{"segment": "beta"}, "on", {"segment": "gamma"}, "on"]}
    server.create_flag("chat", state="ENABLED", variants={"on": True, "off": False}, defaultVariant="off", targeting=rule)
    server.expect(201, "POST", "/api/segments", {"name": "beta-2", "description": "d", "owner": "o"})
    server.expect(200, "PATCH", "/api/flags/chat", {"targeting": {"if": [{"segment": "beta-2"}, "on"]}})
    for name in ("beta", "gamma"):
        server.expect(204, "DELETE", f"/api/segments/{name}")
    refused = server.expect(400, "POST", "/api/flags/chat/rollback", {"version": 1})
    assert [error["pointer"] for error in refused["errors"]] == ["/targeting/if/0/segment", "/targeting/if/2/segment"]
    server.expect(201, "POST", "/api/segments", {"name": "beta", "description": "d", "owner": "o"})
    server.expect(201, "POST", "/api/segments", {"name": "gamma", "description": "d", "owner": "o"})
    back = server.expect(200, "POST", "/api/flags/chat/rollback", {"version": 1, "reason": "as it was"})
    assert back["version"] == 3 and back["targeting"] == rule
    assert told(server, 3, "/api/flags/chat/history")[0]["reason"] == "as it was"


def test_what_is_archived_is_unknown_to_clients_through_every_door(start_server):
    port = free_port()
    server = start_server("--dynamodb-port", port)
    server.create_flag("dark-mode", defaultEnabled=True)
    context = {"context": {"targetingKey": "ada"}}

    def seen() -> tuple:
        one = server.request("POST", "/ofrep/v1/evaluate/flags/dark-mode", context)[0]
        every = server.expect(200, "POST", "/ofrep/v1/evaluate/flags", context)["flags"]
        simple = server.expect(200, "POST", "/api/evaluate", {"tenantId": "acme", "flagKey": "dark-mode"})
        return one, len(every), simple["reason"]

    known, unknown = (200, 1, "default"), (404, 0, "flag_not_found")
    assert seen() == known
    assert server.expect(200, "POST", "/api/flags/dark-mode/archive")["archived"] is True
    assert seen() == unknown
    assert server.expect(200, "GET", "/api/flags")["flags"] == []
    assert len(server.expect(200, "GET", "/api/flags?archived=true")["flags"]) == 1
    assert server.expect(409, "PATCH", "/api/flags/dark-mode", {"owner": "x"})["code"] == "flag_archived"
    server.kill()
    server.start()
    assert seen() == unknown
    server.expect(200, "POST", "/api/flags/dark-mode/unarchive", {"reason": "needed"})
    assert seen() == known
    # By hand, in the table.
    client = dynamodb.client(port)
    key = {"PK": {"S": "FLAG#development#dark-mode"}, "SK": {"S": "METADATA"}}
    client.update_item(TableName="feature-flags-local", Key=key, UpdateExpression="SET archived = :yes",
                       ExpressionAttributeValues={":yes": {"BOOL": True}})
    assert seen() == unknown
    client.update_item(TableName="feature-flags-local", Key=key, UpdateExpression="REMOVE archived")
    assert seen() == known


def test_a_deleted_flag_comes_back_with_all_overrides_that_went_with_it(server, tmp_path):
    server.create_flag("dark-mode", defaultEnabled=True)
    file = tmp_path / "overrides.json"
    file.write_text(json.dumps({"flags": [], "overrides": [
        {"flagKey": "dark-mode", "tenantId": f"tenant-{number:05}", "enabled": False, "updatedBy": "file"}
        for number in range(3_000)]}))
    assert run_command("import", file, "--data-dir", server.data_dir).returncode == 0
    server.expect(204, "DELETE", "/api/flags/dark-mode")
    server.kill()
    server.start()
    restored = run_command(
        "undelete", "dark-mode", "--with-overrides", "--reason", "by mistake", "--data-dir", server.data_dir)
    assert restored.stdout == "the flag dark-mode is back in version 2, with 3000 overrides\n", restored.stderr
    for tenant in ("tenant-00000", "tenant-02999"):
        assert server.expect(200, "GET", f"/api/tenants/{tenant}/flags/dark-mode")["enabled"] is False
    assert told(server, 1, "/api/flags/dark-mode/history?limit=1")[0]["reason"] == "by mistake"


# The command line


def test_the_commands_work_beside_a_server_and_alone(server):
    def run(*arguments, status=0):
        ran = run_command(*arguments, "--data-dir", server.data_dir)
        assert ran.returncode == status, ran.stderr
        return ran.stdout if status == 0 else ran.stderr

    server.create_flag("chat", defaultEnabled=False)
    server.expect(200, "PATCH", "/api/flags/chat", {"defaultEnabled": True, "reason": "everybody"})
    for _ in ("beside it", "alone"):
        assert "version 2  changed  by anonymous: everybody\n    /defaultEnabled  false → true" in run("history", "chat")
        assert json.loads(run("history", "chat", "--version", "1"))["defaultEnabled"] is False
        assert run("history", "chat", "--diff", "1..2") == "default off → on\n"
        lines = run("history", "chat", "--format", "jsonl").splitlines()
        assert json.loads(lines[-1])["change"] == "created"
        assert "would say again" in run("rollback", "chat", "1", "--dry-run")
        assert "would be archived" in run("archive", "chat", "--dry-run")
        assert "nothing was changed: say --yes" in run("promote", "chat", "--from", "local", "--to", "dev", status=1)
        server.terminate()
    done = run("rollback", "chat", "1", "--reason", "too early")
    assert done == "the flag chat says again what it said in version 1 in version 3\n"
    assert "by command rollback: too early" in run("history", "chat", "--limit", "1")
    assert run("archive", "chat") == "the flag chat is archived\n"
    assert "is archived" in run("rollback", "chat", "2", status=1)
    assert run("unarchive", "chat") == "the flag chat is served again\n"
    promote = ("promote", "chat", "--from", "development", "--to", "staging")
    assert run(*promote, "--dry-run") == "+ flag chat\n"
    assert run(*promote, "--yes") == "+ flag chat\nthe flag chat is promoted to staging\n"
    assert run(*promote, "--yes") == "nothing differs\n"
    assert "has no version 9" in run("history", "chat", "--version", "9", status=1)
