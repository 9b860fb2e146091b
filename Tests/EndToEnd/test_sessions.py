"""Persons who sign in: for tokens, for sessions in a browser, and from the command line."""

import json
import os
import pathlib
import stat
import subprocess
import time

import pytest
import requests

from server import FlagServer, binary, clean_environment, free_port, run_command
from test_keys import bearing, make
from test_tls import certificate

PASSWORD = "seven blue herons at dawn"


@pytest.fixture
def guarded(start_server) -> FlagServer:
    """A server that asks everybody who they are."""
    return start_server("--auth", "on")


def create(server: FlagServer, name: str, role: str = "editor") -> str:
    """A person who sees to development, and has a password of their own."""
    made = run_command("users", "create", name, "--role", role, "--environment", "development", "--format", "json",
                       "--data-dir", server.data_dir)
    assert made.returncode == 0, made.stderr
    first = json.loads(made.stdout)["password"]
    token = sign_in(server, name, first).json()["accessToken"]
    changed = requests.put(f"{server.origin}/api/account/password", headers=bearing(token), timeout=20,
                           json={"password": first, "newPassword": PASSWORD})
    assert changed.status_code == 200, changed.text
    assert server.request("GET", "/api/whoami", headers=bearing(token))[0] == 401, "what was handed out before ended"
    return name


def sign_in(server: FlagServer, name: str, password: str = PASSWORD) -> requests.Response:
    return requests.post(f"{server.origin}/api/auth/token", timeout=20,
                         json={"username": name, "password": password})


