"""An wire-server process under test."""

import os
import re
import socket
import subprocess
from pathlib import Path

ECHO = Path(
    os.environ.get("WIRE_SERVER_BINARY") or Path(__file__).resolve().parents[2] / ".build" / "release" / "wire-server")


class Echo:
    """A running wire-server."""

    def __init__(self, *options, prefix=()):
        if not os.access(ECHO, os.X_OK):
            raise FileNotFoundError(f"{ECHO} is missing: build it with `./scripts/build`")
        self.process = subprocess.Popen(
            [*prefix, ECHO, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self.process.stdout.readline()
        found = re.search(r":(\d+)", line)
        assert found, f"wire-server did not start: {line}{self.process.stdout.read()}"
        self.port = int(found[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(20) == 0

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def ask(self, line: str, *fields: str, body: bytes = b"") -> "Answer":
        """One request on a connection of its own."""
        head = "\r\n".join([line + " HTTP/1.1", "Host: a", "Connection: close", *fields, "", ""])
        with self.connect() as connection:
            connection.sendall(head.encode() + body)
            return Answer(everything(connection))


class Answer:
    """A whole answer, taken apart."""

    def __init__(self, data: bytes):
        head, _, self.body = data.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        assert status.startswith("HTTP/1.1 "), data
        self.status = int(status.split(" ")[1])
        self.fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            assert name.lower() not in self.fields, f"{name} stands twice"
            self.fields[name.lower()] = value.strip()


def everything(connection: socket.socket) -> bytes:
    data = b""
    while received := connection.recv(1 << 16):
        data += received
    return data
