"""Evaluation alone, in one thread, beside the engines that somebody would use inside a Python program instead."""

import json
import os
import subprocess
import sys
from pathlib import Path

import peers
from report import Goal, Report

TITLE = "evaluation, one thread, nanoseconds each"
PACKAGES = ["valgrind", "binutils", "python3-venv"]

FOLDER = Path(__file__).resolve().parents[1] / "Evaluation"
SCRATCH = ".build-bench"

CASES = {
    # Name: the flag's key, or what else is measured; the goal in nanoseconds; repetitions.
    "static boolean": ("static", 60, 20_000_000),
    "one string equality": ("equality", None, 10_000_000),
    "ten rules": ("ten-rules", 1_000, 2_000_000),
    "fractional of four": ("fractional", 250, 10_000_000),
    "in over 1,000": ("in-1000", 150, 10_000_000),
    "segment of 10 keys": ("segment:10", None, 10_000_000),
    "segment of 100,000 keys": ("segment:100000", None, 10_000_000),
    "semantic version": ("semver", None, 5_000_000),
    "bulk of 100": ("bulk:100", None, 100_000),
    "bulk of 1,000": ("bulk:1000", None, 10_000),
    "parsing the request": ("parse", 400, 5_000_000),
}
# What each operator does at its worst, as often as one request may: no request keeps a loop for longer than 50 ms.
WORST = {
    "text equality": {"==": [{"var": "accumulator.text"}, {"var": "accumulator.text2"}]},
    "text order": {"<": [{"var": "accumulator.text"}, {"var": "accumulator.text2"}]},
    "digits as number": {"==": [{"var": "accumulator.digits"}, 1]},
    "sum of digits": {"+": [{"var": "accumulator.digits"}]},
    "long number": {"<": [{"var": "accumulator.number"}, 1]},
    "long whole number": {"===": [{"var": "accumulator.number"}, {"var": "accumulator.number2"}]},
    "lists": {"===": [{"var": "accumulator.list"}, {"var": "accumulator.list2"}]},
    "objects": {"===": [{"var": "accumulator.object"}, {"var": "accumulator.object2"}]},
    "search of text": {"in": [{"var": "accumulator.part"}, {"var": "accumulator.text"}]},
    "search of list": {"in": ["z", {"var": "accumulator.list"}]},
    "constant set": {"in": [{"var": "accumulator.text"}, ["1", "2", "3", "4", "5", "6"]]},
    "fractional of text": {"fractional": [{"var": "accumulator.text"}, ["a", 1], ["b", 1]]},
    "fractional of object": {"fractional": [{"var": "accumulator.object"}, ["a", 1], ["b", 1]]},
    "fractional of number": {"fractional": [{"var": "accumulator.number"}, ["a", 1], ["b", 1]]},
    "semantic version at worst": {"sem_ver": [{"var": "accumulator.version"}, "=", "1.0.0"]},
    "substring": {"substr": [{"var": "accumulator.text"}, 3]},
    "affix": {"starts_with": [{"var": "accumulator.text"}, {"var": "accumulator.text2"}]},
    "computed path": {"var": [{"var": "accumulator.path"}]},
    "missing": {"missing": [{"var": "accumulator.path"}]},
    "text of list": {"==": [{"var": "accumulator.list"}, "x"]},
    "loop alone": {"var": "accumulator.short"},
}
for worst in WORST:
    CASES[f"worst: {worst}"] = (f"spend:worst {worst}", 50_000_000, 5)
CONTEXT = {"targetingKey": "user-4711", "email": "ada@example.com", "plan": "premium", "country": "ch",
           "version": "2.3.1", "age": 42}
WORST_CONTEXT = {"items": [1] * 9_000, "data": {
    "text": "a" * 4_000, "text2": "a" * 4_000, "part": "a" * 2_000 + "b", "digits": "7" * 4_000,
    "number": int("7" * 4_000), "number2": int("7" * 4_000), "version": "1.0.0-" + "a" * 4_000, "path": "a." * 2_000,
    "list": ["abcdefgh"] * 300, "list2": ["abcdefgh"] * 300, "short": 1,
    "object": {f"key{number}": 1 for number in range(300)}, "object2": {f"key{number}": 1 for number in range(300)}}}
REQUEST = {"context": {"targetingKey": "customer-4711", "plan": "premium", "country": "ch", "email": "ada@example.com",
                       "version": "2.3.1", "tenantId": "acme-1"}}


