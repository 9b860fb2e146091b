"""SIGTERM: what was begun is answered, nothing new is taken, the exit status is 0."""

import signal
import socket
import threading
import time

import pytest

from load import Saturation
from server import send


def test_a_request_under_way_is_answered_and_the_exit_status_is_zero(server):
    body = b'{"flagKey":"last-words","description":"Sent around SIGTERM","owner":"tests","defaultEnabled":true}'
    head = ("POST /api/flags HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head.encode() + body[:20])
        await_open_connections(server, 1)
        server.process.send_signal(signal.SIGTERM)
        await_refusal(server)
        connection.sendall(body[20:])
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 201 "), answer
    assert b"connection: close" in answer.lower()
    # Asked once: a second time would end it at once.
    assert server.process.wait(20) == 0


def test_what_was_answered_around_sigterm_is_there_after_the_restart(server):
    created = []

    def write():
        connection = server.connect()
        try:
            for number in range(100_000):
                flag = {"flagKey": f"f{number}", "description": "x", "owner": "tests", "defaultEnabled": True}
                if send(connection, "POST", "/api/flags", flag)[0] != 201:
                    return
                created.append(f"f{number}")
        except Exception:
            pass  # The server is gone.

    writer = threading.Thread(target=write)
    writer.start()
    deadline = time.monotonic() + 20
    while len(created) < 50 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert server.terminate() == 0
    writer.join(20)
    server.start()
    assert {flag["flagKey"] for flag in server.all_flags()} >= set(created)
    assert len(created) >= 50


def test_idle_connections_do_not_hold_the_stop_up(server):
    idle = [server.connect() for _ in range(20)]
    for connection in idle:
        send(connection, "GET", "/health/live")
    started = time.monotonic()
    assert server.terminate() == 0
    assert time.monotonic() - started < 5
    for connection in idle:
        assert connection.sock.recv(1) == b""


def test_a_command_that_says_nothing_does_not_hold_the_stop_up(server, data_dir):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(data_dir / "control.sock"))
        started = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - started < 5


def half_a_request(server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(b"POST /api/flags HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
    await_open_connections(server, 1)
    return connection


def test_asked_a_second_time_it_ends_at_once(server):
    with half_a_request(server):
        server.process.send_signal(signal.SIGTERM)
        await_refusal(server)
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 1
        assert time.monotonic() - started < 5
    assert "ended at once, asked to stop again" in server.log
    server.start()


def test_a_saturated_server_stops_too(server):
    server.create_flag("busy", defaultEnabled=True)
    with pytest.raises(OSError):
        with Saturation(server, "busy", connections=4):
            assert server.terminate() == 0
            raise ConnectionError("stopped")


def test_sigint_stops_as_sigterm_does(server):
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20) == 0


def test_a_stopped_server_leaves_no_socket_and_starts_again(server, data_dir):
    server.create_flag("kept", defaultEnabled=True)
    assert server.terminate() == 0
    assert not (data_dir / "control.sock").exists()
    server.start()
    assert server.evaluate("kept")[1]["value"] is True


def await_open_connections(server, count: int):
    """Returns once the server has taken `count` connections, which the kernel's table shows with their owner."""
    port = f"{server.port:04X}"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with open("/proc/net/tcp") as table:
            rows = [line.split() for line in table][1:]
        # Established, at the server's end, and all bytes read by the server.
        taken = [row for row in rows if row[1].endswith(":" + port) and row[3] == "01" and row[4].endswith(":00000000")]
        if len(taken) >= count:
            return
        time.sleep(0.002)
    raise AssertionError("the server never took the connection")


def await_refusal(server):
    """Returns once new connections are refused."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
        except ConnectionError:
            return
        time.sleep(0.002)
    raise AssertionError("a stopping server still takes connections")


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while received := connection.recv(65536):
        data += received
    return data
