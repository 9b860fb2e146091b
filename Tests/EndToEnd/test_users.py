"""Accounts of persons, from the command line to the file, as whoever runs a server meets them."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest

from server import FlagServer, binary, clean_environment, run_command

PASSWORD = re.compile(r"([0-9a-hjkmnp-tv-z]{5}-){3}[0-9a-hjkmnp-tv-z]{5}")


def users(place, *arguments):
    done = run_command("users", *arguments, "--data-dir", getattr(place, "data_dir", place))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def create(place, name, *options):
    """The first password that a command made: alone on its standard output."""
    password = users(place, "create", name, *options)
    assert PASSWORD.fullmatch(password), password
    return password


def admin_key(server) -> dict:
    """The environment of a command that shows a key."""
    made = run_command("keys", "create", "--name", "k", "--kind", "admin", "--environment", "*", "--role", "admin",
                       "--data-dir", server.data_dir)
    return {"FLAG_SERVER_KEY": made.stdout.strip()}


@pytest.fixture
def guarded(start_server) -> FlagServer:
    """A server that asks everybody who they are."""
    return start_server("--auth", "on")


def test_accounts_are_made_shown_and_changed_by_commands_beside_a_server(guarded):
    create(guarded, "ann", "--role", "admin")
    create(guarded, "bob", "--role", "viewer", "--role", "operator", "--environment", "prod", "--environment", "dev")
    line = users(guarded, "show", "ann")
    assert line.startswith("ann  active  must change the password  *: admin  password alone  made 20")
    assert "by local:" in line
    listed = json.loads(users(guarded, "list", "--format", "json"))
    assert [user["name"] for user in listed] == ["ann", "bob"]
    assert listed[1]["roles"] == {"staging": ["viewer", "operator"], "production": ["viewer", "operator"]}
    assert "no roles" in users(guarded, "set-roles", "bob")
    assert "*: editor" in users(guarded, "set-roles", "bob", "--role", "editor")
    assert PASSWORD.fullmatch(users(guarded, "reset-password", "bob"))
    for command in ("reset-totp", "disable", "enable", "sessions"):
        state = "disabled" if command == "disable" else "active"
        assert users(guarded, command, "bob").startswith(f"bob  {state}")


@pytest.mark.parametrize("arguments, reason", [
    (("create", "ann", "--role", "admin"), "there is a user ann"),
    (("create", "Ann"), "/name is required: 1 to 64 of the small letters"),
    (("show", "bob"), "there is no user bob"),
    (("show", "../bob"), "no user has this name"),
])
def test_what_cannot_be_done_is_told(guarded, arguments, reason):
    create(guarded, "ann")
    done = run_command("users", *arguments, "--data-dir", guarded.data_dir)
    assert done.returncode == 1 and reason in done.stderr.replace("\n", " ")


def test_accounts_are_made_without_a_server_too_and_outlive_its_end(start_server, data_dir):
    server = start_server("--auth", "on")
    create(server, "ann", "--role", "viewer")
    server.kill()
    assert users(data_dir, "show", "ann").startswith("ann  active")
    create(data_dir, "bob")
    server = start_server("--auth", "on")
    assert [line.split()[0] for line in users(server, "list").splitlines()] == ["ann", "bob"]


def test_no_password_is_in_the_log_or_in_the_files(guarded):
    handed_out = [create(guarded, "ann", "--role", "admin"), users(guarded, "reset-password", "ann")]
    guarded.terminate()
    files = [path for path in guarded.data_dir.rglob("*") if path.is_file()]
    assert len(files) > 2
    for password in handed_out:
        assert password not in guarded.log
        for path in files:
            assert password.encode() not in path.read_bytes(), path


def test_the_memory_of_a_digest_is_given_back(guarded):
    def resident() -> int:
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{guarded.process.pid}/status").read())[1]) // 1024

    create(guarded, "first")
    before = resident()
    for number in range(3):
        create(guarded, f"user{number}")
    assert resident() < before + 32
    most = int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{guarded.process.pid}/status").read())[1]) // 1024
    assert most < before + 200


def test_a_key_has_no_account_and_a_command_wants_a_server(guarded):
    done = run_command("account", "show", "--server", guarded.origin, env=admin_key(guarded))
    assert done.returncode == 1 and "only a person who has signed in has an account" in done.stderr
    done = run_command("account", "show")
    assert done.returncode == 1 and "name the server with --server" in done.stderr


def test_passwords_are_taken_a_line_each_from_standard_input(guarded):
    command = ("account", "password", "--server", guarded.origin)
    differing = run_command(*command, env=admin_key(guarded), input="the old one\nthe new one 1\nthe new one 2\n")
    assert differing.returncode == 1 and "the new passwords differ: nothing was changed" in differing.stderr
    missing = run_command(*command, env=admin_key(guarded), input="the old one\n")
    assert missing.returncode == 1 and "new password: nothing was given on standard input" in missing.stderr
    same = run_command(*command, env=admin_key(guarded), input="the old one\nthe new one 1\nthe new one 1\n")
    assert same.returncode == 1 and "has an account" in same.stderr
    for done in (differing, missing, same):
        assert "the old one" not in done.stderr and "the new one" not in done.stderr


def ask_on_a_terminal(server, answers) -> tuple[int, str]:
    """What `account password` comes to on a terminal, and all that the terminal showed."""
    controller, terminal = pty.openpty()
    settings = termios.tcgetattr(terminal)
    command = [binary(), "account", "password", "--server", server.origin]
    shown = ""
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal,
                          env=clean_environment(admin_key(server))) as process:
        for question, answer in answers:
            while not shown.endswith(question):
                if not select.select([controller], [], [], 20)[0]:
                    process.kill()
                    pytest.fail(f"{question!r} was not asked: {shown!r}")
                shown += os.read(controller, 4096).decode()
            os.write(controller, answer) if answer else process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 20
        while process.poll() is None or select.select([controller], [], [], 0)[0]:
            if time.monotonic() > deadline:
                process.kill()
            if select.select([controller], [], [], 0.1)[0]:
                shown += os.read(controller, 4096).decode()
    assert termios.tcgetattr(terminal) == settings
    os.close(terminal)
    os.close(controller)
    return process.returncode, shown


def test_a_terminal_shows_nothing_of_what_is_typed_and_is_as_it_was_afterwards(guarded):
    typed = b"three cups of tea\n"
    status, shown = ask_on_a_terminal(
        guarded, [("password: ", typed), ("new password: ", typed), ("new password again: ", typed)])
    assert status == 1 and "has an account" in shown and "three cups" not in shown


def test_a_terminal_is_as_it_was_when_somebody_interrupts(guarded):
    status, shown = ask_on_a_terminal(guarded, [("password: ", None)])
    assert status == 1 and "interrupted, nothing was changed" in shown
