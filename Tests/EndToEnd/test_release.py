"""./scripts/release: apt installs from the repository that it makes; the bill of materials tells what is in it."""

import json
import os
import re
import shutil
import subprocess

import pytest

from debian import Machine
from server import REPOSITORY, binary

RESOLVED = REPOSITORY / "Package.resolved"
APT = ("apt-get -o Dir::Etc::SourceParts=- -o Dir::Etc::SourceList=/etc/apt/sources.list.d/flag-server.list"
       " -o APT::Get::List-Cleanup=0")
"""apt without Debian's own archive, which the machine has no way to: what the package needs is installed already."""


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """A key of gpg's that signs, in a keyring that goes away; the fingerprint, and where the keyring is."""
    if not shutil.which("gpg") or not shutil.which("reprepro"):
        pytest.skip("gpg or reprepro is missing: ./scripts/install-packages gpg gpg-agent reprepro")
    # The path of gpg-agent's socket may have 107 bytes.
    home = tmp_path_factory.mktemp("gpg")
    home.chmod(0o700)
    environment = os.environ | {"GNUPGHOME": str(home)}
    generate = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key"]
    subprocess.run([*generate, "tests <tests@example.com>", "ed25519", "sign", "1d"], env=environment, check=True,
                   capture_output=True)
    listed = subprocess.run(["gpg", "--list-secret-keys", "--with-colons"], env=environment, check=True,
                            capture_output=True, text=True).stdout
    yield re.search(r"^fpr:+(\w+):", listed, re.M)[1], environment
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=environment, capture_output=True)


@pytest.fixture(scope="module")
def released(key, tmp_path_factory):
    """A directory with all that is released."""
    if not RESOLVED.exists():
        pytest.skip("Package.resolved is missing: swift package resolve makes it")
    fingerprint, environment = key
    output = tmp_path_factory.mktemp("released") / "shared"
    ran = subprocess.run(
        [REPOSITORY / "scripts" / "release", "--gpg-key", fingerprint, "--output", output, "--binary", binary(),
         "--version", "1.2.3", "--level", "0"], env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return output


@pytest.fixture(scope="module")
def machine(released):
    """A Debian that knows the repository and its key, as docs/install.md has it."""
    machine = Machine(released)
    try:
        machine.run("cp /shared/apt/flag-server.gpg /usr/share/keyrings/flag-server.gpg")
        machine.run("echo 'deb [signed-by=/usr/share/keyrings/flag-server.gpg] file:/shared/apt stable main'"
                    " >/etc/apt/sources.list.d/flag-server.list")
        yield machine
    finally:
        machine.stop()


def test_without_a_key_nothing_is_made():
    ran = subprocess.run([REPOSITORY / "scripts" / "release"], capture_output=True, text=True)
    assert ran.returncode == 64 and "--gpg-key" in ran.stderr
    ran = subprocess.run([REPOSITORY / "scripts" / "release", "--gpg-key", "nobody's"], capture_output=True, text=True)
    assert ran.returncode == 1 and "gpg has no secret key nobody's" in ran.stderr


def test_apt_takes_the_package_from_the_signed_repository(machine):
    said = machine.says(f"{APT} update 2>&1")
    assert not re.search("^[WE]:", said, re.M), said
    machine.run(f"{APT} install --yes --download-only flag-server")
    machine.run(f"{APT} install --yes flag-server")
    assert machine.says("dpkg-query --show --showformat='${Version}' flag-server") == "1.2.3-1"
    assert machine.says("flag-server serve --profile prod --check").startswith("ok: /etc/flag-server/prod.yaml")


def test_apt_refuses_an_index_that_somebody_changed(machine, released):
    index = released / "apt" / "dists" / "stable" / "InRelease"
    whole = index.read_text()
    try:
        index.write_text(whole.replace("Label: flag-server", "Label: flag-serves"))
        refused = machine.run(f"{APT} -o APT::Update::Error-Mode=any update 2>&1", check=False)
        assert refused.returncode != 0 and "BADSIG" in refused.stdout
    finally:
        index.write_text(whole)


def test_the_bill_of_materials_has_what_is_in_the_program(released):
    file, = released.glob("*.cdx.json")
    bill = json.loads(file.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["version"] == "1.2.3"
    components = {component["name"]: component for component in bill["components"]}
    for pin in json.loads(RESOLVED.read_text())["pins"]:
        assert components[pin["identity"]]["version"] == pin["state"]["version"]
    linked = subprocess.run(["ldd", binary()], capture_output=True, text=True, check=True).stdout
    packages = {"libsqlite3": "libsqlite3-0", "libssl": "libssl3", "libz": "zlib1g", "libc": "libc6"}
    for library, package in packages.items():
        assert f"{library}.so" in linked and re.match(r"\d", components[package]["version"])
    references = [component["bom-ref"] for component in bill["components"]]
    assert len(set(references)) == len(references) and bill["dependencies"][0]["dependsOn"] == references
    assert "swift-runtime" in components and "icu" in components
