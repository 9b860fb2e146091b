"""Prometheus and Alertmanager, with the configuration as it is shipped, tell of real servers in trouble within the time
that the operations guide gives them: the right people, over webhooks, Slack and mail."""

import itertools
import json
import re
import sqlite3
import subprocess
import threading
import time

import pytest

import page
from alerting import rules
from monitoring import FACTOR, Monitoring, is_missing, seconds
from server import REPOSITORY, FlagServer, binary, run_command

SLACK = 12
"""Seconds that a loaded machine may take on top of what rules and intervals add up to."""

FLAG = {"description": "Somebody's flag", "owner": "tests", "defaultEnabled": True}


class Trouble:
    """Does something to a server again and again, on a thread of its own, until the block ends."""

    def __init__(self, work):
        self.work = work
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.stopping.is_set():
            try:
                self.work()
            except OSError:
                self.stopping.wait(0.1)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(30)


def fails(server: FlagServer) -> Trouble:
    """Every write is answered with 503, since no file may become longer than 4 KiB any more, and one request of thirty
    is a write: more than 1 % are errors, and fewer than the 5 % of FlagServerManyErrors, which silences this one.
    """
    subprocess.run(["prlimit", f"--pid={server.process.pid}", "--fsize=4096"], check=True)

    def work():
        for _ in range(29):
            server.request("POST", "/ofrep/v1/evaluate/flags/asked", {})
        server.request("POST", "/api/flags", FLAG | {"flagKey": "unwritten"})
        time.sleep(0.05)

    return Trouble(work)


def is_slow(server: FlagServer) -> Trouble:
    """A write takes as long as another program keeps the store locked."""
    numbers = itertools.count()

    def work():
        lock = sqlite3.connect(server.data_dir / "flags.db", isolation_level=None, timeout=10)
        lock.execute("BEGIN IMMEDIATE")
        write = threading.Thread(
            target=lambda: server.request("POST", "/api/flags", FLAG | {"flagKey": f"slow-{next(numbers)}"}))
        write.start()
        time.sleep(0.8)
        lock.execute("ROLLBACK")
        lock.close()
        write.join()

    return Trouble(work)


