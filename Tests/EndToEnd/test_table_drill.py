"""A write that DynamoDB's protocol answered survives kill -9 at any moment."""

import drills
from table_drill import drill


def test_nothing_answered_is_lost_when_a_server_of_tables_is_killed(data_dir, pytestconfig, capsys):
    drills.run_short(drill, data_dir, pytestconfig.getoption("--rounds"), capsys)
