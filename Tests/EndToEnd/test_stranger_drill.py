"""Made-up keys and addresses take no memory. `./scripts/drill-strangers` is the same with a million of them."""

from stranger_drill import drill


def test_strangers_take_no_memory_and_keep_nobody_out(tmp_path):
    assert not drill(tmp_path / "data", requests=20_000)