def asks_too_often(server: FlagServer, key: str) -> Trouble:
    """A client with a key for one evaluation a second asks for more."""
    def work():
        server.request("POST", "/ofrep/v1/evaluate/flags/asked", {}, {"Authorization": f"Bearer {key}"})
        time.sleep(0.02)

    return Trouble(work)


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Starts servers under names; they are stopped at the end of the module."""
    servers = []

    def start(name: str, *options, **settings) -> FlagServer:
        server = FlagServer(tmp_path_factory.mktemp(name) / "data", *options, **settings)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.stop()


def made_key(server: FlagServer, *options) -> str:
    made = run_command("keys", "create", "--name", "tests", "--data-dir", server.data_dir, *options)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture(scope="module")
def scene(started, tmp_path_factory):
    """Four servers, of which one shall be killed, and who watches them."""
    if reason := is_missing():
        pytest.skip(reason)
    # Ignored signals stay ignored: a server that may write no more shall learn it from the call that fails.
    survivor = ("sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh")
    servers = {
        "guarded": started("guarded", "--auth", "on"), "failing": started("failing", behind=survivor),
        "slow": started("slow"), "gone": started("gone"),
    }
    key = made_key(servers["guarded"], "--kind", "admin", "--environment", "*", "--role", "viewer")
    targets = [f"127.0.0.1:{server.port}" for server in servers.values()]
    with Monitoring(tmp_path_factory.mktemp("prometheus"), targets, key) as monitoring:
        yield servers, monitoring


def await_scrapes(monitoring: Monitoring, count: int):
    deadline = time.monotonic() + SLACK
    while (seen := monitoring.targets()) and (len(seen) < count or set(seen.values()) != {"up"}):
        assert time.monotonic() < deadline, f"{seen}\n{monitoring.logs()}"
        time.sleep(0.1)


def rule(alert: str) -> dict:
    return next(rule for rule in rules() if rule["alert"] == alert)


TOLD = [
    ("gone", "FlagServerDown", ["/notification", "on-call@example.com"]),
    ("guarded", "FlagServerThrottles", ["/notification", "/capacity"]),
    ("slow", "FlagServerVerySlow", ["/notification"]),
    ("failing", "FlagServerStoreNotWritable", ["/notification"]),
    ("failing", "FlagServerErrors", ["/notification", "/slack"]),
]
"""Which server is in which trouble, by the alert that tells of it, and who is told."""


@pytest.fixture(scope="module")
def told(scene) -> dict[tuple[str, str], float]:
    """After how many seconds of trouble each of `TOLD` was told, by alert and receiver. The trouble is over then."""
    servers, monitoring = scene
    await_scrapes(monitoring, len(servers))
    key = made_key(servers["guarded"], "--kind", "server", "--environment", "development", "--rate", "1/s")
    arrivals = {}
    with asks_too_often(servers["guarded"], key), is_slow(servers["slow"]), fails(servers["failing"]):
        servers["gone"].kill()
        began = time.monotonic()
        for name, alert, receivers in TOLD:
            for receiver in receivers:
                message = monitoring.receiver.await_message(
                    receiver, alert, f"127.0.0.1:{servers[name].port}", until=began + latest(alert))
                arrivals[alert, receiver] = message.at - began
    return arrivals


def earliest(alert: str) -> float:
    return seconds(rule(alert)["for"]) / FACTOR


def latest(alert: str) -> float:
    """The time that a rule waits, the window of the rates, a scrape, an evaluation, what Alertmanager collects for."""
    return earliest(alert) + (60 + 15 + 15 + 30) / FACTOR + SLACK


@pytest.mark.parametrize(("alert", "receiver"), [(alert, to) for _, alert, who in TOLD for to in who])
def test_who_has_to_know_is_told_in_time(told, alert, receiver):
    assert earliest(alert) <= told[alert, receiver] <= latest(alert)


def test_what_raises_capacity_learns_when_it_is_enough(scene, told):
    _, monitoring = scene
    # The window of the rate, and the interval of messages on a group.
    until = time.monotonic() + (60 + 300) / FACTOR + SLACK
    monitoring.receiver.await_message("/capacity", "FlagServerThrottles", '"status":"resolved"', until=until)


def test_a_ticket_is_one_mail_and_nothing_else(scene):
    _, monitoring = scene
    ticket = {"alertname": "FlagServerBackupOld", "severity": "ticket", "instance": "elsewhere:3001"}
    monitoring.ask(monitoring.alertmanager, "POST", "/api/v2/alerts", [{"labels": ticket}])
    until = time.monotonic() + 30 / FACTOR + SLACK
    monitoring.receiver.await_message("feature-flags@example.com", "FlagServerBackupOld", until=until)
    told = {message.to for message in monitoring.receiver.messages if "FlagServerBackupOld" in message.text}
    assert told == {"feature-flags@example.com"}


def test_a_server_that_is_gone_is_not_also_called_slow(scene):
    _, monitoring = scene
    gone = {"alertname": "FlagServerDown", "severity": "page", "instance": "elsewhere:3002"}
    slow = gone | {"alertname": "FlagServerVerySlow", "notify": "notification"}
    monitoring.ask(monitoring.alertmanager, "POST", "/api/v2/alerts", [{"labels": gone}, {"labels": slow}])
    until = time.monotonic() + 10 / FACTOR + SLACK
    monitoring.receiver.await_message("/notification", "elsewhere:3002", until=until)
    silent = {
        alert["labels"]["alertname"] for alert in monitoring.alerts()
        if alert["labels"]["instance"] == "elsewhere:3002" and alert["status"]["inhibitedBy"]}
    assert silent == {"FlagServerVerySlow"}
    told = [json.loads(message.text) for message in monitoring.receiver.messages
            if message.to == "/notification" and "elsewhere:3002" in message.text]
    assert {alert["labels"]["alertname"] for message in told for alert in message["alerts"]} == {"FlagServerDown"}


def test_the_page_on_monitoring_works_as_pasted(scene, tmp_path):
    servers, monitoring = scene
    own = f"{binary()} keys create --data-dir {servers['guarded'].data_dir}"
    places = {
        "sudo ": "", "-g prometheus ": "", "/etc/prometheus": str(tmp_path), "flag-server keys create": own,
        "127.0.0.1:3001": f"127.0.0.1:{servers['slow'].port}", "127.0.0.1:9090": f"127.0.0.1:{monitoring.prometheus}",
        "127.0.0.1:9093": f"127.0.0.1:{monitoring.alertmanager}"}
    printed = ""
    for example in page.examples((REPOSITORY / "docs" / "monitoring.md").read_text()):
        command = example.command.replace("\\\n", "")
        # What changes this machine, or asks a Grafana that is not here.
        command = re.sub(r"(?m)^(sudo apt-get|sudo systemctl|echo 'ARGS|jq) .*\n", "", command)
        for there, place in places.items():
            command = command.replace(there, place)
        ran = subprocess.run(["bash", "-eo", "pipefail", "-c", command], cwd=REPOSITORY, stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
        printed += ran.stdout
    shown = {"Authorization": f"Bearer {(tmp_path / 'flag-server.key').read_text().strip()}"}
    assert servers["guarded"].request("GET", "/metrics", headers=shown)[0] == 200
    assert f"127.0.0.1:{servers['guarded'].port}" in printed and "capacity,notification" in printed
    for receiver in ("/notification", "/slack"):
        monitoring.receiver.await_message(receiver, "FlagServerDrill", until=time.monotonic() + 10 / FACTOR + SLACK)
