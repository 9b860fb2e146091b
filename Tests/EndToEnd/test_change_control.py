"""Freezes over every door, and changes that others have to agree to, as several people meet them at once."""

import datetime
import json
import threading
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import dynamodb
from server import FlagServer, free_port, run_command

ENVIRONMENT = "staging"
TABLE = "feature-flags-dev"


def instant(**offset) -> str:
    """A time so far from now."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**offset)).isoformat()


class Office:
    """A server of the `dev` profile on which several people work, each with a key of their own."""

    def __init__(self, start_server, *options, **settings):
        self.server: FlagServer = start_server(
            "--auth", "on", *options, environment="dev",
            env={"FLAG_SERVER_THROTTLE_ADMINISTRATION": "off", **settings})
        self.keys, self.selectors = {}, {}
        for name, role in [("ada", "editor"), ("bob", "editor"), ("cem", "editor"), ("vic", "viewer"),
                           ("ora", "operator"), ("root", "admin")]:
            self.keys[name] = self.make_key(name, role)

    def make_key(self, name, role):
        made = run_command("keys", "create", "--name", name, "--kind", "admin", "--environment", "*", "--role", role,
                           "--profile", "dev", "--data-dir", self.server.data_dir, "--format", "json")
        assert made.returncode == 0, made.stderr
        made = json.loads(made.stdout)
        self.selectors[name] = made["selector"]
        return made["key"]

    def ask(self, who, method, path, body=None, **headers):
        """One request of somebody: the status and the content."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, content = self.server.request(
            method, path, body, {"X-API-Key": self.keys[who], **fields}, timeout=30)
        return status, content

    def create(self, key, who="root", **members):
        flag = {"flagKey": key, "description": f"Flag {key}", "owner": "tests", "defaultEnabled": False} | members
        status, content = self.ask(who, "POST", "/api/flags", flag, X_Change_Emergency="true", X_Change_Reason="test")
        assert status == 201, content

    def flag(self, key):
        status, content = self.ask("vic", "GET", f"/api/flags/{key}")
        assert status == 200, content
        return content

    def propose(self, who="ada", key="checkout", **change):
        body = change or {"defaultEnabled": True}
        status, proposal = self.ask(who, "PATCH", f"/api/flags/{key}", body, X_Change_Reason="goes live")
        assert status == 202, proposal
        return proposal

    def decide(self, who, proposal, what="approve", body=None):
        return self.ask(who, "POST", f"/api/proposals/{proposal['id']}/{what}", body)

    def command(self, *arguments):
        return run_command(*arguments, "--profile", "dev", "--data-dir", self.server.data_dir)


@pytest.fixture
def office(start_server) -> Office:
    """Where changes in staging need one other's approval."""
    office = Office(start_server, FLAG_SERVER_APPROVALS_STAGING="1")
    office.create("checkout")
    return office


# Approvals


def test_a_change_waits_until_somebody_else_agrees_and_is_then_in_force(office):
    status, headers, proposal = office.server.request(
        "PATCH", "/api/flags/checkout", {"defaultEnabled": True, "reason": "goes live"},
        {"X-API-Key": office.keys["ada"]})
    assert status == 202 and headers["Location"] == f"/api/proposals/{proposal['id']}"
    assert proposal["difference"] == [{"op": "replace", "path": "/defaultEnabled", "value": True}]
    assert proposal["state"] == "open" and proposal["approvalsNeeded"] == 1 and proposal["reason"] == "goes live"
    assert office.flag("checkout")["defaultEnabled"] is False
    assert b'flag_server_proposals_open{environment="staging"} 1' in office.ask("vic", "GET", "/metrics")[1]
    assert office.decide("ada", proposal)[1]["code"] == "own_proposal"
    assert office.decide("vic", proposal)[0] == 403
    assert office.decide("ora", proposal)[0] == 403
    status, decided = office.decide("bob", proposal)
    assert (status, decided["state"]) == (200, "applied")
    assert office.flag("checkout")["defaultEnabled"] is True
    assert office.decide("cem", proposal)[1]["code"] == "proposal_ended"


def test_what_is_only_checked_is_not_proposed(office):
    status, checked = office.ask("ada", "PATCH", "/api/flags/checkout?dryRun=true", {"defaultEnabled": True})
    assert status == 200 and checked["defaultEnabled"] is True
    assert office.ask("vic", "GET", "/api/proposals")[1]["proposals"] == []


