"""What is stored is encrypted under the operator's key: nothing to be seen, no start without it, and another key under
load and through kills."""

import hashlib
import json
import os
import threading
import time

import pytest

from server import DidNotStart, FlagServer, run_command

MARKER = "marked-value-of-a-test"


def key_file(folder, name: str = "at-rest.key", content: bytes | None = None):
    file = folder / name
    file.touch(mode=0o600)
    file.write_bytes(content or os.urandom(32))
    return file


def keys(current, former=None) -> dict:
    """The environment that names the files of keys."""
    named = {"FLAG_SERVER_AT_REST_KEY": current, "FLAG_SERVER_AT_REST_FORMER_KEY": former}
    return {name: str(file) for name, file in named.items() if file}


def files_with(folder, text: str = MARKER) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*")
                  if file.is_file() and text.encode() in file.read_bytes())


def fill(server, numbers, note: str = ""):
    for number in numbers:
        server.create_flag(f"flag-{number}", description=f"{MARKER} {number} {note}", defaultEnabled=True)


def descriptions(server) -> dict[str, str]:
    return {flag["flagKey"]: flag["description"] for flag in server.all_flags()}


def await_rotation(server):
    deadline = time.monotonic() + 60
    while server.expect(200, "GET", "/api/at-rest")["left"] is not None:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.02)


