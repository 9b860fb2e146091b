"""What a command line says is what is done, whatever other libraries do in the process before it begins."""

import os
import shutil
import subprocess

import pytest

from echo import ECHO
from server import FlagServer, binary, clean_environment, free_port

MOVING = """
#include <stdlib.h>
/* setenv moves the environment: programs that look for their arguments in front of it find none. */
__attribute__((constructor)) static void move(void) { setenv("%s", "%s", 1); }
"""


@pytest.fixture
def preloading(tmp_path):
    """Makes a library that sets a variable when it is loaded; returns the environment to load it with."""
    def make(name: str = "SET_BY_A_LIBRARY", value: str = "1") -> dict:
        source, library = tmp_path / "moving.c", tmp_path / "moving.so"
        source.write_text(MOVING % (name, value))
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        return clean_environment({"LD_PRELOAD": str(library)})

    return make


def ended(*command, **options) -> subprocess.CompletedProcess:
    """A command that is expected to end by itself, in a directory where a server could start."""
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=20, **options)


@pytest.mark.parametrize("arguments, status, words", [
    (["--version"], 0, "0.1.0"),
    (["verify", "--data-dir", "no-such-directory"], 1, "there is no data directory no-such-directory"),
    (["--nonsense"], 64, "nonsense"),
    ([""], 64, "''"),
    (["backup", "list", "--data-dir", "a b\n\"ü"], 1, "a b\n\"ü"),
    (["serve", "--port", "http"], 78, "port"),
], ids=["--version", "verify", "unknown option", "empty argument", "odd characters", "serve"])
def test_a_library_that_sets_a_variable_hides_no_argument(arguments, status, words, preloading, tmp_path):
    got = ended(binary(), *arguments, env=preloading(), cwd=tmp_path)
    assert (got.returncode, words in got.stdout + got.stderr) == (status, True), got
    assert not (tmp_path / "data").exists()


def test_the_same_of_http_echo(preloading, tmp_path):
    got = ended(ECHO, "--port", "http", env=preloading(), cwd=tmp_path)
    assert got.returncode == 64 and "'http'" in got.stderr, got


def test_settings_that_a_library_makes_count_like_others(preloading, tmp_path):
    got = ended(
        binary(), "--data-dir", tmp_path / "data", env=preloading("FLAG_SERVER_LOG_LEVEL", "loud"), cwd=tmp_path)
    assert got.returncode == 78 and "FLAG_SERVER_LOG_LEVEL" in got.stderr, got


def test_a_server_beside_such_a_library_has_its_options_and_its_settings(preloading, data_dir):
    port = free_port()
    environment = preloading() | {"FLAG_SERVER_LOOPS": "1"}
    with FlagServer(data_dir, port=port, env=environment) as server:
        assert f":{port}" in server.start().log
        assert "loops=1" in server.log


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root, to take /proc away")
def test_arguments_are_known_where_no_proc_is_mounted(preloading, tmp_path):
    got = ended(
        "unshare", "--mount", "sh", "-c", "umount -l /proc && exec \"$@\"", "sh", binary(), "--version",
        env=preloading(), cwd=tmp_path)
    if "umount" in got.stderr or "unshare" in got.stderr:
        pytest.skip(got.stderr)
    assert (got.returncode, got.stdout.strip()) == (0, "0.1.0"), got
