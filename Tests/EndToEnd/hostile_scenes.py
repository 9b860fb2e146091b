"""The scenes of the hostile drill: each prepares a server, and says what hostile clients then do to it."""

import dataclasses
import http.client
import json
import random
import re
import socket
import time
from collections.abc import Callable

from hostile_load import Client, Report, Stage, encoded
from server import REPOSITORY

MIB = 2**20


@dataclasses.dataclass
class Attack:
    """What happens in a scene, and what has to hold while it does."""

    groups: list[tuple[int, Callable[[Client], None]]]
    """So many clients that do something again and again."""
    memory: float = 64
    """MiB that the server's limits grant this load, beside twice what it had before."""
    kill: float = 1.0
    """Seconds in which a kill switch has to be answered."""
    serves: bool = True
    """Whether the healthy client's evaluations are bound; not where the load is more than the machine can do."""
    check: Callable[[Report], list[str]] = lambda report: []
    """What else is wrong with what the load was answered; asked while it goes on."""


SCENES: dict[str, Callable[[Stage], Attack]] = {}
"""Every scene by its name; its documentation says what is done."""


def scene(play):
    SCENES[play.__name__.replace("_", "-")] = play
    return play


def flag(key: str, targeting, **members) -> dict:
    return {
        "flagKey": key, "description": f"Flag {key}", "owner": "drill", "state": "ENABLED",
        "variants": {"on": True, "off": False}, "defaultVariant": "off", "targeting": targeting} | members


def simple(key: str) -> dict:
    return {"flagKey": key, "description": f"Flag {key}", "owner": "drill", "defaultEnabled": True}


def evaluate(client: Client, key: str, context: dict):
    return client.ask("POST", f"/ofrep/v1/evaluate/flags/{key}", {"context": context})


def within(report: Report, bound: float, *asked: str) -> list[str]:
    """A complaint for each kind of request that was answered later than it should."""
    return [
        f"{what} was answered after {max(latencies):.2f} s, more than {bound}"
        for what, latencies in report.latencies.items()
        if any(what.startswith(name) for name in asked) and max(latencies) > bound]


def must_not(report: Report, *statuses: int) -> list[str]:
    return [f"{report.statuses[status]} answers with {status}" for status in statuses if report.statuses[status]]


# Rules

def operator_examples() -> list[str]:
    """The rules with which a unit test has every operator of the table look at something large."""
    tests = (REPOSITORY / "Tests" / "FlagCoreTests" / "RuleWorkTests.swift").read_text()
    pairs = re.findall(r'Example\("([^"]+)", #"(.*?)"#\)', tests)
    assert len(pairs) > 50, "the examples of operators are no longer where they were"
    return [f'{{"{name}":{arguments}}}' for name, arguments in pairs]


TEXT = "a" * 4000
LARGE = {
    "text": TEXT, "text2": TEXT, "targetingKey": TEXT, "digits": "7" * 4000, "number": 7.5, "number2": 7.5,
    "list": ["abcdefgh"] * 400, "list2": ["abcdefgh"] * 400, "object": {f"key{number}": 1 for number in range(300)},
    "object2": {f"key{number}": 1 for number in range(300)}, "path": "a." * 1990, "version": "1.0.0-" + "a" * 3900,
}
"""What those rules look at, as much of it as a context may hold."""


@scene
def rules(stage: Stage) -> Attack:
    """Each operator at its worst in a loop over 9,000 elements, for as long as a rule may run."""
    flags = []
    for number, rule in enumerate(operator_examples()):
        inner = json.loads(rule.replace('{"var":"', '{"var":"accumulator.'))
        body = {"if": [inner, {"var": "accumulator"}, {"var": "accumulator"}]}
        flags.append(flag(f"worst-{number}", {"reduce": [{"var": "items"}, body, {"var": "data"}]}))
    stage.load_flags(*flags, segments=[{"name": "s", "description": "Nobody", "owner": "drill", "keys": []}])
    context = encoded({"context": {"items": [1] * 9000, "data": LARGE, "targetingKey": "k"}})

    def work(client: Client):
        key = client.chance.choice(flags)["flagKey"]
        status, answer = client.ask("POST", f"/ofrep/v1/evaluate/flags/{key}", context)
        assert status in (200, 400, 503), f"{key} answered {status}: {answer[:200]}"

    return Attack([(4, work)])


@scene
def shared_parts(stage: Stage) -> Attack:
    """Rules of 500 bytes with lists that share their parts: 2 to the 40th elements for who counts them."""
    double = {"reduce": [list(range(40)), [{"var": "accumulator"}, {"var": "accumulator"}], 0]}
    rules = [{name: [double, double]} for name in ("===", "!==", "==", "!=", "<", "in", "cat", "merge")]
    rules += [{"in": [double, [double]]}, {"fractional": [double, ["on", 1], ["off", 1]]}, {"if": [double, "on"]}]
    flags = [flag(f"shared-{number}", {"if": [rule, "on", "off"]}) for number, rule in enumerate(rules)]
    stage.load_flags(*flags)

    def work(client: Client):
        key = client.chance.choice(flags)["flagKey"]
        body = {"tenantId": "acme", "flagKey": key}
        client.chance.choice([
            lambda: evaluate(client, key, {}), lambda: client.ask("POST", "/api/evaluate", body),
            lambda: client.ask("POST", "/api/explain", body)])()

    return Attack([(4, work)])


def share_out(stage: Stage):
    """Stores 1,000 flags that hash a text of their own each, of several KB: as much as a request may do at once."""
    stage.load_flags(*(
        flag(f"share-{number}", {"fractional": [{"cat": [{"var": "targetingKey"}, str(number)]}, ["on", 50],
                                                ["off", 50]]}) for number in range(1000)))


