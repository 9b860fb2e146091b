"""TLS of wire-server and flag-server, against Python's ssl module and curl."""

import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import boto3
import pytest
from botocore.config import Config

from echo import ECHO, Answer, Echo, everything
from server import binary, clean_environment, free_port

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def certificate(folder, name: str):
    """A certificate of its own making for localhost, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
         certificate], check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"), "first")


@pytest.fixture(scope="module")
def echo(files):
    with Echo("--tls-certificate", files[0], "--tls-key", files[1], "--head-timeout", "1", "--loops", "1") as running:
        yield running


def trusting(files, **settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files[0])
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def secured(echo, context, session=None) -> ssl.SSLSocket:
    return context.wrap_socket(echo.connect(), server_hostname="localhost", session=session)


def ask(connection, request=REQUEST) -> bytes:
    connection.sendall(request)
    data = b""
    while not data.endswith(b"hello"):
        received = connection.recv(65536)
        assert received, data
        data += received
    return data


def test_version_1_3_with_alpn(echo, files):
    context = trusting(files)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with secured(echo, context) as connection:
        assert (connection.version(), connection.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
        assert ask(connection).startswith(b"HTTP/1.1 200 OK\r\n")
        # Pipelined, and byte by byte.
        connection.sendall(REQUEST * 50)
        data = b""
        while data.count(b"hello") < 50:
            data += connection.recv(65536)
        for byte in REQUEST[:-1]:
            connection.sendall(bytes([byte]))
        ask(connection, REQUEST[-1:])


def test_who_speaks_something_else_only_is_refused(echo, files):
    context = trusting(files)
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="no application protocol"):
        secured(echo, context)


def test_version_1_2_only_when_configured(echo, files):
    old = trusting(files, maximum_version=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ssl.SSLError, match="VERSION"):
        secured(echo, old)
    options = ["--tls-certificate", files[0], "--tls-key", files[1], "--tls-minimum-version", "1.2"]
    with Echo(*options) as lenient, secured(lenient, old) as connection:
        assert connection.version() == "TLSv1.2"
        ask(connection)


def test_an_https_target_is_ours_now(echo, files):
    with secured(echo, trusting(files)) as connection:
        ask(connection, b"GET https://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_large_content_both_ways(echo, files):
    content = bytes(range(256)) * 4096
    with secured(echo, trusting(files)) as connection:
        head = f"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content)
        answer = Answer(everything(connection))
        assert answer.status == 200 and answer.body == content
        assert "connection" in answer.fields


def test_a_slow_reader_of_pieces_gets_them_all(echo, files):
    ran = subprocess.run(
        ["curl", "--silent", "--show-error", "--cacert", files[0], "--limit-rate", "4M",
         f"https://localhost:{echo.port}/stream?3000000"], capture_output=True, timeout=60)
    assert ran.returncode == 0 and ran.stdout == b"a" * 3_000_000, ran.stderr


def test_sessions_are_resumed_also_with_the_next_certificate(files, tmp_path):
    live, key = tmp_path / "live.pem", tmp_path / "live.key"
    live.write_bytes(files[0].read_bytes())
    key.write_bytes(files[1].read_bytes())
    context = trusting(files)
    with Echo("--tls-certificate", live, "--tls-key", key) as echo:
        with secured(echo, context) as connection:
            ask(connection)
            session = connection.session
        with secured(echo, context, session) as connection:
            ask(connection)
            assert connection.session_reused
            session = connection.session
            # Exchanged under an open connection, which stays.
            other, other_key = certificate(tmp_path, "second")
            live.write_bytes(other.read_bytes())
            key.write_bytes(other_key.read_bytes())
            echo.process.send_signal(signal.SIGHUP)
            assert "read the certificate again" in echo.process.stdout.readline()
            ask(connection)
        with secured(echo, context, session) as connection:
            assert connection.session_reused
        with secured(echo, trusting((other, other_key))) as connection:
            assert dict(entry[0] for entry in connection.getpeercert()["subject"])["commonName"] == "second"
        # What cannot be used does not come into force.
        key.write_text("no key")
        echo.process.send_signal(signal.SIGHUP)
        assert "goes on with the certificate it has" in echo.process.stdout.readline()
        with secured(echo, trusting((other, other_key))) as connection:
            ask(connection)


def test_who_does_not_speak_tls_is_closed(echo):
    with echo.connect() as connection:
        connection.sendall(REQUEST)
        assert b"HTTP" not in everything(connection)


def test_a_handshake_that_does_not_come_is_ended(echo):
    started = time.monotonic()
    with echo.connect() as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00")
        assert everything(connection) == b"" and 0.5 < time.monotonic() - started < 5


def test_handshakes_do_not_starve_others(echo, files):
    """While others shake hands as fast as they can, a request on an open connection is answered in little time."""
    context = trusting(files)
    stop = threading.Event()

    def shake():
        while not stop.is_set():
            # Hellos only: the server has the dear part of the work, and this process little.
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
            with pytest.raises(ssl.SSLWantReadError):
                client.do_handshake()
            hello = outgoing.read()
            sockets = [echo.connect() for _ in range(20)]
            for one in sockets:
                one.sendall(hello)
            for one in sockets:
                one.recv(4096)
                one.close()

    with secured(echo, context) as connection:
        ask(connection)
        shaker = threading.Thread(target=shake)
        shaker.start()
        try:
            times = []
            for _ in range(100):
                began = time.monotonic()
                ask(connection)
                times.append(time.monotonic() - began)
        finally:
            stop.set()
            shaker.join()
    assert sorted(times)[95] < 0.1


def test_files_that_cannot_be_used_are_named(files, tmp_path):
    other, other_key = certificate(tmp_path, "other")
    for names in [(tmp_path / "none.pem", files[1]), (files[0], files[0]), (files[0], other_key)]:
        ran = subprocess.run(
            [ECHO, "--port", "0", "--tls-certificate", names[0], "--tls-key", names[1]], capture_output=True, text=True,
            timeout=20)
        assert ran.returncode != 0 and str(tmp_path if "none" in str(names[0]) else names[1]) in ran.stderr, ran.stderr


def test_flag_server_speaks_tls(data_dir, files):
    port = free_port()
    process = subprocess.Popen(
        [binary(), "serve", "--port", str(port), "--data-dir", data_dir, "--tls-certificate", files[0], "--tls-key",
         files[1]], env=clean_environment(), stderr=subprocess.DEVNULL)
    try:
        ran = subprocess.run(
            ["curl", "--silent", "--show-error", "--fail", "--cacert", files[0], "--retry", "60", "--retry-delay", "1",
             "--retry-connrefused", "--retry-max-time", "20", f"https://localhost:{port}/health/ready"],
            capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0 and '"ok"' in ran.stdout, ran.stderr
        shown = subprocess.run(["curl", "--silent", "--cacert", files[0], f"https://localhost:{port}/metrics"],
                               capture_output=True, text=True, timeout=60).stdout
        end = float(re.search(r"(?m)^flag_server_certificate_expiry_time_seconds (\S+)", shown)[1])
        assert 0 < end - time.time() <= 86_400
        process.send_signal(signal.SIGHUP)
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_the_dynamodb_port_is_secured_where_it_is_asked_to_be(data_dir, tmp_path):
    main, port = free_port(), free_port()
    used = certificate(tmp_path, "used")
    process = subprocess.Popen(
        [binary(), "serve", "--port", str(main), "--data-dir", data_dir, "--tls-certificate", used[0], "--tls-key",
         used[1], "--dynamodb-port", str(port)], env=clean_environment({"FLAG_SERVER_DYNAMODB_TLS": "on"}),
        stderr=subprocess.DEVNULL)
    try:
        client = boto3.client(
            "dynamodb", endpoint_url=f"https://localhost:{port}", region_name="us-east-1", verify=str(used[0]),
            aws_access_key_id="local", aws_secret_access_key="local", config=Config(retries={"total_max_attempts": 10}))
        assert client.list_tables()["TableNames"] == ["feature-flags-local"]
        with socket.create_connection(("127.0.0.1", port)) as plain:
            plain.sendall(REQUEST)
            assert b"200" not in plain.recv(1024)
        # The next certificate is that of both ports.
        for old, new in zip(used, certificate(tmp_path, "next")):
            new.replace(old)
        process.send_signal(signal.SIGHUP)
        wanted = ssl.PEM_cert_to_DER_cert(used[0].read_text())
        deadline = time.monotonic() + 20
        for place in (main, port):
            while ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", place))) != wanted:
                assert time.monotonic() < deadline, f"port {place} has the old certificate"
                time.sleep(0.05)
    finally:
        process.terminate()
        assert process.wait(20) == 0
