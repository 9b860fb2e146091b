"""Start to ready with 10,000 flags in the store, and the memory of a server that has nothing to do."""

import statistics
import tempfile
import time
from pathlib import Path

import flags
import peers
from report import Goal, Report

TITLE = "start with 10,000 flags, and memory at rest"
PACKAGES = []

SETTLED = 2.0
"""Seconds after the start until memory is read."""


def run(options) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        peers.import_flags(few, flags.document(8))
        options.say("importing 10,000 flags")
        peers.import_flags(many, flags.document(10_000))
        rows, goals = [], []
        for name, data_dir in (("8 flags", few), ("10,000 flags", many)):
            times, cpu = [], []
            for number in range(max(5, options.rounds)):
                with peers.flag_server(data_dir, ready=False) as server:
                    times.append(server.await_ready(peers.READY) * 1000)
                    cpu.append(server.cpu_seconds_exact() * 1000)
                options.say(f"{name}, start {number + 1}: ready after {times[-1]:.0f} ms, {cpu[-1]:.0f} ms of CPU")
            with peers.flag_server(data_dir) as server:
                time.sleep(SETTLED)
                resting = server.resident_mebibytes()
            rows.append([name, statistics.median(times), max(times), statistics.median(cpu), resting])
            goals.append(Goal(f"memory at rest, {name}", resting, 30, "MiB"))
        goals.insert(0, Goal("start to ready, 10,000 flags", rows[1][1], 100, "ms"))
    return Report(TITLE, ["store", "ready, median ms", "ready, slowest ms", "CPU ms", "resident MiB"], rows, goals,
                  "From the process's start until GET /health/ready was answered 200; files in the page cache.")
