"""What it costs that callers show keys: the evaluation of the case ofrep, with and without."""

import http.client
import json
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import flags
import peers
import wrk
from report import Goal, Report

TITLE = "single evaluation over OFREP with an API key, one loop, 64 connections"
PACKAGES = ["nginx-light", "wrk"]

NGINX, OPEN, FEW, MANY = "nginx, one worker, static", "auth off", "auth on, 10 keys", "auth on, 10,000 keys"
TOKEN = "auth on, with a token"
PATH = f"/ofrep/v1/evaluate/flags/{flags.KEY}"
CONFIGURATION = """
profile: local
auth: on
throttle:
  administration: off
  evaluations: 1000000/s
"""


def run(options) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        directories = {name: Path(folder) / name.replace(" ", "-") for name in (OPEN, FEW, MANY)}
        file = Path(folder) / "guarded.yaml"
        file.write_text(CONFIGURATION)
        for directory in directories.values():
            peers.import_flags(directory, flags.document(10))
        guarded = ("--auth", "on", "--config", file)
        with peers.flag_server(directories[OPEN]) as opened, \
                peers.flag_server(directories[FEW], *guarded) as few, \
                peers.flag_server(directories[MANY], *guarded) as many:
            answer = peers.post(opened, PATH, flags.REQUEST).decode()
            with peers.nginx(answer) as nginx:
                keys = {FEW: make_keys(few, directories[FEW], 10, options.say),
                        MANY: make_keys(many, directories[MANY], 10_000, options.say)}
                shown = keys | {TOKEN: exchange(few, keys[FEW])}
                servers = {NGINX: nginx, OPEN: opened, FEW: few, TOKEN: few, MANY: many}
                targets = [
                    wrk.Target(name, server, PATH, [flags.REQUEST],
                               # Everybody is sent the same request, but for the token, which is longer.
                               headers=(f"Authorization: Bearer {shown.get(name, keys[FEW])}",))
                    for name, server in servers.items()]
                found = wrk.rounds(targets, options.rounds, options.seconds, options.say)
                refused = milliseconds_to_refusal(targets[-1], directories[MANY], keys[MANY])
                options.say("1,000 sign-ins a minute beside evaluations")
                beside = beside_sign_ins(few, directories[FEW], keys[FEW], max(5, options.seconds))
    return report(found, refused, beside)


def command(directory: Path, *arguments) -> str:
    """What a command on a running server's keys prints."""
    return subprocess.run([peers.build("flag-server"), "keys", *map(str, arguments), "--data-dir", directory],
                          check=True, capture_output=True, text=True).stdout.strip()


def make_keys(server, directory: Path, count: int, say) -> str:
    """Makes so many keys, and gives one of them."""
    say(f"making {count} keys")
    admin = command(directory, "create", "--name", "a", "--kind", "admin", "--environment", "*", "--role", "admin")
    body = json.dumps({"name": "bench", "kind": "server", "environment": "*"})
    made = []

    def make(number: int):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(number):
            connection.request("POST", "/api/keys", body, {"X-API-Key": admin, "Content-Type": "application/json"})
            made.append(json.loads(connection.getresponse().read())["key"])

    threads = [threading.Thread(target=make, args=((count + 7) // 8,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return made[len(made) // 2]


def exchange(server, key: str) -> str:
    """A token for a key, which is good for longer than this takes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    form = f"grant_type=client_credentials&client_id={key.split('_')[2]}&client_secret={key}"
    connection.request("POST", "/api/auth/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    return json.loads(connection.getresponse().read())["access_token"]


def milliseconds_to_refusal(target: wrk.Target, directory: Path, key: str) -> float:
    """From the begin of the request that revokes the key to its first refusal, beside the load of all connections."""
    load = threading.Thread(target=lambda: wrk.load(target, 2))
    load.start()
    time.sleep(0.5)
    refused_at = []

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", target.server.port, timeout=60)
        while True:
            connection.request("GET", "/api/whoami", headers={"X-API-Key": key})
            response = connection.getresponse()
            response.read()
            if response.status == 401:
                return refused_at.append(time.monotonic())

    asking = threading.Thread(target=ask)
    asking.start()
    control = UnixConnection(directory / "control.sock")
    revoked_at = time.monotonic()
    control.request("DELETE", f"/api/keys/{key.split('_')[2]}")
    control.getresponse().read()
    asking.join()
    load.join()
    return (refused_at[0] - revoked_at) * 1e3


def beside_sign_ins(server, directory: Path, key: str, seconds: float) -> tuple[float, str]:
    """The p99 of evaluations, in milliseconds, while somebody signs in 1,000 times a minute; and what came of those."""
    made = subprocess.run(
        [peers.build("flag-server"), "users", "create", "bench", "--role", "viewer", "--environment", "development",
         "--format", "json", "--data-dir", directory], check=True, capture_output=True, text=True)
    body = json.dumps({"username": "bench", "password": json.loads(made.stdout)["password"]})
    statuses: list[int] = []

    def sign_in():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", "/api/auth/token", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)

    found = {}
    target = wrk.Target("beside sign-ins", server, PATH, [flags.REQUEST], connections=4,
                        headers=(f"Authorization: Bearer {key}",))
    load = threading.Thread(target=lambda: found.update(wrk.load(target, seconds)))
    load.start()
    threads = []
    begun = time.monotonic()
    while load.is_alive():
        threads.append(threading.Thread(target=sign_in))
        threads[-1].start()
        time.sleep(max(0, begun + len(threads) * 0.06 - time.monotonic()))
    for thread in threads:
        thread.join()
    if found["failures"]:
        raise SystemExit(f"{found['failures']} evaluations failed beside sign-ins")
    counts = ", ".join(f"{statuses.count(status)} × {status}" for status in sorted(set(statuses)))
    return found["p99"] / 1e3, f"{len(statuses)} sign-ins in {time.monotonic() - begun:.0f} s: {counts}"


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path):
        super().__init__("localhost", timeout=60)
        self.socket_path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.socket_path)


def report(found: dict[str, wrk.Figures], refused: float, beside: tuple[float, str]) -> Report:
    """Rows with each server's figures and their ratio to nginx, the first."""
    nginx, opened = found[NGINX], found[OPEN]
    rows = [
        [name, figures.rate, figures.p50, figures.p99, figures.cpu, figures.cpu / nginx.cpu, figures.cpu / opened.cpu]
        for name, figures in found.items()]
    goals = [
        Goal("CPU per request with a key against auth off", found[FEW].cpu / opened.cpu, 1.05, "×"),
        Goal("CPU per request with a key against nginx", found[FEW].cpu / nginx.cpu, 1.05, "×"),
        Goal("CPU per request with a token against nginx", found[TOKEN].cpu / nginx.cpu, 1.15, "×"),
        Goal("CPU per request with 10,000 keys against 10", found[MANY].cpu / found[FEW].cpu, 1.05, "×"),
        Goal("from revocation to refusal under load", refused, 100, "ms"),
        Goal("p99 of evaluations beside 1,000 sign-ins a minute", beside[0], 10, "ms"),
    ]
    columns = ["server", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", "CPU, nginx = 1", "CPU, auth off = 1"]
    return Report(
        TITLE, columns, rows, goals,
        "The same evaluation as in the case ofrep, each request with a key, which auth off and nginx do not look at, or "
        "with a token; with auth on it is checked, and the throttles count it. Four connections evaluate beside sign-ins; "
        f"{beside[1]}.")
