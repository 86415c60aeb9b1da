"""How fast new connections may come."""

from bse_ws_hub.admission.arrivals import Arrivals


def test_twice_a_seconds_worth_at_once_and_then_by_the_second():
    """For each name by itself."""
    arrivals = Arrivals(10)
    assert [0] * 20 + [1] == [arrivals.wait_s("a", 1_000) for _ in range(21)]
    assert 0 == arrivals.wait_s("b", 1_000)
    assert 0 == arrivals.wait_s("a", 1_100)
    assert 1 == arrivals.wait_s("a", 1_100)


def test_a_slow_budget_says_how_long_to_wait():
    """One in five seconds."""
    arrivals = Arrivals(0.5)
    assert 0 == arrivals.wait_s("a", 0)
    assert 2 == arrivals.wait_s("a", 0)


def test_those_not_heard_for_longest_are_forgotten():
    """A flood of addresses costs a bounded table."""
    arrivals = Arrivals(0.5, names_max=2)
    for name in ("a", "b", "a", "c"):
        arrivals.wait_s(name, 0)
    assert 2 == len(arrivals)
    assert 2 == arrivals.wait_s("a", 0)
    assert 0 == arrivals.wait_s("b", 0)
