"""wire-server: what RFC 9110 and 9112 ask of a server, on raw sockets. How bytes are framed is tested in
Tests/HTTPTransportTests; this is what the program adds."""

import gzip
import os
import socket
import subprocess
import time

import pytest

from echo import ECHO, Answer, Echo, everything


@pytest.fixture(scope="module")
def echo():
    with Echo() as running:
        yield running


@pytest.mark.parametrize("rule, line, status, allow", [
    ("9110 §9.3.1: GET", "GET /", 200, None),
    ("9110 §4.2.3: an unreserved character may be encoded", "OPTIONS /%65cho", 204, "OPTIONS, POST"),
    ("9110 §9.3.7: OPTIONS of the server", "OPTIONS *", 204, "GET, HEAD, OPTIONS, POST"),
    ("9110 §9.3.7: OPTIONS of a resource", "OPTIONS /", 204, "GET, HEAD, OPTIONS"),
    ("9110 §15.5.6: a known method elsewhere", "PUT /", 405, "GET, HEAD, OPTIONS"),
    ("9110 §15.5.6: GET of what takes POST", "GET /echo", 405, "OPTIONS, POST"),
    ("9110 §9.3.8: TRACE", "TRACE /", 405, "GET, HEAD, OPTIONS"),
    ("9110 §15.6.2: an unknown method", "BREW /", 501, None),
    ("9110 §15.6.2: an unknown method of nothing", "BREW /nothing", 501, None),
    ("9110 §9.1: methods are case-sensitive", "get /", 501, None),
    ("9110 §15.5.5: nothing", "GET /nothing", 404, None),
    ("9110 §7.4: https without TLS", "GET https://a/", 421, None),
    ("9112 §3.2.2: absolute form", "GET http://b/", 200, None),
])
def test_methods_and_targets(echo, rule, line, status, allow):
    answer = echo.ask(line)
    assert (answer.status, answer.fields.get("allow")) == (status, allow), rule
    assert answer.fields["connection"] == "close" and "date" in answer.fields
    if status >= 400:
        assert answer.body and answer.fields["content-type"].startswith("text/plain")


def test_head_has_the_fields_of_get(echo):
    """RFC 9110 §9.3.2."""
    get, head = echo.ask("GET /"), echo.ask("HEAD /")
    assert head.body == b"" and get.body == b"hello"
    own = {"date": "", "x-request-id": ""}
    assert get.fields | own == head.fields | own
    assert echo.ask("HEAD /nothing").body == b""


def test_conditional_requests(echo):
    """RFC 9110 §13, §15.4.5."""
    first = echo.ask("GET /")
    tag, modified = first.fields["etag"], first.fields["last-modified"]
    for field in (f"If-None-Match: {tag}", f"If-None-Match: \"x\", W/{tag}", f"If-Modified-Since: {modified}"):
        unchanged = echo.ask("GET /", field)
        assert (unchanged.status, unchanged.body, unchanged.fields["etag"]) == (304, b"", tag)
        assert "content-length" not in unchanged.fields
    assert echo.ask("GET /", "If-None-Match: \"x\"", f"If-Modified-Since: {modified}").status == 200
    assert echo.ask("GET /", "If-Match: \"x\"").status == 412
    assert echo.ask("GET /", "If-Unmodified-Since: Sunday, 06-Nov-94 08:49:37 GMT").status == 412
    assert echo.ask("OPTIONS /", "If-Match: \"x\"").status == 204
    assert echo.ask("POST /echo", "If-Match: *", "Content-Length: 0").status == 412
    assert echo.ask("POST /echo", "If-None-Match: *", "Content-Length: 0").status == 200


def test_what_is_not_understood_is_passed_over(echo):
    """RFC 9110 §5.1, §7.6.2, §7.8, §14.2, §12.5."""
    fields = ["Upgrade: h2c", "Max-Forwards: 0", "Range: bytes=0-1", "Accept: image/png", "TE: gzip", "X-Unknown: 1"]
    answer = echo.ask("GET /", *fields)
    assert (answer.status, answer.body) == (200, b"hello")


def test_content_comes_back_as_it_was_called(echo):
    fields = ["Content-Type: text/x-mine", "Content-Encoding: x-mine", "Transfer-Encoding: chunked"]
    answer = echo.ask("POST /echo", *fields, body=b"2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n")
    assert (answer.body, answer.fields["content-type"], answer.fields["content-encoding"]) == (
        b"abc", "text/x-mine", "x-mine")


