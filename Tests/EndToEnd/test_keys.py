"""API keys from the command line to the wire, as whoever runs a server with `auth: on` meets them."""

import json
import os
import re
import stat
import threading
import time

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

from server import DidNotStart, FlagServer, run_command, send

KEY = re.compile(r"fsk_(server|client|admin)_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}")


def make(server_or_dir, kind: str, *options) -> str:
    """A key that a command made: alone on its standard output."""
    place = getattr(server_or_dir, "data_dir", server_or_dir)
    environment = [] if "--environment" in options else ["--environment", "*"]
    made = run_command("keys", "create", "--name", f"a {kind}", "--kind", kind, *environment, *options,
                       "--data-dir", place)
    assert made.returncode == 0, made.stderr
    assert KEY.fullmatch(made.stdout.strip()), made.stdout
    return made.stdout.strip()


def selector(key: str) -> str:
    return KEY.fullmatch(key)[2]


def bearing(key: str) -> dict:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def guarded(start_server) -> FlagServer:
    """A server that asks everybody for a key."""
    return start_server("--auth", "on")


def test_a_server_without_keys_says_how_the_first_is_made_and_takes_it_at_once(guarded):
    assert "flag-server keys create --name first --kind admin --environment '*' --role admin" in guarded.log
    status, headers, problem = guarded.request("GET", "/api/flags")
    assert status == 401 and headers["WWW-Authenticate"].startswith("Bearer") and "keys create" in problem["detail"]
    key = make(guarded, "admin", "--role", "admin")
    assert guarded.request("GET", "/api/flags", headers=bearing(key))[0] == 200
    assert guarded.expect(200, "GET", "/api/whoami", headers=bearing(key))["principal"] == f"key {selector(key)}"


def test_keys_are_made_listed_renewed_and_revoked_by_commands(guarded):
    made = run_command("keys", "create", "--name", "shop", "--kind", "server", "--environment", "prod", "--tenant",
                       "acme", "--expires", "30d", "--rate", "50/s", "--format", "json", "--data-dir",
                       guarded.data_dir)
    answer = json.loads(made.stdout)
    assert list(answer) == ["selector", "key", "kind", "name", "environment", "roles", "tenantId", "rate", "expiresAt"]
    assert answer["environment"] == "production" and answer["tenantId"] == "acme" and answer["rate"] == "50/s"
    place = ("--data-dir", guarded.data_dir)
    listed = json.loads(run_command("keys", "list", "--format", "json", *place).stdout)
    assert [key["selector"] for key in listed] == [answer["selector"]] and "key" not in listed[0]
    assert listed[0]["state"] == "active" and listed[0]["createdBy"].startswith("local:")
    line = run_command("keys", "show", answer["selector"], *place).stdout
    assert line.startswith(f"{answer['selector']}  server  production  active  ends 20") and "tenant acme" in line
    renewed = run_command("keys", "rotate", answer["selector"], "--overlap", "0h", *place).stdout.strip()
    assert selector(renewed) == answer["selector"] and renewed != answer["key"]
    assert guarded.request("GET", "/api/whoami", headers=bearing(answer["key"]))[0] == 401
    assert guarded.request("GET", "/api/whoami", headers=bearing(renewed))[0] == 200
    revoked = run_command("keys", "revoke", answer["selector"], "--reason", "sold", *place)
    assert "revoked: sold" in revoked.stdout
    assert guarded.request("GET", "/api/whoami", headers=bearing(renewed))[0] == 401
    unknown = run_command("keys", "revoke", "nobody", *place)
    assert unknown.returncode == 1 and "there is no key nobody" in unknown.stderr


def test_keys_are_made_without_a_server_too_and_are_good_when_it_starts(start_server, data_dir):
    server = start_server("--auth", "on")
    assert server.terminate() == 0
    key = make(data_dir, "admin", "--role", "viewer")
    assert server.start().request("GET", "/api/flags", headers=bearing(key))[0] == 200
    server.kill()
    assert server.start().request("GET", "/api/flags", headers=bearing(key))[0] == 200
    assert stat.S_IMODE(os.stat(data_dir / "access.key").st_mode) == 0o600


@pytest.mark.parametrize("arguments, words", [
    (("--kind", "root"), "--kind"), (("--kind", "admin"), "needs one or more of"),
    (("--kind", "server", "--role", "admin"), "nly a key for administration has roles"),
    (("--kind", "server", "--expires", "soon"), "as in 90d"),
    (("--kind", "admin", "--role", "admin", "--expires", "never"), "ends"),
    (("--kind", "server", "--rate", "fast"), "100/min"),
])
def test_a_key_that_makes_no_sense_is_refused_by_the_command_line(tmp_path, arguments, words):
    refused = run_command("keys", "create", "--name", "a", "--environment", "*", *arguments, "--data-dir", tmp_path)
    assert refused.returncode == 64 and words in refused.stderr


def test_commands_elsewhere_show_a_key_from_a_file_or_the_environment(guarded, tmp_path):
    key = make(guarded, "admin", "--role", "admin")
    file = tmp_path / "key"
    file.write_text(key + "\n")
    server = ("--server", guarded.origin)
    refused = run_command("export", *server)
    assert refused.returncode == 1 and "send an API key" in refused.stderr
    assert run_command("export", *server, "--key-file", file).returncode == 0
    assert run_command("keys", "list", *server, env={"FLAG_SERVER_KEY": key}).returncode == 0
    file.write_text("two words")
    odd = run_command("export", *server, "--key-file", file)
    assert odd.returncode == 1 and "must have a key and nothing else" in odd.stderr


