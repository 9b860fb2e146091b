"""What the drills share: the kill, the command line, and the short form in a test."""

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path


class Lost(AssertionError):
    """Something answered is not there, or something is there that nobody wrote."""


def kill_at_work(server, team, chance: random.Random, changes: tuple[int, int]):
    """Lets the writers work until a drawn number of changes is answered, then kills the server.

    A writer is a thread with `answered`, a count, and `failure`, which is a text once it has seen what must not be.
    """
    target = chance.randrange(*changes)
    deadline = time.monotonic() + 60
    for writer in team:
        writer.start()
    while sum(writer.answered for writer in team) < target and not any(writer.failure for writer in team):
        if time.monotonic() > deadline:
            raise Lost(f"fewer than {target} changes were answered within a minute")
        time.sleep(chance.random() / 200)
    server.kill()
    for writer in team:
        writer.join(30)
        if writer.failure:
            raise Lost(writer.failure)


def run(
    drill, description: str, result: str = "{} answered changes, none lost", rounds: int = 200,
    writers: int | None = 32,
):
    """The command line of a drill. When something is lost, its data directory is kept and named.

    `result` says what the number means that a drill returns; `writers` is None for one without any.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"how often it is done (default {rounds})")
    if writers:
        parser.add_argument(
            "--writers", type=int, default=writers, help=f"how many write at once (default {writers})")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeats the draws of another run")
    options = vars(parser.parse_args())
    print(", ".join(f"{name} {value}" for name, value in options.items()))
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        try:
            total = drill(data_dir, **options, report=lambda line: print(line, flush=True))
        except Lost as failure:
            kept = Path(tempfile.mkdtemp(prefix="drill-")) / "data"
            if data_dir.exists():
                shutil.copytree(data_dir, kept, ignore=shutil.ignore_patterns("*.sock"))
            raise SystemExit(f"FAILED with seed {options['seed']}: {failure}\nThe data directory is kept in {kept}")
    print(result.format(total))


def run_short(drill, data_dir: Path, rounds: int, capsys):
    """The short form of a drill, as a test."""
    seed = random.randrange(2**32)
    started = time.monotonic()
    lines = []
    try:
        total = drill(data_dir, rounds=rounds, writers=8, seed=seed, report=lines.append)
    except AssertionError as failure:
        raise AssertionError(f"seed {seed}, after {len(lines)} rounds: {failure}") from failure
    with capsys.disabled():
        print(f" [{rounds} rounds, {total} answered changes, {time.monotonic() - started:.0f} s]", end="")
