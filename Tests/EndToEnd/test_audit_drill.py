"""The audit log has every acknowledged change once, whenever the server is killed."""

import drills
from audit_drill import drill


def test_every_acknowledged_change_is_in_the_log_once_when_the_server_is_killed(data_dir, pytestconfig, capsys):
    drills.run_short(drill, data_dir, pytestconfig.getoption("--rounds"), capsys)
