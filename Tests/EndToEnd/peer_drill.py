"""The hostile peers drill: thousands of connections that do nothing, send a byte a second or reset in the middle of a
body, and beside them one client that wants an answer every few milliseconds and has to get it.

    python peer_drill.py --idle 10000 --dripping 2000 --resets 500 --seconds 40

wire-server runs with its defaults, but for the bound on connections: who is cut off for being slow or idle too long
comes back at once. The crowd is one process on epoll, the healthy client another.
"""

import argparse
import dataclasses
import multiprocessing
import resource
import select
import socket
import struct
import time

from echo import Echo

P99_BOUND = 0.010
"""Seconds within which 99 of 100 answers have to come."""

BYTES_BOUND = 2048
"""Bytes that the server may keep for each connection that is idle or has sent a few bytes."""

DRIPS_A_SECOND = 20
"""The byte that each dripping connection sends a second is sent in one of so many turns."""

HEAD = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
DRIP = HEAD[:-2] + b"X-Slow: " + b"a" * 1000
RESET = struct.pack("ii", 1, 0)


@dataclasses.dataclass
class Phase:
    """What the healthy client saw while others did something."""

    name: str
    connections: int
    latencies: list[float]
    resident: int

    def quantile(self, part: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))]

    def row(self) -> str:
        times = " ".join(f"{self.quantile(part) * 1000:9.2f}" for part in (0.5, 0.99, 1))
        return f"{self.name:22} {self.connections:11} {len(self.latencies):8} {times} {self.resident / 2**20:9.1f}"


HEADER = f"{'':22} {'connections':>11} {'answers':>8} {'p50 ms':>9} {'p99 ms':>9} {'max ms':>9} {'RSS MiB':>9}"


class Crowd:
    """Hostile connections, kept up whatever the server does. Runs in a process of its own, steered by `orders`."""

    def __init__(self, port: int):
        self.port = port
        self.epoll = select.epoll()
        self.connections: dict[int, socket.socket] = {}
        self.idle: set[int] = set()
        self.drips: dict[int, int] = {}
        self.opened = 0
        self.returned = 0

    def run(self, orders):
        """Takes `(idle, dripping, resets a second)` and answers `(connections, returned)` once they are there; until
        None."""
        wanted, resets_a_second, due, turn, next_drip = (0, 0), 0.0, 0.0, 0, 0.0
        while True:
            if orders.poll(0 if len(self.connections) < sum(wanted) else 1 / DRIPS_A_SECOND / 4):
                order = orders.recv()
                if order is None:
                    return
                wanted, resets_a_second = order[:2], order[2]
                self.empty() if sum(wanted) == 0 else self.fill(wanted)
                orders.send((len(self.connections), self.returned))
                next_drip = time.monotonic()
            self.reap(wanted)
            while sum(wanted) and time.monotonic() >= next_drip:
                next_drip += 1 / DRIPS_A_SECOND
                turn = (turn + 1) % DRIPS_A_SECOND
                self.drip(turn)
                due += resets_a_second / DRIPS_A_SECOND
                while due >= 1:
                    due -= 1
                    self.reset()

    def connect(self) -> socket.socket:
        """From one of many addresses: the ports of one are soon used up."""
        self.opened += 1
        connection = socket.socket()
        connection.bind((f"127.0.0.{2 + self.opened % 50}", 0))
        connection.connect(("127.0.0.1", self.port))
        return connection

    def fill(self, wanted):
        while len(self.idle) < wanted[0]:
            self.idle.add(self.keep(self.connect()))
        while len(self.drips) < wanted[1]:
            self.drips[self.keep(self.connect())] = 0

    def empty(self):
        for connection in self.connections.values():
            connection.close()
        self.connections, self.idle, self.drips = {}, set(), {}

    def keep(self, connection) -> int:
        connection.setblocking(False)
        self.connections[connection.fileno()] = connection
        self.epoll.register(connection, select.EPOLLIN | select.EPOLLRDHUP)
        return connection.fileno()

    def reap(self, wanted):
        """Those that the server closed come back."""
        for descriptor, _ in self.epoll.poll(0):
            self.connections.pop(descriptor).close()
            self.idle.discard(descriptor)
            self.drips.pop(descriptor, None)
            self.returned += 1
        self.fill(wanted)

    def drip(self, turn):
        for descriptor, sent in list(self.drips.items()):
            if descriptor % DRIPS_A_SECOND != turn:
                continue
            try:
                self.connections[descriptor].send(DRIP[sent:sent + 1])
                self.drips[descriptor] = (sent + 1) % len(DRIP)
            except OSError:
                pass

    def reset(self):
        """Leaves in the middle of a body with a reset (SO_LINGER of no seconds, socket(7))."""
        with self.connect() as connection:
            connection.sendall(HEAD + b"a" * 5000)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def ask_on(port: int, orders):
    """The healthy client: answers a number of seconds with the latencies of a request every 5 ms, until None."""
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (seconds := orders.recv()) is not None:
            latencies = []
            end = time.monotonic() + seconds
            while (begin := time.monotonic()) < end:
                connection.sendall(request)
                assert connection.recv(4096).endswith(b"hello")
                latencies.append(time.monotonic() - begin)
                time.sleep(0.005)
            orders.send(latencies)


