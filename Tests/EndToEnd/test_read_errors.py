"""A device that cannot read is told as such, and never as damage: who restores a backup then throws good data away."""

import subprocess

import pytest

from server import DidNotStart, FlagServer, run_command

LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether reads of the database fail: while the file that FAIL_READS names is there. The start of it is read. */
static int fails(int file, off_t offset) {
    char link[64], path[4096];
    const char *told = getenv("FAIL_READS");
    if (!told || access(told, F_OK) != 0 || offset < 4096) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "/flags.db") != NULL;
}

ssize_t pread64(int file, void *bytes, size_t count, off_t offset) {
    static ssize_t (*original)(int, void *, size_t, off_t);
    if (!original) original = dlsym(RTLD_NEXT, "pread64");
    if (fails(file, offset)) { errno = EIO; return -1; }
    return original(file, bytes, count, offset);
}

ssize_t pread(int file, void *bytes, size_t count, off_t offset) { return pread64(file, bytes, count, offset); }
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A library that fails reads as a device does."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "reads.c").write_text(LIBRARY)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "reads.so", folder / "reads.c", "-ldl"], check=True)
    return folder / "reads.so"


@pytest.fixture
def failing(library, tmp_path):
    """The file that has reads fail while it is there, and the environment of programs that heed it."""
    switch = tmp_path / "fail-reads"
    return switch, {"LD_PRELOAD": str(library), "FAIL_READS": str(switch)}


def expect_device(told: str):
    assert "Input/output error" in told and "dmesg" in told, told
    assert "malformed" not in told and "restore the last backup" not in told, told


def fill(server: FlagServer):
    """More than the connections of a server keep in memory."""
    for number in range(100):
        server.create_flag(f"flag-{number}", state="ENABLED", variants={"a": "x" * 60_000}, defaultVariant="a")


def test_reads_that_fail_are_told_as_errors_of_the_device(data_dir, failing):
    switch, env = failing
    with FlagServer(data_dir, env=env).start() as server:
        fill(server)
        assert server.terminate() == 0
        server.start()
        switch.touch()
        answers = [server.request("GET", f"/api/flags/flag-{number}/history") for number in range(100)]
        failures = [body for status, _, body in answers if status != 200]
        assert failures and {failure["code"] for failure in failures} == {"store_unavailable"}
        for failure in failures:
            expect_device(failure["detail"])
        switch.unlink()
        for number in range(100):
            server.expect(200, "GET", f"/api/flags/flag-{number}/history")
        assert server.terminate() == 0


def test_verify_and_a_start_say_so_too(data_dir, failing):
    switch, env = failing
    with FlagServer(data_dir, env=env).start() as server:
        fill(server)
        assert server.terminate() == 0
        switch.touch()
        verified = run_command("verify", "--data-dir", data_dir, env=env)
        assert verified.returncode == 1
        expect_device(verified.stdout + verified.stderr)
        with pytest.raises(DidNotStart) as ended:
            server.start()
        expect_device(str(ended.value))
        switch.unlink()
        assert run_command("verify", "--data-dir", data_dir, env=env).returncode == 0
        server.start()
        assert server.evaluate("flag-7")[1]["value"] == "x" * 60_000
