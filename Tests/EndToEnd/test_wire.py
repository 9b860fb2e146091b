"""The cases of `wire_cases` on raw sockets: wire-server does what the RFCs say, however the bytes are split; nginx and
Node do the same, or `wire_differences` says why not. `pytest test_wire.py -s -k peers` prints the table."""

import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from echo import Echo
from server import free_port
from wire import outcome
from wire_cases import CASES
from wire_differences import DIFFERENCES

PEERS = Path(__file__).with_name("peers")

EXPLAINED = {rule: outcomes for rules in DIFFERENCES.values() for rule, outcomes in rules.items()}


@pytest.fixture(scope="module")
def echo():
    with Echo() as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=str)
def test_whole(echo, case):
    assert outcome(echo.port, case) == case.outcome


@pytest.mark.parametrize("case", [case for case in CASES if len(case.data) < 1000], ids=str)
def test_byte_by_byte(echo, case):
    """The same for every byte in a segment of its own."""
    pieces = [bytes([byte]) for byte in case.data]
    assert without_interim(outcome(echo.port, case, pieces)) == case.outcome


@pytest.mark.parametrize("case", CASES, ids=str)
def test_random_splits(echo, case):
    """The same however it is split."""
    for seed in range(8):
        generator = random.Random(seed)
        longest = max(8, len(case.data) // 20)
        pieces, start = [], 0
        while start < len(case.data):
            end = start + generator.randint(1, longest)
            pieces.append(case.data[start:end])
            start = end
        assert without_interim(outcome(echo.port, case, pieces)) == case.outcome, f"seed {seed}"


def without_interim(outcome: str) -> str:
    """Whether 100 is due depends on what has come by then (RFC 9110 §10.1.1)."""
    return outcome.removeprefix("100 ")


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    folder, port, reader = tmp_path_factory.mktemp("nginx"), free_port(), free_port()
    text = (PEERS / "nginx.conf").read_text().replace("PORT", str(port)).replace("READER", str(reader))
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen([program, "-p", folder, "-c", "nginx.conf"])
    yield from running(process, port)


@pytest.fixture(scope="module")
def node():
    process = subprocess.Popen(["node", PEERS / "node.js"], stdout=subprocess.PIPE, text=True)
    yield from running(process, int(re.search(r":(\d+)", process.stdout.readline())[1]))


def running(process: subprocess.Popen, port: int):
    """The port, once there is an answer on it; ends the process behind that."""
    deadline = time.monotonic() + 10
    try:
        while True:
            try:
                assert outcome(port, CASES[0]) == "200 kept"
                break
            except ConnectionError:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def test_peers_do_the_same_or_it_is_said_why_not(nginx, node):
    unexplained = []
    for case in CASES:
        results = {peer: outcome(port, case) for peer, port in (("nginx", nginx), ("node", node))}
        print(f"{case.rule[:70]:70} {case.outcome:20} " + " ".join(f"{result:20}" for result in results.values()))
        for peer, result in results.items():
            if result not in (case.outcome, *EXPLAINED.get(case.rule, {}).get(peer, "").split(" | ")):
                unexplained.append(f"{case.rule}: wire-server {case.outcome}, {peer} {result}")
    assert not unexplained, "\n".join(unexplained)


def test_differences_are_of_cases_and_name_a_section():
    rules = {case.rule for case in CASES}
    assert len(rules) == len(CASES), "a rule stands twice"
    for because, differences in DIFFERENCES.items():
        assert re.match(r"(9110|9112|3986|6585) §\d", because), because
        assert not differences.keys() - rules
