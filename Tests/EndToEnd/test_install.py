"""docs/install.md: what the page says is there is there, and by the names that it uses."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from server import REPOSITORY, binary, run_command
from supervised import INSTALLED, UNITS, unit

PAGE = (REPOSITORY / "docs" / "install.md").read_text()


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_page_names_the_libraries_that_the_program_links():
    ran = subprocess.run(["ldd", binary()], capture_output=True, text=True, timeout=60, check=True)
    linked = set(re.findall(r"^\s(lib\S+) => ", ran.stdout, re.M))
    if any(name.startswith("libswift") for name in linked):
        pytest.skip("a debug build links the libraries of Swift")
    rows = re.findall(r"^\| (`lib.*?) \|", PAGE, re.M)
    assert {name for row in rows for name in re.findall(r"`(.+?)`", row)} == linked


def test_the_page_names_the_credentials_that_the_unit_takes():
    named = dict(re.findall(r"^\| `/etc/credstore/(flag-server\.prod\.(.+?))` \|", section("Keys from systemd"), re.M))
    assert sorted(f"{key}:{file}" for file, key in named.items()) == sorted(
        unit("flag-server@.service", "prod")["LoadCredential"])


def test_the_page_says_what_the_units_say():
    prod, dev = unit("flag-server@.service", "prod"), unit("flag-server@.service", "dev")
    assert (prod["MemoryMax"], dev["MemoryMax"], prod["WatchdogSec"]) == (["1G"], ["512M"], ["30"])
    words = " ".join(PAGE.split())
    assert "more than 1 GiB of memory (`MemoryMax`, 512 MiB for `dev`)" in words
    assert "or that says nothing of itself for 30 s" in words
    assert unit("flag-server@.socket", "dev")["ListenStream"] == ["127.0.0.1:3002"]
    assert "`dev` listens on port 3002" in words


def test_what_is_done_by_hand_without_the_package_works(tmp_path):
    """The commands that write, in a directory that stands for the machine's root."""
    if not shutil.which("systemd-sysusers"):
        pytest.skip("systemd-sysusers is missing: ./scripts/install-packages systemd")
    for folder in ("usr/bin", "etc/systemd/system"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(binary(), tmp_path / "flag-server")
    script = section("Without the package").partition("```sh\n")[2].partition("```")[0]
    script = re.sub(r" (/(?:usr|etc)/)", rf" {tmp_path}\1", script.replace("sudo ", ""))
    script = script.replace("systemctl daemon-reload", "true")
    script = script.replace("install flag-server", f"install {tmp_path}/flag-server")
    script = script.replace("systemd-sysusers ", f"systemd-sysusers --root={tmp_path} {REPOSITORY}/")
    ran = subprocess.run(["sh", "-ec", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    installed = tmp_path / "etc/systemd/system"
    assert {file.name for file in installed.iterdir()} == {file.name for file in UNITS.glob("flag-server@*")}
    assert Path(f"{tmp_path}{INSTALLED}").exists() and "flag-server" in (tmp_path / "etc/passwd").read_text()
    ran = run_command("serve", "--profile", "prod", "--config", tmp_path / "etc/flag-server/prod.yaml", "--check")
    assert ran.returncode == 0 and "data /var/lib/flag-server/prod" in ran.stdout, ran.stderr