def ask_all(client: Client):
    """All flags, with a targeting key that is another each time."""
    key = f"{client.chance.random()}".ljust(4000, "x")
    client.ask("POST", "/ofrep/v1/evaluate/flags", {"context": {"targetingKey": key}})


@scene
def bulk(stage: Stage) -> Attack:
    """All of 1,000 flags that share out 4 KB of targeting key, which is another each time."""
    share_out(stage)
    return Attack([(4, ask_all)])


def wide_rule(chance: random.Random, conditions: int) -> dict:
    """A rule that takes long to compile: many conditions, each with texts of its own."""
    parts: list = []
    for number in range(conditions):
        parts += [{"in": [{"var": f"a{chance.random()}"}, [f"{chance.random()}" for _ in range(8)]]}, "on"]
    return {"if": parts + ["off"]}


@scene
def cold_bulk(stage: Stage) -> Attack:
    """Answers of all flags while the flags, with rules that take long to compile, change all the time."""
    flags = [flag(f"wide-{number}", wide_rule(stage.chance, 300)) for number in range(100)]
    stage.load_flags(*flags)

    def ask(client: Client):
        client.ask("POST", "/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "k"}})

    def change(client: Client):
        changed = client.chance.choice(flags)
        client.ask("PATCH", f"/api/flags/{changed['flagKey']}", {"description": f"{client.chance.random()}"})

    def ask_cold(client: Client):
        environment = client.chance.choice(["development", "staging", "production"])
        client.ask("POST", f"/ofrep/v1/evaluate/flags?environment={environment}", {"context": {}})

    return Attack([(2, ask), (1, change), (1, ask_cold)])


@scene
def explain(stage: Stage) -> Attack:
    """Explanations of rules that take long to compile, to run and to print."""
    body = {"if": [{"fractional": [{"var": "accumulator.text"}, ["a", 1]]}, {"var": "accumulator"}]}
    stage.load_flags(
        flag("wide", wide_rule(stage.chance, 900)),
        flag("long", {"reduce": [{"var": "items"}, body, {"var": "data"}]}))
    context = {"items": [1] * 9000, "data": {"text": TEXT}}

    def work(client: Client):
        key = client.chance.choice(["wide", "long"])
        client.ask("POST", "/api/explain", {"tenantId": "acme", "flagKey": key, "metadata": context})

    return Attack([(4, work)])


@scene
def overload(stage: Stage) -> Attack:
    """Four hundred clients that ask for all of those flags: more than the loops can do in time."""
    share_out(stage)

    def check(report: Report) -> list[str]:
        shed = sum(stage.server.metric("flag_server_requests_shed_total").values())
        lag = max(stage.server.metric("flag_server_loop_lag_seconds").values())
        late = [seconds for seconds in report.latencies["POST /ofrep/v1/evaluate/flags"] if seconds > 3]
        found = [] if shed else ["no request was refused for having waited (FlagServerShedsLoad does not fire)"]
        # They wait for each other, and nobody for them: the loop itself is never late.
        if lag > 0.5:
            found.append(f"the loop was {lag:.2f} s late")
        return found + [f"{len(late)} requests waited up to {max(late):.1f} s" for _ in late[:1]]

    return Attack([(400, ask_all)], serves=False, check=check)


# Memory

def load_texts(stage: Stage, count: int, size: int):
    """Flags with a text each."""
    stage.load_flags(*(
        flag(f"big-{number}", None, variants={"on": "x" * size, "off": ""}, defaultVariant="on")
        for number in range(count)))


def neglect(client: Client, request: bytes):
    """Asks and takes nothing of the answer, or a trickle, until it is cut off."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", client.stage.server.port))
        connection.sendall(request)
        time.sleep(1)
        while connection.recv(client.chance.choice([1, 64])):
            time.sleep(1)


@scene
def slow_readers(stage: Stage) -> Attack:
    """Readers that take nothing, or a trickle, of all flags at once: 7.5 MiB."""
    load_texts(stage, 38, 200_000)
    request = (b"POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               b"Content-Length: 2\r\n\r\n{}")
    # Beside what is kept, each loop has an answer at hand, in its own buffer and in that of the connection.
    return Attack([(20, lambda client: neglect(client, request))], memory=64 + 4 * 16)


@scene
def long_lists(stage: Stage) -> Attack:
    """Lists and exports of 40 MiB of flags, by readers that take nothing and by one that takes all."""
    load_texts(stage, 150, 280_000)

    def ignore(client: Client):
        path = client.chance.choice(["/api/flags?limit=1000", "/api/export"])
        neglect(client, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def take(client: Client):
        try:
            status, _ = client.ask("GET", "/api/export")
        except http.client.IncompleteRead as failure:
            raise AssertionError(f"an export was cut off on the way to a reader who takes all of it: {failure}")
        assert status in (200, 503), f"an export answered {status}"

    # Two answers may be under way at once, and one is being made: each of them in several forms for a while.
    return Attack([(10, ignore), (1, take)], memory=64 + 12 * 42)


@scene
def bodies(stage: Stage) -> Attack:
    """Items of 15 MiB that never end, in as many connections as it takes."""
    body = b'{"TableName":"' + b"x" * (15 * MIB)
    head = (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
            b"X-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1000))

    def work(_):
        with socket.create_connection(("127.0.0.1", stage.tables_port), timeout=20) as connection:
            connection.sendall(head + body)
            while True:
                connection.sendall(b"x" * 250)
                time.sleep(1)

    return Attack([(40, work)], memory=256)
