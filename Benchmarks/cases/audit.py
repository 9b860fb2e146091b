"""The audit log: what it and the histories cost those who change flags, and how long a page of a large one takes."""

import tempfile
from pathlib import Path

import dynamodb
from report import Goal, Report

TITLE = "the audit log"
PACKAGES: list[str] = []

AT_LEAST = 0.8
"""How much of the changes a second there must be with history and audit log, of those with neither."""
PAGE_MS = 50


def run(options) -> list[Report]:
    with tempfile.TemporaryDirectory(prefix="bench-audit-", dir=options.folder) as folder:
        changes, pages = Path(folder) / "changes", Path(folder) / "pages"
        for place in (changes, pages):
            place.mkdir()
        options.say("changing flags with and without followers")
        rates = dynamodb.run_bench("audit", changes, max(1, round(options.seconds)))
        options.say(f"writing {options.items:,} records")
        found = dynamodb.run_bench("pages", pages, options.items)
    neither = rates["neither"]
    return [
        Report(f"{TITLE}: durable changes of flags a second, 64 at a time",
               ["followed by", "a second", "neither = 1"],
               [[name, rate, rate / neither] for name, rate in rates.items()],
               [Goal("changes with history and audit log", rates["both"] / neither, AT_LEAST, "×", at_most=False)],
               "The time ends when the followers have taken every change."),
        Report(f"{TITLE}: a page of 100 records of {options.items:,}", ["looked for by", "ms"],
               [[name, time] for name, time in found.items()],
               [Goal("the slowest page", max(found.values()), PAGE_MS, "ms")]),
    ]
