"""A server that cannot start says why and what to do, in a few lines, with a status that is not zero."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pytest

from server import NOBODY, FlagServer, free_port, killed_by_signal, run_command

def serve(data_dir, *options, port=None, **settings) -> subprocess.CompletedProcess:
    """A `serve` that is expected to end by itself."""
    return run_command("serve", "--port", port or free_port(), "--data-dir", data_dir, *options, timeout=20, **settings)


def refused(ended: subprocess.CompletedProcess, *words: str):
    """The command ended with a message that names each of `words`, and not as a crash does."""
    text = ended.stdout + ended.stderr
    assert ended.returncode != 0, f"started nevertheless:\n{text}"
    assert not killed_by_signal(ended), f"crashed with {ended.returncode}:\n{text}"
    for trace in ("Fatal error", "Backtrace", "Stack dump", "0x0000", " at /", "Thread 0"):
        assert trace not in text, text
    for word in words:
        assert word.lower() in text.lower(), f"'{word}' is not in:\n{text}"
    assert len(text.strip().splitlines()) <= 12, f"too long to be read:\n{text}"


@pytest.fixture
def folder():
    """A folder that other users can enter, unlike pytest's."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")


def as_nobody(data_dir) -> subprocess.CompletedProcess:
    return serve(data_dir, user=NOBODY, cwd="/")


def test_the_port_is_in_use(server, tmp_path):
    refused(serve(tmp_path / "other", port=server.port), str(server.port), "in use")
    assert server.request("GET", "/health/ready")[0] == 200


@as_root
def test_the_data_directory_cannot_be_entered(folder):
    data_dir = folder / "closed"
    data_dir.mkdir(mode=0o700)
    refused(as_nobody(data_dir), str(data_dir), "permission")


@as_root
def test_the_data_directory_cannot_be_made(folder):
    refused(as_nobody(folder / "new"), str(folder / "new"), "permission")


@as_root
def test_the_data_directory_cannot_be_written(folder):
    data_dir = folder / "readonly"
    data_dir.mkdir(mode=0o755)
    refused(as_nobody(data_dir), str(data_dir), "permission")


@as_root
def test_the_database_cannot_be_written(folder):
    data_dir = folder / "data"
    with FlagServer(data_dir) as server:
        server.start()
    for path in [data_dir, *data_dir.iterdir()]:
        os.chown(path, NOBODY, NOBODY)
    (data_dir / "flags.db").chmod(0o444)
    refused(as_nobody(data_dir), str(data_dir / "flags.db"), "readonly")


def test_the_data_directory_is_a_file(tmp_path):
    file = tmp_path / "file"
    file.write_text("not a directory")
    refused(serve(file), str(file))
    assert file.read_text() == "not a directory"


def test_the_database_is_something_else(data_dir):
    data_dir.mkdir()
    database = data_dir / "flags.db"
    database.write_bytes(b"This is not a database. " * 1000)
    refused(serve(data_dir), "flags.db")
    assert database.read_bytes() == b"This is not a database. " * 1000


def test_the_database_is_damaged(start_server, data_dir):
    server = start_server()
    for number in range(50):
        server.create_flag(f"f{number}", description="x" * 400, defaultEnabled=True)
    server.terminate()
    database = data_dir / "flags.db"
    contents = bytearray(database.read_bytes())
    contents[100:4096] = os.urandom(3996)  # The root of the schema, behind a valid file header.
    database.write_bytes(contents)
    refused(serve(data_dir), "flags.db")
    assert database.read_bytes() == contents


