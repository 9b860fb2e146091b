"""Backups, restores and verification from the shell, beside a running server and without one."""

import json
import shutil
import sqlite3
import time

import pytest

from server import FlagServer, run_command


def command(data_dir, *arguments, status=0):
    completed = run_command(*arguments, "--data-dir", data_dir)
    assert completed.returncode == status, completed.stderr
    return completed


def backups(data_dir):
    return json.loads(command(data_dir, "backup", "list", "--format", "json").stdout)


@pytest.mark.parametrize("beside_server", [True, False], ids=["beside a server", "without a server"])
def test_a_backup_is_made_listed_restored_and_deleted(start_server, data_dir, beside_server):
    server = start_server()
    server.create_flag("kept", defaultEnabled=True)
    if not beside_server:
        assert server.terminate() == 0
    made = command(data_dir, "backup", "create", "--name", "nightly").stdout
    backup, = backups(data_dir)
    assert backup["id"] in made and backup["name"] == "nightly" and backup["table"] == "feature-flags-local"
    restored = command(data_dir, "restore", backup["id"], "--to", "copy").stdout
    assert restored == f"restored copy: {backup['items']} items\n"
    assert "checked" in command(data_dir, "verify").stdout
    assert "--replace" in command(data_dir, "restore", backup["id"], status=1).stderr
    command(data_dir, "backup", "delete", backup["id"])
    assert backups(data_dir) == []
    assert "Backup not found" in command(data_dir, "backup", "delete", backup["id"], status=1).stderr


def test_a_running_server_serves_what_was_restored_within_a_second(start_server, data_dir):
    server = start_server()
    server.create_flag("old", defaultEnabled=False)
    command(data_dir, "backup", "create")
    server.expect(200, "PATCH", "/api/flags/old", {"defaultEnabled": True})
    server.create_flag("new", defaultEnabled=True)
    assert server.evaluate("old")[1]["value"] is True
    tag = server.request("POST", "/ofrep/v1/evaluate/flags", {})[1]["ETag"]
    command(data_dir, "restore", backups(data_dir)[0]["id"], "--replace")
    assert_soon(lambda: server.evaluate("new")[0] == 404)
    assert server.evaluate("old")[1]["value"] is False
    status, headers, _ = server.request("POST", "/ofrep/v1/evaluate/flags", {}, {"If-None-Match": tag})
    assert status == 200 and headers["ETag"] != tag
    # What was replaced can be had back.
    kept, = [backup for backup in backups(data_dir) if backup["kind"] == "system"]
    command(data_dir, "restore", kept["id"], "--replace")
    assert_soon(lambda: server.evaluate("new")[0] == 200)


def test_a_lost_data_directory_is_made_again_from_a_copy_of_a_backup(start_server, data_dir, tmp_path):
    server = start_server()
    server.create_flag("precious", defaultEnabled=True)
    command(data_dir, "backup", "create")
    copy = tmp_path / "elsewhere.backup"
    shutil.copy(data_dir / "backups" / f"{backups(data_dir)[0]['id']}.backup", copy)
    server.kill()
    shutil.rmtree(data_dir)
    assert "have it made with --create" in command(data_dir, "restore", copy, status=1).stderr
    command(data_dir, "restore", copy, "--create")
    with FlagServer(data_dir) as again:
        again.start()
        assert again.evaluate("precious")[0] == 200
    copy.write_bytes(copy.read_bytes()[:-20])
    assert "is damaged" in command(data_dir, "restore", copy, "--to", "more", status=1).stderr


