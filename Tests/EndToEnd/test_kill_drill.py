"""An acknowledged write survives kill -9 at any moment."""

import drills
from kill_drill import drill


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(data_dir, pytestconfig, capsys):
    drills.run_short(drill, data_dir, pytestconfig.getoption("--rounds"), capsys)
