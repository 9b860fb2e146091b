"""Whatever happens to one file of a data directory: it is found or harmless, and nothing makes it worse."""

import pytest

from damage_drill import drill


@pytest.mark.parametrize("seed", [1, 2])
def test_a_damaged_file_is_found_and_nothing_makes_it_worse(seed, data_dir, capsys):
    lines = []
    found = drill(data_dir, rounds=12, seed=seed, report=lines.append)
    with capsys.disabled():
        print(f" [seed {seed}: {len(lines)} damages, {found} found]", end="")
    assert found > 0
