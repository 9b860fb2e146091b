"""docs/install.md: its units are good units, and the program does what systemd and the page expect of it."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess

import pytest

from server import REPOSITORY, binary, free_port, run_command

PAGE = (REPOSITORY / "docs" / "install.md").read_text()
INSTALLED = "/usr/local/bin/flag-server"


def files() -> dict[str, str]:
    """What the page has written into files, by their paths."""
    return dict(re.findall(r"^sudo tee (\S+) <<'END'\n(.*?)^END$", PAGE, re.M | re.S))


def unit() -> dict[str, str]:
    """The lines of the service's unit."""
    text, = (text for path, text in files().items() if path.endswith(".service"))
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


@pytest.fixture
def place(tmp_path):
    """A directory with the page's settings, as `/etc/flag-server` has them."""
    (tmp_path / "config").mkdir()
    for path, text in files().items():
        if path.startswith("/etc/flag-server/"):
            (tmp_path / "config" / os.path.basename(path)).write_text(text)
    return tmp_path


class Supervised:
    """The server as the page's unit has systemd start it: its command, its directory, who it tells."""

    def __init__(self, place, notifications: socket.socket, listening: socket.socket | None = None):
        state = place / "state"
        if not state.exists():
            state.mkdir(int(unit()["StateDirectoryMode"], 8))
        environment = os.environ | {"STATE_DIRECTORY": str(state), "NOTIFY_SOCKET": notifications.getsockname()}
        command = shlex.split(unit()["ExecStart"].replace(INSTALLED, binary()))
        self.log = open(place / "log", "ab")

        def adopt():
            if listening:
                os.dup2(listening.fileno(), 3)

        if listening:
            # systemd knows the number of the process that it has not started yet; a shell knows its own.
            environment["LISTEN_FDS"] = "1"
            command = ["sh", "-c", 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"', "sh", *command]
        else:
            environment["FLAG_SERVER_PORT"] = str(free_port())
        self.port = listening.getsockname()[1] if listening else int(environment["FLAG_SERVER_PORT"])
        self.process = subprocess.Popen(command, cwd=place, env=environment, stderr=self.log, preexec_fn=adopt,
                                        pass_fds=(3,) if listening else ())

    def get(self, path: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(int(unit()["TimeoutStopSec"]))


@pytest.fixture
def notifications(place):
    """What the server tells systemd arrives here."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(place / "notify"))
        receiver.settimeout(20)
        yield receiver


@pytest.fixture
def supervise(place, notifications):
    """Starts servers as the unit does, and ends those that are left."""
    started = []

    def start(listening=None) -> Supervised:
        started.append(Supervised(place, notifications, listening))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.wait(20)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    for path, text in files().items():
        if path.startswith("/etc/systemd/system/"):
            (tmp_path / os.path.basename(path)).write_text(text.replace(INSTALLED, os.path.abspath(binary())))
    units = sorted(tmp_path.glob("flag-server.*"))
    assert len(units) == 2
    ran = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=60)
    assert [line for line in ran.stderr.splitlines() if "flag-server" in line] == []


def test_the_settings_of_the_page_are_good_settings(place):
    ran = run_command(*shlex.split(unit()["ExecStart"])[1:], "--check", cwd=place)
    assert ran.returncode == 0, ran.stderr


def test_the_server_tells_systemd_when_it_can_answer_and_when_it_stops(place, supervise, notifications):
    server = supervise()
    assert notifications.recv(200).startswith(b"READY=1\nSTATUS=serving at ")
    assert server.get("/health/ready").startswith(b"HTTP/1.1 200 ")
    assert server.get("/api/flags").startswith(b"HTTP/1.1 200 "), "nobody is asked for a key"
    assert (place / "state" / "flags.db").exists()
    assert server.stop() == 0
    assert notifications.recv(100).startswith(b"STOPPING=1\n")
    log = (place / "log").read_text()
    assert '"level":"warning"' not in log and '"level":"error"' not in log, log


def test_a_connection_waits_in_the_socket_while_the_server_restarts(supervise, notifications):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = supervise(listening)
        assert notifications.recv(200).startswith(b"READY=1\nSTATUS=serving at ")
        assert server.stop() == 0
        with socket.create_connection(listening.getsockname(), timeout=20) as waiting:
            waiting.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            supervise(listening)
            assert waiting.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_the_page_names_the_libraries_that_the_program_links():
    ran = subprocess.run(["ldd", binary()], capture_output=True, text=True, timeout=60, check=True)
    linked = set(re.findall(r"^\s(lib\S+) => ", ran.stdout, re.M))
    if any(name.startswith("libswift") for name in linked):
        pytest.skip("a debug build links the libraries of Swift")
    rows = re.findall(r"^\| (`lib.*?) \|", PAGE, re.M)
    assert {name for row in rows for name in re.findall(r"`(.+?)`", row)} == linked
