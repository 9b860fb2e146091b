"""The healthy client of the hostile drill: what it is answered, and how late, while others attack the server.

It runs in a process of its own and before all others (sched(7), where the user may), so that it measures the server and
neither the load beside it nor itself. What the machine did meanwhile it knows by a clock of its own: a thread that
sleeps a moment again and again. While that one sleeps too long nobody gets the processor, and such time counts against
no answer.
"""

import dataclasses
import http.client
import multiprocessing
import os
import random
import threading
import time

from server import FlagServer, send

ON = "witness-on"
"""The flag that is evaluated all the time."""

SWITCHED = "witness-switched"
"""The flag whose kill switch is set and taken back all the time."""

CONNECTIONS_A_LOOP = 8
"""Connections on which flags are evaluated. The first of a server, they are dealt evenly to its loops."""

EVALUATION_PERIOD = 0.1
HEALTH_PERIOD = 0.1
KILL_PERIOD = 0.2
"""Seconds from one question on a connection to the next. It is due whether or not the last one is answered: what waits
behind a late answer is late as well."""

SLEEP = 0.002
STALL = 0.005
"""Who sleeps for the one and wakes this much later was not given a processor."""

PATIENCE = 30
"""Seconds after which the witness no longer waits for an answer."""


@dataclasses.dataclass
class Seen:
    """What was seen in a stretch of time. Latencies are seconds from when a question was due, without stalls."""

    evaluations: list[float] = dataclasses.field(default_factory=list)
    healths: list[float] = dataclasses.field(default_factory=list)
    kills: list[float] = dataclasses.field(default_factory=list)
    refusals: list[str] = dataclasses.field(default_factory=list)
    complaints: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0
    stalled: float = 0

    @property
    def asked(self) -> int:
        """How many evaluations were asked for."""
        return len(self.evaluations) + len(self.refusals)

    def quantile(self, part: float) -> float:
        """Of the evaluations; one that was refused counts as never answered."""
        ordered = sorted(self.evaluations) + [float("inf")] * len(self.refusals)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("inf")


class Witness:
    """Asks from the `with` on; `look` tells what it saw since the last time."""

    def __init__(self, server: FlagServer, loops: int):
        server.create_flag(ON, defaultEnabled=True)
        server.create_flag(SWITCHED, defaultEnabled=True)
        self.end, other = multiprocessing.Pipe()
        questions = Questions(server, loops)
        self.process = multiprocessing.get_context("fork").Process(target=questions.run, args=(other,), daemon=True)

    def __enter__(self) -> "Witness":
        self.process.start()
        assert self.end.recv() == "asking"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join(10)

    def look(self) -> Seen:
        """What was seen since the last look. Waits for what is asked and not answered."""
        self.end.send("look")
        if not self.end.poll(PATIENCE * 2):
            raise AssertionError("the healthy client has ended")
        return self.end.recv()


