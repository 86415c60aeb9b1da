"""What an order means to the loops: each kind, alone and together."""

import pytest

from bse_fetcher.polling.orders import Orders
from bse_shared.wire.records import OrderRecord


def under(left_ms=60_000, **what):
    """The orders while this one is in force."""
    orders = Orders()
    orders.known = True
    orders.record = OrderRecord(by="asha", at_ms=1, **what)
    orders.left_ms = left_ms
    return orders


def test_before_anything_is_known_nobody_is_asked():
    """The feed may be paused."""
    orders = Orders()
    assert orders.paused
    orders.known = True

    assert not orders.paused


def test_without_an_order_all_is_as_usual():
    """Nobody is forced, nothing told."""
    orders = Orders()
    orders.known = True

    assert orders.may_ask("bse")
    assert not orders.forces("bse")
    assert not orders.forces("")
    assert not orders.frozen
    assert not orders.take_poll_now()
    assert "" == orders.told()


@pytest.mark.parametrize(
    ("what", "paused", "frozen", "may_ask", "forces"),
    [
        ({}, False, False, ["bse", "yahoo"], []),
        ({"pause": True}, True, False, [], []),
        ({"freeze": True}, False, True, ["bse", "yahoo"], []),
        ({"source": "yahoo"}, False, False, ["yahoo"], ["yahoo"]),
        ({"source": "yahoo", "pause": True}, True, False, [], ["yahoo"]),
        ({"source": "bse", "freeze": True}, False, True, ["bse"], ["bse"]),
        ({"poll_now": True}, False, False, ["bse", "yahoo"], []),
    ],
)
def test_each_kind_of_order(what, paused, frozen, may_ask, forces):
    """Who may be asked, and whether anything is published."""
    orders = under(**what)

    assert (paused, frozen) == (orders.paused, orders.frozen)
    assert may_ask == [name for name in ("bse", "yahoo") if orders.may_ask(name)]
    assert forces == [name for name in ("bse", "yahoo") if orders.forces(name)]


def test_each_order_to_poll_now_is_taken_once():
    """The next one, by whomever, is another."""
    orders = under(poll_now=True)
    assert [True, False, False] == [orders.take_poll_now() for _ in range(3)]
    orders.record = OrderRecord(by="asha", at_ms=2, poll_now=True)

    assert [True, False] == [orders.take_poll_now() for _ in range(2)]
    orders.record = OrderRecord(by="asha", at_ms=3)
    assert not orders.take_poll_now()


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({}, "resumed by asha for 60 s more"),
        ({"pause": True}, "paused by asha for 60 s more"),
        (
            {"freeze": True, "source": "bse", "poll_now": True},
            "frozen, source bse, poll now by asha for 60 s more",
        ),
    ],
)
def test_it_is_told_in_words(what, told):
    """For the feed's status and the log."""
    assert told == under(left_ms=60_999, **what).told()
