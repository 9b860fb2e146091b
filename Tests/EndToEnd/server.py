"""A flag-server process under test: its life, and the few ways of talking to it that the tests share."""

import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

START_DEADLINE = 20.0
"""Seconds a server may take to answer ready. Far more than it needs, so that a loaded machine fails no test."""

STOP_DEADLINE = 20.0
"""Seconds a server may take to exit after SIGTERM."""


def binary() -> str:
    """The program under test: `TESTED_FLAG_SERVER`, else the repository's release build."""
    return os.environ.get("TESTED_FLAG_SERVER") or str(REPOSITORY / ".build" / "release" / "flag-server")


def free_port() -> int:
    """A port on which nothing listens, outside the range from which the kernel picks ports for clients."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def clean_environment(extra: dict | None = None) -> dict:
    """The caller's environment without any `FLAG_SERVER_*` setting of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLAG_SERVER_")}
    return kept | (extra or {})


NOBODY = 65534
"""A user without any right of its own."""


def as_user(user: int | None) -> list[str]:
    """What stands before a command that another user is to run; only root can."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user is not None else []


def run_command(*arguments, timeout: float = 60, env: dict | None = None, user: int | None = None, **options):
    """Runs one `flag-server` command to its end and returns its exit status and text."""
    return subprocess.run(
        [*as_user(user), binary(), *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
        env=clean_environment(env), **options)


def await_true(condition, seconds: float, otherwise: str = "not within time"):
    """Waits until a condition holds; fails, and says so, when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)


class DidNotStart(Exception):
    """The server ended, or never answered ready; carries its exit status and log."""


class FlagServer:
    """One server on a port and a data directory of its own.

    Requests go over one kept-alive connection per thread of use: `request` opens it when needed. `log` is everything
    the process wrote. `behind` is a command that has the program run in its own place, such as `setsid`.
    """

    def __init__(self, data_dir, *options, environment="local", port=None, cwd=None, env=None, user=None, behind=(),
                 pass_fds=()):
        self.data_dir = Path(data_dir)
        self.port = port or free_port()
        self.environment = environment
        self.options = [str(option) for option in options]
        self.cwd = cwd or self.data_dir.parent
        self.env = clean_environment(env)
        self.behind = [*as_user(user), *behind]
        self.pass_fds = pass_fds
        self.log_path = self.data_dir.parent / f"{self.data_dir.name}-{self.port}.log"
        self.process: subprocess.Popen | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # Life

    def start(self) -> "FlagServer":
        """Starts the process and returns once `/health/ready` answers 200."""
        command = [
            *self.behind, binary(), "serve", *(["--profile", self.environment] if self.environment else []),
            "--host", "127.0.0.1", "--port", str(self.port), "--data-dir", str(self.data_dir), *self.options,
        ]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.cwd, env=self.env, pass_fds=self.pass_fds)
        self.await_ready()
        return self

    def await_ready(self):
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise DidNotStart(f"exit status {self.process.returncode}\n{self.log}")
            try:
                status, _, _ = self.request("GET", "/health/ready", timeout=5)
                if status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.002)
        self.kill()
        raise DidNotStart(f"not ready within {START_DEADLINE:.0f} s\n{self.log}")

    def terminate(self) -> int:
        """Sends SIGTERM and returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_DEADLINE)

    def kill(self):
        """Ends the process as a crash would: SIGKILL, no chance to tidy up."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_DEADLINE)

    def stop(self):
        """Ends the process if it still runs; never fails."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                self.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # Requests

    def connect(self, timeout: float = 10) -> http.client.HTTPConnection:
        """A connection of one's own, kept alive between requests."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method: str, path: str, body=None, headers: dict | None = None, timeout: float = 10):
        """One request on a fresh connection. Returns `(status, headers, body)`; see `send`."""
        connection = self.connect(timeout)
        try:
            return send(connection, method, path, body, headers)
        finally:
            connection.close()

    def expect(self, status: int, method: str, path: str, body=None, headers: dict | None = None):
        """One request that must answer `status`; returns the body."""
        got, _, answer = self.request(method, path, body, headers)
        assert got == status, f"{method} {path} answered {got}, not {status}: {answer}"
        return answer

    # What most tests do

    def create_flag(self, key: str, **members):
        """Creates a flag in either spelling, with a description and an owner unless given."""
        flag = {"flagKey": key, "description": f"Flag {key}", "owner": "tests"} | members
        return self.expect(201, "POST", "/api/flags", flag)

    def evaluate(self, key: str, context: dict | None = None):
        """The OFREP answer `(status, body)` for one flag."""
        body = {} if context is None else {"context": context}
        status, _, answer = self.request("POST", f"/ofrep/v1/evaluate/flags/{quote(key)}", body)
        return status, answer

    def all_flags(self, query: str = "") -> list[dict]:
        """Every flag of a list, over all its pages."""
        flags, cursor = [], None
        while True:
            parts = [part for part in (query, "limit=100", f"cursor={quote(cursor)}" if cursor else "") if part]
            page = self.expect(200, "GET", "/api/flags?" + "&".join(parts))
            flags += page["flags"]
            cursor = page.get("nextCursor")
            if not cursor:
                return flags

    def metric(self, name: str) -> dict[str, float]:
        """The values of a metric by their labels, as they stand in `/metrics`."""
        lines = self.expect(200, "GET", "/metrics").decode().splitlines()
        rows = (line.rpartition(" ") for line in lines if re.match(rf"{name}[ {{]", line))
        return {labels.removeprefix(name): float(value) for labels, _, value in rows}


def send(connection: http.client.HTTPConnection, method: str, path: str, body=None, headers: dict | None = None):
    """One request on `connection`: `(status, headers, body)`, the body parsed when it is JSON.

    `body` may be bytes (sent as they are), or anything that `json.dumps` takes.
    """
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    connection.request(method, path, body=body, headers=headers)
    response = connection.getresponse()
    data = response.read()
    if "json" in (response.headers.get("Content-Type") or "") and data:
        return response.status, response.headers, json.loads(data)
    return response.status, response.headers, data


def quote(text: str) -> str:
    """Percent-encodes one path segment or query value."""
    return urllib.parse.quote(text, safe="")


def killed_by_signal(completed: subprocess.CompletedProcess) -> bool:
    """Whether a command ended by a signal, as a crash does."""
    return completed.returncode < 0 or completed.returncode >= 128
