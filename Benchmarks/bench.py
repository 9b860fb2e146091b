"""Runs the benchmark cases named on the command line and prints what they found. Start it with ./scripts/bench."""

import argparse
import importlib
import json
import sys
import time

import machine

CASES = ["evaluation", "ofrep", "access", "bulk", "start", "scale", "transport", "table", "audit"]
"""In the order in which they run when none is named."""


def main():
    parser = argparse.ArgumentParser(prog="./scripts/bench", description="Measures flag-server beside its peers.")
    parser.add_argument("cases", nargs="*", metavar="case", help=f"any of {', '.join(CASES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds whose median counts (default 3)")
    parser.add_argument("--seconds", type=float, default=5, help="seconds of load a round (default 5)")
    parser.add_argument("--items", type=int, default=1_000_000, help="items of the large table (default 1,000,000)")
    parser.add_argument("--folder", help="where the tables of the case table lie (default: where temporary files do)")
    parser.add_argument("--json", metavar="FILE", help="write the results to a file as JSON as well; - for output only")
    parser.add_argument("--check", action="store_true", help="exit with status 1 when a goal is missed")
    parser.add_argument("--packages", action="store_true", help="print the apt packages that the cases need, and stop")
    options = parser.parse_args()
    unknown = [case for case in options.cases if case not in CASES]
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    cases = [importlib.import_module(f"cases.{name}") for name in options.cases or CASES]
    if options.packages:
        print(*sorted({package for case in cases for package in case.PACKAGES}))
        return
    options.say = Progress(time.monotonic())
    reports = measure(cases, options)
    if options.check and not all(goal.reached for report in reports for goal in report.goals):
        sys.exit(1)


def measure(cases: list, options) -> list:
    """Runs the cases; prints each report, and all as JSON where that is asked for."""
    host = machine.describe()
    reports = []
    for case in cases:
        options.say(case.TITLE)
        found = case.run(options)
        reports += found if isinstance(found, list) else [found]
    if options.json != "-":
        print(f"\nMachine: {machine.sentence(host)}")
        for report in reports:
            print(f"\n## {report.text()}")
    if options.json:
        results = {"machine": host, "cases": [report.data() for report in reports]}
        text = json.dumps(results, indent=2, ensure_ascii=False)
        if options.json == "-":
            print(text)
        else:
            with open(options.json, "w") as file:
                file.write(text + "\n")
    return reports


class Progress:
    """Prints one line a step to standard error, with the time since the start."""

    def __init__(self, start: float):
        self.start = start

    def __call__(self, step: str):
        print(f"[{time.monotonic() - self.start:6.1f} s] {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