@pytest.mark.parametrize("line, status", [
    ("POST /nothing", 404), ("PUT /", 405), ("PUT /echo", 405), ("BREW /", 501), ("POST /echo", 100),
])
def test_content_is_asked_for_when_it_matters(echo, line, status):
    """RFC 9110 §10.1.1: who waits for 100 gets that, or at once the answer that needs no content."""
    head = f"{line} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n".encode()
    with echo.connect() as connection:
        for byte in head:
            connection.sendall(bytes([byte]))
        answer = Answer(connection.recv(4096))
        assert answer.status == status
        if status == 100:
            connection.sendall(b"hello")
            assert Answer(connection.recv(4096)).body == b"hello"
        else:
            assert answer.fields["connection"] == "close"


def test_no_answer_waits_for_an_acknowledgement(echo):
    """Head and content leave at once and in one piece: with Nagle's algorithm (RFC 896), each answer takes 40 ms."""
    with echo.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin = time.monotonic()
        for _ in range(100):
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            connection.sendall(b"hello")
            assert connection.recv(4096).endswith(b"hello")
        assert time.monotonic() - begin < 2


def test_a_dripped_body_is_ended():
    """A byte a second defeats a time-out for each read; the least rate does not let it."""
    with Echo("--rate-grace", "0.2", "--body-rate", "1000") as echo, echo.connect() as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx")
        answer = Answer(everything(connection))
        assert (answer.status, answer.fields["connection"]) == (408, "close")


@pytest.mark.parametrize("value", ["nan", "inf", "1e30", "3601", "soon"])
def test_times_that_are_none_are_named(value):
    for option in ("--head-timeout", "--drain"):
        started = subprocess.run([ECHO, "--port", "0", option, value], capture_output=True, text=True, timeout=10)
        assert (started.returncode, started.stdout) == (64, "")
        assert f"'{value}' is invalid for '{option}" in started.stderr


def test_running_out_of_descriptors_is_told_and_passes():
    """Those who connect wait a while, are told 503, and once there are descriptors again all is well."""
    with Echo(prefix=["prlimit", "--nofile=40:40"]) as echo:
        open_connections = [echo.connect() for _ in range(60)]
        for connection in open_connections:
            connection.settimeout(0.1)
        refused = []
        for _ in range(60):
            for connection in open_connections:
                try:
                    if data := connection.recv(4096):
                        refused.append(Answer(data))
                except (TimeoutError, ConnectionResetError):
                    pass
            if len(refused) > 10:
                break
        assert len(refused) > 10
        assert all(answer.status == 503 and answer.fields["retry-after"] == "1" for answer in refused)
        for connection in open_connections:
            connection.close()
        deadline = time.monotonic() + 10
        while echo.ask("GET /").status != 200:
            # The server has not taken note yet.
            assert time.monotonic() < deadline


def test_unix_sockets_and_ipv6(tmp_path):
    path = tmp_path / "echo.sock"
    with Echo("--host", f"127.0.0.1, ::1, unix:{path}") as echo:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert Answer(everything(connection)).body == f"process {os.getpid()}".encode()
        assert echo.ask("GET /peer", "X-Forwarded-For: 192.0.2.1").body == b"127.0.0.1"
    assert not path.exists()


def test_trusted_proxies_say_who_asks():
    with Echo("--trusted-proxies", "127.0.0.0/8") as echo:
        assert echo.ask("GET /peer", "X-Forwarded-For: 192.0.2.1").body == b"192.0.2.1"


def test_systemd_hands_its_socket_over():
    """The socket is opened before the program is started, and the program is started by the first connection."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    activator = subprocess.Popen(
        ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", ECHO], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", port), timeout=10)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        with connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert Answer(everything(connection)).body == b"hello"
    finally:
        activator.terminate()
        assert activator.wait(20) == 0


def test_long_text_is_compressed_for_who_asks(echo):
    text = b"all work and no play " * 200
    fields = ["Content-Type: text/plain", f"Content-Length: {len(text)}"]
    plain = echo.ask("POST /echo", *fields, body=text)
    packed = echo.ask("POST /echo", *fields, "Accept-Encoding: br, gzip;q=0.8", body=text)
    assert plain.body == text and gzip.decompress(packed.body) == text and len(packed.body) < 200
    assert packed.fields["content-encoding"] == "gzip"
    assert plain.fields["vary"] == packed.fields["vary"] == "Accept-Encoding"


def test_content_in_pieces(echo):
    """Chunked, and held back by a client that does not read; curl understands it."""
    ran = subprocess.run(
        ["curl", "--silent", "--show-error", "--limit-rate", "4M", f"http://127.0.0.1:{echo.port}/stream?3000000"],
        capture_output=True, timeout=60)
    assert ran.returncode == 0 and ran.stdout == b"a" * 3_000_000
    assert echo.ask("GET /stream?5").fields["transfer-encoding"] == "chunked"
