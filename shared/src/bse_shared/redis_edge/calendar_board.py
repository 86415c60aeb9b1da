"""The calendar file that the active fetcher works by, for everybody who tells of it."""

from redis.asyncio import Redis

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import store_errors


class CalendarBoard:
    """One file, whole, as bytes."""

    def __init__(self, redis: Redis):
        self._redis = redis

    async def put(self, data: bytes) -> bool:
        """Let it be the one; whether it was another, or none."""
        with store_errors():
            before = await self._redis.set(keys.CALENDAR, data, get=True)
        return bool(before != data)

    async def read(self) -> bytes | None:
        """The file; None where no fetcher has told it."""
        with store_errors():
            found = await self._redis.get(keys.CALENDAR)
        return found.encode() if isinstance(found, str) else found
