"""What every door reads to let somebody in: public signing keys, revocations, tickets, who owns a client id.

Each change of keys or revocations is also told on a channel, as a hint; the whole is small enough to be read
again every few seconds.
"""

import hashlib
import secrets
from typing import Any

from redis.asyncio import Redis

from bse_shared.access.principal import Principal
from bse_shared.access.revocations import Revocation
from bse_shared.access.sessions import Ticket
from bse_shared.access.signing_keys import SigningKeyRecord
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import store_errors
from bse_shared.wire.records import from_json, to_json


KEYS_CHANGED = b"keys"
"""The channel's message for a change of signing keys; a revocation is told as itself."""

TICKET_LENGTH_MAX = 64


class AccessState:
    """Keys and revocations as the store has them now."""

    def __init__(
        self, signing_keys: list[SigningKeyRecord], revocations: list[Revocation]
    ):
        self.signing_keys = signing_keys
        self.revocations = revocations


class AccessStore:
    """Shared by gateway and hub."""

    def __init__(self, redis: Redis):
        self._redis = redis

    async def state(self, now_ms: int) -> AccessState:
        """All signing keys and the revocations in force, in one round trip."""
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hvals(keys.SIGNING_KEYS)
                pipe.zrangebyscore(keys.REVOCATIONS, f"({now_ms}", "+inf")
                stored_keys, revoked = await pipe.execute()
        found_keys = [from_json(data, SigningKeyRecord) for data in stored_keys]
        found = [from_json(data, Revocation) for data in revoked]
        return AccessState([k for k in found_keys if k], [r for r in found if r])

    async def publish_key(self, record: SigningKeyRecord, now_ms: int) -> None:
        """Publish or renew a public key; drop those whose last tokens have run out."""
        state = await self.state(now_ms)
        known = {key.key_id for key in state.signing_keys}
        past = [k.key_id for k in state.signing_keys if k.verify_until_ms <= now_ms]
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(keys.SIGNING_KEYS, record.key_id, to_json(record))
                if past:
                    pipe.hdel(keys.SIGNING_KEYS, *past)
                if record.key_id not in known:
                    pipe.publish(keys.ACCESS_CHANNEL, KEYS_CHANGED)
                await pipe.execute()

    async def revoke(self, revocation: Revocation, now_ms: int) -> None:
        """Store the revocation and tell every door; drop those that have run out."""
        data = to_json(revocation)
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zadd(keys.REVOCATIONS, {data: revocation.until_ms})
                pipe.zremrangebyscore(keys.REVOCATIONS, "-inf", now_ms)
                pipe.publish(keys.ACCESS_CHANNEL, data)
                await pipe.execute()

    async def issue_ticket(self, client_id: str, principal: Principal) -> str:
        """A ticket that opens the hub once, within 30 s, for this client id as this principal."""
        ticket = secrets.token_urlsafe(24)
        data = to_json(Ticket(client_id=client_id, principal=principal))
        with store_errors():
            await self._redis.set(_ticket_key(ticket), data, ex=keys.TICKET_TTL_S)
        return ticket

    async def redeem_ticket(self, ticket: str) -> Ticket | None:
        """What the ticket opens, and it opens nothing any more. None: unknown, used or too late."""
        if not 0 < len(ticket) <= TICKET_LENGTH_MAX:
            return None
        with store_errors():
            data = await self._redis.getdel(_ticket_key(ticket))
        return from_json(data, Ticket) if data else None

    async def may_use_client(self, client_id: str, principal: Principal) -> bool:
        """Whether the client id is the principal's, or still nobody's; then it becomes the principal's.

        What was made without a token belongs to nobody: who knows such an id may use it.
        """
        name = keys.client_owner(client_id)
        with store_errors():
            if principal.is_anonymous:
                return await self._redis.get(name) is None
            mine = principal.sub.encode()
            owner: Any = await self._redis.set(
                name, mine, ex=keys.SUBSCRIPTION_TTL_S, nx=True, get=True
            )
            if owner == mine:
                await self._redis.expire(name, keys.SUBSCRIPTION_TTL_S)
        return owner in {None, mine}

    async def tell_spending(self, data: bytes) -> None:
        """Tell the other replicas of a door what its callers spent."""
        with store_errors():
            await self._redis.publish(keys.SPENT_CHANNEL, data)


def _ticket_key(ticket: str) -> str:
    # By digest: a look at the key names opens nothing.
    return keys.ticket(hashlib.sha256(ticket.encode(errors="replace")).hexdigest())
