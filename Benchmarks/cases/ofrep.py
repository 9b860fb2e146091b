"""One evaluation over OFREP, with targeting and JSON, against servers that answer the same text without thinking."""

import tempfile
from pathlib import Path

import flags
import peers
import wrk
from report import Goal, Report

TITLE = "single evaluation over OFREP, one loop, 64 connections"
PACKAGES = ["nginx-light", "wrk", "nodejs", "node-express"]

NGINX, OURS = "nginx, one worker, static", "flag-server, one loop"
PATH = f"/ofrep/v1/evaluate/flags/{flags.KEY}"


def run(options) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        peers.import_flags(data_dir, flags.document(10))
        with peers.flag_server(data_dir, "--loops", 1) as ours:
            answer = peers.post(ours, PATH, flags.REQUEST).decode()
            if '"TARGETING_MATCH"' not in answer:
                raise SystemExit(f"the rule did not match: {answer}")
            with peers.nginx(answer) as nginx, peers.express(answer) as express:
                servers = {NGINX: nginx, OURS: ours, "Express 4, static": express}
                for name, server in servers.items():
                    same_answer(name, peers.post(server, PATH, flags.REQUEST).decode(), answer)
                targets = [wrk.Target(name, server, PATH, [flags.REQUEST]) for name, server in servers.items()]
                found = wrk.rounds(targets, options.rounds, options.seconds, options.say)
    return report(found, len(answer))


def same_answer(name: str, got: str, expected: str):
    if len(got) != len(expected):
        raise SystemExit(f"{name} answers {len(got)} bytes, not {len(expected)}: {got}")


def report(found: dict[str, wrk.Figures], size: int) -> Report:
    """Rows with each server's figures and their ratio to nginx, the first."""
    nginx = found[NGINX]
    rows = [
        [name, figures.rate, figures.p50, figures.p99, figures.cpu, figures.cpu / nginx.cpu, figures.rate / nginx.rate]
        for name, figures in found.items()]
    goal = Goal("CPU per request against nginx", found[OURS].cpu / nginx.cpu, 1.05, "×")
    columns = ["server", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", "CPU, nginx = 1", "rate, nginx = 1"]
    return Report(
        TITLE, columns, rows, [goal],
        f"POST of {len(flags.REQUEST)} bytes, answer of {size} bytes. nginx and Express answer a fixed text; "
        "flag-server parses the context, evaluates the rule and writes the answer.")
