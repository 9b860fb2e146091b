"""A client does not notice hostile peers beside it. `./scripts/drill-peers` is the same with thousands of them."""

from peer_drill import drill, problems


def test_hostile_peers_slow_nobody_down_and_cost_little():
    assert not problems(drill(idle=1500, dripping=500, resets=100, seconds=4))
