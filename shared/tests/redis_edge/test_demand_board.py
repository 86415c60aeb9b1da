"""The demand board on a real server."""

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.demand_board import REPORT_KEPT_MS, DemandBoard


async def test_the_reports_of_all_hubs_make_the_demand(redis):
    """Each replaces its own last one."""
    board = DemandBoard(redis)
    await board.report("hub-1", [1, 2], 0)
    await board.report("hub-2", {2, 3}, 0)
    await board.report("hub-1", [4], 1)

    assert {2, 3, 4} == await board.watched(2)
    await board.withdraw("hub-2")
    assert {4} == await board.watched(2)


async def test_a_hub_that_is_gone_is_forgotten(redis):
    """And what another version wrote does no harm."""
    board = DemandBoard(redis)
    await board.report("hub-1", [1], 0)
    await board.report("hub-2", [2], 1)
    await redis.hset(keys.DEMAND_WATCHED, "hub-3", b"\xff")

    assert {2} == await board.watched(REPORT_KEPT_MS + 1)
    assert [b"hub-2"] == await redis.hkeys(keys.DEMAND_WATCHED)


async def test_of_many_readers_that_miss_a_scrip_one_is_heard(redis):
    """Until the deadline; then the next one may ask."""
    board = DemandBoard(redis)
    heard = board.missed()
    assert await anext(heard) is None
    firsts = [await board.ask(500325, 60_000) for _ in range(5)]
    await board.ask(532540)
    codes = [await anext(heard) for _ in range(2)]

    assert [True, False, False, False, False] == firsts
    assert [b"500325", b"532540"] == codes
    assert 0 < await redis.pttl(keys.demand_asked(500325)) <= 60_000
    await redis.delete(
        keys.demand_asked(500325)
    )  # what the server does at the deadline
    assert await board.ask(500325)
    await heard.aclose()
