"""Signs of life and client subscriptions in the store: small records that services leave for each other."""

from collections.abc import Mapping

from redis.asyncio import Redis

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import store_errors
from bse_shared.wire.records import (
    Heartbeat,
    SubscriptionRecord,
    from_json,
    to_json,
)


class Instances:
    """Who is there: one heartbeat record an instance, kept for a while after its last beat."""

    def __init__(self, redis: Redis):
        self._redis = redis

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Leave this instance's sign of life."""
        field = f"{heartbeat.service}/{heartbeat.instance}"
        with store_errors():
            await self._redis.hset(keys.INSTANCES, field, to_json(heartbeat))

    async def leave(self, service: str, instance: str) -> None:
        """This instance stops for good: it is no longer missed."""
        with store_errors():
            await self._redis.hdel(keys.INSTANCES, f"{service}/{instance}")

    async def all(self, now_ms: int) -> list[Heartbeat]:
        """Every instance heard of in the last ten minutes; older records are removed."""
        with store_errors():
            fields = await self._redis.hgetall(keys.INSTANCES)
            found = []
            for field, data in fields.items():
                heartbeat = from_json(data, Heartbeat)
                if heartbeat is None:
                    continue  # of another version: not ours to judge, nor to remove
                if now_ms - heartbeat.at_ms > keys.INSTANCES_KEPT_S * 1000:
                    await self._redis.hdel(keys.INSTANCES, field)
                else:
                    found.append(heartbeat)
        return sorted(found, key=lambda h: (h.service, h.instance))


class Subscriptions:
    """The sets that clients asked for under their client id, shared by gateway and hub."""

    def __init__(self, redis: Redis):
        self._redis = redis

    async def save(self, record: SubscriptionRecord) -> None:
        """Store the set and tell the hubs that it changed."""
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(
                    keys.subscription(record.client_id),
                    to_json(record),
                    ex=keys.SUBSCRIPTION_TTL_S,
                )
                pipe.publish(keys.SUBSCRIPTION_CHANNEL, record.client_id)
                await pipe.execute()

    async def load(self, client_id: str) -> SubscriptionRecord | None:
        """The client's set, or None. Read to be used, it is kept for another day."""
        name = keys.subscription(client_id)
        with store_errors():
            data = await self._redis.getex(name, ex=keys.SUBSCRIPTION_TTL_S)
        return from_json(data, SubscriptionRecord) if data else None

    async def keep(self, owners: Mapping[str, str | None]) -> list[str]:
        """Keep these clients' sets for another day, and whose client ids they are (None: nobody's).

        The client ids under which nothing is stored.
        """
        ttl_s = keys.SUBSCRIPTION_TTL_S
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for client_id in owners:
                    pipe.expire(keys.subscription(client_id), ttl_s)
                for client_id, subject in owners.items():
                    if subject is not None:
                        name = keys.client_owner(client_id)
                        pipe.set(name, subject, ex=ttl_s, nx=True)
                        pipe.expire(name, ttl_s)
                answers = await pipe.execute()
        return [c for c, kept in zip(owners, answers, strict=False) if not kept]
