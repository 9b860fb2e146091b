"""The transport: wire-server beside other servers of HTTP, one worker each, the same request, answers of one size."""

import argparse
import contextlib
import tempfile
from pathlib import Path

import flags
import peers
import wrk
from cases import ofrep
from report import Goal, Report

TITLE = "the transport"
PACKAGES = ["nginx-light", "wrk", "nodejs", "node-express", "openssl"]

PATH = "/echo"
OURS, NGINX, EVALUATION = "wire-server", "nginx, static", "flag-server, OFREP"
PEERS = ("Hummingbird", "FlyingFox", "Node", "Express")
CONNECTIONS = (1, 64, 512)
DEPTH = 16
COLUMNS = ["server", "connections", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs", "CPU, nginx = 1", "MiB"]
CLOSING = ("Connection: close",)


def run(options) -> list[Report]:
    return [plain(options), pipelined(options), evaluation(options), encrypted(options), loops(options)]


# Each row of figures

def measure(servers: dict, options, path: str = PATH, connections=CONNECTIONS, **more) -> dict:
    """The figures of each server by its name and number of connections."""
    targets = {(name, count): wrk.Target(f"{name}, {connected(count)}", server, path, [flags.REQUEST],
                                         connections=count, may_fail=name in PEERS, **more)
               for count in connections for name, server in servers.items()}
    found = wrk.rounds(list(targets.values()), options.rounds, options.seconds, options.say)
    return {key: found[target.name] for key, target in targets.items()}


def connected(count: int) -> str:
    return "1 connection" if count == 1 else f"{count} connections"


def rows(found: dict, measure_of: str = NGINX) -> list[list]:
    return [[name, str(count), figures.rate, figures.p50, figures.p99, figures.p999, figures.cpu,
             figures.cpu / found[measure_of, count].cpu, figures.resident]
            for (name, count), figures in found.items()]


def against_nginx(found: dict, count: int, name: str, bound: float) -> Goal:
    return Goal(name, found[OURS, count].cpu / found[NGINX, count].cpu, bound, "×")


# The tables

def plain(options) -> Report:
    with everybody() as servers:
        found = measure(servers, options)
    goals = [against_nginx(found, 64, "CPU per request against nginx, 64 connections", 0.9),
             Goal("p99 against nginx, 64 connections", found[OURS, 64].p99 / found[NGINX, 64].p99, 1.2, "×")]
    goals += [Goal(f"CPU per request: {name} against wire-server", found[name, 64].cpu / found[OURS, 64].cpu, bound,
                   "×", at_most=False) for name, bound in (("Hummingbird", 5), ("Express", 18))]
    return Report(f"{TITLE}: one request after the other", COLUMNS, rows(found), goals, note())


def pipelined(options) -> Report:
    """Sixteen requests at once; the rate beside that of one at a time, in the same minutes."""
    with peers.wire_server() as echo, peers.nginx(flags.REQUEST.decode()) as nginx:
        servers = {NGINX: nginx, OURS: echo}
        single = measure(servers, options, connections=(64,))
        found = measure(servers, options, connections=(1, 64), pipelined=DEPTH)
    goal = Goal(f"rate with {DEPTH} requests at once against one at a time, 64 connections",
                found[OURS, 64].rate / single[OURS, 64].rate, 3, "×", at_most=False)
    return Report(f"{TITLE}: {DEPTH} requests at once", COLUMNS, rows(found), [goal],
                  "Latency is that of the answers to what was sent at once.")


def evaluation(options) -> Report:
    """An evaluation over OFREP beside nginx with the same answer."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        peers.import_flags(data_dir, flags.document(10))
        with peers.flag_server(data_dir) as ours:
            answer = peers.post(ours, ofrep.PATH, flags.REQUEST).decode()
            with peers.nginx(answer) as nginx:
                found = measure({NGINX: nginx, EVALUATION: ours}, options, path=ofrep.PATH)
    ratio = found[EVALUATION, 64].cpu / found[NGINX, 64].cpu
    goals = [Goal("CPU per request against nginx, 64 connections", ratio, 1.05, "×")]
    return Report(f"{TITLE}: an evaluation with JSON in and out", COLUMNS, rows(found), goals,
                  f"POST of {len(flags.REQUEST)} bytes, answer of {len(answer)} bytes.")


def encrypted(options) -> Report:
    """TLS 1.3 on connections that stay, and with a handshake for each request."""
    with peers.Certificate() as certificate, everybody(certificate) as servers:
        found = measure(servers, options)
        shaken = measure({name: servers[name] for name in (NGINX, OURS)}, short(options), connections=(64,),
                         headers=CLOSING)
    handshakes = [[f"{row[0]}, a handshake each", *row[1:]] for row in rows(shaken)]
    goals = [against_nginx(found, 64, "CPU per request against nginx, 64 connections", 1.15),
             against_nginx(shaken, 64, "CPU per request with its handshake against nginx", 1.15)]
    return Report(f"{TITLE}: TLS 1.3", COLUMNS, rows(found) + handshakes, goals,
                  f"{note()} FlyingFox has no TLS. Keys are ECDSA on P-256.")


def short(options):
    """For a connection each request: one that is closed keeps its port for a minute, and there are 28,000 ports."""
    return argparse.Namespace(**{**vars(options), "rounds": min(options.rounds, 3), "seconds": 1})


def loops(options) -> Report:
    with peers.wire_server() as one, peers.wire_server(loops=2) as two:
        found = measure({"wire-server, one loop": one, "wire-server, two loops": two}, options, connections=(64,))
    single, double = found.values()
    return Report(f"{TITLE}: two loops beside one", COLUMNS[:7] + ["CPU, one loop = 1", "MiB"],
                  rows(found, "wire-server, one loop"),
                  [Goal("CPU per request with two loops against one", double.cpu / single.cpu, 1.15, "×")],
                  "On a machine with two cores the load takes one of them for itself.")


@contextlib.contextmanager
def everybody(certificate: peers.Certificate | None = None):
    """All servers by their names; those that can speak TLS where there is a certificate."""
    with contextlib.ExitStack() as stack:
        servers = {NGINX: peers.nginx(flags.REQUEST.decode(), certificate), OURS: peers.wire_server(certificate),
                   "Hummingbird": peers.swift_peer("HummingbirdPeer", certificate),
                   "FlyingFox": peers.swift_peer("FlyingFoxPeer") if certificate is None else None,
                   "Node": peers.node(certificate), "Express": peers.express(certificate=certificate)}
        servers = {name: stack.enter_context(server) for name, server in servers.items() if server}
        for name, server in servers.items():
            if peers.post(server, PATH, flags.REQUEST) != flags.REQUEST:
                raise SystemExit(f"{name} does not answer POST {PATH} with what it was sent")
        yield servers


def note() -> str:
    return (f"POST of {len(flags.REQUEST)} bytes, answer of the same size: nginx has a fixed text, the others answer "
            "the request's content. Each has one worker, loop or process.")
