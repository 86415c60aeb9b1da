"""Orders in the store."""

import pytest

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.fetcher_controls import (
    ORDER_MAX_S,
    FetcherControls,
    WrongOrder,
)
from bse_shared.wire.records import OrderRecord


PAUSE = OrderRecord(by="asha", at_ms=1, pause=True, why="exchange test")
RESUME = OrderRecord(by="ravi", at_ms=2)


async def test_the_last_order_is_in_force_until_its_end(redis):
    """And all of them are in the log, with their authors."""
    controls = FetcherControls(redis)
    assert (None, 0) == await controls.current()
    await controls.give(PAUSE, 60)
    order, left_ms = await controls.current()
    assert (PAUSE, True) == (order, 59_000 < left_ms <= 60_000)
    await controls.give(RESUME, 5)
    assert RESUME == (await controls.current())[0]
    await redis.delete(keys.FETCHER_ORDER)  # what the server does at its end

    assert (None, 0) == await controls.current()
    assert [PAUSE, RESUME] == await controls.log()


@pytest.mark.parametrize("for_s", [0, -1, ORDER_MAX_S + 1])
async def test_an_order_without_an_end_is_refused(redis, for_s):
    """Nobody can forget a paused market for longer than a day."""
    with pytest.raises(WrongOrder):
        await FetcherControls(redis).give(PAUSE, for_s)


async def test_an_order_without_an_author_is_refused(redis):
    """The log must name somebody."""
    with pytest.raises(WrongOrder):
        await FetcherControls(redis).give(OrderRecord(by=" ", at_ms=1), 60)
