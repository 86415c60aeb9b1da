"""How many streams each identity has open over all hubs, and which of them holds a session name.

A hub leases its place among the hubs (15 s, renewed at constant work) and writes how many streams it holds of each
identity; the counts of a hub whose lease ran out count no more. All on the store's clock.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import msgspec
from redis.asyncio import Redis

from bse_shared.pacing.clock import Clock
from bse_shared.pacing.store_clock import StoreClock
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import store_errors
from bse_shared.redis_edge.script_runner import Call, ScriptRunner
from bse_shared.redis_edge.scripts import TIME, Script


# KEYS hubs. ARGV hub, ttl_ms. -> {1 where its lease had not run out, now}
_RENEW = Script(
    TIME
    + """
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], string.format('%.0f', now_ms + ARGV[2]), ARGV[1])
return {(ends and tonumber(ends) > now_ms) and 1 or 0, now}
"""
)

# KEYS counts, hubs. ARGV hub, its streams with the new one, streams at most, ttl_s. -> {1 or 0, now}
_TAKE = Script(
    TIME
    + """
local flat = redis.call('HGETALL', KEYS[1])
local others = 0
for i = 1, #flat, 2 do
  if flat[i] ~= ARGV[1] then
    local ends = redis.call('ZSCORE', KEYS[2], flat[i])
    if ends and tonumber(ends) > now_ms then
      others = others + tonumber(flat[i + 1])
    else
      redis.call('HDEL', KEYS[1], flat[i])
    end
  end
end
if others + tonumber(ARGV[2]) > tonumber(ARGV[3]) then return {0, now} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {1, now}
"""
)

# KEYS counts. ARGV hub, its streams, ttl_s.
_WRITE = Script(
    """
if ARGV[2] == '0' then return redis.call('HDEL', KEYS[1], ARGV[1]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('EXPIRE', KEYS[1], ARGV[3])
"""
)

# KEYS session. ARGV stream, since_us ('0': from now on), ttl_ms, channel, owner, session name.
# -> {1, now, since_us, 1 where another held it} or {0, now, since_us of the newer one that holds it, 1}
_HOLD = Script(
    TIME
    + """
local held = redis.call('GET', KEYS[1])
local held_us, holder = 0, nil
if held then held_us, holder = string.match(held, '^(%d+):(.*)$') end
held_us = tonumber(held_us)
local since_us = tonumber(ARGV[2])
if since_us == 0 then
  since_us = math.max(t[1] * 1000000 + t[2], held_us + 1)
elseif holder ~= ARGV[1] and held_us >= since_us then
  return {0, now, string.format('%.0f', held_us), 1}
end
local since = string.format('%.0f', since_us)
redis.call('SET', KEYS[1], since .. ':' .. ARGV[1], 'PX', ARGV[3])
if holder ~= ARGV[1] then
  redis.call('PUBLISH', ARGV[4], cjson.encode(
    {owner = ARGV[5], session = ARGV[6], stream = ARGV[1], since = since}))
end
return {1, now, since, (holder and holder ~= ARGV[1]) and 1 or 0}
"""
)

# KEYS session. ARGV stream.
_RELEASE = Script("""
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^%d+:(.*)$') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
""")


class Wish(NamedTuple):
    """One more stream of an identity. `here`: how many this hub would then hold of it."""

    owner: str
    here: int
    limit: int


class SessionName(NamedTuple):
    """Of the streams of an identity with the same name, the newest lives."""

    owner: str
    name: str

    @property
    def key(self) -> str:
        """Where it is kept; a name may hold any character."""
        told = msgspec.json.encode([self.owner, self.name])
        return keys.stream_session(hashlib.sha256(told).hexdigest())


class Held(NamedTuple):
    """Who holds a session name now: this stream (`mine`) or a newer one; whether another one did before."""

    mine: bool
    since_us: int
    had_another: bool


class TakenOver(msgspec.Struct, frozen=True, kw_only=True):
    """The message on the channel: since this moment that stream holds the name."""

    owner: str
    session: str
    stream: str
    since: Annotated[str, msgspec.Meta(pattern=r"^\d{1,17}\Z")]
    """Microseconds, as text: Lua's JSON rounds large numbers."""

    @property
    def since_us(self) -> int:
        """The moment."""
        return int(self.since)


class StreamLeases:
    """One hub's view. `hub` must name this process alone: one that starts anew is another."""

    def __init__(self, redis: Redis, clock: Clock, hub: str):
        self._redis = redis
        self._scripts = ScriptRunner(redis, clock, StoreClock())
        self.hub = hub

    async def renew(self) -> bool:
        """Renew the hub's lease. False: it had run out or was never taken; others count our streams as gone."""
        call: Call = (_RENEW, [keys.STREAM_HUBS], [self.hub, keys.STREAM_HUB_TTL_MS])
        (reply,) = await self._scripts.run([call])
        return bool(reply[0])

    async def leave(self) -> None:
        """The hub holds no streams any more."""
        with store_errors():
            await self._redis.zrem(keys.STREAM_HUBS, self.hub)

    async def take(self, wishes: Sequence[Wish]) -> list[bool]:
        """Which of the wished streams may be opened, in one round trip."""
        ttl_s = keys.STREAM_COUNTS_TTL_S
        calls: list[Call] = [
            (
                _TAKE,
                [keys.streams_of(wish.owner), keys.STREAM_HUBS],
                [self.hub, wish.here, wish.limit, ttl_s],
            )
            for wish in wishes
        ]
        return [bool(reply[0]) for reply in await self._scripts.run(calls)]

    async def write(self, counts: Mapping[str, int]) -> None:
        """Say how many streams this hub holds of these identities."""
        ttl_s = keys.STREAM_COUNTS_TTL_S
        await self._scripts.run(
            [
                (_WRITE, [keys.streams_of(owner)], [self.hub, str(count), ttl_s])
                for owner, count in counts.items()
            ]
        )

    async def hold(
        self, sessions: Sequence[tuple[SessionName, str, int]]
    ) -> list[Held]:
        """Hold session names: each by a stream, since a moment of the store's clock (µs; 0: from now on)."""
        calls: list[Call] = [
            (
                _HOLD,
                [session.key],
                [
                    *(stream, since_us, keys.STREAM_HUB_TTL_MS),
                    *(keys.TAKEOVER_CHANNEL, session.owner, session.name),
                ],
            )
            for session, stream, since_us in sessions
        ]
        replies = await self._scripts.run(calls)
        return [Held(bool(r[0]), int(r[2]), bool(r[3])) for r in replies]

    async def release(self, session: SessionName, stream: str) -> None:
        """The stream is over; who holds the name by now keeps it."""
        await self._scripts.run([(_RELEASE, [session.key], [stream])])
