"""Nobody holds a loop, the writer or the memory. `./scripts/drill-hostile` is the same for longer."""

import random

import pytest

from hostile_drill import drill
from hostile_scenes import SCENES


# That the server sheds what it cannot answer in time shows only in more than a second.
@pytest.mark.parametrize("name", [name for name in SCENES if name != "overload"])
def test_a_client_does_not_notice_hostile_ones(name):
    seed = random.randrange(2**32)
    # Other tests run beside: how quick the server is asserts the drill, on a machine that has nothing else to do.
    outcome = drill([name], seconds=1, sync=0.5, seed=seed, patience=20)[0]
    if not outcome.is_judged:
        pytest.skip(f"this machine gave nobody a processor for {outcome.seen.stalled:.1f} s")
    assert not outcome.problems, f"seed {seed}"
