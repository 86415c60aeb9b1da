"""The bus as its readers see it: an endless row of messages, or an error. Nothing is promised to arrive.

A frozen server leaves a subscriber silent without any error, so silence beyond a bound is an error too:
the fetcher beats once a second.
"""

from collections.abc import AsyncIterator, Sequence

from redis.asyncio import Redis

from bse_shared.redis_edge.connection import StoreUnavailable, store_errors


SILENCE_MAX_S = 3.0


async def messages(
    redis: Redis, channels: Sequence[str], silence_max_s: float = SILENCE_MAX_S
) -> AsyncIterator[tuple[str, bytes] | None]:
    """First None, once the subscription stands; then each message as (channel, data).

    Raises StoreUnavailable when the connection breaks or nothing came for `silence_max_s`.
    """
    with store_errors():
        async with redis.pubsub() as pubsub:
            await pubsub.subscribe(*channels)
            confirmed = 0
            while True:
                message = await pubsub.get_message(timeout=silence_max_s)
                if message is None:
                    raise StoreUnavailable(f"bus silent for {silence_max_s:g} s")
                if message["type"] == "message":
                    yield message["channel"].decode(), message["data"]
                elif message["type"] == "subscribe":
                    confirmed += 1
                    if confirmed == len(channels):
                        yield None