def test_openfeature_evaluates_with_a_key_and_falls_back_when_it_is_revoked(guarded):
    admin = make(guarded, "admin", "--role", "admin")
    flag = {"flagKey": "new-checkout", "description": "A flag", "owner": "tests", "defaultEnabled": True}
    guarded.expect(201, "POST", "/api/flags", flag, bearing(admin))
    key = make(guarded, "server", "--environment", "local")
    api.set_provider(OFREPProvider(guarded.origin, headers_factory=lambda: bearing(key)))
    try:
        client = api.get_client()
        context = EvaluationContext("somebody", {"tenantId": "acme"})
        assert client.get_boolean_details("new-checkout", False, context).value is True
        assert run_command("keys", "revoke", selector(key), "--data-dir", guarded.data_dir).returncode == 0
        details = client.get_boolean_details("new-checkout", False, context)
        assert details.value is False and details.error_code is not None
    finally:
        api.shutdown()


def test_a_key_that_is_revoked_under_load_is_refused_on_every_connection(start_server):
    server = start_server("--auth", "on", "--loops", "2")
    key = make(server, "server", "--environment", "local")
    revoked_at = None
    late, stop = [], threading.Event()

    def ask():
        connection = server.connect()
        while not stop.is_set():
            asked_at = time.monotonic()
            status = send(connection, "GET", "/api/whoami", headers=bearing(key))[0]
            if revoked_at and asked_at > revoked_at and status == 200:
                late.append(asked_at - revoked_at)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.3)
        assert run_command("keys", "revoke", selector(key), "--data-dir", server.data_dir).returncode == 0
        revoked_at = time.monotonic()
        time.sleep(0.5)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert late == []


def test_made_up_keys_take_no_memory_and_are_soon_not_even_looked_at(start_server):
    server = start_server("--auth", "on")
    make(server, "server", "--environment", "local")

    def resident() -> int:
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{server.process.pid}/status").read())[1])

    connection = server.connect()
    statuses = set()
    for number in range(2000):
        statuses.add(send(connection, "GET", "/api/flags", headers=bearing(f"fsk_server_{number:012}_{number:049}"))[0])
    before = resident()
    for number in range(20_000):
        statuses.add(send(connection, "GET", "/api/flags", headers=bearing(f"fsk_server_{number:012}_{number:049}"))[0])
    assert statuses == {401, 429}
    assert resident() - before < 1024, "KiB"


def test_no_secret_is_told_anywhere(start_server, tmp_path):
    # Without a bound, so that every route is reached.
    server = start_server("--auth", "on", "--log-level", "trace", env={"FLAG_SERVER_THROTTLE_ADMINISTRATION": "off"})
    admin = make(server, "admin", "--role", "admin")
    context = {"context": {"targetingKey": "marked-context-value", "card": "marked-context-value"}}
    paths = server.expect(200, "GET", "/openapi.json", headers=bearing(admin))["paths"]
    answers = []
    for path, item in paths.items():
        for method in item.keys() - {"parameters"}:
            target = re.sub(r"{\w+}", "none", path)
            for headers in (bearing(admin), {"X-API-Key": admin + "x"}, {"Authorization": f"Basic {admin}"}):
                body = context if method in ("post", "put", "patch") else None
                answers.append(json.dumps(server.request(method.upper(), f"{target}?key={admin}", body, headers)[2],
                                          default=str))
                answers.append(json.dumps(server.request(method.upper(), target, body, headers)[2], default=str))
    server.terminate()
    secret = KEY.fullmatch(admin)[0].split("_")[3]
    stored = b"".join(path.read_bytes() for path in server.data_dir.iterdir() if path.is_file())
    assert secret not in server.log and secret not in "".join(answers) and secret.encode() not in stored
    assert "marked-context-value" not in server.log


def test_a_key_file_that_others_can_read_or_that_is_gone_keeps_the_server_from_starting(start_server, data_dir):
    server = start_server("--auth", "on")
    make(server, "server", "--environment", "local")
    server.terminate()
    file = data_dir / "access.key"
    file.chmod(0o640)
    with pytest.raises(DidNotStart, match="can be read by others"):
        server.start()
    file.rename(data_dir.parent / "kept")
    with pytest.raises(DidNotStart, match="put it back"):
        server.start()
    (data_dir.parent / "kept").rename(file)
    file.chmod(0o600)
    assert server.start().request("GET", "/health")[0] == 200


def test_a_lost_key_file_is_not_made_anew_in_silence(start_server, data_dir):
    server = start_server("--auth", "on")
    key = make(server, "server", "--environment", "local")
    (data_dir / "access.key").rename(data_dir.parent / "kept")
    refused = run_command("keys", "create", "--name", "b", "--kind", "server", "--environment", "*", "--data-dir",
                          data_dir)
    assert refused.returncode == 1 and "access.key is gone" in refused.stderr
    server.terminate()
    refused = run_command("keys", "create", "--name", "b", "--kind", "server", "--environment", "*", "--data-dir",
                          data_dir)
    assert refused.returncode == 1 and "access.key is gone" in refused.stderr
    (data_dir.parent / "kept").rename(data_dir / "access.key")
    assert server.start().request("GET", "/api/whoami", headers=bearing(key))[0] == 200


def test_keys_that_are_made_at_once_in_a_new_directory_are_all_good(start_server, data_dir):
    server = start_server()
    keys = []

    def create():
        body = {"name": "a", "kind": "admin", "environment": "*", "roles": ["viewer"]}
        keys.append(server.expect(201, "POST", "/api/keys", body)["key"])

    threads = [threading.Thread(target=create) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert re.search(r"Umask:\s+0022", open(f"/proc/{server.process.pid}/status").read())
    server.terminate()
    guarded = start_server("--auth", "on", data_dir=data_dir)
    assert [guarded.request("GET", "/api/whoami", headers=bearing(key))[0] for key in keys] == [200] * 16
    assert "some keys were made by nobody in particular" in guarded.log
