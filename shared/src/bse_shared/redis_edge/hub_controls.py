"""What operators order the hubs to do: which ones are drained, until when; and the log of all orders.

Whoever gives an order (the gateway's administrative routes) writes it here; every hub reads it each second. A drain
ends by itself, and a store that lost its memory knows of none.
"""

from redis.asyncio import Redis

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import store_errors
from bse_shared.redis_edge.fetcher_controls import (
    ORDER_MAX_S,
    ORDERS_KEPT,
    WrongOrder,
)
from bse_shared.wire.records import ALL_HUBS, DrainRecord, from_json, to_json


class HubControls:
    """The drains in force, by instance (`*`: all hubs), and the log."""

    def __init__(self, redis: Redis):
        self._redis = redis

    async def drain(self, order: DrainRecord) -> None:
        """Put the drain in force in place of that instance's one before. Raises WrongOrder."""
        if not 0 < order.ends_at_ms - order.at_ms <= ORDER_MAX_S * 1000:
            raise WrongOrder(f"a drain lasts up to {ORDER_MAX_S} s")
        if not order.by.strip():
            raise WrongOrder("an order has an author")
        over = set(await self._stored()) - set(await self.in_force(order.at_ms))
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                if over:
                    pipe.hdel(keys.HUB_DRAINS, *over)
                pipe.hset(keys.HUB_DRAINS, order.instance, to_json(order))
                pipe.expire(keys.HUB_DRAINS, ORDER_MAX_S)
                _log(pipe, order)
                await pipe.execute()

    async def resume(self, order: DrainRecord) -> None:
        """End the drain of an instance; of all hubs: every drain there is."""
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                if order.instance == ALL_HUBS:
                    pipe.delete(keys.HUB_DRAINS)
                else:
                    pipe.hdel(keys.HUB_DRAINS, order.instance)
                _log(pipe, order)
                await pipe.execute()

    async def in_force(self, now_ms: int) -> dict[str, DrainRecord]:
        """The drains that have not ended, by instance."""
        return {
            instance: order
            for instance, order in (await self._stored()).items()
            if order is not None and order.ends_at_ms > now_ms
        }

    async def log(self, newest: int = 100) -> list[DrainRecord]:
        """The newest orders, oldest first."""
        with store_errors():
            stored = await self._redis.lrange(keys.HUB_ORDERS, -newest, -1)
        records = [from_json(data, DrainRecord) for data in stored]
        return [record for record in records if record]

    async def _stored(self) -> dict[str, DrainRecord | None]:
        with store_errors():
            stored = await self._redis.hgetall(keys.HUB_DRAINS)
        return {
            name.decode() if isinstance(name, bytes) else name: from_json(
                data, DrainRecord
            )
            for name, data in stored.items()
        }


def _log(pipe: Redis, order: DrainRecord) -> None:
    pipe.rpush(keys.HUB_ORDERS, to_json(order))
    pipe.ltrim(keys.HUB_ORDERS, -ORDERS_KEPT, -1)
