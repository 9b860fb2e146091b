"""Commands work where it was meant: with the server that runs, else in the directory that is named, and say which."""

import json
import os
import shutil
import time

import pytest

from server import run_command

FLAGS = {"flags": {"banner": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}}}


@pytest.fixture
def home(tmp_path):
    """A working directory with a file of flags in it, in which servers keep their data under data/."""
    (tmp_path / "data").mkdir()
    (tmp_path / "flags.json").write_text(json.dumps(FLAGS))
    return tmp_path


@pytest.fixture
def serve(home, start_server):
    """Starts the server of a profile in that directory, as `flag-server serve` alone would."""
    def start(profile="local", **settings):
        options = () if profile == "local" else ("--auth", "off")
        return start_server(*options, data_dir=home / "data" / profile, cwd=home, environment=profile, **settings)
    return start


def asked(server) -> str:
    return f"flag-server: asking the server that has {server.data_dir}, process {server.process.pid}\n"


@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_an_import_for_an_environment_goes_to_the_server_that_runs(environment, serve, home):
    server = serve()
    imported = run_command("import", "flags.json", "--environment", environment, cwd=home)
    assert imported.returncode == 0
    assert imported.stdout.startswith(f"Imported into {environment}:") and imported.stderr == asked(server)
    assert [flag["flagKey"] for flag in server.all_flags(f"environment={environment}")] == ["banner"]
    assert [path.name for path in (home / "data").iterdir() if path.is_dir()] == ["local"]


@pytest.mark.parametrize("environment, name", [("local", "development"), ("dev", "staging"), ("prod", "production")])
def test_the_name_of_a_profile_is_taken_for_its_environment_and_echoed(environment, name, serve, home):
    server = serve()
    imported = run_command("import", "flags.json", "--environment", environment, cwd=home)
    assert imported.stdout.startswith(f"Imported into {name}:")
    assert imported.stderr == f"flag-server: --environment {environment}, that is {name}\n" + asked(server)
    exported = run_command("export", "--environment", environment, "--server", server.origin, cwd=home)
    assert json.loads(exported.stdout)["environment"] == name
    assert exported.stderr == (f"flag-server: --environment {environment}, that is {name}\n"
                               f"flag-server: asking the server {server.origin}\n")


def test_the_server_of_another_profile_is_found_when_it_is_the_one_that_runs(serve, home):
    serve("local").terminate()
    server = serve("dev")
    assert run_command("export", cwd=home).stderr == asked(server)
    assert run_command("export", "--profile", "local", cwd=home).stderr == (
        f"flag-server: working on {home / 'data' / 'local'}, which no server has open\n")


def test_of_several_servers_one_has_to_be_named(serve, home):
    servers = {profile: serve(profile) for profile in ("local", "prod")}
    refused = run_command("backup", "list", cwd=home)
    assert refused.returncode == 1
    assert "servers run on data/local and data/prod: name the one that is meant with --profile" in refused.stderr
    for profile, server in servers.items():
        assert run_command("backup", "list", "--profile", profile, cwd=home).stderr == asked(server)
    variable = {"FLAG_SERVER_PROFILE": "prod"}
    assert run_command("backup", "list", cwd=home, env=variable).stderr == asked(servers["prod"])


@pytest.mark.parametrize("options", [
    [], ["--dry-run"], ["--environment", "staging"], ["--profile", "dev"], ["--data-dir", "mistyped"],
    ["--data-dir", "mistyped", "--dry-run"]], ids=" ".join)
def test_without_a_server_no_directory_is_made_unasked(options, home):
    place = "mistyped" if "mistyped" in options else "data/dev" if "--profile" in options else "data/local"
    refused = run_command("import", "flags.json", *options, cwd=home)
    assert refused.returncode == 1
    wanted = f"there is no data directory {place}: name it with --data-dir, or have it made with --create"
    assert wanted in refused.stderr
    assert sorted(path.name for path in home.rglob("*")) == ["data", "flags.json"]


def test_a_directory_is_made_when_that_is_asked_for(home, serve):
    made = run_command("import", "flags.json", "--create", cwd=home)
    assert made.returncode == 0
    assert made.stderr == f"flag-server: working on {home / 'data' / 'local'}, which no server has open\n"
    assert [flag["flagKey"] for flag in serve().all_flags()] == ["banner"]
    for options in (["--dry-run"], ["--server", "http://127.0.0.1:1"]):
        assert run_command("import", "flags.json", "--create", *options, cwd=home).returncode == 64


def test_a_server_that_runs_as_a_service_is_found_from_everywhere(serve, home, tmp_path_factory):
    elsewhere, runtime = tmp_path_factory.mktemp("elsewhere"), tmp_path_factory.mktemp("run")
    service = {"RUNTIME_DIRECTORY": str(runtime)}
    server = serve(env=service)
    assert os.readlink(runtime / "control.sock") == str(server.data_dir / "control.sock")
    shutil.copy(home / "flags.json", elsewhere)
    imported = run_command("import", "flags.json", cwd=elsewhere, env=service)
    assert imported.returncode == 0 and imported.stderr == asked(server)
    assert server.evaluate("banner")[0] == 200
    # A store that is named is the one that is meant.
    named = run_command("import", "flags.json", "--data-dir", "here", cwd=elsewhere, env=service)
    assert "there is no data directory here" in named.stderr
    server.kill()
    assert (runtime / "control.sock").is_symlink()
    assert "there is no data directory data/local" in run_command("export", cwd=elsewhere, env=service).stderr
    server.start()
    assert run_command("export", cwd=elsewhere, env=service).stderr == asked(server)
    assert server.terminate() == 0
    assert list(runtime.iterdir()) == []


def test_a_server_that_cannot_be_announced_serves_and_says_so(serve):
    server = serve(env={"RUNTIME_DIRECTORY": "/no/such/directory"})
    deadline = time.monotonic() + 20
    while "commands have to be told the data directory" not in server.log:
        assert time.monotonic() < deadline, server.log


@pytest.mark.parametrize("option", ["--profile", "--environment"])
@pytest.mark.parametrize("value, echo", [("dev", ""), ("staging", "the profile is given as staging, that is dev")])
def test_a_profile_is_named_by_either_option_and_echoed_where_it_is_spelled_otherwise(
        option, value, echo, home, start_server):
    server = start_server("--auth", "off", option, value, data_dir=home / "data" / "own", environment=None)
    assert server.create_flag("here", defaultEnabled=True)["environment"] == "staging"
    assert "profile=dev" in server.log or '"profile":"dev"' in server.log
    assert (echo in server.log) if echo else ("is given as" not in server.log)
    ended = run_command("serve", "--profile", "dev", "--environment", "prod", cwd=home)
    assert ended.returncode == 64 and "another name of --profile" in ended.stderr
