"""A write that DynamoDB's protocol answered survives a full disk, and one that it refused did not happen."""

import drills
import pytest
from full_disk_drill import SmallDisk, drill


def test_nothing_answered_is_lost_when_the_disk_of_a_server_of_tables_is_full(data_dir, tmp_path, capsys):
    try:
        disk = SmallDisk(tmp_path / "probe")
        disk.mount()
        disk.unmount()
    except PermissionError as refused:
        pytest.skip(str(refused))
    drills.run_short(drill, data_dir, 5, capsys)
