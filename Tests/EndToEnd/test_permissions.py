"""Who may do what with the server's files: what others could change is refused, what they can read is told, and nothing
is reached through a link. Each refusal says what to run."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from echo import ECHO
from server import NOBODY, DidNotStart, FlagServer, free_port, run_command
from test_tls import certificate

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to run a command on another user's directory")


def serve(data_dir, *options, **settings):
    """A `serve` that is expected to end by itself."""
    return run_command("serve", "--port", free_port(), "--data-dir", data_dir, *options, timeout=20, **settings)


def advice(text: str) -> str:
    """The command that a message says to run."""
    return re.search(r"run (chmod [^:;,\n]+?)(?=[,;:]|$)", text, re.MULTILINE)[1]


@pytest.mark.parametrize("command", ["serve", "dynamodb", "verify", "import"])
def test_a_directory_that_others_can_change_is_refused_until_what_is_said_was_run(command, start_server, data_dir):
    start_server().terminate()
    data_dir.chmod(0o775)
    before = sorted(data_dir.iterdir())
    arguments = {"verify": [], "import": ["/dev/null"]}.get(command, ["--port", free_port()])
    refused = run_command(command, *arguments, "--data-dir", data_dir, timeout=20)
    assert refused.returncode == 1 and "can be changed by others" in refused.stderr, refused
    assert sorted(data_dir.iterdir()) == before
    subprocess.run(advice(refused.stderr), shell=True, check=True)
    assert run_command("verify", "--data-dir", data_dir).returncode == 0


def test_a_directory_as_systemd_makes_it_is_served_from_with_a_warning(data_dir, start_server):
    data_dir.mkdir(mode=0o755)
    server = start_server()
    assert [line for line in server.log.splitlines() if "WARNING" in line and "others can look into" in line]
    server.terminate()
    server.log_path.unlink()
    subprocess.run(f"chmod go-rwx {data_dir}", shell=True, check=True)
    assert "others can look" not in start_server(port=server.port).log


def test_a_directory_that_the_server_makes_is_nobody_elses(start_server, data_dir):
    server = start_server("--dynamodb-port", free_port())
    server.create_flag("flag", defaultEnabled=True)
    assert run_command("backup", "create", "--data-dir", data_dir).returncode == 0
    assert run_command("backup", "continuous", "on", "--data-dir", data_dir).returncode == 0
    assert "others can look" not in server.log
    modes = {path: path.lstat().st_mode & 0o777 for path in [data_dir, *data_dir.rglob("*")]}
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
    assert any(path.suffix == ".image" for path in modes) and data_dir / "control.sock" in modes


def test_a_backup_behind_a_link_is_told_and_not_read(start_server, data_dir, tmp_path):
    server = start_server()
    server.create_flag("flag", defaultEnabled=True)
    made = run_command("backup", "create", "--data-dir", data_dir).stdout.split()[0]
    server.terminate()
    backup = data_dir / "backups" / f"{made}.backup"
    shutil.move(backup, tmp_path / "elsewhere.backup")
    backup.symlink_to(tmp_path / "elsewhere.backup")
    found = run_command("verify", "--data-dir", data_dir)
    assert found.returncode == 1 and backup.name in found.stdout and "a symbolic link" in found.stdout
    # A file that somebody names may be behind one.
    (tmp_path / "named.backup").symlink_to(tmp_path / "elsewhere.backup")
    restored = run_command("restore", tmp_path / "named.backup", "--to", "copy", "--data-dir", data_dir)
    assert restored.returncode == 0, restored.stderr


def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(start_server, data_dir, tmp_path):
    start_server().terminate()
    (data_dir / "flags.db-wal").unlink(missing_ok=True)
    os.mkfifo(data_dir / "flags.db-wal")
    refused = serve(data_dir)
    assert refused.returncode == 1 and f"{data_dir}/flags.db-wal is a pipe" in refused.stderr
    (data_dir / "flags.db-wal").unlink()
    os.mkfifo(tmp_path / "named.backup")
    refused = run_command("restore", tmp_path / "named.backup", "--data-dir", data_dir, timeout=20)
    assert refused.returncode == 1 and "a pipe stands in the place of the file" in refused.stderr


def test_what_is_no_socket_is_not_removed_for_one(data_dir):
    data_dir.mkdir(mode=0o700)
    (data_dir / "control.sock").write_text("somebody's")
    refused = serve(data_dir)
    assert refused.returncode == 1 and f"{data_dir}/control.sock is a file, and must be a socket" in refused.stderr
    assert (data_dir / "control.sock").read_text() == "somebody's"


def test_an_export_goes_into_a_pipe_that_is_named(start_server, data_dir):
    start_server().create_flag("flag", defaultEnabled=True)
    exported = run_command("export", "--output", "/dev/fd/1", "--data-dir", data_dir)
    assert exported.returncode == 0, exported.stderr
    assert json.loads(exported.stdout)["flags"][0]["flagKey"] == "flag"


# TLS


@pytest.fixture
def files(tmp_path):
    return certificate(tmp_path, "tls")


def test_a_key_that_others_can_change_is_refused_by_both_programs(files, data_dir):
    certificate_file, key = files
    key.chmod(0o620)
    options = ["--tls-certificate", certificate_file, "--tls-key", key]
    echo = subprocess.run([ECHO, "--port", "0", *options], capture_output=True, text=True, timeout=20)
    for refused in (serve(data_dir, *options), echo):
        assert refused.returncode != 0 and f"run chmod go-w {key}" in refused.stderr, refused
    key.chmod(0o600)
    certificate_file.chmod(0o666)
    refused = serve(data_dir, *options)
    assert refused.returncode != 0 and f"run chmod go-w {certificate_file}" in refused.stderr, refused


def test_a_key_behind_a_pipe_is_refused_and_not_waited_for(files, data_dir, tmp_path):
    os.mkfifo(tmp_path / "pipe.key")
    refused = serve(data_dir, "--tls-certificate", files[0], "--tls-key", tmp_path / "pipe.key")
    assert refused.returncode == 78 and "it is a pipe, and must be a file" in refused.stderr


@pytest.mark.parametrize("mode, is_told", [(0o600, False), (0o400, False), (0o604, True), (0o644, True)])
def test_a_key_that_others_can_read_is_told_of(mode, is_told, files, data_dir, tmp_path):
    files[1].chmod(mode)
    # As certbot and Kubernetes hand it over.
    (tmp_path / "live.key").symlink_to(files[1])
    server = FlagServer(data_dir, "--tls-certificate", files[0], "--tls-key", tmp_path / "live.key")
    server.request = lambda *_, **__: (200, {}, b"") if "ready" in server.log else (503, {}, b"")
    with server:
        assert ("others than its owner can read the key" in server.start().log) == is_told


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_a_key_that_others_can_read_keeps_production_from_starting(check, files, data_dir):
    files[1].chmod(0o644)
    refused = serve(
        data_dir, "--profile", "prod", "--tls-certificate", files[0], "--tls-key", files[1], *check)
    assert refused.returncode == 78 and "others than its owner can read the key" in refused.stderr


# Root on another user's directory


@as_root
def test_what_root_does_in_a_users_directory_the_user_can_go_on_with():
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        data_dir = folder / "data"
        data_dir.mkdir(mode=0o700)
        os.chown(data_dir, NOBODY, NOBODY)
        server = FlagServer(data_dir, user=NOBODY, cwd="/")
        server.log_path = folder / "log"
        with server:
            server.start().create_flag("flag", defaultEnabled=True)
        exported = folder / "flags.json"
        exported.write_text("old")
        os.chown(exported, NOBODY, NOBODY)
        exported.chmod(0o600)
        for command in (["backup", "create"], ["backup", "continuous", "on"], ["verify"],
                        ["export", "--output", exported], ["import", exported]):
            done = run_command(*command, "--data-dir", data_dir)
            assert done.returncode == 0, done.stderr
        owners = {path: path.lstat().st_uid for path in [*data_dir.rglob("*"), exported]}
        assert {path for path, owner in owners.items() if owner != NOBODY} == set()
        assert exported.stat().st_mode & 0o777 == 0o600
        with server:
            assert server.start().evaluate("flag")[0] == 200
        refused = serve(data_dir)
        assert refused.returncode == 1 and "run as that user" in refused.stderr
        owners = {path: path.lstat().st_uid for path in data_dir.rglob("*")}
        assert set(owners.values()) == {NOBODY}
    except DidNotStart as failure:
        raise AssertionError(str(failure)) from failure
    finally:
        shutil.rmtree(folder, ignore_errors=True)
