"""What signals ask a running server for: settings that are read again, a log that tells more, and a watchdog's word."""

import datetime
import json
import signal
import socket

import pytest

from server import await_true

LIMIT = 10.0
"""Seconds in which what a signal asks for is done. Far more than it needs."""


class Configured:
    """A server with a file of settings, written anew at each call."""

    def __init__(self, start_server, path, **settings):
        self.path = path
        self.write(**settings)
        self.server = start_server("--config", path, environment=None)

    def write(self, **settings):
        self.path.write_text(json.dumps({"profile": "local", **settings}))

    def reload(self, **settings) -> str:
        """Has the settings read again; what the log says of that."""
        before = len(self.server.log)
        self.write(**settings)
        self.server.process.send_signal(signal.SIGHUP)
        ends = ("read again changed=", "stay as they were")
        await_true(
            lambda: any(end in self.server.log[before:] for end in ends), LIMIT, "no end of the reload in the log")
        return self.server.log[before:]


@pytest.fixture
def configured(start_server, tmp_path):
    def start(**settings) -> Configured:
        return Configured(start_server, tmp_path / "settings.json", **settings)
    return start


def test_what_can_be_exchanged_is_in_force_at_once_and_what_cannot_is_named(configured):
    it = configured(cors={"origins": "https://shop.example"}, log={"access": "off"})
    preflight = ("OPTIONS", "/ofrep/v1/evaluate/flags")
    fields = {"Access-Control-Request-Method": "POST", "Origin": "https://other.example"}
    assert "Access-Control-Allow-Origin" not in it.server.request(*preflight, headers=fields)[1]
    told = it.reload(cors={"origins": "https://other.example"}, log={"access": "errors"}, limits={"connections": 77})
    assert "changed=\"cors.origins, log.access\"" in told, told
    assert "take effect at the next start settings=limits.connections" in told
    def is_let_in():
        return it.server.request(*preflight, headers=fields)[1].get("Access-Control-Allow-Origin") == fields["Origin"]

    await_true(is_let_in, LIMIT, "the other origin is not let in")
    # What waits is told again.
    assert "settings=limits.connections" in it.reload(cors={"origins": "https://other.example"},
                                                      log={"access": "errors"}, limits={"connections": 77})
    it.server.evaluate("no-such-flag")
    await_true(lambda: "status=404" in it.server.log, LIMIT, "no line for the 404")
    assert "route=/ofrep/v1/evaluate/flags/{key...} status=404" in it.server.log
    assert "no-such-flag" not in it.server.log


@pytest.mark.parametrize("wrong, said", [
    ({"log": {"level": "loud"}}, "log.level must be trace, debug"),
    ({"no-such": 1}, "no-such is no setting"),
    ({"tls": {"certificate": "/nowhere.pem", "key": "/nowhere.key"}}, "/nowhere.pem"),
])
def test_settings_with_a_mistake_change_nothing(configured, wrong, said):
    it = configured(log={"access": "all"})
    told = it.reload(**{"log": {"access": "off"}, **wrong})
    assert said in told and "stay as they were" in told
    it.server.expect(200, "GET", "/api/flags")
    await_true(lambda: "route=/api/flags status=200" in it.server.log, LIMIT, "the access log is off")


def test_bounds_on_how_often_somebody_may_ask_are_exchanged(start_server, tmp_path):
    it = Configured(start_server, tmp_path / "settings.json", auth="on", throttle={"administration": "1000/min"})
    for _ in range(3):
        it.server.expect(401, "GET", "/api/flags")
    it.reload(auth="on", throttle={"administration": "1/h"})
    await_true(lambda: it.server.request("GET", "/api/flags")[0] == 429, LIMIT, "nobody has to wait")


def test_freezes_of_the_configuration_are_exchanged(configured):
    it = configured()
    it.server.create_flag("chat", defaultEnabled=True)
    now = datetime.datetime.now(datetime.UTC)
    begin, end = ((now + datetime.timedelta(days=days)).isoformat() for days in (-1, 1))
    freeze = {"environment": "development", "from": begin, "to": end, "reason": "holidays"}
    it.reload(freeze=[freeze])
    assert it.server.expect(409, "PATCH", "/api/flags/chat", {"owner": "b"})["code"] == "frozen"
    it.reload()
    it.server.expect(200, "PATCH", "/api/flags/chat", {"owner": "b"})


def test_a_reload_is_in_the_audit_log_with_what_changed(configured):
    it = configured()
    it.reload(log={"level": "debug"})
    await_true(
        lambda: it.server.expect(200, "GET", "/api/audit?action=server.reload")["records"], LIMIT,
        "no record of the reload")


def test_everything_is_told_for_a_while(configured):
    it = configured()
    it.server.expect(200, "GET", "/api/flags")
    assert "/api/flags" not in it.server.log
    it.server.process.send_signal(signal.SIGUSR1)
    await_true(lambda: "everything is told for a while minutes=10" in it.server.log, LIMIT, "not told")
    it.server.expect(200, "GET", "/api/flags")
    await_true(
        lambda: "DEBUG    request" in it.server.log and "response method=GET route=/api/flags" in it.server.log, LIMIT,
        "neither the request nor the response is told of")


def test_one_of_so_many_responses_is_told_of(configured):
    it = configured(log={"access": "1/10"}, loops=1)
    connection = it.server.connect()
    for _ in range(100):
        connection.request("GET", "/api/flags")
        connection.getresponse().read()
    it.server.terminate()
    assert 9 <= it.server.log.count("route=/api/flags") <= 11


def test_a_reader_of_the_log_that_does_not_read_keeps_no_request_waiting(data_dir, start_server):
    stuck = socket.socketpair()
    stuck[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    server = start_server(env={"FLAG_SERVER_LOG_ACCESS": "all"},
                          behind=["bash", "-c", f'exec "$@" 2>&{stuck[0].fileno()}', "bash"],
                          pass_fds=[stuck[0].fileno()])
    stuck[0].close()
    connection = server.connect()
    for _ in range(10_000):
        connection.request("GET", "/health/live")
        assert connection.getresponse().read()
    assert server.metric("flag_server_log_dropped_lines_total")[""] > 0
    stuck[1].close()
    assert server.terminate() == 0


class Notifications:
    """A socket such as systemd's, and what it has heard."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(LIMIT)

    def next(self, beginning: str) -> str:
        """The next message that begins so."""
        while True:
            heard = self.socket.recv(4096).decode()
            if heard.startswith(beginning):
                return heard


def test_systemd_hears_what_becomes_of_the_server(start_server, tmp_path):
    heard = Notifications(tmp_path / "notify")
    server = start_server(env={"NOTIFY_SOCKET": heard.path, "WATCHDOG_USEC": "300000"})
    assert heard.next("READY=1").endswith(f"STATUS=serving at {server.origin}")
    for _ in range(3):
        heard.next("WATCHDOG=1")
    server.process.send_signal(signal.SIGHUP)
    assert heard.next("RELOADING=1").startswith("RELOADING=1\nMONOTONIC_USEC=")
    heard.next("READY=1")
    assert server.terminate() == 0
    assert heard.next("STOPPING=1") == "STOPPING=1\nSTATUS=finishing what is under way"