def test_of_many_who_agree_at_once_one_makes_the_change(office):
    for round in range(5):
        proposal = office.propose(description=f"round {round}")
        answers = []
        threads = [threading.Thread(target=lambda who=who: answers.append(office.decide(who, proposal)))
                   for who in ("bob", "cem", "root")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(status for status, _ in answers) == [200, 409, 409], answers
        flag = office.flag("checkout")
        assert (flag["description"], flag["version"]) == (f"round {round}", round + 2)


def test_what_was_changed_meanwhile_is_shown_and_its_author_makes_it_anew(office):
    proposal = office.propose()
    status, _ = office.ask("root", "PATCH", "/api/flags/checkout",
                           {"description": "Other", "emergency": True, "reason": "it was wrong"})
    assert status == 200
    status, refused = office.decide("bob", proposal)
    assert (status, refused["code"]) == (409, "changed_meanwhile")
    shown = office.ask("bob", "GET", f"/api/proposals/{proposal['id']}")[1]
    assert shown["changedMeanwhile"] == [{"op": "replace", "path": "/description", "value": "Other"}]
    assert office.decide("bob", proposal, "rebase")[0] == 403
    assert office.decide("ada", proposal, "rebase")[1].get("changedMeanwhile") is None
    assert office.decide("bob", proposal)[1]["state"] == "applied"
    assert office.flag("checkout") | {"description": "Other", "defaultEnabled": True} == office.flag("checkout")


def test_a_change_is_not_made_whose_author_has_lost_the_right(office):
    proposal = office.propose("cem")
    assert office.command("keys", "revoke", office.selectors["cem"]).returncode == 0
    status, refused = office.decide("bob", proposal)
    assert (status, refused["code"]) == (409, "author_forbidden"), refused
    assert office.flag("checkout")["defaultEnabled"] is False
    assert office.decide("bob", proposal, "reject", {"reason": "cem has left"})[1]["state"] == "rejected"


def test_a_flag_may_ask_for_more_and_to_take_that_back_asks_for_as_many(start_server):
    office = Office(start_server)
    office.create("guarded", approvals=2)
    office.create("plain")
    assert office.ask("ada", "PATCH", "/api/flags/plain", {"defaultEnabled": True})[0] == 200
    proposal = office.propose(key="guarded", approvals=0)
    assert proposal["approvalsNeeded"] == 2
    assert office.decide("bob", proposal)[1]["state"] == "open"
    assert office.decide("bob", proposal)[1]["state"] == "open"
    assert office.decide("cem", proposal)[1]["state"] == "applied"
    assert office.ask("ada", "PATCH", "/api/flags/guarded", {"defaultEnabled": True})[0] == 200


def test_a_rollback_of_what_was_approved_waits_for_nobody_and_keeps_what_the_flag_asks_for(start_server):
    office = Office(start_server)
    office.create("guarded")
    assert office.ask("ada", "PATCH", "/api/flags/guarded", {"approvals": 1})[0] == 200
    proposal = office.propose(key="guarded")
    assert office.decide("bob", proposal)[1]["state"] == "applied"
    status, freeze = office.ask("root", "POST", "/api/freezes",
                                {"environment": ENVIRONMENT, "to": instant(days=1), "reason": "the audit"})
    assert status == 201, freeze
    for version, enabled in [(2, False), (1, False)]:
        status, rolled = office.ask("ada", "POST", "/api/flags/guarded/rollback", {"version": version})
        assert status == 200, rolled
        assert (rolled["defaultEnabled"], rolled["approvals"]) == (enabled, 1)


def test_kill_switches_never_wait(office):
    status, _ = office.ask("ora", "POST", "/api/emergency/kill-switch",
                           {"flagKey": "checkout", "reason": "down", "activatedBy": "ora"})
    assert status == 200
    status, _ = office.ask("ora", "POST", "/api/emergency/kill-switch/deactivate",
                           {"flagKey": "checkout", "deactivatedBy": "ora"})
    assert status == 204


def test_an_emergency_is_for_who_administers_says_why_and_is_loud(office):
    change = {"defaultEnabled": True, "emergency": True}
    status, refused = office.ask("ada", "PATCH", "/api/flags/checkout", change | {"reason": "now"})
    assert (status, refused["code"]) == (403, "forbidden")
    status, refused = office.ask("root", "PATCH", "/api/flags/checkout", change)
    assert (status, refused["code"]) == (400, "emergency_without_reason")
    status, _ = office.ask("root", "DELETE", "/api/flags/checkout", X_Change_Emergency="true", X_Change_Reason="burns")
    assert status == 204
    told = [line for line in office.server.log.splitlines() if "EMERGENCY" in line and "burns" in line]
    assert len(told) == 1 and "deleteFlag of the flag checkout" in told[0]
    status, metrics = office.ask("vic", "GET", "/metrics")
    assert b'flag_server_emergency_changes_total{environment="staging"} 2' in metrics


def test_imports_restores_and_schedules_do_not_slip_past(office, tmp_path):
    export = office.command("export", "--environment", ENVIRONMENT)
    file = tmp_path / "flags.json"
    file.write_text(export.stdout)
    unchanged = office.command("import", file, "--environment", ENVIRONMENT)
    assert unchanged.returncode == 0, unchanged.stderr
    flags = json.loads(export.stdout)
    flags["flags"][0]["description"] = "imported"
    file.write_text(json.dumps(flags))
    assert office.command("import", file, "--environment", ENVIRONMENT, "--dry-run").returncode == 0
    refused = office.command("import", file, "--environment", ENVIRONMENT)
    assert refused.returncode == 1 and "need others' approval" in refused.stderr, refused.stderr
    assert office.command("backup", "create").returncode == 0
    backup = office.command("backup", "list").stdout.split()[0]
    refused = office.command("restore", backup, "--replace")
    assert refused.returncode == 1 and "need others' approval" in refused.stderr, refused.stderr
    status, refused = office.ask("ada", "PATCH", f"/api/flags/checkout?at={instant(hours=1).replace('+', '%2B')}",
                                 {"defaultEnabled": True})
    assert (status, refused["code"]) == (409, "approval_required"), refused
    assert office.flag("checkout")["description"] == "Flag checkout"
    done = office.command("import", file, "--environment", ENVIRONMENT, "--emergency", "--reason", "agreed by phone")
    assert done.returncode == 0, done.stderr
    assert office.flag("checkout")["description"] == "imported"


def test_commands_decide_as_users_of_the_machine(office):
    proposal = office.propose()
    listed = office.command("proposals", "list", "--environment", ENVIRONMENT)
    assert listed.stdout.startswith(f"{proposal['id']}  open  0 of 1  patchFlag checkout"), listed
    shown = office.command("proposals", "show", proposal["id"])
    assert "replace /defaultEnabled true" in shown.stdout
    assert office.command("proposals", "comment", proposal["id"], "why not tomorrow?").returncode == 0
    approved = office.command("proposals", "approve", proposal["id"])
    assert approved.returncode == 0 and "applied" in approved.stdout, approved
    assert office.flag("checkout")["defaultEnabled"] is True
    # Where no server runs it is the same, by the same rules.
    waiting = office.propose(description="by night")
    office.server.terminate()
    approved = office.command("proposals", "approve", waiting["id"], "--format", "json")
    assert approved.returncode == 0, approved.stderr
    assert json.loads(approved.stdout)["state"] == "applied"
    office.server.start()
    assert office.flag("checkout")["description"] == "by night"


def test_a_command_says_of_what_waits_for_others_only_that_it_waits(office):
    waiting = office.command("archive", "checkout", "--environment", ENVIRONMENT, "--reason", "unused")
    assert waiting.returncode == 0 and waiting.stdout == "", waiting
    assert "waits for an approval: flag-server proposals approve " in waiting.stderr
    assert "archived" not in office.flag("checkout")
    at_once = office.command("archive", "checkout", "--environment", ENVIRONMENT, "--reason", "unused", "--emergency")
    assert at_once.stdout == "the flag checkout is archived\n", at_once
    assert office.flag("checkout")["archived"] is True
    office.server.expect(201, "POST", "/api/flags?environment=development", {
        "flagKey": "banner", "description": "d", "owner": "o", "defaultEnabled": True},
        {"X-API-Key": office.keys["root"]})
    promoted = office.command("promote", "banner", "--from", "development", "--to", ENVIRONMENT, "--yes")
    assert promoted.returncode == 0 and promoted.stdout == "+ flag banner\n", promoted
    assert "waits for an approval" in promoted.stderr


def test_proposals_outlive_a_crash_and_none_that_was_answered_is_lost(office):
    proposals = [office.propose(description=f"number {number}") for number in range(5)]
    office.server.kill()
    office.server.start()
    listed = office.ask("vic", "GET", "/api/proposals?state=open")[1]["proposals"]
    assert [proposal["id"] for proposal in reversed(listed)] == [proposal["id"] for proposal in proposals]
    assert office.decide("bob", proposals[3])[1]["state"] == "applied"
    office.server.kill()
    office.server.start()
    assert office.flag("checkout")["description"] == "number 3"
    assert office.ask("vic", "GET", f"/api/proposals/{proposals[3]['id']}")[1]["state"] == "applied"


def test_without_authentication_approvals_keep_the_server_from_starting(data_dir):
    done = run_command("serve", "--port", free_port(), "--data-dir", data_dir, env={"FLAG_SERVER_APPROVALS_PRODUCTION": "1"})
    assert done.returncode == 78 and "approvals.production must be 0" in done.stderr, done


# Freezes


@pytest.fixture
def frozen(start_server) -> Office:
    """Where staging is frozen, from a moment on."""
    port = free_port()
    office = Office(start_server, "--dynamodb-port", port)
    office.dynamodb_port = port
    office.create("checkout")
    status, freeze = office.ask("root", "POST", "/api/freezes", {
        "environment": ENVIRONMENT, "to": instant(days=2), "reason": "the audit"})
    assert status == 201, freeze
    office.freeze = freeze
    return office


DOORS = [
    ("POST", "/api/flags", {"flagKey": "a", "description": "d", "owner": "o", "defaultEnabled": True}),
    ("PATCH", "/api/flags/checkout", {"description": "e"}),
    ("PUT", "/api/flags/checkout", {"description": "e", "owner": "o", "defaultEnabled": True}),
    ("DELETE", "/api/flags/checkout", None),
    ("PUT", "/api/tenants/acme/flags/checkout", {"enabled": True, "updatedBy": "ada"}),
    ("DELETE", "/api/tenants/acme/flags/checkout", None),
    ("POST", "/api/segments", {"name": "s", "description": "d", "owner": "o"}),
    ("PATCH", "/api/segments/s", {"description": "d"}),
    ("POST", "/api/segments/s/keys", {"add": ["a"]}),
    ("PUT", "/api/segments/s/keys", {"keys": ["a"]}),
    ("DELETE", "/api/segments/s", None),
]


def test_in_a_freeze_no_route_changes_anything_and_each_says_until_when_and_why(frozen):
    for method, path, body in DOORS:
        status, refused = frozen.ask("ada", method, path, body)
        assert (status, refused["code"]) == (409, "frozen"), f"{method} {path}: {refused}"
        assert frozen.freeze["to"] in refused["detail"] and "the audit" in refused["detail"]
    status, _ = frozen.ask("ada", "PATCH", "/api/flags/checkout?environment=production", {"description": "e"})
    assert status == 404
    status, metrics = frozen.ask("vic", "GET", "/metrics")
    assert f'flag_server_frozen_changes_total{{environment="staging"}} {len(DOORS)}'.encode() in metrics
    assert b'flag_server_frozen{environment="staging"} 1' in metrics
    assert frozen.ask("ora", "POST", "/api/emergency/kill-switch",
                      {"all": True, "reason": "down", "activatedBy": "ora"})[0] == 200
    assert frozen.ask("ora", "POST", "/api/emergency/kill-switch/deactivate",
                      {"all": True, "deactivatedBy": "ora"})[0] == 204
    assert frozen.ask("root", "PATCH", "/api/flags/checkout",
                      {"description": "f", "emergency": True, "reason": "it burns"})[0] == 200
    assert frozen.ask("ada", "DELETE", f"/api/freezes/{frozen.freeze['id']}")[0] == 403
    ended = frozen.command("freezes", "end", frozen.freeze["id"])
    assert ended.returncode == 0 and "ended" in ended.stdout, ended
    assert frozen.ask("ada", "PATCH", "/api/flags/checkout", {"description": "g"})[0] == 200


def test_a_freeze_holds_on_the_dynamodb_port_but_for_kill_switches(frozen, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"Statement": {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}}))
    made = frozen.command("access-keys", "create", "--name", "t", "--policy", policy, "--format", "json")
    key = json.loads(made.stdout)
    table = boto3.client(
        "dynamodb", endpoint_url=f"http://127.0.0.1:{frozen.dynamodb_port}", region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"total_max_attempts": 8}))
    flag = dynamodb.typed_flag("by-hand")
    key = {"PK": flag["PK"], "SK": flag["SK"]}
    checkout = {"PK": {"S": "FLAG#staging#checkout"}, "SK": {"S": "METADATA"}}
    writes = [
        lambda: table.put_item(TableName=TABLE, Item=flag),
        lambda: table.update_item(TableName=TABLE, Key=checkout, UpdateExpression="SET description = :d",
                                  ExpressionAttributeValues={":d": {"S": "by hand"}}),
        lambda: table.delete_item(TableName=TABLE, Key=checkout),
        lambda: table.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": flag}}]}),
        lambda: table.transact_write_items(TransactItems=[{"Put": {"TableName": TABLE, "Item": flag}}]),
    ]
    for write in writes:
        with pytest.raises(ClientError) as refused:
            write()
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
        assert "staging is frozen until" in refused.value.response["Error"]["Message"]
    assert "Item" not in table.get_item(TableName=TABLE, Key=key)
    table.put_item(TableName=TABLE, Item={
        "PK": {"S": "EMERGENCY#staging"}, "SK": {"S": "FLAG#checkout"}, "enabled": {"BOOL": True}})
    table.put_item(TableName=TABLE, Item=dynamodb.typed_flag("elsewhere", "development"))


