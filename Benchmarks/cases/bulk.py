"""Bulk answers of all flags, as browsers and mobile clients ask for them, beside nginx with the same text."""

import tempfile
from pathlib import Path

import flags
import peers
import wrk
from report import Goal, Report

TITLE = "bulk evaluation over OFREP beside nginx with the same answer, one loop, 64 connections"
PACKAGES = ["nginx-light", "wrk"]

PATH = "/ofrep/v1/evaluate/flags"
GOALS = {5: 45_000, 350: 15_000}
"""Answers that one second of CPU time should give, by the number of flags."""
RATIO = 2.5
"""How often the CPU time of nginx all of 350 flags should take at most."""


def run(options) -> Report:
    rows, goals = [], []
    with tempfile.TemporaryDirectory() as folder:
        for count, bound in GOALS.items():
            data_dir = Path(folder) / str(count)
            peers.import_flags(data_dir, flags.document(count))
            with peers.flag_server(data_dir) as server:
                answer = peers.post(server, PATH, flags.REQUEST).decode()
                with peers.nginx(answer) as nginx:
                    targets = [
                        wrk.Target(f"{count} flags", server, PATH, [flags.REQUEST]),
                        wrk.Target(f"nginx, {len(answer):,} bytes", nginx, PATH, [flags.REQUEST])]
                    found = wrk.rounds(targets, options.rounds, options.seconds, options.say)
            ours, theirs = (found[target.name] for target in targets)
            for target in targets:
                figures = found[target.name]
                rows.append([target.name, figures.rate, figures.rate_per_core, figures.p50, figures.p99, figures.cpu,
                             figures.cpu / theirs.cpu])
            goals.append(Goal(f"answers of {count} flags a second and core", ours.rate_per_core, bound, "", False))
    goals.append(Goal(f"CPU per answer of {count} flags against nginx", ours.cpu / theirs.cpu, RATIO, "×"))
    return Report(
        TITLE,
        ["answer", "requests/s", "per second of CPU", "p50 ms", "p99 ms", "CPU µs/request", "CPU, nginx = 1"],
        rows, goals, "Every third flag has a rule that reads two attributes, the others are static.")