def begin(server: FlagServer, name: str, session: requests.Session | None = None, **fields) -> requests.Session:
    """A browser in which somebody has signed in."""
    session = session or requests.Session()
    answer = session.post(f"{server.origin}/api/auth/session", headers=fields, timeout=20,
                          json={"username": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return session


FLAG = {"flagKey": "f", "description": "A flag", "owner": "tests", "defaultEnabled": True}


def test_a_person_exchanges_a_password_for_a_token_and_may_what_their_roles_may(guarded):
    create(guarded, "ann")
    answer = sign_in(guarded, "ann")
    assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
    assert answer.json()["tokenType"] == "Bearer" and answer.json()["expiresIn"] == 3600
    token = bearing(answer.json()["accessToken"])
    assert guarded.expect(200, "GET", "/api/whoami", headers=token)["principal"] == "account ann"
    guarded.expect(201, "POST", "/api/flags?environment=development", FLAG, headers=token)
    assert guarded.request("POST", "/api/flags?environment=production", FLAG, headers=token)[0] == 403
    for wrong in [("ann", "wrong password!"), ("bob", PASSWORD)]:
        refused = sign_in(guarded, *wrong)
        assert refused.status_code == 403 and refused.json()["code"] == "sign_in_refused"
    disabled = run_command("users", "disable", "ann", "--data-dir", guarded.data_dir)
    assert disabled.returncode == 0, disabled.stderr
    assert guarded.request("GET", "/api/whoami", headers=token)[0] == 401


def test_the_log_says_who_signed_in_and_from_where_somebody_could_not(guarded):
    create(guarded, "ann")
    sign_in(guarded, "ann")
    sign_in(guarded, "ann", "not the password")
    sign_in(guarded, "nobody.of.that.name", "not the password")
    lines = [line for line in guarded.log.splitlines() if "sign-in" in line]
    assert any("account ann" in line and "200" in line for line in lines), lines
    refused = [line for line in lines if "403" in line or "401" in line]
    assert len(refused) == 2 and all("127.0.0.1" in line for line in refused), lines
    assert "not the password" not in guarded.log
    assert "nobody.of.that.name" not in guarded.log, "what is typed for a name may be a password"


def test_a_session_is_a_cookie_that_no_other_page_and_nobody_on_the_way_can_use(guarded):
    create(guarded, "ann")
    answer = requests.post(f"{guarded.origin}/api/auth/session", timeout=20,
                           json={"username": "ann", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("flag-server=") and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert "Path=/" in cookie and "Secure" not in cookie and "no-store" in answer.headers["Cache-Control"]
    session = begin(guarded, "ann")
    assert session.get(f"{guarded.origin}/api/whoami").json()["principal"] == "account ann"
    url = f"{guarded.origin}/api/flags?environment=development"
    for fields in [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
                   {"Origin": "https://evil.example"}, {"Origin": "null"}]:
        refused = session.post(url, json=FLAG, headers=fields)
        assert refused.status_code == 403 and refused.json()["code"] == "foreign_origin", fields
    assert session.post(url, json=FLAG, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 201
    assert session.post(url, json=FLAG | {"flagKey": "g"}, headers={"Origin": guarded.origin}).status_code == 201
    # What is shown on purpose counts, and nothing beside it.
    assert session.get(f"{guarded.origin}/api/whoami", headers=bearing("nonsense")).status_code == 401
    key = make(guarded, "admin", "--role", "viewer")
    assert session.get(f"{guarded.origin}/api/whoami", headers=bearing(key)).json()["principal"].startswith("key ")


def test_a_session_ends_with_its_person_with_the_next_login_and_by_itself(guarded):
    create(guarded, "ann")
    session = begin(guarded, "ann")
    who = f"{guarded.origin}/api/whoami"
    first = session.cookies["flag-server"]
    begin(guarded, "ann", session)
    assert session.cookies["flag-server"] != first
    assert requests.get(who, cookies={"flag-server": first}).status_code == 401, "whoever planted it has nothing"
    other = begin(guarded, "ann")
    shown = session.cookies["flag-server"]
    ended = session.delete(f"{guarded.origin}/api/auth/session", headers={"Sec-Fetch-Site": "same-origin"})
    assert ended.status_code == 204 and "Max-Age=0" in ended.headers["Set-Cookie"]
    assert requests.get(who, cookies={"flag-server": shown}).status_code == 401
    assert other.get(who).status_code == 200
    admin = make(guarded, "admin", "--role", "admin")
    guarded.expect(200, "DELETE", "/api/users/ann/sessions", headers=bearing(admin))
    assert other.get(who).status_code == 401


def test_sessions_outlive_a_restart_and_planted_cookies_are_nothing(guarded):
    create(guarded, "ann")
    session = begin(guarded, "ann")
    guarded.kill()
    guarded.start()
    who = f"{guarded.origin}/api/whoami"
    assert session.get(who).status_code == 200
    shown = session.cookies["flag-server"]
    for cookie in ["flag-server=", f"flag-server={shown}x", f"flag-server={shown}; flag-server={'A' * 43}",
                   f"__Host-flag-server={shown}", f"Flag-Server={shown}", "flag-server=" + "A" * 5000, ";;;=;"]:
        assert requests.get(who, headers={"Cookie": cookie}).status_code == 401, cookie


def test_login_keeps_a_token_for_the_commands_and_logout_deletes_it(guarded, tmp_path):
    create(guarded, "ann")
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    export = ("export", "--server", guarded.origin, "--environment", "development")
    assert run_command(*export, env=env).returncode == 1
    made = run_command("login", "--server", guarded.origin, "--name", "ann", env=env, input=f"{PASSWORD}\n")
    assert made.returncode == 0 and "as ann until" in made.stderr and made.stdout == "", made.stderr
    kept = [path for path in pathlib.Path(env["XDG_STATE_HOME"]).rglob("*") if path.is_file()]
    assert len(kept) == 1 and stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    assert PASSWORD not in kept[0].read_text()
    done = run_command(*export, env=env)
    assert done.returncode in (0, 1) and "401" not in done.stderr and "API key" not in done.stderr, done.stderr
    os.chmod(kept[0], 0o644)
    assert "log in again" in run_command(*export, env=env).stderr
    assert run_command("login", "--server", guarded.origin, "--name", "ann", env=env, input="wrong\n").returncode == 1
    assert run_command("logout", "--server", guarded.origin, env=env).returncode == 0
    assert not kept[0].exists()


def test_over_tls_the_cookie_is_bound_to_its_host(guarded, tmp_path):
    create(guarded, "ann")
    guarded.stop()
    pem, key = certificate(tmp_path, "localhost")
    port = free_port()
    origin = f"https://localhost:{port}"
    process = subprocess.Popen(
        [binary(), "serve", "--auth", "on", "--port", str(port), "--data-dir", guarded.data_dir, "--tls-certificate",
         pem, "--tls-key", key], env=clean_environment(), stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                answer = requests.post(f"{origin}/api/auth/session", timeout=20, verify=str(pem),
                                       json={"username": "ann", "password": PASSWORD})
                break
            except requests.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        name, value = answer.headers["Set-Cookie"].split(";")[0].split("=")
        assert name == "__Host-flag-server" and "; Secure" in answer.headers["Set-Cookie"]
        for cookie, expected in [(f"{name}={value}", 200), (f"flag-server={value}", 401),
                                 (f"{name}={value}; {name}={value}", 401), (f"x=y; {name}={value};z", 200)]:
            got = requests.get(f"{origin}/api/whoami", headers={"Cookie": cookie}, timeout=20, verify=str(pem))
            assert got.status_code == expected, cookie
    finally:
        process.terminate()
        assert process.wait(20) == 0
