"""Servers as processes: their start, and what `/proc` says of the CPU time and memory they take."""

import os
import random
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port on which nothing listens, outside the range from which the kernel picks ports for clients."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def surroundings() -> dict:
    """The caller's environment without any `FLAG_SERVER_*`: the server takes each of them for a setting."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FLAG_SERVER_")}


class Server:
    """One server process on a port of its own, stopped at the end of a `with` block."""

    scheme = "http"
    """`https` for a server that was given a certificate."""

    def __init__(self, name: str, command: list, port: int, environment: dict | None = None):
        self.name = name
        self.port = port
        self.log = tempfile.TemporaryFile()
        self.folder: tempfile.TemporaryDirectory | None = None
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [str(part) for part in command], stdout=self.log, stderr=self.log, cwd="/",
            env={**surroundings(), **(environment or {})})

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.folder:
            self.folder.cleanup()

    def await_ready(self, request: bytes) -> float:
        """Sends `request` until it is answered 200; returns the seconds since the process was started."""
        while time.perf_counter() - self.started < 120:
            if self.process.poll() is not None:
                break
            try:
                if ask(self.port, request, self.scheme).startswith(b"HTTP/1.1 200 "):
                    return time.perf_counter() - self.started
            except OSError:
                pass
            time.sleep(0.0005)
        self.log.seek(0)
        raise SystemExit(f"{self.name} does not answer:\n{self.log.read().decode(errors='replace')[-2000:]}")

    def cpu_seconds(self) -> float:
        """User and system time of the process and its children so far. The kernel counts in ticks of 10 ms."""
        return sum(ticks(pid) for pid in family(self.process.pid)) / TICKS

    def cpu_seconds_exact(self) -> float:
        """CPU time so far, to the nanosecond, of the threads that there are now; those that ended are not counted."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def resident_mebibytes(self) -> float:
        """Resident memory of the process and its children."""
        return sum(resident(pid) for pid in family(self.process.pid)) / 1024


def ask(port: int, request: bytes, scheme: str = "http") -> bytes:
    """The first bytes that `request` is answered with on a connection of its own."""
    with connect(port, scheme) as connection:
        connection.sendall(request)
        return connection.recv(65536)


def connect(port: int, scheme: str = "http") -> socket.socket:
    """A connection to a server of this machine; with `https`, whose certificate nobody has signed."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    if scheme == "http":
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection)


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for parent in found:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        found += map(int, children)
    return found


def ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident(pid: int) -> int:
    """Resident memory in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
