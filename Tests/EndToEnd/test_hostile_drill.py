"""Nobody holds a loop, the writer or the memory. `./scripts/drill-hostile` is the same for longer."""

import random

import pytest

from hostile_drill import drill
from hostile_scenes import SCENES


@pytest.mark.parametrize("name", SCENES)
def test_a_client_does_not_notice_hostile_ones(name):
    seed = random.randrange(2**32)
    outcome = drill([name], seconds=1, sync=0.5, seed=seed)[0]
    if not outcome.is_judged:
        pytest.skip(f"this machine gave nobody a processor for {outcome.seen.stalled:.1f} s")
    assert not outcome.problems, f"seed {seed}"