class Questions:
    """The witness's own process: a thread for each kind of question, and one that sleeps."""

    def __init__(self, server: FlagServer, loops: int):
        self.server = server
        self.loops = loops
        self.lock = threading.Lock()
        self.asked: list[tuple[str, float, float, str | None]] = []
        self.stalls: list[tuple[float, float]] = []
        self.complaints: list[str] = []
        self.pending: dict[int, tuple[str, float]] = {}

    def run(self, orders):
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        except PermissionError:
            pass
        kinds = [self.evaluate] * (self.loops * CONNECTIONS_A_LOOP) + [self.health, self.kill]
        started = threading.Barrier(len(kinds) + 1)
        for kind in kinds:
            threading.Thread(target=kind, args=(started,), daemon=True).start()
        threading.Thread(target=self.sleep, daemon=True).start()
        started.wait(PATIENCE)
        begin = time.monotonic()
        orders.send("asking")
        while orders.recv() == "look":
            end = time.monotonic()
            orders.send(self.seen(begin, end))
            begin = end

    def seen(self, begin: float, end: float) -> Seen:
        """What was due in between, or was answered: late answers are waited for."""
        deadline = end + PATIENCE
        while time.monotonic() < deadline and any(due < end for _, due in list(self.pending.values())):
            time.sleep(0.005)
        with self.lock:
            asked = [row for row in self.asked if row[1] < end]
            self.asked = [row for row in self.asked if row[1] >= end]
            complaints, self.complaints = self.complaints, []
            stalls = list(self.stalls)
        seen = Seen(seconds=end - begin, complaints=complaints)
        seen.stalled = sum(overlap(stall, (begin, end)) for stall in stalls)
        latencies = {"evaluation": seen.evaluations, "health": seen.healths, "kill switch": seen.kills}
        for kind, due, answered, refusal in asked:
            if refusal and kind == "evaluation":
                seen.refusals.append(refusal)
                continue
            if refusal:
                seen.complaints.append(f"{kind}: {refusal}")
            latencies[kind].append(answered - due - sum(overlap(stall, (due, answered)) for stall in stalls))
        return seen

    # Questions

    def every(self, kind: str, period: float, started, ask, check=lambda connection: None):
        """Asks `ask(connection)`, which returns what is wrong with the answer or None, whenever it is due; `check` is
        the same for what follows from the answer."""
        connection = self.server.connect(PATIENCE)
        ask(connection)  # What a first request costs is paid, and the connection has got its loop.
        started.wait(PATIENCE)
        due = time.monotonic() + random.uniform(0, period)
        while True:
            # More than a period late is worth a complaint as it is, and is not to become later by itself.
            due = max(due + period, time.monotonic() - period)
            time.sleep(max(0, due - time.monotonic()))
            self.pending[threading.get_ident()] = (kind, due)
            answered = None
            try:
                wrong = ask(connection)
                answered = time.monotonic()
                wrong = wrong or check(connection)
            except (OSError, http.client.HTTPException) as failure:
                wrong = f"{type(failure).__name__}: {failure}"
                connection.close()
            with self.lock:
                self.asked.append((kind, due, answered or time.monotonic(), wrong))
            self.pending.pop(threading.get_ident(), None)

    def evaluate(self, started):
        def ask(connection):
            path, context = f"/ofrep/v1/evaluate/flags/{ON}", {"context": {"targetingKey": "witness"}}
            status, _, answer = send(connection, "POST", path, context)
            return None if status == 200 and answer["value"] is True else f"answered {status}: {answer}"

        self.every("evaluation", EVALUATION_PERIOD, started, ask)

    def health(self, started):
        """Over a new connection each time: whoever watches a server comes from outside."""

        def ask(_):
            status, _, answer = self.server.request("GET", "/health", timeout=PATIENCE)
            return None if status == 200 else f"answered {status}: {answer}"

        self.every("health", HEALTH_PERIOD, started, ask)

    def kill(self, started):
        """Sets the switch and takes it back, each a question of its own, and looks whether the answer holds."""
        is_set = False

        def ask(connection):
            nonlocal is_set
            by = {"deactivatedBy": "us"} if is_set else {"reason": "fire", "activatedBy": "us"}
            method, wanted = ("DELETE", 204) if is_set else ("POST", 200)
            status, _, answer = send(connection, method, "/api/emergency/kill-switch", {"flagKey": SWITCHED} | by)
            if status != wanted:
                return f"{method} answered {status}: {answer}"
            is_set = not is_set
            return None

        def check(connection):
            status, _, answer = send(connection, "POST", f"/ofrep/v1/evaluate/flags/{SWITCHED}", {"context": {}})
            if status == 200 and answer["value"] is is_set:
                return f"{'set' if is_set else 'taken back'}, and the flag is served as {answer}"
            return None

        self.every("kill switch", KILL_PERIOD, started, ask, check)

    def sleep(self):
        while True:
            begin = time.monotonic()
            time.sleep(SLEEP)
            end = time.monotonic()
            if end - begin > SLEEP + STALL:
                with self.lock:
                    self.stalls.append((begin + SLEEP, end))


def overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
