"""config/systemd: the units are good and tight, and the program does what they and systemd expect of it.

Whether the real systemd runs them stands in test_package.py, where it is process 1 of a machine.
"""

import http.client
import os
import shutil
import socket
import subprocess
import threading

import pytest

from server import binary, send
from supervised import INSTALLED, SERVICE, UNITS, Supervised, unit

RESTARTS = int(os.environ.get("RESTARTS", "5"))
"""How often the server is restarted under clients. RESTARTS=20 is the long form."""

EXPOSURE = 1.5
"""What `systemd-analyze security` may say at most, of 10."""


def tool(name: str) -> str:
    path = shutil.which(name)
    return path or pytest.skip(f"{name} is missing: ./scripts/install-packages systemd")


@pytest.fixture
def units(tmp_path):
    """The units of both profiles as systemd would find them, with the tested program in the place of the installed."""
    folder = tmp_path / "units"
    for file in UNITS.rglob("flag-server@*"):
        for profile in ("prod", "dev") if file.is_file() else ():
            (folder / file.name.replace("@.", f"@{profile}.")).parent.mkdir(exist_ok=True)
            text = file.read_text().replace(INSTALLED, os.path.abspath(binary()))
            (folder / file.name.replace("@.", f"@{profile}.")).write_text(text)
    for drop_ins in UNITS.glob("flag-server@*.d"):
        shutil.copytree(drop_ins, folder / drop_ins.name)
    return folder


