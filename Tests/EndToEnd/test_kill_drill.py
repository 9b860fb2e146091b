"""An acknowledged write survives kill -9 at any moment."""

import random
import time

from kill_drill import drill


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(data_dir, pytestconfig, capsys):
    seed = random.randrange(2**32)
    started = time.monotonic()
    lines = []
    try:
        total = drill(data_dir, rounds=pytestconfig.getoption("--rounds"), writers=8, seed=seed, report=lines.append)
    except AssertionError as failure:
        raise AssertionError(f"seed {seed}, after {len(lines)} rounds: {failure}") from failure
    with capsys.disabled():
        print(f" [{len(lines)} rounds, {total} acknowledged changes, {time.monotonic() - started:.0f} s]", end="")
