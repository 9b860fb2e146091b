"""`import` and `export` with `--server`: what they do over HTTP is what they do by themselves, word for word."""

import http.server
import json
import subprocess
import threading

import pytest

from server import FlagServer, free_port, run_command
from test_import_export import FLAGD, WITH_MISTAKES, command, written
from test_tls import certificate


def ended(*arguments, env=None):
    """Exit status, standard output, standard error without who was asked."""
    done = run_command(*arguments, env=env)
    told = "".join(line for line in done.stderr.splitlines(True) if not line.startswith("flag-server: asking the server"))
    return done.returncode, done.stdout, told


@pytest.fixture
def twin(tmp_path):
    """A second server, which the same is done to by its data directory."""
    with FlagServer(tmp_path / "twin") as server:
        yield server.start()


@pytest.mark.parametrize("options", [
    ["--dry-run"], [], ["--mode", "create-only"], ["--mode", "replace", "--dry-run"], ["--mode", "replace"],
    ["--environment", "staging"], ["--format", "json"], ["--dry-run", "--format", "json"],
], ids=" ".join)
@pytest.mark.parametrize("content", [FLAGD, WITH_MISTAKES, [], {"flags": 7}], ids=["flagd", "mistakes", "list", "7"])
def test_over_http_everything_is_said_as_it_is_beside_the_server(options, content, server, twin, tmp_path):
    for one in (server, twin):
        one.create_flag("rate", defaultEnabled=False)
        one.create_flag("unnamed", defaultEnabled=False)
    file = written(tmp_path / "flags.json", content)
    there = ended("import", file, "--server", server.origin, *options)
    here = ended("import", file, "--data-dir", twin.data_dir, *options)
    assert there == here
    assert [flag["flagKey"] for flag in server.all_flags()] == [flag["flagKey"] for flag in twin.all_flags()]


def test_mistakes_that_are_kept_are_told_and_served(server, twin, tmp_path):
    file = written(tmp_path / "flags.json", WITH_MISTAKES)
    there = ended("import", file, "--server", server.origin, "--keep-invalid")
    assert there == ended("import", file, "--data-dir", twin.data_dir, "--keep-invalid")
    assert server.evaluate("broken")[1]["errorCode"] == "PARSE_ERROR"


@pytest.mark.parametrize("form", ["native", "flagd"])
def test_importing_an_export_changes_nothing(form, server, tmp_path):
    server.create_flag("piloted", defaultEnabled=False)
    server.request("PUT", "/api/tenants/acme/flags/piloted", {"enabled": True, "updatedBy": "tests"})
    server.request("POST", "/api/emergency/kill-switch", {"flagKey": "piloted", "reason": "x", "activatedBy": "y"})
    command("import", written(tmp_path / "flags.json", FLAGD), "--server", server.origin)
    file = tmp_path / "export.json"
    command("export", "--server", server.origin, "--format", form, "--output", file)
    text = command("import", file, "--server", server.origin, "--mode", "replace")
    assert "flags: 0 created, 0 changed, 0 removed, 3 unchanged" in text
    assert ended("export", "--server", server.origin, "--format", form)[1] == file.read_text()
    assert ended("export", "--data-dir", server.data_dir, "--format", form)[1] == file.read_text()


