"""Runs the unit tests with a mutant active, and keeps what was found so that a run that was cut off goes on."""

import hashlib
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent.futures import CancelledError
from dataclasses import asdict, dataclass
from pathlib import Path

from mutant_package import VARIABLE
from mutant_set import Mutant

FAILURE = re.compile(r"^\W*Test (.*) recorded an issue (?:with .* )?at (\S+?):(\d+)")
FINISHED = re.compile(r"Test run with (\d+) tests?.* (passed|failed) after")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
KEPT_LINES = 60


@dataclass
class Result:
    """What a run of the tests came to."""

    outcome: str
    """`killed`: a test failed; `crashed` and `hung` count as well; `survived`: all tests passed."""
    seconds: float
    by: str = ""
    """The test that failed first, or how the run ended."""


class TestProgram:
    """The program that has all unit tests."""

    def __init__(self, program: Path, folder: Path, patience: float):
        self.program = program
        self.folder = folder
        self.patience = patience
        self.running: set[subprocess.Popen] = set()
        self.is_stopped = False

    def end_all(self):
        """Ends the runs under way; none is a result."""
        self.is_stopped = True
        for process in list(self.running):
            end(process)

    def run(self, number: int, tests: str) -> Result:
        """Runs tests with one mutant, or none if it is 0, up to the first that fails."""
        command = [str(self.program), "--testing-library", "swift-testing", "--skip", "TidyTests"]
        command += ["--filter", tests] if tests else []
        # Of its own, since a run that is ended leaves files behind; short, since sockets have short paths.
        place = tempfile.mkdtemp(prefix="m")
        environment = os.environ | {VARIABLE: str(number), "TMPDIR": place, "SWIFT_BACKTRACE": "enable=no"}
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        self.running.add(process)
        try:
            outcome, by = self.watch(process)
        finally:
            self.running.discard(process)
            end(process)
            process.stdout.close()
            shutil.rmtree(place, ignore_errors=True)
        if self.is_stopped:
            raise CancelledError
        return Result(outcome, round(time.monotonic() - started, 1), by)

    def watch(self, process: subprocess.Popen) -> tuple[str, str]:
        """Reads along. Whoever says nothing for too long hangs: tests are told of as they begin and end."""
        lines: list[str] = []
        for line in lines_of(process, self.patience):
            if line is None:
                return "hung", f"no test ended within {self.patience:.0f} s; last: {lines[-1] if lines else 'nothing'}"
            lines = (lines + [line])[-KEPT_LINES:]
            if failure := FAILURE.match(line):
                return "killed", f"{failure[1]} ({failure[2]}:{failure[3]})"
            if (finished := FINISHED.search(line)) and finished[1] == "0":
                return "no tests", "its pattern matches no test"
        status = process.wait()
        if status == 0:
            return "survived", ""
        ended = f"signal {-status}" if status < 0 else f"status {status}"
        reasons = [line for line in lines if "Fatal error" in line] or lines[-1:]
        return "crashed", ": ".join([ended, *reasons[:1]])


def lines_of(process: subprocess.Popen, patience: float):
    """The lines that a process writes, and `None` when it wrote nothing for too long."""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        rest = b""
        while selector.select(patience):
            read = os.read(process.stdout.fileno(), 65536)
            if not read:
                return
            *whole, rest = (rest + read).split(b"\n")
            for line in whole:
                yield COLOURS.sub("", line.decode(errors="replace"))
    yield None


def end(process: subprocess.Popen):
    """Ends what a run may have left: the process and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


class Findings:
    """What was found of each mutant, in a file. It holds as long as the mutant and its file stay what they were."""

    def __init__(self, path: Path):
        self.path = path
        self.kept: dict[str, dict] = {}
        if path.is_file():
            self.kept = json.loads(path.read_text(encoding="utf-8"))

    def result(self, mutant: Mutant, mark: str) -> Result | None:
        kept = self.kept.get(mutant.id)
        if not kept or kept["mark"] != mark:
            return None
        return Result(**kept["result"])

    def keep(self, mutant: Mutant, mark: str, result: Result):
        self.kept[mutant.id] = {"mark": mark, "result": asdict(result)}
        self.write()

    def clear(self):
        self.kept = {}
        self.write()

    def write(self):
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.kept, indent=1), encoding="utf-8")
        new.replace(self.path)


def mark_of(mutant: Mutant, text: bytes) -> str:
    """What a finding is about: a mutant and the file that it is made in."""
    return hashlib.sha256(repr(mutant).encode() + text).hexdigest()[:16]