def run(options) -> Report:
    program = build(options)
    options.say("installing the peers")
    python = install()
    sys.set_int_max_str_digits(5_000)
    data = json.dumps({"flags": document(), "context": CONTEXT, "request": REQUEST})
    worst = json.dumps({"flags": document(), "context": WORST_CONTEXT, "request": REQUEST})
    theirs = {name: [] for name in CASES}
    ours = {name: [] for name in CASES}
    for number in range(options.rounds):
        options.say(f"round {number + 1} of {options.rounds}")
        for name, (case, _, repetitions) in CASES.items():
            ours[name].append(measure(program, case, repetitions, worst if case in SPENDING else data))
        answer = json.loads(ran([python, FOLDER / "peers.py"], data))
        for name, (case, _, _) in CASES.items():
            theirs[name].append(answer.get(case, {}))
    rows, goals = [], []
    for name, (case, bound, _) in CASES.items():
        best = sorted(ours[name], key=lambda figures: figures["nanoseconds"])[len(ours[name]) // 2]
        options.say(f"counting the instructions of {name}")
        counted = None if case in SPENDING else instructions(program, case, data)
        rows.append([name, best["nanoseconds"], counted, best["allocations"],
                     *(median([figures.get(peer) for figures in theirs[name]]) for peer in PEERS)])
        if bound:
            goals.append(Goal(f"{name}", best["nanoseconds"], bound, "ns"))
        if case != "parse" and not case.startswith(("bulk", "spend")):
            goals.append(Goal(f"{name}, allocations", best["allocations"], 0, ""))
    return Report(
        TITLE, ["case", "flag-server", "instructions", "allocations", *PEERS], rows, goals,
        "The peers are called from Python, and that call is part of their figures: it is how they are used. flagd is its "
        "in-process evaluator (openfeature-flagd-core), Unleash its client's engine (yggdrasil, Rust), Flipt "
        "flipt-client's (Rust). A dash: the peer has nothing of the kind. A bulk figure is that of the whole bulk. One "
        "flag is evaluated for one context again and again: everything is in the nearest cache and every branch is "
        "foreseen, for all alike, so these are lower bounds.")


SPENDING = {case for case, _, _ in CASES.values() if case.startswith("spend:")}
PEERS = ["flagd", "Unleash", "Flipt"]


def document() -> dict:
    boolean = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
    letters = {"state": "ENABLED", "variants": {name: name for name in "abcd"}, "defaultVariant": "a"}
    # The last of ten holds.
    rules = [branch for number in range(9) for branch in (
        {"and": [{"==": [{"var": "plan"}, f"plan-{number}"]},
                 {"or": [{"==": [{"var": "country"}, "de"]}, {">": [{"var": "age"}, 65]}]}]}, "off")]
    rules += [{"and": [{"==": [{"var": "plan"}, "premium"]},
                       {"or": [{"==": [{"var": "country"}, "de"]}, {">": [{"var": "age"}, 18]}]}]}, "on", "off"]
    equality = {"if": [{"==": [{"var": "plan"}, "premium"]}, "on", "off"]}
    thousand = [f"user-{number}" for number in range(4_000, 5_000)]
    flags = {
        "static": boolean,
        "equality": boolean | {"targeting": equality},
        "ten-rules": boolean | {"targeting": {"if": rules}},
        "fractional": letters | {"targeting": {"fractional": [[name, 25] for name in "abcd"]}},
        "in-1000": boolean | {"targeting": {"if": [{"in": [{"var": "targetingKey"}, thousand]}, "on", "off"]}},
        "semver": boolean | {"targeting": {"if": [{"sem_ver": [{"var": "version"}, ">=", "2.1.0"]}, "on", "off"]}},
    }
    for name, operation in WORST.items():
        body = {"if": [operation, {"var": "accumulator"}, {"var": "accumulator"}]}
        flags[f"worst {name}"] = boolean | {"targeting": {"reduce": [{"var": "items"}, body, {"var": "data"}]}}
    for number in range(1_000):
        flags[f"bulk-{number:04d}"] = boolean if number % 3 else boolean | {"targeting": equality}
    return {"flags": flags}


def build(options) -> Path:
    options.say("building evaluation-bench")
    log = peers.REPOSITORY / ".build-tools" / "bench-evaluation.log"
    log.parent.mkdir(exist_ok=True)
    command = ["swift", "build", "-c", "release", "--scratch-path", SCRATCH, "--product", "evaluation-bench"]
    with open(log, "w") as output:
        built = subprocess.run(
            command, cwd=peers.REPOSITORY, env=os.environ | {"FLAG_SERVER_BENCH": "1"}, stdout=output, stderr=output)
    if built.returncode != 0:
        raise SystemExit(f"evaluation-bench does not build; all of the output: {log}\n{log.read_text()[-2000:]}")
    return peers.REPOSITORY / SCRATCH / "release" / "evaluation-bench"


def install() -> Path:
    """A virtual environment of their own: their requirements must not meet those of the tests."""
    return peers.python_environment("bench-evaluation", FOLDER / "requirements.txt") / "python"


def measure(program: Path, case: str, repetitions: int, data: str) -> dict:
    return json.loads(ran([program, case, repetitions], data))


def instructions(program: Path, case: str, data: str) -> float:
    """Instructions of one repetition: the difference between many and fewer, which all else has in common."""
    few, many = (200, 400) if case.startswith("bulk") else (2_000, 12_000)
    # Valgrind gives up where it cannot read what a newer compiler says for debuggers.
    bare = program.with_name(f"{program.name}-bare")
    ran(["strip", "--strip-debug", "-o", bare, program], data)
    counts = []
    for repetitions in (few, many):
        text = ran(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", bare, case, repetitions], data,
                   errors=True)
        counts.append(next(int(line.split()[-1]) for line in text.splitlines() if "Collected" in line))
    # Warming up is as long as the repetitions, up to 1,000.
    return (counts[1] - counts[0]) / (many - few + max(0, min(many, 1_000) - min(few, 1_000)))


def ran(command: list, data: str, errors: bool = False) -> str:
    done = subprocess.run([str(part) for part in command], input=data, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return done.stderr if errors else done.stdout


def median(values: list) -> float | None:
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2] if known else None
