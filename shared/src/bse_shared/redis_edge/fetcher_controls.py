"""What operators order the fetchers to do: one order in force, with an end, and the log of all orders.

Whoever gives an order (the gateway's administrative routes) writes it here; every fetcher reads it twice a second.
An order ends by itself: nobody can forget a paused market for longer than a day.
"""

from redis.asyncio import Redis

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import store_errors
from bse_shared.wire.records import OrderRecord, from_json, to_json


ORDER_MAX_S = 24 * 3600
ORDERS_KEPT = 1000


class WrongOrder(ValueError):
    """An order that can't be given."""


class FetcherControls:
    """The order in force and the log."""

    def __init__(self, redis: Redis):
        self._redis = redis

    async def give(self, order: OrderRecord, for_s: int) -> None:
        """Put the order in force for so many seconds, in place of the one before. Raises WrongOrder."""
        if not 0 < for_s <= ORDER_MAX_S:
            raise WrongOrder(f"an order lasts 1 to {ORDER_MAX_S} s")
        if not order.by.strip():
            raise WrongOrder("an order has an author")
        data = to_json(order)
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(keys.FETCHER_ORDER, data, ex=for_s)
                pipe.rpush(keys.FETCHER_ORDERS, data)
                pipe.ltrim(keys.FETCHER_ORDERS, -ORDERS_KEPT, -1)
                await pipe.execute()

    async def note(self, order: OrderRecord) -> None:
        """Log an order that is in force and may have been given by hand, past `give`."""
        if order not in await self.log():
            with store_errors():
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.rpush(keys.FETCHER_ORDERS, to_json(order))
                    pipe.ltrim(keys.FETCHER_ORDERS, -ORDERS_KEPT, -1)
                    await pipe.execute()

    async def current(self) -> tuple[OrderRecord | None, int]:
        """The order in force and the milliseconds left of it; None and 0 where there is none."""
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.get(keys.FETCHER_ORDER)
                pipe.pttl(keys.FETCHER_ORDER)
                data, left_ms = await pipe.execute()
        order = from_json(data, OrderRecord) if data else None
        return (order, max(left_ms, 0)) if order else (None, 0)

    async def log(self, newest: int = 100) -> list[OrderRecord]:
        """The newest orders, oldest first."""
        with store_errors():
            stored = await self._redis.lrange(keys.FETCHER_ORDERS, -newest, -1)
        records = [from_json(data, OrderRecord) for data in stored]
        return [record for record in records if record]
