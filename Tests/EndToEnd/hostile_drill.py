"""The hostile drill: clients that want the loops, the writer or the memory for themselves, and web pages that want in.
Beside them a healthy client asks for health, for a flag and for a kill switch all the time, and has to get each.

    python hostile_drill.py --scene conditions --scene bulk --seconds 20 --seed 7

Each scene has a server of its own. It ends with SIGTERM while the attack goes on, which has to be obeyed as well.
"""

import argparse
import dataclasses
import os
import random
import tempfile
import time
from pathlib import Path

import hostile_pages  # noqa: F401
import hostile_writes  # noqa: F401
from hostile_load import Load, Report, Stage, turn_of_session
from hostile_scenes import MIB, SCENES, Attack
from server import DidNotStart
from witness import Seen, Witness

HEALTH_BOUND = 1.0
"""Seconds in which `/health` has to be answered."""

P99_BOUND = 0.05
"""Seconds within which 99 of 100 evaluations have to be answered."""

HANDLER, DRAIN = 5, 2
"""Seconds of `timeouts.handler` and `timeouts.drain`, shorter than usual so that a scene sees them pass."""

GRACE = 2.0
"""Seconds that the load itself may take to notice an answer: it is many threads, and runs behind everybody else."""

LONG_WORK = ("POST /api/import", "GET /api/export")
"""What has ten minutes instead of `timeouts.handler`."""

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
    stop: float
    status: int
    problems: list[str] = dataclasses.field(default_factory=list)

    @property
    def is_judged(self) -> bool:
        return self.seen.stalled <= STALLED_MAX * self.seen.seconds

    def row(self) -> str:
        times = [*(self.seen.quantile(part) for part in (0.5, 0.99)), *(
            max(latencies, default=0) for latencies in (self.seen.healths, self.seen.kills))]
        answers = sum(self.report.statuses.values())
        refused = sum(count for status, count in self.report.statuses.items() if status >= 429)
        verdict = "ok" if not self.problems else "FAILED"
        return (f"{self.name:18} " + " ".join(f"{value * 1000:8.1f}" for value in times)
                + f" {answers:8} {refused:8} {self.idle / MIB:7.0f} {self.peak / MIB:7.0f} {self.stop:7.1f}"
                + f" {100 * self.seen.stalled / self.seen.seconds:6.1f}  {verdict if self.is_judged else 'not judged'}")


HEADER = (f"{'':18} {'p50 ms':>8} {'p99 ms':>8} {'health':>8} {'kill':>8} {'hostile':>8} {'refused':>8}"
          f" {'idle MB':>7} {'peak MB':>7} {'stop s':>7} {'stall %':>6}")


def play(name: str, folder: Path, seconds: float, seed: int, sync: float) -> Outcome:
    """Plays one scene on a server of its own."""
    stage = Stage(folder, random.Random(f"{seed}-{name}"), seconds, sync)
    stage.server.env |= {
        "FLAG_SERVER_TIMEOUTS_HANDLER": f"{HANDLER}s", "FLAG_SERVER_TIMEOUTS_DRAIN": f"{DRAIN}s"}
    loops = os.cpu_count() or 2
    server = stage.server.start()
    turn_of_session(server.process.pid, -10)
    try:
        with Witness(server, loops) as witness:
            attack = SCENES[name](stage)
            witness.look()
            time.sleep(min(1.0, seconds / 2))
            quiet = witness.look()
            idle = stage.resident()
            stage.forget_peak()
            with Load(stage, attack.groups, seed) as load:
                witness.look()
                time.sleep(seconds)
                seen, report = witness.look(), load.report()
                outcome = Outcome(name, attack, quiet, seen, report, idle, stage.resident("VmHWM"), 0, 0)
                outcome.problems = problems(outcome) + attack.check(report)
                begin = time.monotonic()
                outcome.status = server.terminate()
                outcome.stop = time.monotonic() - begin
        if outcome.stop > DRAIN + 3:
            outcome.problems.append(f"it stopped only after {outcome.stop:.1f} s")
        if outcome.status not in (0, 1):
            outcome.problems.append(f"it ended with status {outcome.status}: {server.log[-2000:]}")
        return outcome
    finally:
        server.kill()


def problems(outcome: Outcome) -> list[str]:
    """What the healthy client and the load saw that must not be."""
    seen, attack = outcome.seen, outcome.attack
    found = list(seen.complaints) + list(outcome.report.complaints)
    for what, latencies, bound in (("health", seen.healths, HEALTH_BOUND), ("a kill switch", seen.kills, attack.kill)):
        if not latencies or max(latencies) > bound:
            found.append(f"{what} took {max(latencies, default=float('inf')):.2f} s, more than {bound}")
    # Where the machine alone is slow already, three times as slow is what is allowed.
    bound = max(P99_BOUND, 3 * outcome.quiet.quantile(0.99))
    if attack.serves and seen.quantile(0.99) > bound:
        found.append(
            f"p99 of evaluations is {seen.quantile(0.99) * 1000:.0f} ms, more than {bound * 1000:.0f}"
            + (f", with {len(seen.refusals)} refused: {seen.refusals[0]}" if seen.refusals else ""))
    for what, latencies in outcome.report.latencies.items():
        bound = (600 if what.startswith(LONG_WORK) else HANDLER) + GRACE
        if max(latencies) > bound:
            found.append(f"{what} was answered after {max(latencies):.1f} s, more than its time-out")
    allowed = 2 * outcome.idle + attack.memory * MIB
    if outcome.peak > allowed:
        found.append(f"it took {outcome.peak / MIB:.0f} MiB, more than {allowed / MIB:.0f}")
    return found


def drill(names: list[str], seconds: float, sync: float, seed: int, report=lambda line: None) -> list[Outcome]:
    """Plays scenes, one after the other."""
    outcomes = []
    report(HEADER)
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            outcome = play(name, Path(folder), seconds, seed, sync)
        report(outcome.row())
        for problem in outcome.problems:
            report(f"    {problem}")
        outcomes.append(outcome)
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
