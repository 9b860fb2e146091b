"""What a program gets from OpenFeature's Python SDK when the server is away, slow, or refuses (docs/clients.md)."""

import http.server
import threading
import time

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from server import free_port

ANSWER = b'{"key":"here","reason":"STATIC","variant":"on","value":true,"metadata":{}}'


class Refusing(http.server.ThreadingHTTPServer):
    """Something in the server's place that answers as a proxy would: as it is told, after a while."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.status, self.fields, self.delay, self.asked = 200, {}, threading.Event(), 0
        self.delay.set()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class Answering(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        self.server.delay.wait(10)
        self.send_response(self.server.status)
        for name, value in self.server.fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


@pytest.fixture
def refusing():
    with Refusing() as server:
        yield server
        server.delay.set()
        server.shutdown()


@pytest.fixture
def connect():
    """Makes clients of whatever listens on a port."""
    def make(port: int, timeout: float = 5.0):
        api.set_provider(OFREPProvider(f"http://127.0.0.1:{port}", timeout=timeout))
        return api.get_client()

    yield make
    api.shutdown()


def test_away_is_the_default_at_once_and_back_is_back(start_server, connect):
    port = free_port()
    client = connect(port)
    for default in (True, False):
        details = client.get_boolean_details("here", default)
        assert (details.value, details.reason, details.error_code) == (default, Reason.ERROR, ErrorCode.GENERAL)
    server = start_server(port=port)
    server.create_flag("here", defaultEnabled=True)
    assert client.get_boolean_value("here", False) is True
    server.terminate()
    assert client.get_boolean_value("here", False) is False, "over a connection that the server has closed"
    server.start()
    assert client.get_boolean_value("here", False) is True


def test_slow_is_the_default_after_the_time_out(refusing, connect):
    refusing.delay.clear()
    client = connect(refusing.server_port, timeout=0.1)
    details = client.get_boolean_details("here", False)
    assert (details.value, details.error_code) == (False, ErrorCode.GENERAL)
    assert "timed out" in details.error_message.lower()


def test_the_time_out_is_5_seconds_unless_it_is_set():
    assert OFREPProvider("http://127.0.0.1:1").timeout == 5.0


def test_after_503_it_asks_again_at_once(refusing, connect):
    refusing.status, refusing.fields = 503, {"Retry-After": "60"}
    client = connect(refusing.server_port)
    details = client.get_boolean_details("here", False)
    assert (details.value, details.error_code) == (False, ErrorCode.GENERAL)
    refusing.status = 200
    assert client.get_boolean_value("here", False) is True


def test_after_429_it_asks_nobody_until_it_may(refusing, connect):
    refusing.status, refusing.fields = 429, {"Retry-After": "1"}
    client = connect(refusing.server_port)
    assert client.get_boolean_value("here", False) is False
    refusing.status = 200
    deadline = time.monotonic() + 10
    assert client.get_boolean_value("here", False) is False
    assert refusing.asked == 1
    while not client.get_boolean_value("here", False):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert refusing.asked == 2


def test_nothing_is_kept_each_evaluation_asks(refusing, connect):
    client = connect(refusing.server_port)
    for _ in range(3):
        assert client.get_boolean_value("here", False) is True
    assert refusing.asked == 3
