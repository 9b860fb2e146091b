"""The hostile drill: clients that want the loops, the writer or the memory for themselves, and web pages that want in.
Beside them a healthy client asks for health, for a flag and for a kill switch all the time, and has to get each.

    python hostile_drill.py --scene conditions --scene bulk --seconds 20 --seed 7

Each scene has a server of its own. It ends with SIGTERM while the attack goes on, which has to be obeyed as well.
"""

import argparse
import dataclasses
import os
import random
import shutil
import socket
import tempfile
import time
from pathlib import Path

import hostile_pages  # noqa: F401
import hostile_writes  # noqa: F401
from hostile_load import SERVER_TURN, Load, Report, Stage, slow_disk_library, turn_of_session
from hostile_scenes import MIB, SCENES, Attack
from witness import Seen, Witness

HEALTH_BOUND = 1.0
"""Seconds in which `/health` has to be answered."""

P99_BOUND = 0.05
"""Seconds within which 99 of 100 evaluations have to be answered."""

HANDLER, DRAIN = 5, 1
"""Seconds of `timeouts.handler` and `timeouts.drain`, shorter than usual so that a scene sees them pass."""

TIMEOUTS = {"GET /api/export": 600, "POST /api/import": 600, "GET /": HANDLER, "PUT /": HANDLER, "POST /": HANDLER,
            "PATCH /": HANDLER, "DELETE /": HANDLER, "": 300}
"""Seconds that an answer may take by what was asked, the first that begins so; the last are operations on tables."""

GRACE = 2.0
"""Seconds that the load itself may take to notice an answer: it is many threads, and runs behind everybody else."""

LATE_MIN = 3
"""How many answers have to be late before their part of all is looked at: one says nothing of a second."""

STALLED_MAX = 0.2
"""Which part of a scene nobody may have had a processor in; beyond, the machine is measured and not the server."""


@dataclasses.dataclass
class Outcome:
    """What was seen in a scene."""

    name: str
    attack: Attack
    quiet: Seen
    seen: Seen
    report: Report
    idle: int
    peak: int
    stop: float = 0
    problems: list[str] = dataclasses.field(default_factory=list)

    @property
    def is_judged(self) -> bool:
        return self.seen.stalled <= STALLED_MAX * self.seen.seconds

    def row(self) -> str:
        times = [self.seen.quantile(0.5), late(self.seen), *(
            max(latencies, default=0) for latencies in (self.seen.healths, self.seen.kills))]
        answers = sum(self.report.statuses.values())
        refused = sum(count for status, count in self.report.statuses.items() if status >= 429)
        verdict = "ok" if not self.problems else "FAILED"
        return (f"{self.name:18} " + " ".join(f"{value * 1000:8.1f}" for value in times)
                + f" {answers:8} {refused:8} {self.idle / MIB:7.0f} {self.peak / MIB:7.0f} {self.stop:7.1f}"
                + f" {100 * self.seen.stalled / self.seen.seconds:6.1f}  {verdict if self.is_judged else 'not judged'}")


HEADER = (f"{'':18} {'p50 ms':>8} {'p99 ms':>8} {'health':>8} {'kill':>8} {'hostile':>8} {'refused':>8}"
          f" {'idle MB':>7} {'peak MB':>7} {'stop s':>7} {'stall %':>6}")


def play(name: str, stage: Stage, seconds: float, seed: int, patience: float) -> Outcome:
    """Plays one scene on a server of its own. Latencies may be `patience` times as long as they should be."""
    server = stage.server.start()
    turn_of_session(server.process.pid, SERVER_TURN)
    try:
        with Witness(server, loops=os.cpu_count() or 2) as witness, socket.socket(socket.AF_UNIX) as silent:
            attack = SCENES[name](stage)
            witness.look()
            time.sleep(min(1.0, seconds / 2))
            quiet, idle = witness.look(), stage.resident()
            stage.forget_peak()
            with Load(stage, attack.groups, seed) as load:
                time.sleep(seconds)
                seen, report = witness.look(), load.report()
                outcome = Outcome(name, attack, quiet, seen, report, idle, stage.resident("VmHWM"))
                outcome.problems = problems(outcome, patience) + checked(attack, report)
                # Nor does an administrator's command hold the stop up that says nothing.
                silent.connect(str(server.data_dir / "control.sock"))
                begin = time.monotonic()
                status = server.terminate()
                outcome.stop = time.monotonic() - begin
        if outcome.stop > DRAIN + 2 + GRACE * patience:
            outcome.problems.append(f"it stopped only after {outcome.stop:.1f} s")
        if status not in (0, 1):
            outcome.problems.append(f"it ended with status {status}: {server.log[-2000:]}")
        return outcome
    finally:
        server.kill()


