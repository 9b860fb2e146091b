"""Bulk answers of all flags, as browsers and mobile clients ask for them."""

import tempfile
from pathlib import Path

import flags
import peers
import wrk
from report import Goal, Report

TITLE = "bulk evaluation over OFREP, one loop, 64 connections"
PACKAGES = ["wrk"]

PATH = "/ofrep/v1/evaluate/flags"
GOALS = {5: 45_000, 350: 15_000}
"""Answers that one second of CPU time should give, by the number of flags."""


def run(options) -> Report:
    rows, goals = [], []
    with tempfile.TemporaryDirectory() as folder:
        for count, bound in GOALS.items():
            data_dir = Path(folder) / str(count)
            peers.import_flags(data_dir, flags.document(count))
            with peers.flag_server(data_dir) as server:
                size = len(peers.post(server, PATH, flags.REQUEST))
                target = wrk.Target(f"{count} flags", server, PATH, [flags.REQUEST])
                figures = wrk.rounds([target], options.rounds, options.seconds, options.say)[target.name]
            rows.append([f"{count} flags", figures.rate, figures.rate_per_core, figures.p50, figures.p99, figures.cpu,
                         f"{size:,}"])
            goals.append(Goal(f"answers of {count} flags a second and core", figures.rate_per_core, bound, "", False))
    return Report(
        TITLE, ["answer", "requests/s", "per second of CPU", "p50 ms", "p99 ms", "CPU µs/request", "bytes"],
        rows, goals, "Every third flag has a rule that reads two attributes, the others are static.")
