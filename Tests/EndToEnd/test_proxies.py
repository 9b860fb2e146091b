"""docs/proxies.md: its settings and its configurations of nginx and HAProxy do what the page says."""

import http.client
import re
import shutil
import subprocess
import time

import pytest

import page
from server import REPOSITORY, START_DEADLINE, free_port

PAGE = (REPOSITORY / "docs" / "proxies.md").read_text()
NAME = "flags.example.com"


def block(language: str) -> str:
    """The page's only block in a language."""
    example, = page.examples(PAGE, language)
    return example.command


@pytest.fixture
def flags(start_server, tmp_path):
    """A server with the page's settings but on a port of its own, and with a flag."""
    file = tmp_path / "prod.yaml"
    file.write_text(block("yaml"))
    server = start_server("--config", file, environment="prod")
    server.create_flag("here", defaultEnabled=True)
    return server


class Proxy:
    """A proxy in front of a server."""

    def __init__(self, command: list, port: int, cwd):
        self.port = port
        self.log = open(cwd / "proxy.log", "wb")
        self.process = subprocess.Popen(command, cwd=cwd, stdout=self.log, stderr=self.log)

    def ask(self, method: str, path: str, body: bytes | None = None, host: str = NAME, **headers) -> int:
        """The status of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, {"Host": host} | headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def await_status(self, status: int):
        """Waits until the proxy answers a question for a flag so."""
        deadline = time.monotonic() + START_DEADLINE
        last = None
        while time.monotonic() < deadline:
            try:
                last = self.ask("POST", "/ofrep/v1/evaluate/flags/here", b"{}")
                if last == status:
                    return
            except OSError as error:
                last = error
            time.sleep(0.02)
        raise AssertionError(f"{last}, not {status}")


@pytest.fixture
def run_proxy(tmp_path):
    """Runs proxies, and ends them."""
    running = []

    def run(command: list, port: int) -> Proxy:
        running.append(Proxy(command, port, tmp_path))
        return running[-1]

    yield run
    for proxy in running:
        proxy.process.terminate()
        proxy.process.wait(20)


@pytest.fixture
def nginx(flags, run_proxy, tmp_path):
    """nginx with the page's configuration, in front of the server."""
    port = free_port()
    text = block("nginx").replace("listen 80;", f"listen 127.0.0.1:{port};").replace("127.0.0.1:3001", here(flags))
    file = tmp_path / "nginx.conf"
    places = "".join(f"{name}_temp_path {tmp_path}/{name};\n" for name in (
        "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    file.write_text(f"daemon off;\nmaster_process off;\npid {tmp_path}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
                    f"http {{\naccess_log off;\n{places}{text}}}\n")
    proxy = run_proxy([shutil.which("nginx") or "/usr/sbin/nginx", "-p", tmp_path, "-c", file, "-e", "stderr"], port)
    proxy.await_status(200)
    return proxy


def here(server) -> str:
    return f"127.0.0.1:{server.port}"


def accepted(server) -> float:
    return sum(server.metric("flag_server_connections_accepted_total").values())


def test_nginx_lets_everybody_ask_and_nobody_from_elsewhere_change(nginx, flags):
    assert nginx.ask("POST", "/api/evaluate", b'{"tenantId":"acme","flagKey":"here"}') == 200
    assert nginx.ask("GET", "/health/ready") == 200
    for method, path in [("GET", "/api/flags"), ("DELETE", "/api/flags/here"), ("POST", "/api/import"),
                         ("GET", "/metrics"), ("POST", "/api/emergency/kill-switch")]:
        assert nginx.ask(method, path, b"{}") == 403, path
    assert flags.evaluate("here")[0] == 200


def test_nginx_reuses_its_connections(nginx, flags):
    before = accepted(flags)
    for _ in range(20):
        assert nginx.ask("POST", "/ofrep/v1/evaluate/flags/here", b"{}") == 200
    # The reading of the metric has a connection of its own.
    assert accepted(flags) - before <= 2


def test_a_name_that_is_not_among_the_hosts_is_refused(nginx):
    assert nginx.ask("POST", "/ofrep/v1/evaluate/flags/here", b"{}", host="evil.example") == 421


def test_the_log_names_the_client_behind_the_proxy(flags):
    status, *_ = flags.request("DELETE", "/api/flags/here", headers={"X-Forwarded-For": "10.1.2.3"})
    assert status == 204
    flags.terminate()
    assert '"client":"10.1.2.3' in flags.log


def haproxy(run_proxy, flags, folder, check: str = "") -> Proxy:
    """HAProxy with the page's configuration, in front of the server; perhaps with another check."""
    port = free_port()
    text = block("haproxy").replace("bind :80", f"bind 127.0.0.1:{port}").replace("127.0.0.1:3001", here(flags))
    if check:
        text = re.sub(r"option httpchk.*", check, text)
    file = folder / "haproxy.cfg"
    # Checks in quick succession, so that the test need not wait for them.
    file.write_text(text.replace(" check\n", " check inter 50ms fall 1\n"))
    return run_proxy([shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", file], port)


def test_haproxy_asks_for_readiness_and_lets_everybody_ask(flags, run_proxy, tmp_path):
    proxy = haproxy(run_proxy, flags, tmp_path)
    deadline = time.monotonic() + START_DEADLINE
    checked = '{route="health",status="200"}'
    before = flags.metric("flag_server_http_requests_total")[checked]
    # Before its first checks HAProxy takes a server for up.
    while flags.metric("flag_server_http_requests_total")[checked] < before + 3:
        assert time.monotonic() < deadline
    assert proxy.ask("POST", "/ofrep/v1/evaluate/flags/here", b"{}") == 200
    assert proxy.ask("GET", "/api/flags") == 403
    flags.terminate()
    proxy.await_status(503)


def test_a_bare_check_of_haproxy_takes_the_server_for_down(flags, run_proxy, tmp_path):
    haproxy(run_proxy, flags, tmp_path, check="option httpchk").await_status(503)


def test_the_server_keeps_idle_connections_for_as_long_as_the_page_says(flags):
    told, = re.findall(r"`Keep-Alive: (timeout=\d+)`", PAGE)
    _, headers, _ = flags.request("GET", "/health/live")
    assert headers["Keep-Alive"] == told