def checked(attack: Attack, report: Report) -> list[str]:
    try:
        return attack.check(report)
    except AssertionError as failure:
        return [str(failure)]


def late(seen: Seen) -> float:
    """The latency that 99 of 100 evaluations stay below, and all but a few in any case."""
    return seen.quantile(1 - max(0.01, LATE_MIN / max(LATE_MIN, seen.asked)))


def problems(outcome: Outcome, patience: float) -> list[str]:
    """What the healthy client and the load saw that must not be."""
    seen, attack = outcome.seen, outcome.attack
    found = list(dict.fromkeys(seen.complaints)) + outcome.report.complaints
    for what, latencies, bound in (("health", seen.healths, HEALTH_BOUND), ("a kill switch", seen.kills, attack.kill)):
        if not latencies or max(latencies) > bound * patience:
            found.append(f"{what} took {max(latencies, default=float('inf')):.2f} s, more than {bound}")
    # Where the machine alone is slow already, three times as slow is what is allowed.
    bound = max(P99_BOUND, 3 * late(outcome.quiet)) * patience
    if attack.serves and late(seen) > bound:
        found.append(
            f"p99 of evaluations is {late(seen) * 1000:.0f} ms, more than {bound * 1000:.0f}"
            + (f", with {len(seen.refusals)} refused: {seen.refusals[0]}" if seen.refusals else ""))
    for what, latencies in outcome.report.latencies.items():
        bound = next(seconds for name, seconds in TIMEOUTS.items() if what.startswith(name)) + GRACE * patience
        if max(latencies) > bound:
            found.append(f"{what} was answered after {max(latencies):.1f} s, more than its time-out")
    allowed = 2 * outcome.idle + attack.memory * MIB
    if outcome.peak > allowed:
        found.append(f"it took {outcome.peak / MIB:.0f} MiB, more than {allowed / MIB:.0f}")
    return found


def drill(names: list[str], seconds: float, sync: float, seed: int, report=lambda line: None,
          patience: float = 1) -> list[Outcome]:
    """Plays scenes, one after the other."""
    outcomes = []
    settings = {"FLAG_SERVER_TIMEOUTS_HANDLER": f"{HANDLER}s", "FLAG_SERVER_TIMEOUTS_DRAIN": f"{DRAIN}s"}
    report(HEADER)
    with tempfile.TemporaryDirectory() as whole:
        library = slow_disk_library(Path(whole))
        for name in names:
            folder = Path(whole) / name
            folder.mkdir()
            stage = Stage(folder, library, random.Random(f"{seed}-{name}"), sync, settings)
            outcome = play(name, stage, seconds, seed, patience)
            report(outcome.row())
            for problem in outcome.problems:
                report(f"    {problem}")
            outcomes.append(outcome)
            shutil.rmtree(folder)
    return outcomes


def main():
    parser = argparse.ArgumentParser(
        description="Attacks a server in many ways; a healthy client beside it must not notice.",
        epilog="scenes: " + "; ".join(f"{name}: {play.__doc__}" for name, play in SCENES.items()))
    parser.add_argument("--scene", action="append", choices=list(SCENES), help="only this one; may be repeated")
    parser.add_argument("--seconds", type=float, default=20, help="how long each scene goes on (default 20)")
    parser.add_argument("--sync", type=float, default=2, help="seconds a sync takes on the slow disk (default 2)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeats the draws of another run")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    outcomes = drill(
        options.scene or list(SCENES), options.seconds, options.sync, options.seed,
        lambda line: print(line, flush=True))
    if failed := [outcome.name for outcome in outcomes if outcome.problems and outcome.is_judged]:
        raise SystemExit(f"FAILED: {', '.join(failed)}")


if __name__ == "__main__":
    main()
