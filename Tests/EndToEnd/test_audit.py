"""The audit log, as whoever has to answer for a server meets it."""

import http.server
import json
import re
import sqlite3
import threading

import pytest

import dynamodb
from server import await_true, free_port, run_command


def audit(server, query: str = "", **headers) -> list[dict]:
    """The records of a list, the newest first."""
    return server.expect(200, "GET", f"/api/audit?{query}", headers=headers)["records"]


def command(place, *arguments, status: int = 0, **options):
    """What an `audit` command prints."""
    done = run_command("audit", *arguments, "--data-dir", getattr(place, "data_dir", place), **options)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def admin(server) -> dict:
    """The header of somebody who may everything."""
    made = run_command("keys", "create", "--name", "auditor", "--kind", "admin", "--environment", "*", "--role",
                       "admin", "--data-dir", server.data_dir)
    return {"Authorization": f"Bearer {made.stdout.strip()}"}


def test_a_change_is_in_the_list_when_it_is_answered_with_who_why_where_and_what(start_server):
    server = start_server()
    server.create_flag("new-checkout", defaultEnabled=True)
    server.expect(200, "PATCH", "/api/flags/new-checkout", {"owner": "growth"}, {
        "X-Change-Reason": "the team was renamed", "User-Agent": "console/1"})
    changed, created = audit(server, "flag=new-checkout")
    assert (created["action"], created["before"], created["after"]["owner"]) == ("flag.create", None, "tests")
    assert changed["action"] == "flag.update" and changed["outcome"] == "done"
    assert changed["principal"] == {"kind": "anonymous"}
    assert changed["target"] == {"flag": "new-checkout"} and changed["environment"] == "development"
    assert changed["reason"] == "the team was renamed" and changed["userAgent"] == "console/1"
    assert changed["address"].startswith("127.0.0.1") and changed["requestId"]
    assert {"op": "replace", "path": "/owner", "value": "growth"} in changed["changes"]
    assert server.expect(200, "GET", f"/api/audit/{changed['sequence']}") == changed
    server.expect(404, "GET", "/api/audit/999999")
    server.expect(400, "GET", "/api/audit/none")


def test_no_way_of_writing_passes_it_by(start_server, tmp_path):
    port = free_port()
    server = start_server("--dynamodb-port", port)
    dynamodb.client(port).put_item(
        TableName="feature-flags-local", Item=dynamodb.typed_flag("by-hand", environment="development"))
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flags": {"imported": {
        "state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}}}))
    done = run_command("import", file, "--reason", "a new start", "--data-dir", server.data_dir)
    assert done.returncode == 0, done.stderr
    server.expect(200, "POST", "/api/emergency/kill-switch", {
        "flagKey": "by-hand", "reason": "it burns", "activatedBy": "ann"})
    server.expect(200, "PUT", "/api/tenants/acme/flags/by-hand", {"enabled": True, "updatedBy": "ann"})

    by_hand = {record["action"]: record for record in audit(server, "flag=by-hand")}
    assert by_hand["flag.create"]["principal"]["kind"] == "anonymous"
    # Items that somebody types lack what follows from them, and the server puts that right.
    assert by_hand["flag.repair"]["principal"] == {"kind": "server", "id": "derived-attributes"}
    assert by_hand["kill-switch.activate"]["after"]["reason"] == "it burns"
    assert by_hand["override.create"]["target"] == {"flag": "by-hand", "tenant": "acme"}
    [imported] = audit(server, "flag=imported")
    assert imported["principal"]["kind"] == "local" and imported["reason"] == "a new start"
    assert imported["principal"]["proof"] == "user of this machine"
    [work] = audit(server, "action=flags.import")
    assert work["outcome"] == "done"
    assert [record["target"]["tenant"] for record in audit(server, "tenant=acme")] == ["acme"]
    server.expect(201, "POST", "/api/backups", {"name": "before"}, {"X-Change-Reason": "to be sure"})
    assert audit(server, "action=backup.create")[0]["reason"] == "to be sure"