def test_a_file_of_tens_of_mebibytes_goes_through_while_others_are_served(server, tmp_path):
    flags = [{"flagKey": "big", "description": "d", "owner": "o", "defaultEnabled": True}]
    overrides = [{"flagKey": "big", "tenantId": f"tenant-{number:06}", "enabled": True, "updatedBy": "tests",
                  "reason": "x" * 150} for number in range(50_000)]
    file = written(tmp_path / "flags.json", {"flags": flags, "overrides": overrides})
    assert file.stat().st_size > 10 << 20
    importing = threading.Thread(target=lambda: done.append(ended("import", file, "--server", server.origin)))
    done = []
    importing.start()
    while importing.is_alive():
        server.create_flag(f"meanwhile-{len(server.all_flags())}", defaultEnabled=True)
    assert done[0][0] == 0, done
    assert "overrides: 50000 created" in done[0][1]
    assert server.evaluate("big", {"tenantId": "tenant-049999"})[1]["value"] is True


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(server, tmp_path):
    file = tmp_path / "flags.json"
    with open(file, "wb") as content:
        content.truncate((64 << 20) + 1)
    status, _, told = ended("import", file, "--server", server.origin)
    assert status == 1 and "larger than 64MiB" in told
    answer = subprocess.run(
        ["curl", "--silent", "--data-binary", f"@{file}", f"{server.origin}/api/import"], capture_output=True)
    assert json.loads(answer.stdout)["code"] == "content_too_large"


@pytest.mark.parametrize("arguments", [["import", "FILE"], ["export"]], ids=["import", "export"])
def test_a_server_that_is_not_there_is_said_to_be_so(arguments, tmp_path):
    file = written(tmp_path / "flags.json", FLAGD)
    arguments = [str(file) if argument == "FILE" else argument for argument in arguments]
    origin = f"http://127.0.0.1:{free_port()}"
    status, out, told = ended(*arguments, "--server", origin)
    assert (status, out) == (1, "")
    assert origin in told and "check the address, and that the server is running" in told


def test_a_server_that_is_another_program_is_said_to_be_so(tmp_path):
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    status, _, told = ended("export", "--server", f"http://127.0.0.1:{other.server_port}")
    other.shutdown()
    assert status == 1
    assert "answered 404" in told and "must name a flag-server" in told


def test_where_authentication_is_on_the_server_says_so(start_server):
    server = start_server("--auth", "on")
    status, _, told = ended("export", "--server", server.origin)
    assert status == 1 and "send an API key" in told


def test_a_private_issuer_is_trusted_when_it_is_named_and_not_otherwise(start_server, tmp_path):
    pem, key = certificate(tmp_path, "private")
    server = FlagServer(tmp_path / "secured", "--tls-certificate", pem, "--tls-key", key)
    server.request = lambda *arguments, **settings: (
        subprocess.run(["curl", "-sf", "--cacert", pem, f"https://localhost:{server.port}/health/ready"]).returncode
        and 503 or 200, None, None)
    with server.start():
        origin = f"https://localhost:{server.port}"
        status, _, told = ended("export", "--server", origin)
        assert status == 1 and "certificate" in told and "trust the server's issuer" in told
        status, out, told = ended("export", "--server", origin, "--server-ca", pem)
        assert status == 0, told
        assert json.loads(out)["flags"] == []
        assert ended("export", "--server", origin.replace("https", "http"))[0] == 1


def test_a_unix_socket_is_as_good(start_server, tmp_path):
    path = tmp_path / "flags.sock"
    start_server("--host", f"127.0.0.1,unix:{path}")
    command("import", written(tmp_path / "flags.json", FLAGD), "--server", f"unix:{path}")
    assert "banner" in ended("export", "--server", f"unix:{path}")[1]


def test_a_proxy_is_taken_from_the_environment(server):
    asked = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status, _, answer = server.request("GET", self.path.removeprefix("http://flags.example"))
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    env = {"http_proxy": f"http://127.0.0.1:{proxy.server_port}", "no_proxy": ""}
    status, out, told = ended("export", "--server", "http://flags.example", env=env)
    proxy.shutdown()
    assert status == 0, told
    assert json.loads(out)["flags"] == []
    assert asked == ["http://flags.example/api/export?format=native"]


def test_credentials_in_an_address_are_not_told():
    told = run_command("export", "--server", f"http://ada:s3cret@127.0.0.1:{free_port()}").stderr
    assert "asking the server http://127.0.0.1:" in told
    assert "s3cret" not in told