def hashes(folder) -> dict[str, str]:
    """What every file of the directory holds, but for who owns it."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("*")
            if file.is_file() and file.name != "owner.lock"}


def test_nothing_of_the_values_is_in_any_file(start_server, data_dir, tmp_path):
    env = keys(key_file(tmp_path))
    server = start_server(env=env)
    server.expect(200, "PUT", "/api/continuous-backups", {})
    fill(server, range(30))
    server.expect(200, "PATCH", "/api/flags/flag-3", {"description": f"{MARKER} again"})
    server.expect(204, "DELETE", "/api/flags/flag-4")
    server.expect(201, "POST", "/api/backups", {"name": "encrypted"})
    server.expect(200, "POST", "/api/verify")
    assert files_with(data_dir) == []
    assert server.terminate() == 0
    assert files_with(data_dir) == []
    assert files_with(data_dir, "flag-5") != [], "keys of items can be read, as the documentation says"
    exported = json.loads(run_command("export", "--data-dir", data_dir, env=env).stdout)
    assert len(exported["flags"]) == 29
    assert run_command("verify", "--data-dir", data_dir, env=env).returncode == 0


@pytest.mark.parametrize("given", ["none", "another", "short", "open to others"])
def test_without_the_key_nothing_starts_and_nothing_is_changed(start_server, data_dir, tmp_path, given):
    server = start_server(env=keys(key_file(tmp_path)))
    fill(server, range(5))
    server.kill()
    before = hashes(data_dir)
    wrong = key_file(tmp_path, "wrong.key", b"too short" if given == "short" else None)
    if given == "open to others":
        wrong.chmod(0o644)
    env = keys(None if given == "none" else wrong)
    with pytest.raises(DidNotStart) as failure:
        FlagServer(data_dir, env=env).start()
    assert str(failure.value).startswith("exit status 78")
    said = {"none": "no key is given", "another": "is another one", "short": "must hold 32 random bytes",
            "open to others": "can be read by others"}[given]
    assert said in str(failure.value) and "at-rest.key" in str(failure.value)
    assert hashes(data_dir) == before
    for command in (["export"], ["verify"], ["at-rest", "status"], ["config", "check"]):
        ended = run_command(*command, "--data-dir", data_dir, env=env)
        assert ended.returncode == 78 and said in ended.stderr, (command, ended)
    assert hashes(data_dir) == before


def test_a_store_is_encrypted_while_it_is_used_and_no_trace_is_left(start_server, data_dir, tmp_path):
    server = start_server()
    fill(server, range(300))
    before = descriptions(server)
    assert server.terminate() == 0
    assert files_with(data_dir) == ["flags.db"]
    server = start_server(env=keys(key_file(tmp_path)))
    await_rotation(server)
    assert descriptions(server) == before
    assert files_with(data_dir) == []
    assert server.expect(200, "POST", "/api/verify")["problems"] == []


def test_keys_are_exchanged_under_load_and_through_kills_and_nothing_answered_is_lost(
        start_server, data_dir, tmp_path):
    first, second = key_file(tmp_path), key_file(tmp_path, "second.key")
    server = start_server(env=keys(first))
    fill(server, range(400))
    backup = server.expect(201, "POST", "/api/backups", {"name": "old"})["id"]
    answered = {}

    def write(server, until):
        number = 0
        while not until.is_set():
            key, text = f"flag-{number % 400}", f"{MARKER} load {number}"
            try:
                status, _, _ = server.request("PATCH", f"/api/flags/{key}", {"description": text})
            except OSError:
                # Killed: whether it was written nobody was told.
                answered.pop(key, None)
                return
            assert status == 200
            answered[key] = text
            number += 1

    for life in range(6):
        is_over = threading.Event()
        writer = threading.Thread(target=write, args=(server, is_over))
        writer.start()
        rotation = threading.Thread(target=lambda server=server: attempt(server))
        rotation.start()
        time.sleep(0.02 * (life + 1))
        server.kill()
        is_over.set()
        writer.join()
        rotation.join()
        server = start_server(env=keys(second, first) if life == 2 else keys(second if life > 2 else first))
        now = descriptions(server)
        assert {key: now[key] for key in answered} == answered, f"life {life}"
    await_rotation(server)
    state = server.expect(200, "GET", "/api/at-rest")
    assert state["enabled"] and not state["underWay"]
    assert server.expect(200, "POST", "/api/verify")["problems"] == []
    assert files_with(data_dir) == []
    # The backup of before, in this store by its present key, and in another one by the key of its time.
    server.expect(200, "POST", "/api/restore", {"backup": backup, "target": "old"})
    file = data_dir / "backups" / f"{backup}.backup"
    options = ["restore", file, "--create", "--data-dir", tmp_path / "other"]
    refused = run_command(*options, env=keys(second))
    assert refused.returncode != 0 and "at-rest.former-key" in refused.stderr
    assert run_command(*options, env=keys(second, first)).returncode == 0
    assert files_with(tmp_path / "other") == []


def attempt(server):
    """A rotation that may be killed."""
    try:
        server.request("POST", "/api/at-rest/rotate", timeout=30)
    except OSError:
        pass


def test_the_command_rotates_beside_a_server_and_without_one(start_server, data_dir, tmp_path):
    env = keys(key_file(tmp_path, content=os.urandom(32).hex().encode() + b"\n"))
    server = start_server(env=env)
    fill(server, range(50))
    told = run_command("at-rest", "rotate", "--data-dir", data_dir, env=env)
    assert told.returncode == 0 and "another data key" in told.stdout, told
    assert server.expect(200, "GET", "/api/at-rest")["dataKeys"] == 2
    assert server.terminate() == 0
    assert "of 2" in run_command("at-rest", "status", "--data-dir", data_dir, env=env).stdout
    assert run_command("at-rest", "rotate", "--data-dir", data_dir, env=env).returncode == 0
    state = json.loads(run_command("at-rest", "status", "--format", "json", "--data-dir", data_dir, env=env).stdout)
    assert state["dataKeys"] == 3 and state["left"] is None
    assert len(descriptions(start_server(env=env))) == 50


def test_a_store_without_a_key_says_how_one_is_given(server):
    status, _, problem = server.request("POST", "/api/at-rest/rotate")
    assert (status, problem["code"]) == (409, "encryption_off") and "at-rest.key" in problem["detail"]
    assert server.expect(200, "GET", "/api/at-rest")["enabled"] is False


def test_systemd_hands_the_key_over(start_server, data_dir, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    key_file(credentials)
    server = start_server(env={"CREDENTIALS_DIRECTORY": str(credentials)})
    fill(server, range(3))
    assert files_with(data_dir) == [] and server.expect(200, "GET", "/api/at-rest")["enabled"]
