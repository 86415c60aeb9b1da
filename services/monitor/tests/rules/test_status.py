"""The tree's own small rules."""

from itertools import permutations

from bse_monitor.rules.status import Health, worst


def test_the_worst_wins_in_any_order():
    """Down beats degraded beats ok; nothing at all is ok."""
    assert Health.OK is worst()
    for order in permutations(Health):
        assert Health.DOWN is worst(*order)
    assert Health.DEGRADED is worst(Health.OK, Health.DEGRADED)