def test_a_backup_takes_histories_last_valid_forms_and_the_way_of_dealing_users_along(
        data_dir, tmp_path):
    old = {"FLAG_SERVER_EVALUATION_FRACTIONAL": "v2"}
    server = FlagServer(data_dir, env=old).start()
    server.create_flag("precious", defaultEnabled=True)
    server.expect(200, "PATCH", "/api/flags/precious", {"description": "More so"})
    rollout = {"variants": {"old": "old", "new": "new"}, "defaultVariant": "old", "state": "ENABLED",
               "targeting": {"fractional": [["new", 50], ["old", 50]]}}
    server.create_flag("dealt", **rollout)
    users = [f"user-{number}" for number in range(50)]

    def deal(server):
        return [server.evaluate("dealt", {"targetingKey": user})[1]["variant"] for user in users]

    def history(server):
        return server.expect(200, "GET", "/api/flags/precious/history")["history"]

    assert_soon(lambda: len(history(server)) == 2)
    dealt, told = deal(server), history(server)
    command(data_dir, "backup", "create")
    copy = tmp_path / "elsewhere.backup"
    shutil.copy(data_dir / "backups" / f"{backups(data_dir)[0]['id']}.backup", copy)
    server.kill()

    # A host that deals users otherwise refuses, running or not.
    other = tmp_path / "other"
    with FlagServer(other, cwd=tmp_path) as host:
        host.start()
        refused = command(other, "restore", copy, "--replace", status=1).stderr
        assert "evaluation.fractional v2" in refused and "--create" in refused, refused
    assert "evaluation.fractional" in command(other, "restore", copy, "--replace", status=1).stderr

    fresh = tmp_path / "fresh"
    command(fresh, "restore", copy, "--create")
    with FlagServer(fresh, env=old, cwd=tmp_path) as again:
        again.start()
        assert history(again) == told
        assert deal(again) == dealt
        # What is new comes after what was.
        again.expect(200, "PATCH", "/api/flags/precious", {"description": "Most of all"})
        assert_soon(lambda: len(history(again)) == 3)
        times = [entry["at"] for entry in history(again)]
        assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("beside_server", [True, False], ids=["beside a server", "without a server"])
def test_continuous_backups_are_turned_on_shown_used_and_turned_off(start_server, data_dir, beside_server):
    server = start_server()
    server.create_flag("flag", defaultEnabled=False)
    if not beside_server:
        assert server.terminate() == 0
    assert command(data_dir, "backup", "continuous", "status").stdout == "feature-flags-local  off\n"
    made = command(data_dir, "backup", "continuous", "on").stdout
    assert made.startswith("feature-flags-local  on  restorable from 20")
    began, = json.loads(command(data_dir, "backup", "continuous", "status", "--format", "json").stdout)
    assert began["enabled"] is True and began["earliest"] <= began["latest"]
    assert command(data_dir, "backup", "continuous", "on").stdout.split(" to ")[0] == made.split(" to ")[0]
    if not beside_server:
        server.start()
    server.expect(200, "PATCH", "/api/flags/flag", {"defaultEnabled": True})
    assert_soon(lambda: command(data_dir, "verify").stdout.find(" 0 in logs") < 0)
    command(data_dir, "restore", "--time", began["earliest"], "--replace")
    assert_soon(lambda: server.evaluate("flag")[1]["value"] is False)

    assert command(data_dir, "backup", "continuous", "off").stdout == "feature-flags-local  off\n"
    assert "backup continuous on" in command(data_dir, "restore", "--time", "latest", "--to", "more", status=1).stderr
    assert "none" in command(data_dir, "backup", "continuous", "on", "--table", "none", status=1).stderr


def test_verify_finds_what_is_wrong(start_server, data_dir):
    server = start_server()
    server.create_flag("one", defaultEnabled=True)
    assert server.terminate() == 0
    command(data_dir, "verify")
    with sqlite3.connect(data_dir / "flags.db") as connection:
        connection.execute("DELETE FROM entry WHERE key IN (SELECT key FROM entry LIMIT 1)")
    connection.close()
    completed = command(data_dir, "verify", status=1)
    assert "has no entry in" in completed.stdout and "not in order" in completed.stderr


def assert_soon(holds, seconds=1.5):
    """The promise is a second; what the test itself takes comes on top."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "not within a second"
        time.sleep(0.02)
