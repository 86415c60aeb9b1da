"""The indices' values, through a store's comings and goings."""

from bse_gateway.index_values import READ_EVERY_MS, IndexValues
from bse_local_stack.ports import free_ports
from bse_local_stack.redis_server import running_server
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import RedisSettings, open_redis
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.testing.fake_clock import FakeClock
from bse_shared.wire.records import IndexRecord


SENSEX = IndexRecord(name="SENSEX", code=16, last=85_231_92)


async def test_values_are_read_once_a_second_and_outlive_the_store():
    """What was read is told, with its age."""
    clock, port = FakeClock(), free_ports(1)[0]
    async with open_redis(
        RedisSettings(url=f"redis://127.0.0.1:{port}/0"), "t"
    ) as redis:
        history = MarketHistory(redis, clock, 1)
        values = IndexValues(history, clock)
        assert {} == await values.by_name()
        with running_server(port):
            await history.save_indices({"SENSEX": SENSEX})
            assert {} == await values.by_name()  # not so soon again
            clock.advance(READ_EVERY_MS)
            assert {"SENSEX": SENSEX} == await values.by_name()
            await redis.delete(keys.INDICES)
            clock.advance(READ_EVERY_MS)
            assert {"SENSEX": SENSEX} == await values.by_name()
        clock.advance(READ_EVERY_MS)
        assert {"SENSEX": SENSEX} == await values.by_name()
