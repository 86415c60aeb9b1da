"""What only the gateway keeps: API-key records, refresh-token families, the audit log. No secret in the clear."""

from typing import Any, NamedTuple

from redis.asyncio import Redis

from bse_shared.access.api_keys import ApiKeyRecord
from bse_shared.access.audit import START, Act, AuditEntry, linked
from bse_shared.access.sessions import Family
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import StoreUnavailable, store_errors
from bse_shared.redis_edge.scripts import Script
from bse_shared.wire.records import from_json, to_json


AUDIT_KEPT = 100_000
API_KEYS_MAX = 10_000
AUDIT_TRIES_MAX = 16
FAMILIES_MAX = 1_000
"""Sign-ins of one subject at once; the one that would end first makes room."""


# KEYS hash. ARGV field, stored value expected ('' none), new value, fields at most. -> 1, or 0 where it differs.
_CHANGE = Script("""
local held = redis.call('HGET', KEYS[1], ARGV[1])
if (held or '') ~= ARGV[2] then return 0 end
if not held and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
""")

# KEYS family. ARGV digest shown, digest of the next.
# -> {1, record}; {0, record} where another was shown (the family ends); {} where there is none.
_ROTATE = Script("""
local held = redis.call('HMGET', KEYS[1], 'digest', 'record')
if not held[1] then return {} end
if held[1] ~= ARGV[1] then redis.call('DEL', KEYS[1]); return {0, held[2]} end
redis.call('HSET', KEYS[1], 'digest', ARGV[2])
return {1, held[2]}
""")

# KEYS log, newest. ARGV digest expected, new digest, entry, entries kept. -> 1, or 0 where somebody was faster.
_APPEND = Script("""
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('RPUSH', KEYS[1], ARGV[3])
redis.call('LTRIM', KEYS[1], -ARGV[4], -1)
return 1
""")


class Rotated(NamedTuple):
    """What became of a refresh token: its family, and whether it was the one that is good."""

    family: Family
    reused: bool


class IdentityStore:
    """The gateway's own records."""

    def __init__(self, redis: Redis, audit_pepper: bytes):
        self._redis = redis
        self._pepper = audit_pepper

    # API keys.

    async def api_key(self, key_id: str) -> ApiKeyRecord | None:
        """The record of a key."""
        with store_errors():
            data = await self._redis.hget(keys.API_KEYS, key_id)
        return from_json(data, ApiKeyRecord) if data else None

    async def api_keys(self) -> dict[str, tuple[ApiKeyRecord, int | None]]:
        """All keys by id, each with when it was last used."""
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hvals(keys.API_KEYS)
                pipe.hgetall(keys.API_KEYS_USED)
                stored, used = await pipe.execute()
        records = [from_json(data, ApiKeyRecord) for data in stored]
        used_ms = {field.decode(): int(at_ms) for field, at_ms in used.items()}
        return {r.key_id: (r, used_ms.get(r.key_id)) for r in records if r}

    async def change_api_key(
        self, before: ApiKeyRecord | None, after: ApiKeyRecord
    ) -> bool:
        """Store the record if the store still holds `before`; False where somebody was faster, or no room is."""
        held = to_json(before) if before else b""
        return bool(
            await self._run(
                _CHANGE,
                [keys.API_KEYS],
                [after.key_id, held, to_json(after), API_KEYS_MAX],
            )
        )

    async def api_key_used(self, key_id: str, now_ms: int) -> None:
        """Note that the key opened something."""
        with store_errors():
            await self._redis.hset(keys.API_KEYS_USED, key_id, now_ms)

    # Refresh-token families.

    async def open_family(self, family: Family, digest: str, now_ms: int) -> None:
        """A new family, of which the token with this digest is good."""
        life_ms = family.expires_at_ms - now_ms
        of_subject = keys.families_of(family.sub)
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                name = keys.family(family.family_id)
                pipe.hset(name, mapping={"record": to_json(family), "digest": digest})
                pipe.pexpire(name, life_ms)
                pipe.zremrangebyscore(of_subject, "-inf", now_ms)
                pipe.zadd(of_subject, {family.family_id: family.expires_at_ms})
                pipe.pexpire(of_subject, life_ms)
                pipe.zrange(of_subject, 0, -FAMILIES_MAX - 1)
                *_, surplus = await pipe.execute()
            if surplus:
                await self._redis.zrem(of_subject, *surplus)
                await self._redis.delete(*_families(surplus))

    async def rotate(
        self, family_id: str, digest: str, next_digest: str
    ) -> Rotated | None:
        """Spend the family's good token for the next; any other ends the family. None: no such family."""
        reply = await self._run(
            _ROTATE, [keys.family(family_id)], [digest, next_digest]
        )
        family = from_json(reply[1], Family) if reply else None
        return Rotated(family, reused=not reply[0]) if family else None

    async def end_family(self, family_id: str) -> None:
        """No token of the family is good any more."""
        with store_errors():
            await self._redis.delete(keys.family(family_id))

    async def end_families_of(self, sub: str) -> None:
        """No refresh token of the subject is good any more."""
        with store_errors():
            ids: list[Any] = await self._redis.zrange(keys.families_of(sub), 0, -1)
            await self._redis.delete(keys.families_of(sub), *_families(ids))

    # The audit log.

    async def write_audit(self, act: Act) -> None:
        """Append the act to the chain."""
        for _ in range(AUDIT_TRIES_MAX):
            with store_errors():
                held: Any = await self._redis.get(keys.AUDIT_NEWEST)
            newest = held or START.encode()
            entry = linked(act, newest.decode(), self._pepper)
            args = [newest, entry.digest, to_json(entry), AUDIT_KEPT]
            if await self._run(_APPEND, [keys.AUDIT, keys.AUDIT_NEWEST], args):
                return
        raise StoreUnavailable("the audit log is contended")

    async def read_audit(self, count: int) -> tuple[list[AuditEntry], str]:
        """The newest entries, oldest first, and the digest that the newest must have."""
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.lrange(keys.AUDIT, -count, -1)
                pipe.get(keys.AUDIT_NEWEST)
                stored, newest = await pipe.execute()
        # One that can't be read shows as a broken chain, not as an entry fewer.
        entries = [from_json(data, AuditEntry) or _UNREADABLE for data in stored]
        return entries, (newest or START.encode()).decode()

    async def _run(self, script: Script, names: list[str], args: list[Any]) -> Any:
        with store_errors():
            return await self._redis.eval(script.body, len(names), *names, *args)


def _families(ids: list[Any]) -> list[str]:
    return [keys.family(each.decode()) for each in ids]


_UNREADABLE = AuditEntry(
    act=Act(at_ms=0, who="", what="unreadable", result=""),
    previous="",
    digest="",
)