def test_a_freeze_of_the_configuration_begins_and_ends_by_the_clock(start_server, tmp_path):
    file = tmp_path / "dev.yaml"
    begin, end = instant(seconds=-60), instant(seconds=12)
    file.write_text(f"profile: dev\nauth: on\nthrottle: {{administration: off}}\nfreeze:\n"
                    f"  - {{environment: staging, from: {begin}, to: {end}, reason: the launch}}\n"
                    f"  - {{environment: production, from: {begin}, to: {end}, reason: the launch}}\n")
    office = Office(start_server, "--config", file)
    listed = office.ask("vic", "GET", "/api/freezes")[1]["freezes"]
    assert [freeze["id"] for freeze in listed] == ["configured-1", "configured-2"]
    status, refused = office.ask("root", "DELETE", "/api/freezes/configured-1")
    assert (status, refused["code"]) == (409, "freeze_configured")
    flag = {"flagKey": "late", "description": "d", "owner": "o", "defaultEnabled": True}
    status, refused = office.ask("ada", "POST", "/api/flags", flag)
    deadline = time.monotonic() + 60
    while status == 409:
        assert refused["code"] == "frozen" and "the launch" in refused["detail"]
        assert time.monotonic() < deadline
        time.sleep(0.2)
        status, refused = office.ask("ada", "POST", "/api/flags", flag)
    assert status == 201
    assert datetime.datetime.now(datetime.timezone.utc) >= datetime.datetime.fromisoformat(end)


