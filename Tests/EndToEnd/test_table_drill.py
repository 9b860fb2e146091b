"""A write that DynamoDB's protocol answered survives kill -9 at any moment."""

import random
import time

from table_drill import drill


def test_nothing_answered_is_lost_when_a_server_of_tables_is_killed(data_dir, pytestconfig, capsys):
    seed = random.randrange(2**32)
    started = time.monotonic()
    lines = []
    try:
        total = drill(data_dir, rounds=pytestconfig.getoption("--rounds"), writers=8, seed=seed, report=lines.append)
    except AssertionError as failure:
        raise AssertionError(f"seed {seed}, after {len(lines)} rounds: {failure}") from failure
    with capsys.disabled():
        print(f" [{len(lines)} rounds, {total} answered changes, {time.monotonic() - started:.0f} s]", end="")