def test_the_port_of_dynamodb_tells_by_which_access_key(start_server, tmp_path):
    port = free_port()
    server = start_server("--auth", "on", "--dynamodb-port", port)
    headers = admin(server)
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}]}))
    made = run_command("access-keys", "create", "--name", "terraform", "--policy", policy, "--reason", "for terraform",
                       "--data-dir", server.data_dir)
    assert made.returncode == 0, made.stderr
    secrets = dict(line.split("=", 1) for line in made.stdout.split())
    import boto3
    from botocore.config import Config
    client = boto3.client(
        "dynamodb", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
        aws_access_key_id=secrets["AWS_ACCESS_KEY_ID"], aws_secret_access_key=secrets["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}))

    def opened():
        try:
            client.put_item(TableName="feature-flags-local", Item=dynamodb.typed_flag("by-hand"))
            return True
        except Exception:
            return False
    await_true(opened, 15)
    with pytest.raises(client.exceptions.ClientError):
        client.delete_item(
            TableName="feature-flags-local", Key={"PK": {"S": "FLAG#staging#x"}, "SK": {"S": "METADATA"}})

    put = [r for r in audit(server, "flag=by-hand", **headers) if r["action"] == "flag.create"][0]
    assert put["principal"] == {
        "kind": "access-key", "id": secrets["AWS_ACCESS_KEY_ID"], "name": "terraform", "proof": "signature"}
    refused = [r for r in audit(server, "outcome=refused", **headers) if r["principal"]["kind"] == "access-key"][0]
    assert refused["action"] == "access.refuse" and "DeleteItem" in refused["details"]["requests"][0]
    [created] = audit(server, "action=access-key.create", **headers)
    assert created["reason"] == "for terraform" and created["after"]["name"] == "terraform"
    assert secrets["AWS_SECRET_ACCESS_KEY"] not in json.dumps(audit(server, "limit=1000", **headers))


def test_sign_ins_refusals_and_reads_are_told_and_no_secret_is(start_server):
    server = start_server("--auth", "on")
    headers = admin(server)
    made = run_command("users", "create", "bob", "--role", "viewer", "--data-dir", server.data_dir)
    password = made.stdout.strip()
    for tried, expected in (("wrong", 403), (password, 200)):
        status, _, _ = server.request(
            "POST", "/api/auth/token", {"username": "bob", "password": tried}, timeout=60)
        assert status == expected
    for _ in range(5):
        server.expect(401, "GET", "/api/flags")
    viewer = run_command("keys", "create", "--name", "v", "--kind", "admin", "--environment", "production", "--role",
                         "viewer", "--data-dir", server.data_dir).stdout.strip()
    server.expect(403, "GET", "/api/users", headers={"Authorization": f"Bearer {viewer}"})
    server.expect(200, "GET", "/api/keys", headers=headers)
    records = audit(server, "limit=1000", **headers)
    signed_in = [r for r in records if r["action"] == "access.sign-in"]
    assert {(r["outcome"], r["principal"].get("id")) for r in signed_in} == {("done", "bob"), ("refused", None)}
    strangers = [r for r in records if r["action"] == "access.refuse" and r["principal"]["kind"] == "anonymous"]
    assert sum(r["count"] for r in strangers) == 5
    known = [r for r in records if r["action"] == "access.refuse" and r["principal"]["kind"] == "key"]
    assert [r["details"]["requests"] for r in known] == [["GET /api/users"]]
    reads = [r for r in records if r["action"] == "access.read"]
    assert any(r["details"]["operation"] == "listKeys" and r["principal"]["name"] == "auditor" for r in reads)
    assert {"user.create", "key.create"} <= {r["action"] for r in records}
    text = json.dumps(records)
    for secret in (password, viewer, headers["Authorization"].split()[1], "wrong"):
        assert secret not in text
    # Who may not administer everywhere may not read it.
    server.expect(403, "GET", "/api/audit", headers={"Authorization": f"Bearer {viewer}"})


def test_starts_stops_and_other_settings_are_told(start_server, data_dir):
    server = start_server()
    server.terminate()
    server = start_server("--log-level", "debug")
    told = [record["action"] for record in audit(server, "action=server&order=oldest")]
    assert told == ["server.start", "server.stop", "server.configure", "server.start"] or sorted(told) == sorted(
        ["server.start", "server.stop", "server.configure", "server.start"])
    [configured] = audit(server, "action=server.configure")
    assert configured["details"]["settings"] == ["log.level"] or "log.level" in configured["details"]["settings"]


def test_a_list_goes_on_by_its_cursor_and_says_what_it_does_not_understand(start_server):
    server = start_server()
    for number in range(7):
        server.create_flag(f"flag-{number}", defaultEnabled=True)
    found, cursor = [], ""
    while cursor is not None:
        page = server.expect(200, "GET", f"/api/audit?action=flag.create&limit=3&cursor={cursor}")
        found += [record["target"]["flag"] for record in page["records"]]
        cursor = page["nextCursor"]
    assert found == [f"flag-{number}" for number in reversed(range(7))]
    for query in ("outcome=good", "order=up", "since=yesterday", "limit=0", "cursor=x", "environment=moon", "who=me"):
        server.expect(400, "GET", f"/api/audit?{query}")


def test_commands_read_check_and_export_beside_a_server_and_without_one(start_server, data_dir, tmp_path):
    server = start_server()
    server.create_flag("new-checkout", defaultEnabled=True)
    head = command(server, "head")
    (tmp_path / "heads").write_text(head)
    assert "flag.create  flag new-checkout  in development  by anonymous" in command(server, "list")
    server.kill()
    assert "flag.create  flag new-checkout" in command(data_dir, "list", "--flag", "new-checkout")
    assert json.loads(command(data_dir, "show", "1"))["action"] == "audit.begin"
    assert "1 heads compared: in order" in command(data_dir, "verify", "--against", tmp_path / "heads")
    command(data_dir, "export", "--output", tmp_path / "audit.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))


def test_a_restore_takes_nothing_from_the_log_and_what_comes_after_it_is_told(start_server, tmp_path):
    server = start_server()
    server.create_flag("before", defaultEnabled=True)
    backup = server.expect(201, "POST", "/api/backups", {"name": "before"})["id"]
    server.create_flag("after", defaultEnabled=True)
    (tmp_path / "head").write_text(command(server, "head"))
    done = run_command("restore", backup, "--replace", "--reason", "it went wrong", "--data-dir", server.data_dir)
    assert done.returncode == 0, done.stderr
    await_true(lambda: server.request("GET", "/api/flags/after")[0] == 404, 15)
    server.create_flag("later", defaultEnabled=True)
    told = [(record["action"], record["target"].get("flag")) for record in audit(server, "order=oldest&limit=1000")]
    changes = [entry for entry in told if entry[0] in ("flag.create", "backup.restore")]
    assert changes == [("flag.create", "before"), ("flag.create", "after"), ("backup.restore", None),
                       ("flag.create", "later")]
    assert audit(server, "action=backup.restore")[0]["reason"] == "it went wrong"
    assert ": in order" in command(server, "verify", "--against", tmp_path / "head")


def test_what_somebody_changed_in_the_file_is_found(start_server, data_dir):
    server = start_server()
    server.create_flag("new-checkout", owner="honest", defaultEnabled=True)
    command(server, "head")
    server.terminate()
    with sqlite3.connect(data_dir / "flags.db") as database:
        changed = 0
        for number, content in database.execute("SELECT id, content FROM item").fetchall():
            if b'"flag.create"' in content and b'"honest"' in content:
                database.execute("UPDATE item SET content = ? WHERE id = ?",
                                 (content.replace(b'"honest"', b'"forged"'), number))
                changed += 1
        assert changed == 1
    assert re.search(r"record \d+ is not what was stored", command(data_dir, "verify", status=1))


def test_a_reason_is_demanded_where_it_is_wanted(start_server, data_dir, tmp_path):
    config = tmp_path / "local.yaml"
    config.write_text("audit:\n  require-reason: [production]\n")
    server = start_server("--config", config)
    flag = {"flagKey": "a", "description": "d", "owner": "o", "defaultEnabled": True}
    server.expect(201, "POST", "/api/flags", flag)
    refused = server.expect(400, "POST", "/api/flags?environment=production", flag)
    assert refused["code"] == "reason_required" and "X-Change-Reason" in refused["detail"]
    server.expect(201, "POST", "/api/flags?environment=production", flag, {"X-Change-Reason": "go live"})
    assert server.expect(400, "POST", "/api/backups", {"name": "b"})["code"] == "reason_required"
    # What must not wait has a reason of its own.
    server.expect(200, "POST", "/api/emergency/kill-switch?environment=production", {
        "flagKey": "a", "reason": "it burns", "activatedBy": "ann"})
    done = run_command("backup", "create", "--data-dir", server.data_dir)
    assert done.returncode == 1 and "--reason" in done.stderr
    done = run_command("backup", "create", "--reason", "before the change", "--data-dir", server.data_dir)
    assert done.returncode == 0, done.stderr


def test_records_are_shipped_to_a_file_and_go_on_there_after_a_restart(start_server, data_dir, tmp_path):
    shipped = tmp_path / "elsewhere" / "audit.jsonl"
    environment = {"FLAG_SERVER_AUDIT_SHIP": str(shipped)}
    server = start_server(env=environment)
    server.create_flag("first", defaultEnabled=True)
    await_true(lambda: "cannot be copied" in server.log, 15)
    shipped.parent.mkdir()
    await_true(lambda: shipped.exists() and '"first"' in shipped.read_text(), 15)
    server.kill()
    with shipped.open("a") as file:
        file.write('{"sequence": 999, "cut off')
    server = start_server(env=environment)
    server.create_flag("second", defaultEnabled=True)
    await_true(lambda: '"second"' in shipped.read_text(), 15)
    server.terminate()
    lines = []
    for line in shipped.read_text().splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            pass
    sequences = [line["sequence"] for line in lines if "sequence" in line]
    assert sequences == list(range(1, len(sequences) + 1))
    assert any("head" in line for line in lines)
    assert ": in order" in command(data_dir, "verify", "--against", shipped)


def test_records_are_posted_to_a_server(start_server):
    received: list[dict] = []
    statuses = [503, 200]

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
            if status == 200:
                received.extend(json.loads(line) for line in content.splitlines())
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    server = start_server(env={"FLAG_SERVER_AUDIT_SHIP": f"http://127.0.0.1:{receiver.server_port}/audit"})
    server.create_flag("first", defaultEnabled=True)
    await_true(lambda: any(line.get("target") == {"flag": "first"} for line in received), 15)
    assert [line["sequence"] for line in received if "sequence" in line][0] == 1
    assert server.metric("flag_server_audit_shipped")[""] > 0
    receiver.shutdown()
