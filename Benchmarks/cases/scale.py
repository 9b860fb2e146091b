"""Single evaluation with 10,000 flags and 1,000,000 tenant overrides in the store, against 10 flags alone."""

import json
import tempfile
import time
from pathlib import Path

import flags
import peers
import wrk
from report import Goal, Report

TITLE = "single evaluation with 10,000 flags and 1,000,000 overrides, one loop, 64 connections"
PACKAGES = ["wrk"]

FLAGS = 10_000
TENANTS = 100_000
OVERRIDES_A_TENANT = 10
ASKING = 1_000
"""Tenants with overrides that take turns in the case where all have some."""

PATH = f"/ofrep/v1/evaluate/flags/{flags.KEY}"
ADDED_BY = {"owner": "bench", "description": "Made for a benchmark"}


def run(options) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        peers.import_flags(small, flags.document(10), "prod")
        document = Path(folder) / "large.json"
        options.say(f"writing a document of {FLAGS:,} flags and {TENANTS * OVERRIDES_A_TENANT:,} overrides")
        write_document(document)
        options.say("importing it")
        started = time.monotonic()
        peers.import_flags(large, document, "prod")
        seconds = time.monotonic() - started
        size = sum(file.stat().st_size for file in large.iterdir() if file.is_file()) / 2**20
        options.say(f"imported in {seconds:.0f} s, {size:,.0f} MiB on disk")
        with peers.flag_server(small, profile="prod") as few, peers.flag_server(large, profile="prod") as many:
            every = TENANTS // ASKING
            asking = [flags.request_for(tenant(number * every), f"user-{number}") for number in range(ASKING)]
            targets = [
                wrk.Target("10 flags", few, PATH, [flags.REQUEST]),
                wrk.Target("10,000 flags, 1,000,000 overrides", many, PATH, [flags.REQUEST]),
                wrk.Target(f"… {ASKING:,} tenants with overrides", many, PATH, asking),
            ]
            found = wrk.rounds(targets, options.rounds, options.seconds, options.say)
            resting = {"10 flags": few.resident_mebibytes(), targets[1].name: many.resident_mebibytes()}
    first, second, _ = found.values()
    rows = [[name, figures.rate, figures.p50, figures.p99, figures.cpu, figures.rate_per_core / first.rate_per_core,
             resting.get(name)] for name, figures in found.items()]
    columns = ["store", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", "per CPU, 10 flags = 1", "resident MiB"]
    return Report(
        TITLE, columns, rows,
        [Goal("evaluations per CPU second, large against small",
              second.rate_per_core / first.rate_per_core, 0.95, "×", at_most=False)],
        f"The import took {seconds:.0f} s, {TENANTS * OVERRIDES_A_TENANT / seconds:,.0f} overrides a second; the data "
        f"directory has {size:,.0f} MiB.")


def tenant(number: int) -> str:
    return f"tenant-{number:06d}"


def write_document(path: Path):
    """A document in the native form, written piece by piece: it would be a gigabyte of Python objects."""
    definitions = flags.document(FLAGS)["flags"]
    keys = list(definitions)
    with open(path, "w") as file:
        file.write('{"flags":[')
        file.write(",".join(
            json.dumps({"flagKey": key, **ADDED_BY, **definition}) for key, definition in definitions.items()))
        file.write('],"overrides":[')
        for number in range(TENANTS):
            several = ({"tenantId": tenant(number), "flagKey": keys[1 + (number * 7 + step * 997) % (FLAGS - 1)],
                        "enabled": step % 2 == 0, "updatedBy": "bench"} for step in range(OVERRIDES_A_TENANT))
            file.write(("," if number else "") + ",".join(map(json.dumps, several)))
        file.write("]}")