def drill(idle: int, dripping: int, resets: int, seconds: float, report=lambda line: None) -> list[Phase]:
    """Runs the drill and returns what the healthy client saw, phase by phase."""
    raise_descriptor_limit()
    total = idle + dripping
    with Echo("--connections", str(total + 1000)) as echo, helper(Crowd(echo.port).run) as crowd, \
            helper(lambda orders: ask_on(echo.port, orders)) as client:

        def phase(name, order, seconds):
            report(f"{name} …")
            crowd.send(order)
            connections, returned = crowd.recv()
            client.send(seconds)
            phases.append(Phase(name, connections, client.recv(), resident(echo)))

        phases: list[Phase] = []
        # Nobody is there yet, but what a first request costs is paid.
        phase("nobody else", (0, 0, 0), max(1, seconds / 10))
        phase(f"{idle:,} idle", (idle, 0, 0), max(1, seconds / 10))
        phase("and dripping, resetting", (idle, dripping, resets / seconds), seconds)
        crowd.send((0, 0, 0))
        crowd.recv()
        client.send(max(1, seconds / 10))
        phases.append(Phase("all gone", 0, client.recv(), resident(echo)))
        crowd.send(None)
        client.send(None)
    return phases


def bytes_a_connection(phases: list[Phase]) -> list[tuple[str, float]]:
    """By how much the server grew in each phase with more connections than the one before."""
    pairs = ((before, after) for before, after in zip(phases, phases[1:]) if after.connections > before.connections)
    return [(after.name, (after.resident - before.resident) / (after.connections - before.connections))
            for before, after in pairs]


class helper:
    """Another process that runs `work` with one end of a pipe; this is the other end."""

    def __init__(self, work):
        self.end, other = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        self.process = context.Process(target=work, args=(other,), daemon=True)

    def __enter__(self):
        self.process.start()
        return self.end

    def __exit__(self, *_):
        self.process.join(5)
        self.process.kill()


def resident(echo: Echo) -> int:
    with open(f"/proc/{echo.process.pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def problems(phases: list[Phase]) -> list[str]:
    """What the drill found wrong. Where the machine alone is slow already, three times as slow is what is allowed."""
    bound = max(P99_BOUND, 3 * phases[0].quantile(0.99))
    found = [f"{phase.name}: p99 is {phase.quantile(0.99) * 1000:.1f} ms, more than {bound * 1000:.0f}"
             for phase in phases if phase.quantile(0.99) > bound]
    found += [f"{name}: a connection takes {bytes:.0f} bytes, more than {BYTES_BOUND}"
              for name, bytes in bytes_a_connection(phases) if bytes > BYTES_BOUND]
    return found


def main():
    parser = argparse.ArgumentParser(description="Surrounds a healthy client with hostile peers; it must not notice.")
    parser.add_argument("--idle", type=int, default=10_000, help="connections that do nothing (default 10000)")
    parser.add_argument("--dripping", type=int, default=2000, help="that send a byte a second (default 2000)")
    parser.add_argument("--resets", type=int, default=500, help="that reset in the middle of a body (default 500)")
    parser.add_argument("--seconds", type=float, default=40, help="how long all of them are there (default 40)")
    options = parser.parse_args()
    phases = drill(
        options.idle, options.dripping, options.resets, options.seconds, lambda line: print(line, flush=True))
    print(HEADER)
    for phase in phases:
        print(phase.row())
    for name, bytes in bytes_a_connection(phases):
        print(f"{name}: {bytes:.0f} bytes of the server's memory for each of these connections")
    if found := problems(phases):
        raise SystemExit("FAILED: " + "; ".join(found))


if __name__ == "__main__":
    main()
