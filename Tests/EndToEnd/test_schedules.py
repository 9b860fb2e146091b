"""Changes that are planned for an instant: applied in time, once, also over crashes; by requests and commands."""

import datetime
import json
import re
import time

import pytest

from server import run_command
from test_keys import bearing, make, selector

TURNING = {"operation": "patchFlag", "name": "chat", "body": {"defaultEnabled": True}}


def instant(seconds: float, offset: int = 0) -> str:
    """The time so many seconds from now, with an offset of hours."""
    zone = datetime.timezone(datetime.timedelta(hours=offset))
    return (datetime.datetime.now(zone) + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def milliseconds(text: str) -> float:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def await_end(server, schedule: dict, headers=None, seconds: float = 20) -> dict:
    """The schedule, once it has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = server.expect(200, "GET", f"/api/schedules/{schedule['id']}", headers=headers)
        if now["state"] not in ("waiting", "applying"):
            return now
        time.sleep(0.02)
    raise AssertionError(f"{now}\n{server.log}")


@pytest.fixture
def chat(start_server):
    """A server with a flag that is off."""
    server = start_server()
    server.create_flag("chat", defaultEnabled=False)
    return server


def test_a_schedule_is_applied_within_a_second_with_its_author_and_reason(chat):
    schedule = chat.expect(201, "POST", "/api/schedules", {
        "at": instant(1.2, offset=5), "operation": TURNING, "reason": "go live"})
    assert schedule["state"] == "waiting" and schedule["operation"]["expectedVersion"] == 1
    assert chat.evaluate("chat")[1]["value"] is False
    ended = await_end(chat, schedule)
    assert ended["state"] == "applied"
    late = milliseconds(ended["endedAt"]) - milliseconds(ended["at"])
    assert 0 <= late and ended["late"] == (late > 1000)
    assert chat.evaluate("chat")[1]["value"] is True
    assert re.search(r"schedule applied.*author=anonymous.*" + schedule["id"], chat.log), chat.log
    assert chat.metric("flag_server_schedules_total")['{result="applied"}'] + chat.metric(
        "flag_server_schedules_total")['{result="late"}'] == 1


def test_what_was_acknowledged_is_applied_once_whenever_the_server_is_killed(chat):
    """Forty schedules in three seconds, and a server that is killed again and again meanwhile."""
    count = 40
    for number in range(count):
        chat.create_flag(f"f{number}", defaultEnabled=False)
    made = [chat.expect(201, "POST", "/api/schedules", {
        "at": instant(2 + number * 0.05), "operation": TURNING | {"name": f"f{number}"}}) for number in range(count)]
    for _ in range(4):
        time.sleep(0.4)
        chat.kill()
        chat.start()
    for schedule in made:
        assert await_end(chat, schedule)["state"] == "applied"
    # Whoever applied one twice would have raised the version twice.
    assert {chat.expect(200, "GET", f"/api/flags/f{number}")["version"] for number in range(count)} == {2}
    assert chat.metric("flag_server_schedules_waiting")[""] == 0


def test_after_a_stop_what_became_due_is_applied_late_or_skipped(start_server):
    server = start_server("--config", "/dev/null", env={"FLAG_SERVER_SCHEDULES_LATE": "2s"})
    for key in ("soon", "sooner"):
        server.create_flag(key, defaultEnabled=False)
    sooner, soon = (server.expect(201, "POST", "/api/schedules", {
        "at": instant(seconds), "operation": TURNING | {"name": key}}) for key, seconds in (("sooner", 0.6), ("soon", 4)))
    server.terminate()
    time.sleep(4.8)
    server.start()
    assert await_end(server, sooner)["state"] == "skipped"
    ended = await_end(server, soon)
    assert ended["state"] == "applied"
    assert server.evaluate("sooner")[1]["value"] is False and server.evaluate("soon")[1]["value"] is True
    assert "schedule skipped" in server.log and "(schedules.late)" in server.log


def test_a_flag_that_was_changed_since_is_left_alone_unless_that_is_forced(chat):
    at = instant(1.5)
    refused, forced = (chat.expect(201, "POST", "/api/schedules", {
        "at": at, "operation": operation, "onConflict": rule}) for operation, rule in (
            (TURNING, "refuse"), (TURNING | {"body": {"owner": "later"}}, "force")))
    chat.expect(200, "PATCH", "/api/flags/chat", {"description": "changed"})
    assert await_end(chat, refused)["detail"] == "the flag chat was changed after this was scheduled"
    assert await_end(chat, forced)["state"] == "applied"
    flag = chat.expect(200, "GET", "/api/flags/chat")
    assert (flag["defaultEnabled"], flag["owner"], flag["description"]) == (False, "later", "changed")


def test_lists_of_keys_are_scheduled_too(chat):
    segment = {"name": "beta", "description": "d", "owner": "o"}
    chat.expect(201, "POST", "/api/segments", segment)
    status, headers, schedule = chat.request(
        "POST", f"/api/segments/beta/keys?at={instant(0.5).replace('+', '%2B')}",
        {"add": [f"k{number}" for number in range(500)]})
    assert status == 202 and headers["Location"] == f"/api/schedules/{schedule['id']}", schedule
    assert await_end(chat, schedule)["state"] == "applied"
    assert chat.expect(200, "GET", "/api/segments/beta")["keyCount"] == 500


def test_whoever_lost_their_key_meanwhile_changes_nothing(start_server):
    server = start_server("--auth", "on")
    admin, editor = (make(server, "admin", "--role", role) for role in ("admin", "editor"))
    flag = {"flagKey": "chat", "description": "d", "owner": "o", "defaultEnabled": False}
    server.expect(201, "POST", "/api/flags", flag, bearing(admin))
    schedule = server.expect(201, "POST", "/api/schedules", {"at": instant(900), "operation": TURNING}, bearing(editor))
    revoked = run_command("keys", "revoke", selector(editor), "--data-dir", server.data_dir)
    assert revoked.returncode == 0, revoked.stderr
    # Whoever changes when it is applied does not become its author.
    path = f"/api/schedules/{schedule['id']}"
    changed = server.expect(200, "PATCH", path, {"at": instant(0.3)}, bearing(admin))
    assert changed["createdBy"] == f"key {selector(editor)}" and changed["updatedBy"] == f"key {selector(admin)}"
    ended = await_end(server, schedule, bearing(admin))
    assert ended["state"] == "refused"
    assert ended["detail"] == f"key {selector(editor)} may not change flags in development any more"
    assert server.expect(200, "GET", "/api/flags/chat", headers=bearing(admin))["version"] == 1


def schedules(server, *arguments, **options):
    return run_command("schedules", *arguments, "--data-dir", server.data_dir, **options)


def test_commands_beside_a_server_and_without_one(chat):
    at = instant(3600, offset=1)
    added = schedules(chat, "add", "--at", at, "patchFlag", "chat", '{"defaultEnabled":true}', "--reason", "go live",
                      "--format", "json")
    assert added.returncode == 0, added.stderr
    schedule = json.loads(added.stdout)
    assert schedule["reason"] == "go live" and schedule["createdBy"].startswith("local:")
    listed = schedules(chat, "list", env={"TZ": "UTC-3"})
    local = datetime.datetime.fromisoformat(at).astimezone(datetime.timezone(datetime.timedelta(hours=3)))
    assert f"({local:%Y-%m-%d %H:%M:%S} +0300)" in listed.stdout, listed.stdout
    assert "patchFlag chat" in listed.stdout and "go live" in listed.stdout
    changed = schedules(chat, "change", schedule["id"], "--on-conflict", "force")
    assert changed.returncode == 0 and "forced" in changed.stdout, changed.stderr
    chat.terminate()
    # Without a server: from a file, and applied when one runs.
    operation = json.dumps(TURNING | {"body": {"owner": "by file"}})
    added = schedules(chat, "add", "--at", instant(30), "--operation", "-", "--on-conflict", "force", input=operation)
    assert added.returncode == 0, added.stderr
    second = added.stdout.split()[0]
    cancelled = schedules(chat, "cancel", schedule["id"], "--reason", "not this year")
    assert cancelled.returncode == 0 and "not this year" in cancelled.stdout, cancelled.stderr
    lines = schedules(chat, "list", "--state", "cancelled", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [schedule["id"]]
    chat.start()
    assert chat.expect(200, "GET", f"/api/schedules/{second}")["state"] == "waiting"
    chat.expect(200, "PATCH", f"/api/schedules/{second}", {"at": instant(0.3)})
    assert await_end(chat, {"id": second})["state"] == "applied"
    assert chat.expect(200, "GET", "/api/flags/chat")["owner"] == "by file"
    shown = schedules(chat, "show", second)
    assert "applied" in shown.stdout and '"owner": "by file"' in shown.stdout


@pytest.mark.parametrize(("arguments", "words"), [
    (("add", "--at", "2030-01-01T00:00:00Z"), "Say what is to be done"),
    (("add", "--at", "2030-01-01T00:00:00Z", "patchFlag", "chat"), "a name, then a body as JSON"),
    (("add", "--at", "2030-01-01T00:00:00Z", "paint", "chat"), "paint"),
    (("add", "--at", "soon", "deleteFlag", "chat"), "/at"),
    (("add", "--at", "2020-01-01T00:00:00Z", "deleteFlag", "chat"), "must not be past"),
    (("add", "--at", "2020-01-01T00:00:00Z", "patchFlag", "chat", "{"), "the body is not JSON"),
    (("change", "none"), "Say what is to change"),
    (("cancel", "none"), "there is no schedule none"),
])
def test_what_is_wrong_with_a_command_is_told(chat, arguments, words):
    refused = schedules(chat, *arguments)
    assert refused.returncode != 0 and words in refused.stderr, refused.stderr