def test_commands_without_a_server_keep_to_a_freeze(frozen, tmp_path):
    export = frozen.command("export", "--environment", ENVIRONMENT)
    flags = json.loads(export.stdout)
    flags["flags"][0]["description"] = "by night"
    file = tmp_path / "flags.json"
    file.write_text(json.dumps(flags))
    frozen.server.terminate()
    refused = frozen.command("import", file, "--environment", ENVIRONMENT)
    assert refused.returncode == 1 and "staging is frozen until" in refused.stderr, refused.stderr
    assert frozen.command("import", file, "--environment", "development").returncode == 0
    frozen.server.start()
    assert frozen.flag("checkout")["description"] == "Flag checkout"


def test_a_schedule_that_comes_to_fall_into_a_freeze_is_refused_and_says_so(start_server):
    office = Office(start_server)
    office.create("checkout")
    at = instant(seconds=4).replace("+", "%2B")
    status, schedule = office.ask("ada", "PATCH", f"/api/flags/checkout?at={at}", {"defaultEnabled": True})
    assert status == 202, schedule
    office.ask("root", "POST", "/api/freezes", {"environment": ENVIRONMENT, "to": instant(days=1), "reason": "stop"})
    deadline = time.monotonic() + 60
    while (shown := office.ask("vic", "GET", f"/api/schedules/{schedule['id']}")[1])["state"] == "waiting":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert shown["state"] == "refused" and "frozen" in shown["detail"] and "stop" in shown["detail"]
    assert office.flag("checkout")["defaultEnabled"] is False
