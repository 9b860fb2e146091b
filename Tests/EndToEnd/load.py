"""Load that leaves no event loop idle: pipelined evaluations on many connections."""

import socket
import threading
import time

from server import FlagServer, quote

PIPELINED = 64
"""Requests in flight on a connection. While one batch is answered, every loop has more waiting."""


class Window:
    """A stretch of time in which a text is forbidden; each is another object, so that two can be told apart."""

    def __init__(self, text: bytes):
        self.text = text


class Saturation:
    """Keeps every loop of a server busy while the `with` block runs.

    Each connection sends a batch of evaluations of one flag, reads all the answers, and sends the next. Between
    `forbid(text)` and `allow()` no answer may contain `text`; `forbidden` counts those that did. Only batches that were
    sent and answered between the two are looked at.
    """

    def __init__(self, server: FlagServer, key: str, connections: int = 16):
        body = b'{"context":{"targetingKey":"load"}}'
        head = (f"POST /ofrep/v1/evaluate/flags/{quote(key)} HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        self.batch = (head.encode() + body) * PIPELINED
        self.server = server
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(connections)]
        self.stopping = threading.Event()
        self.window: Window | None = None
        self.answered = 0
        self.forbidden = 0
        self.failure: Exception | None = None

    def __enter__(self) -> "Saturation":
        for thread in self.threads:
            thread.start()
        self.await_answers(10 * PIPELINED * len(self.threads))
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(20)
        if self.failure:
            raise self.failure

    def forbid(self, text: bytes):
        """From now on `text` must not be in an answer."""
        self.window = Window(text)

    def allow(self):
        """From now on anything may be in an answer."""
        self.window = None

    def await_answers(self, count: int):
        """Returns once `count` more requests were answered."""
        target, deadline = self.answered + count, time.monotonic() + 30
        while self.answered < target and not self.failure:
            assert time.monotonic() < deadline, f"{target - self.answered} answers are missing after 30 s"
            time.sleep(0.001)

    def run(self):
        try:
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
                while not self.stopping.is_set():
                    window = self.window
                    connection.sendall(self.batch)
                    answers = read_answers(connection, PIPELINED)
                    self.answered += PIPELINED
                    if window and window is self.window:
                        self.forbidden += answers.count(window.text)
        except Exception as failure:  # Shown by the test's own thread.
            self.failure = failure


def read_answers(connection: socket.socket, count: int) -> bytes:
    """Reads until `count` answers, whose bodies are JSON objects, have come whole."""
    data = bytearray()
    while data.count(b"HTTP/1.1 ") < count or not data.endswith(b"}"):
        received = connection.recv(1 << 18)
        if not received:
            raise ConnectionError("the server closed a connection under load")
        data += received
    return bytes(data)
