"""A Debian of one's own: its files, made once, and a machine that is booted from them by systemd in a container."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from server import REPOSITORY

ROOT = REPOSITORY / ".build-tools" / "debian-root"
RELEASE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = "ca-certificates curl dbus libcurl4 libsqlite3-0 libssl3 libstdc++6 systemd systemd-sysv tzdata zlib1g"
"""What flag-server depends on, so that installing it needs no network, and what boots."""

DEADLINE = 180.0
"""Seconds that making the files may take; a machine without a way to a mirror has not got them then."""


def files() -> Path:
    """A Debian's files, which nobody changes. Skips the test where there can be none, and says why."""
    if os.geteuid() != 0:
        pytest.skip("a Debian to install into needs root")
    listed = ROOT.with_name("debian-root.packages")
    if ROOT.exists() and (not listed.exists() or listed.read_text() != PACKAGES):
        shutil.rmtree(ROOT)
    if not ROOT.exists():
        make()
        listed.write_text(PACKAGES)
    return ROOT


def make():
    if not shutil.which("debootstrap"):
        pytest.skip("debootstrap is missing: ./scripts/install-packages debootstrap")
    partial = ROOT.with_name("debian-root.partial")
    shutil.rmtree(partial, ignore_errors=True)
    # What it mounts there is gone with it, also when it takes too long.
    command = ["unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={PACKAGES.replace(' ', ',')}",
               RELEASE, partial, MIRROR]
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        pytest.skip(f"debootstrap takes more than {DEADLINE:.0f} s here")
    if made.returncode != 0:
        pytest.skip(f"debootstrap made no Debian: {made.stdout.strip().splitlines()[-1:]}")
    partial.rename(ROOT)


class Machine:
    """A Debian in which systemd is process 1. What happens in it leaves no trace in its files, and it has no network
    but its own loopback.

    `shared` is a directory that stands there as /shared.
    """

    def __init__(self, shared: Path):
        if not shutil.which("systemd-nspawn"):
            pytest.skip("systemd-nspawn is missing: ./scripts/install-packages systemd-container")
        self.log = shared.with_name("machine.log")
        command = ["systemd-nspawn", "--quiet", "--register=no", f"--directory={files()}", "--volatile=overlay",
                   "--private-network", f"--bind={shared}:/shared", "--console=pipe", "--boot"]
        if not Path("/run/systemd/system").exists():
            command.insert(1, "--keep-unit")
        with open(self.log, "wb") as log:
            self.container = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.first = self.await_boot()
        except BaseException:
            self.stop()
            raise

    def await_boot(self) -> int:
        """The process in the container that is number 1 there."""
        deadline = time.monotonic() + 40
        children = Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children")
        while time.monotonic() < deadline and self.container.poll() is None:
            self.first = next((int(number) for number in children.read_text().split()), None)
            if self.first and self.run("systemctl is-system-running --quiet", check=False).returncode == 0:
                return self.first
            time.sleep(0.1)
        pytest.skip(f"systemd cannot run as process 1 of a container here: {self.log.read_text()[-500:]}")

    def run(self, script: str, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess:
        """Runs lines of a shell in the machine, as root. `output` is all that they print."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root",
                       "DEBIAN_FRONTEND": "noninteractive"}
        ran = subprocess.run(["nsenter", f"--target={self.first}", "--all", "sh", "-c", script], env=environment,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             timeout=timeout)
        if check and ran.returncode != 0:
            log = self.run("journalctl --no-pager -n 40 -o cat", check=False).stdout
            raise AssertionError(f"{script}\nended with {ran.returncode}: {ran.stdout}\n{log}")
        return ran

    def says(self, script: str) -> str:
        """What lines of a shell print."""
        return self.run(script).stdout.strip()

    def stop(self):
        """Takes the machine's power away."""
        children = Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children")
        if self.container.poll() is None:
            for number in children.read_text().split():
                os.kill(int(number), signal.SIGKILL)
        try:
            self.container.wait(20)
        except subprocess.TimeoutExpired:
            self.container.kill()
            self.container.wait(20)
