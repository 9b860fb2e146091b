"""./scripts/package: the same bytes from the same tree, and packages that Debian installs, upgrades and removes."""

import json
import re
import shutil
import subprocess

import pytest

from debian import Machine
from server import REPOSITORY, binary, run_command

PROFILES = {"prod": 3001, "dev": 3002}


def make(output, **options) -> subprocess.Popen:
    """Starts making packages of the tested program, packed less tightly than those that are released."""
    command = [REPOSITORY / "scripts" / "package", "--binary", binary(), "--output", output, "--level", "0"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Two directories with packages of the same tree, made by users of other habits."""
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "objcopy"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is missing: ./scripts/install-packages dpkg-dev binutils")
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    runs = [make(folders[0]), make(folders[1], umask=0o077)]
    for run in runs:
        said, _ = run.communicate(timeout=240)
        assert run.returncode == 0, said
    return folders


@pytest.fixture(scope="module", autouse=True)
def lintian(builds):
    """Runs beside the other tests, since it takes as long as all of them; None where there is none."""
    command = ["lintian", "--allow-root", "--fail-on=error,warning", *builds[0].glob("*.deb")]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    run = subprocess.Popen(command, **output) if shutil.which("lintian") else None
    yield run
    if run:
        run.kill()
        run.communicate()


@pytest.fixture(scope="module")
def package(builds):
    file, = builds[0].glob("flag-server_*.deb")
    return file


@pytest.fixture(scope="module")
def content(package, tmp_path_factory):
    """The files of the package, and its control files under DEBIAN."""
    folder = tmp_path_factory.mktemp("content") / "files"
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    return folder


def test_two_builds_of_a_tree_have_the_same_bytes(builds):
    names = [sorted(file.name for file in folder.iterdir()) for folder in builds]
    assert names[0] == names[1] and len(names[0]) == 2
    for name in names[0]:
        assert (builds[0] / name).read_bytes() == (builds[1] / name).read_bytes(), name


def test_the_program_is_stripped_and_its_symbols_are_found_by_its_identity(builds, content):
    sections = subprocess.run(["readelf", "--wide", "--sections", "--notes", content / "usr/bin/flag-server"],
                              capture_output=True, text=True, check=True).stdout
    assert ".debug_info" not in sections and ".symtab" not in sections and ".gnu_debuglink" in sections
    identity = re.search(r"Build ID: (\w+)", sections)[1]
    symbols, = builds[0].glob("flag-server-dbgsym_*.deb")
    listed = subprocess.run(["dpkg-deb", "--contents", symbols], capture_output=True, text=True, check=True).stdout
    assert f"usr/lib/debug/.build-id/{identity[:2]}/{identity[2:]}.debug" in listed


@pytest.mark.parametrize("profile", PROFILES)
def test_the_settings_are_good_ones_and_no_upgrade_takes_an_operators_away(profile, content):
    settings = f"/etc/flag-server/{profile}.yaml"
    assert settings in (content / "DEBIAN/conffiles").read_text().splitlines()
    ran = run_command("serve", "--profile", profile, "--config", content / settings[1:], "--check", cwd="/")
    assert ran.returncode == 0, ran.stderr
    assert f"port {PROFILES[profile]}, data /var/lib/flag-server/{profile}" in ran.stdout


def test_every_command_has_a_page_that_roff_takes(content):
    commands = json.loads(run_command("--experimental-dump-help").stdout)["command"]["subcommands"]
    names = {command["commandName"] for command in commands} - {"help"}
    pages = content / "usr/share/man/man1"
    assert {page.name for page in pages.iterdir()} == {
        "flag-server.1.gz", *(f"flag-server-{name}.1.gz" for name in names)}
    if not shutil.which("man"):
        pytest.skip("man is missing: ./scripts/install-packages man-db")
    for page in pages.iterdir():
        ran = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                             capture_output=True, text=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
        assert ran.stderr == "", page.name


def test_shells_complete_its_commands(content):
    completion = content / "usr/share/bash-completion/completions/flag-server"
    script = f"source {completion}; COMP_WORDS=(flag-server back); COMP_CWORD=1"
    script += "; _flag-server flag-server back flag-server; echo ${COMPREPLY[@]}"
    assert subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split() == ["backup"]
    for file in ("zsh/vendor-completions/_flag-server", "fish/vendor_completions.d/flag-server.fish"):
        assert "backup" in (content / "usr/share" / file).read_text()


def test_what_goes_with_the_program_is_there(content):
    for file in ("flag-server/prometheus/alerts.yml", "flag-server/grafana/flag-server.json",
                 "flag-server/iam/flag-operators.json", "doc/flag-server/install.md", "doc/flag-server/copyright",
                 "doc/flag-server/changelog.gz"):
        assert (content / "usr/share" / file).stat().st_size > 0


# On a machine


def renumbered(content, version: str, folder):
    """The package of another version, which differs in the number alone; unpacked, which is quicker."""
    control = content / "DEBIAN" / "control"
    text = control.read_text()
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", text, flags=re.M))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", content, folder / f"{version}.deb"],
                   check=True, capture_output=True)
    control.write_text(text)


@pytest.fixture(scope="module")
def machine(package, content, tmp_path_factory):
    """A Debian of its own with the packages of several versions in /shared."""
    shared = tmp_path_factory.mktemp("machine") / "shared"
    shared.mkdir()
    shutil.copy(package, shared / "0.deb")
    for version in ("9.1", "9.2"):
        renumbered(content, version, shared)
    machine = Machine(shared)
    yield machine
    machine.stop()


def served(machine, profile: str) -> str:
    answer = machine.says(f"curl -sS --max-time 20 http://127.0.0.1:{PROFILES[profile]}/health/ready")
    return json.loads(answer)["status"]


def process(machine, profile: str) -> str:
    return machine.says(f"systemctl show --property=MainPID --value flag-server@{profile}")


def value(machine) -> object:
    body = "-H 'Content-Type: application/json' -d '{}'"
    return json.loads(machine.says(
        f"curl -sS --max-time 20 http://127.0.0.1:3001/ofrep/v1/evaluate/flags/banner {body}")).get("value")


class TestLife:
    """The life of an installation, each test from where the one before has left it."""

    def test_an_installation_makes_the_user_and_starts_nothing(self, machine):
        machine.run("dpkg --install /shared/0.deb")
        assert machine.says("id --user --name flag-server") == "flag-server"
        assert machine.says("systemctl list-units --all --no-legend 'flag-server@*'") == ""
        assert machine.says("ls /var/lib/flag-server 2>/dev/null || true") == ""

    def test_two_profiles_start_beside_each_other(self, machine):
        machine.run("sed -i 's/^auth: on$/auth: off/' /etc/flag-server/*.yaml")
        machine.run("systemctl enable --now flag-server@prod.socket flag-server@prod flag-server@dev")
        assert served(machine, "prod") == served(machine, "dev") == "ok"
        assert machine.says("stat --format='%U %a' /var/lib/flag-server/*") == "flag-server 700\nflag-server 700"
        assert machine.says("systemctl show -P MemoryMax flag-server@prod flag-server@dev").split() == [
            str(1 << 30), str(1 << 29)]

    def test_commands_find_the_servers_from_anywhere(self, machine):
        asked = machine.says("cd /tmp && flag-server backup list --profile dev 2>&1")
        assert "asking the server that has /var/lib/flag-server/dev" in asked
        refused = machine.run("cd /tmp && flag-server backup list", check=False)
        assert refused.returncode == 1 and "name the one that is meant" in refused.stdout

    def test_flags_and_kill_switches_are_set(self, machine):
        post = "curl -sS --fail-with-body -H 'Content-Type: application/json' http://127.0.0.1:3001"
        flag = {"flagKey": "banner", "description": "A banner", "owner": "tests", "defaultEnabled": True}
        machine.run(f"{post}/api/flags -d '{json.dumps(flag)}'")
        assert value(machine) is True
        kill = {"flagKey": "banner", "reason": "It blinks", "activatedBy": "tests"}
        machine.run(f"{post}/api/emergency/kill-switch -d '{json.dumps(kill)}'")
        assert value(machine) is False

    def test_keys_are_handed_over_by_systemd_where_there_are_any(self, machine):
        file = "/etc/credstore/flag-server.prod.at-rest.key"
        machine.run(f"mkdir -p /etc/credstore && (umask 077; head -c 32 /dev/urandom >{file})")
        machine.run("systemctl restart flag-server@prod")
        assert machine.says("flag-server at-rest status --profile prod 2>/dev/null").startswith("on")
        assert value(machine) is False

    def test_commands_reach_the_data_while_no_server_runs(self, machine):
        machine.run("systemctl stop flag-server@prod.socket flag-server@prod")
        key = "FLAG_SERVER_AT_REST_KEY=/etc/credstore/flag-server.prod.at-rest.key"
        assert "which no server has open" in machine.says(f"cd / && {key} flag-server verify --profile prod 2>&1")
        machine.run(f"cd / && {key} flag-server backup create --profile prod --name down")
        assert machine.says("find /var/lib/flag-server ! -user flag-server ! -path /var/lib/flag-server") == ""
        machine.run("systemctl start flag-server@prod.socket flag-server@prod")

    def test_an_upgrade_restarts_what_runs_and_keeps_data_and_settings(self, machine):
        before = process(machine, "prod"), process(machine, "dev")
        machine.run("dpkg --install /shared/9.1.deb")
        after = process(machine, "prod"), process(machine, "dev")
        assert not set(before) & set(after) and "0" not in after
        assert value(machine) is False
        assert machine.says("grep -h ^auth: /etc/flag-server/*.yaml") == "auth: off\nauth: off"

    def test_a_server_whose_settings_the_new_program_refuses_serves_on(self, machine):
        machine.run("echo 'nonsense: 1' >>/etc/flag-server/prod.yaml")
        before = process(machine, "prod")
        said = machine.says("dpkg --install /shared/9.2.deb 2>&1")
        assert "nonsense is no setting" in said and "flag-server@prod.service was not restarted" in said
        assert process(machine, "prod") == before and value(machine) is False
        machine.run("sed -i '/^nonsense/d' /etc/flag-server/prod.yaml && systemctl restart flag-server@prod")

    def test_a_version_that_knows_the_data_may_be_older(self, machine):
        machine.run("dpkg --install /shared/9.1.deb")
        assert value(machine) is False

    def test_a_version_that_does_not_know_the_data_is_refused_in_a_sentence(self, machine):
        machine.run("systemctl stop flag-server@dev")
        store = "/var/lib/flag-server/dev/flags.db"
        machine.run(f"cp {store} /tmp/flags.db && printf '\\377' | dd of={store} bs=1 seek=63 conv=notrunc")
        refused = machine.run("dpkg --install /shared/0.deb", check=False)
        assert refused.returncode != 0
        sentences = [line for line in refused.stdout.splitlines() if line.startswith("flag-server: ")]
        assert len(sentences) == 1 and f"{store} has layout 255 and this version knows up to" in sentences[0]
        assert machine.says("dpkg-query --show --showformat='${Version} ${db:Status-Status}' flag-server") == (
            "9.1 installed")
        assert value(machine) is False
        machine.run(f"cp /tmp/flags.db {store}")

    def test_what_is_removed_stops_and_leaves_data_and_settings(self, machine):
        machine.run("dpkg --remove flag-server")
        assert machine.says("systemctl list-units --no-legend --state=active 'flag-server@*'") == ""
        assert machine.says("ls /var/lib/flag-server/prod/flags.db /etc/flag-server").splitlines() == [
            "/var/lib/flag-server/prod/flags.db", "", "/etc/flag-server:", "dev.yaml", "prod.yaml"]

    def test_installed_again_what_was_enabled_starts(self, machine):
        machine.run("dpkg --install /shared/0.deb")
        assert value(machine) is False

    def test_a_purge_leaves_nothing_but_the_user(self, machine):
        machine.run("dpkg --purge flag-server")
        left = machine.says("find / -xdev -name '*flag-server*' ! -path '/proc/*' ! -path '/var/log/*'"
                            " ! -path '/etc/credstore/*' ! -path '/shared*' ! -path '/run/*'")
        assert left == ""
        assert machine.says("id --user --name flag-server") == "flag-server"


def test_lintian_finds_nothing_wrong(lintian):
    if not lintian:
        pytest.skip("lintian is missing: ./scripts/install-packages lintian")
    said, _ = lintian.communicate(timeout=180)
    assert lintian.returncode == 0, said
