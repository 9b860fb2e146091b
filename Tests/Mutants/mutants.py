"""Runs the unit tests against mutants: see `./scripts/mutants --help`."""

import argparse
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import mutant_report
from mutant_package import BuildFailure, MutantPackage
from mutant_runs import Findings, Result, TestProgram, mark_of
from mutant_set import Misfit, Place, fit, read

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".build" / "mutants"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/mutants", description="Changes the server on purpose, one place at a time, and says which "
        "changes the unit tests notice. Ends with status 1 when one is not noticed, fits no longer, or the tests fail "
        "without any.")
    parser.add_argument("--check", action="store_true", help="only whether every mutant fits the sources; no build")
    parser.add_argument("--only", nargs="+", metavar="ID", help="run these, whatever was found before")
    parser.add_argument("--survivors", action="store_true", help="run those that no test noticed the last time")
    parser.add_argument("--fresh", action="store_true", help="forget what was found before")
    parser.add_argument("--report", action="store_true", help="only show what was found before")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at the same time (1)")
    parser.add_argument("--build-jobs", type=int, default=os.cpu_count(), metavar="N", help="of the compiler")
    parser.add_argument("--patience", type=float, default=90, metavar="S",
                        help="how long no test may end before a run counts as hanging (90 seconds)")
    parser.add_argument("--format", choices=["table", "json"], default="table", help="of what is printed at the end")
    return parser.parse_args()


def say(line: str):
    """Progress, which goes to standard error: on a terminal each line takes the place of the one before."""
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
    else:
        print(line, file=sys.stderr, flush=True)


class Run:
    """The mutants, where they fit, and what was found of them."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.places = fit(read(ROOT / "Tests" / "Mutants" / "set"), ROOT)
        self.numbers = {place.mutant.id: number for number, place in enumerate(self.places, 1)}
        WORK.mkdir(parents=True, exist_ok=True)
        self.findings = Findings(WORK / "findings.json")
        if options.fresh:
            self.findings.clear()

    def mark(self, place: Place) -> str:
        return mark_of(place.mutant, (ROOT / place.path).read_bytes())

    def results(self) -> list[tuple[Place, Result | None]]:
        return [(place, self.findings.result(place.mutant, self.mark(place))) for place in self.places]

    def wanted(self) -> list[Place]:
        """Those that have to run: they are not known yet, or were asked for."""
        runnable = [(place, result) for place, result in self.results() if not place.mutant.equivalent]
        if self.options.only:
            unknown = set(self.options.only) - {place.mutant.id for place, _ in runnable}
            if unknown:
                raise Misfit(f"there is no mutant {', '.join(sorted(unknown))} to run")
            return [place for place, _ in runnable if place.mutant.id in self.options.only]
        if self.options.survivors:
            return [place for place, result in runnable if result is None or result.outcome == "survived"]
        return [place for place, result in runnable if result is None]

    def run(self):
        wanted = self.wanted()
        if not wanted:
            return
        package = MutantPackage(ROOT, WORK / "package")
        say(f"building {len(self.places)} mutants in one program")
        package.update(self.places, self.numbers)
        package.build(self.options.build_jobs)
        program = TestProgram(package.test_program(), package.folder, self.options.patience)
        self.require_green(program, wanted)
        started = time.monotonic()
        pool = ThreadPoolExecutor(self.options.jobs)
        try:
            runs = [pool.submit(self.run_one, program, place) for place in wanted]
            for done, run in enumerate(as_completed(runs), 1):
                say(f"{done} of {len(wanted)}, {time.monotonic() - started:.0f} s: {run.result()}")
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            program.end_all()

    def require_green(self, program: TestProgram, wanted: list[Place]):
        """Without a mutant everything has to pass, or failing would say nothing."""
        patterns = {pattern for place in wanted for pattern in place.mutant.tests}
        everything = "" if "" in patterns else "|".join(sorted(patterns))
        say("running the tests without a mutant")
        failures = []
        # A second time, since a busy machine may have had a test wait too long.
        while len(failures) < 2:
            result = program.run(0, everything)
            if result.outcome == "survived":
                return
            failures.append(f"{result.outcome}, {result.by}")
        raise BuildFailure("the tests fail without any mutant: " + "; ".join(failures))

    def run_one(self, program: TestProgram, place: Place) -> str:
        mutant = place.mutant
        seconds = 0.0
        for pattern in mutant.tests:
            result = program.run(self.numbers[mutant.id], pattern)
            if result.outcome == "no tests":
                raise BuildFailure(f"mutant {mutant.id}: no test matches {pattern}")
            seconds += result.seconds
            if result.outcome != "survived":
                break
        result.seconds = round(seconds, 1)
        self.findings.keep(mutant, self.mark(place), result)
        return f"{mutant.id} {result.outcome}"


def main() -> int:
    options = arguments()
    try:
        run = Run(options)
        if options.check:
            print(f"{len(run.places)} mutants fit the sources")
            return 0
        if not options.report:
            run.run()
    except (Misfit, BuildFailure) as problem:
        say("")
        print(f"./scripts/mutants: {problem}", file=sys.stderr)
        return 1
    say("")
    results = run.results()
    print(mutant_report.as_json(results) if options.format == "json" else mutant_report.as_table(results))
    return 0 if all(mutant_report.is_fine(place, result) for place, result in results) else 1


def stop(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("stopped; the next run goes on from here")
        sys.exit(130)