def test_the_database_is_locked_by_another_program(start_server, data_dir):
    start_server().terminate()
    other = sqlite3.connect(data_dir / "flags.db", isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    try:
        refused(serve(data_dir), "flags.db", "locked")
    finally:
        other.close()


def test_the_buckets_of_a_directory_are_not_changed_by_a_setting(start_server, data_dir):
    start_server().terminate()
    refused(serve(data_dir, env={"FLAG_SERVER_EVALUATION_FRACTIONAL": "v2"}), "fractional", "v2", "v3")


@pytest.mark.parametrize("option, value, words", [
    ("--port", "http", ["port"]),
    ("--port", "70000", ["port", "70000"]),
    ("--loops", "0", ["loops"]),
    ("--profile", "test", ["--profile", "local", "dev", "prod"]),
    ("--environment", "test", ["--environment", "local", "dev", "prod"]),
    ("--store", "cloud", ["store", "sqlite", "memory"]),
    ("--auth", "maybe", ["auth", "on", "off"]),
    ("--log-level", "loud", ["log"]),
    ("--host", "no.such.host.invalid", ["no.such.host.invalid"]),
    ("--sample-flags", "/no/such/file.json", ["/no/such/file.json"]),
    ("--config", "/no/such/file.yaml", ["/no/such/file.yaml"]),
    ("--nonsense", "1", ["nonsense"]),
])
def test_an_option_that_is_wrong_is_named(option, value, words, data_dir):
    refused(serve(data_dir, option, value), *words)


@pytest.mark.parametrize("name, value, words", [
    ("FLAG_SERVER_PORT", "http", ["FLAG_SERVER_PORT", "http"]),
    ("FLAG_SERVER_LOOPS", "-1", ["FLAG_SERVER_LOOPS"]),
    ("FLAG_SERVER_PROFILE", "test", ["FLAG_SERVER_PROFILE", "local, dev or prod"]),
    ("FLAG_SERVER_ENVIRONMENT", "test", ["FLAG_SERVER_ENVIRONMENT", "local, dev or prod"]),
    ("FLAG_SERVER_STORE", "cloud", ["FLAG_SERVER_STORE", "sqlite"]),
    ("FLAG_SERVER_NONSENSE", "1", ["FLAG_SERVER_NONSENSE"]),
])
def test_an_environment_variable_that_is_wrong_is_named(name, value, words, data_dir):
    ended = run_command("serve", "--data-dir", data_dir, *([] if name.endswith("PORT") else ["--port", free_port()]),
                        env={name: value}, timeout=20)
    refused(ended, *words)


@pytest.mark.parametrize("text, words", [
    ("prot: 3001\n", ["prot"]),
    ("port: many\n", ["port", "many"]),
    ("port: [\n", []),
    ("evaluation:\n  fractional: v9\n", ["fractional", "v9", "v2", "v3"]),
])
def test_a_setting_in_a_file_that_is_wrong_is_named_with_the_file(text, words, tmp_path, data_dir):
    file = tmp_path / "server.yaml"
    file.write_text(text)
    ended = run_command("serve", "--config", file, "--data-dir", data_dir, timeout=20)
    refused(ended, str(file), *words)


def test_no_authentication_is_refused_on_an_address_that_others_reach(data_dir):
    refused(serve(data_dir, "--host", "0.0.0.0", "--auth", "off"), "auth", "loopback")


PROD = ["--profile", "prod", "--host", "0.0.0.0"]


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_production_is_not_served_to_others_without_tls(check, data_dir):
    ended = serve(data_dir, *PROD, *check)
    refused(ended, "tls.certificate and tls.key must be set", "0.0.0.0 from --host", "tls: proxy")
    assert ended.returncode == 78


def test_a_proxy_that_terminates_tls_is_taken_at_the_operators_word(data_dir, tmp_path):
    file = tmp_path / "server.yaml"
    file.write_text("profile: prod\nhost: 0.0.0.0\ntls: proxy\n")
    checked = run_command("serve", "--check", "--config", file, "--data-dir", data_dir)
    assert checked.returncode == 0 and checked.stdout.startswith("ok: "), checked.stderr
    # The profiles of developers need no word of it.
    assert serve(data_dir, "--profile", "dev", "--host", "0.0.0.0", "--check").returncode == 0


@pytest.mark.parametrize("check", [[], ["--check"]])
@pytest.mark.parametrize("place, mode, remedy", [
    ("data", 0o640, "chmod 600"), ("credentials", 0o444, "chmod o-rwx")])
def test_production_does_not_start_with_a_secret_that_others_can_read(place, mode, remedy, check, tmp_path):
    for name in ("data", "credentials"):
        (tmp_path / name).mkdir(mode=0o700)
    key = tmp_path / place / "access.key"
    key.write_bytes(bytes(32))
    key.chmod(mode)
    ended = serve(
        tmp_path / "data", "--profile", "prod", *check, env={"CREDENTIALS_DIRECTORY": tmp_path / "credentials"})
    refused(ended, str(key), "can be read by others", remedy)
    assert ended.returncode == 78


# While it runs


def test_a_database_locked_while_it_runs_holds_up_writes_and_no_evaluation(server, data_dir):
    server.create_flag("served", defaultEnabled=True)
    other = sqlite3.connect(data_dir / "flags.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer = server.connect(timeout=60)
    writer.request("PATCH", "/api/flags/served", '{"defaultEnabled":false}', {"Content-Type": "application/json"})
    for _ in range(50):
        assert server.evaluate("served")[1]["value"] is True
    other.execute("ROLLBACK")
    other.close()
    assert writer.getresponse().status == 200
    assert server.evaluate("served")[1]["value"] is False