def analyze(folder, *arguments) -> subprocess.CompletedProcess:
    return subprocess.run([tool("systemd-analyze"), *arguments], capture_output=True, text=True, timeout=60,
                          env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"})


def test_systemd_finds_nothing_wrong_with_the_units(units):
    files = sorted(file for file in units.iterdir() if file.is_file())
    assert [file.name for file in files] == [
        "flag-server@dev.service", "flag-server@dev.socket", "flag-server@prod.service", "flag-server@prod.socket"]
    ran = analyze(units, "verify", "--man=no", *files)
    assert [line for line in ran.stderr.splitlines() if "flag-server" in line] == []


@pytest.mark.parametrize("profile", ["prod", "dev"])
def test_the_service_is_exposed_no_more_than_it_has_to_be(units, profile):
    ran = analyze(units, "security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}",
                  units / f"flag-server@{profile}.service")
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("profile, memory, address", [
    ("prod", "1G", "127.0.0.1:3001"), ("dev", "512M", "127.0.0.1:3002")])
def test_two_profiles_share_nothing(profile, memory, address):
    service, listening = unit("flag-server@.service", profile), unit("flag-server@.socket", profile)
    assert service["MemoryMax"] == [memory] and listening["ListenStream"] == [address]
    assert service["StateDirectory"] == service["RuntimeDirectory"] == [f"flag-server/{profile}"]
    assert all(profile in credential for credential in service["LoadCredential"])
    assert service["User"] == service["Group"] == ["flag-server"] and "DynamicUser" not in service


def test_a_status_that_stays_wrong_is_not_tried_again():
    assert SERVICE["RestartPreventExitStatus"] == "64 78"
    for options in (["--nonsense"], ["--port", "nonsense"]):
        ran = subprocess.run([binary(), "serve", "--profile", "prod", *options], capture_output=True, timeout=20)
        assert str(ran.returncode) in SERVICE["RestartPreventExitStatus"].split()


def test_the_user_is_made_from_its_file(tmp_path):
    (tmp_path / "etc").mkdir()
    file = UNITS / "sysusers.d" / "flag-server.conf"
    subprocess.run([tool("systemd-sysusers"), f"--root={tmp_path}", file], check=True, capture_output=True, timeout=60)
    name, _, user, _, _, home, shell = (tmp_path / "etc" / "passwd").read_text().strip().split(":")
    assert (name, home, shell) == ("flag-server", "/var/lib/flag-server", "/usr/sbin/nologin") and int(user) > 0


# Under a supervisor


@pytest.fixture
def notifications(tmp_path):
    """What the server tells systemd arrives here."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(20)
        yield receiver


@pytest.fixture
def supervise(tmp_path, notifications):
    """Starts servers as the unit does, and returns when they say that they are ready; ends those that are left."""
    started = []

    def start(listening=None) -> Supervised:
        started.append(Supervised(tmp_path, notifications, listening))
        await_message(notifications, "READY=1")
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.wait(20)


def await_message(notifications, wanted: str):
    """Takes messages until one of them has the line."""
    while wanted not in notifications.recv(4096).decode().splitlines():
        pass


def test_the_server_tells_systemd_when_it_can_answer_and_when_it_stops(tmp_path, supervise, notifications):
    server = supervise()
    assert asked(connection(server.port), "GET", "/health/ready")[0] == 200
    assert (tmp_path / "state" / "flags.db").exists()
    assert os.readlink(tmp_path / "runtime" / "control.sock") == str(tmp_path / "state" / "control.sock")
    assert server.stop() == 0
    await_message(notifications, "STOPPING=1")
    log = (tmp_path / "log").read_text()
    assert '"level":"warning"' not in log and '"level":"error"' not in log, log


def connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=20)


def asked(to: http.client.HTTPConnection, method: str, path: str, body=None):
    status, _, answer = send(to, method, path, body)
    return status, answer


EVALUATION = ("POST", "/ofrep/v1/evaluate/flags/banner", {"context": {"targetingKey": "ada"}})


class Client(threading.Thread):
    """Asks without a pause until told to stop, over a connection that it keeps or a new one each time.

    A kept connection that ends before a byte of the answer came is opened again, once: so does every client of HTTP
    (RFC 9112, 9.3.1), since the server may end an idle connection while a request is on its way.
    """

    def __init__(self, port: int, keeps: bool):
        super().__init__()
        self.port, self.keeps = port, keeps
        self.answered, self.reopened = 0, 0
        self.failures: list[str] = []
        self.over = threading.Event()

    def run(self):
        kept = None
        while not self.over.is_set():
            is_fresh = kept is None
            kept = kept or connection(self.port)
            try:
                status, answer = asked(kept, *EVALUATION)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as end:
                kept.close()
                kept = None
                self.reopened += 1
                if is_fresh:
                    self.failures.append(repr(end))
                continue
            except OSError as failure:
                self.failures.append(repr(failure))
                return
            self.answered += 1
            if (status, answer.get("value")) != (200, False):
                self.failures.append(f"{status} {answer}")
            # http.client has closed it where the answer said so.
            if not self.keeps or kept.sock is None:
                kept.close()
                kept = None


def test_restarts_behind_the_socket_fail_no_request_and_lose_no_kill_switch(supervise):
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listening:
        server = supervise(listening)
        door = connection(server.port)
        flag = {"flagKey": "banner", "description": "A banner", "owner": "tests", "defaultEnabled": True}
        assert asked(door, "POST", "/api/flags?environment=production", flag)[0] == 201
        kill = {"flagKey": "banner", "reason": "It blinks", "activatedBy": "tests"}
        assert asked(door, "POST", "/api/emergency/kill-switch?environment=production", kill)[0] in (200, 201)
        clients = [Client(server.port, keeps) for keeps in (True, True, False, False)]
        for client in clients:
            client.start()
        try:
            for _ in range(RESTARTS):
                before = [client.answered for client in clients]
                assert server.stop() == 0
                server = supervise(listening)
                while any(client.is_alive() and client.answered == count for client, count in zip(clients, before)):
                    clients[0].join(0.01)
        finally:
            for client in clients:
                client.over.set()
            for client in clients:
                client.join(20)
        assert [failure for client in clients for failure in client.failures] == []
        assert all(client.answered > RESTARTS for client in clients)
        assert [client.reopened for client in clients if not client.keeps] == [0, 0]
        status, switch = asked(connection(server.port), "GET", "/api/emergency/kill-switch?environment=production")
        assert status == 200 and "banner" in str(switch)


def test_without_a_socket_that_stays_requests_do_fail(supervise):
    """That the test above can fail."""
    server = supervise()
    client = Client(server.port, keeps=False)
    assert server.stop() == 0
    client.start()
    client.join(20)
    assert client.failures and not client.answered
