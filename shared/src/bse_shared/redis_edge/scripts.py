"""The Lua that makes the store's promises: a lease has one holder, and values and position move together.

Replies carry the store's time, so that each round trip also tells the one clock that all processes share.
"""

import hashlib


class Script:
    """A script and the digest under which the server knows it."""

    def __init__(self, body: str):
        self.body = body
        self.sha = hashlib.sha1(body.encode(), usedforsecurity=False).hexdigest()


TIME = """
local t = redis.call('TIME')
local now_ms = t[1] * 1000 + math.floor(t[2] / 1000)
local now = string.format('%.0f', now_ms)
"""
"""The beginning of a script that needs the time: `t`, `now_ms`, and `now` as text."""

# KEYS lease, head. ARGV holder, ttl_ms, lowest epoch.
# -> {1, epoch, now} or {0, holder's lease, now}. Taking it again as its holder opens a new term.
TAKE_LEASE = Script(
    TIME
    + """
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^%d+:(.*)$') ~= ARGV[1] then
  return {0, held, now}
end
local stored = tonumber(redis.call('HGET', KEYS[2], 'epoch') or '0')
local epoch = string.format('%.0f', math.max(stored + 1, tonumber(ARGV[3]), now_ms))
redis.call('SET', KEYS[1], epoch .. ':' .. ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[2], 'epoch', epoch, 'sequence', '0')
return {1, epoch, now}
"""
)

# KEYS lease. ARGV lease value, ttl_ms. -> {1 or 0, now}
RENEW_LEASE = Script(
    TIME
    + """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0, now} end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {1, now}
"""
)

# KEYS lease. ARGV lease value.
RELEASE_LEASE = Script(
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
)

# KEYS lease, head, quotes.
# ARGV 1 lease value, 2 sequence that the store must hold, 3 new sequence, 4 confirmation times,
#      5 images as MessagePack [code, symbol, image, …], 6 symbols to keep alive as MessagePack, 7 ttl_s,
#      8 prefix of the quote keys, 9 channel, 10 frame.
# -> {1, now} or {0, now, why}. The fence: nobody writes without the lease, nor on a state he does not know.
COMMIT = Script(
    TIME
    + """
local held = redis.call('GET', KEYS[1])
if held ~= ARGV[1] then return {0, now, 'lease is ' .. (held or 'gone')} end
local head = redis.call('HMGET', KEYS[2], 'epoch', 'sequence')
if head[1] ~= string.match(held, '^%d+') or head[2] ~= ARGV[2] then
  return {0, now, 'store is at ' .. (head[1] or '-') .. '/' .. (head[2] or '-')}
end
for _, symbol in ipairs(cmsgpack.unpack(ARGV[6])) do
  redis.call('EXPIRE', ARGV[8] .. symbol, ARGV[7])
end
local flat = cmsgpack.unpack(ARGV[5])
local fields = {}
for i = 1, #flat, 3 do
  redis.call('SET', ARGV[8] .. flat[i + 1], flat[i + 2], 'EX', ARGV[7])
  fields[#fields + 1] = flat[i]
  fields[#fields + 1] = flat[i + 2]
  if #fields >= 2000 then redis.call('HSET', KEYS[3], unpack(fields)); fields = {} end
end
if #fields > 0 then redis.call('HSET', KEYS[3], unpack(fields)) end
redis.call('HSET', KEYS[2], 'sequence', ARGV[3], 'confirmed', ARGV[4])
redis.call('PUBLISH', ARGV[9], ARGV[10])
return {1, now}
"""
)

# KEYS budget. ARGV ms a request, requests at once. -> {1, '0', now} or {0, ms to wait, now}
# The bucket is one number: the time at which it will be empty again.
SPEND_BUDGET = Script(
    TIME
    + """
local held = redis.call('HMGET', KEYS[1], 'empty_at', 'blocked_until')
local blocked_ms = tonumber(held[2] or '0') - now_ms
if blocked_ms > 0 then return {0, string.format('%.0f', blocked_ms), now} end
local cost, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local empty_at = math.max(tonumber(held[1] or '0'), now_ms)
local wait_ms = math.ceil(empty_at + cost - now_ms - cost * burst)
if wait_ms > 0 then return {0, string.format('%.0f', wait_ms), now} end
redis.call('HSET', KEYS[1], 'empty_at', string.format('%.3f', empty_at + cost))
redis.call('PEXPIRE', KEYS[1], 7200000)
return {1, '0', now}
"""
)

# KEYS budget. ARGV ms. -> {1, now}
BLOCK_SOURCE = Script(
    TIME
    + """
local held = tonumber(redis.call('HGET', KEYS[1], 'blocked_until') or '0')
local until_ms = math.max(held, now_ms + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'blocked_until', string.format('%.0f', until_ms))
redis.call('PEXPIRE', KEYS[1], 7200000)
return {1, now}
"""
)

# KEYS fetchers. ARGV holder, ttl_ms. -> {1, fetchers alive a line each, now}
SIGN_ON = Script(
    TIME
    + """
redis.call('ZADD', KEYS[1], now_ms + tonumber(ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return {1, table.concat(redis.call('ZRANGE', KEYS[1], 0, -1), string.char(10)), now}
"""
)

# KEYS lease. ARGV lease value, ttl_s, MessagePack [list's key, start, candle, …]. -> {1 or 0, now}
# All keys carry the hash tag of the lease's shard.
APPEND_MINUTES = Script(
    TIME
    + """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0, now} end
local flat = cmsgpack.unpack(ARGV[3])
for i = 1, #flat, 3 do
  if redis.call('RPUSH', flat[i], flat[i + 2]) == 1 then
    redis.call('EXPIRE', flat[i], ARGV[2])
  end
end
return {1, now}
"""
)

# KEYS lease. ARGV lease value, ttl_s, MessagePack [hash's key, start, candle, …]. -> {1 or 0, now}
SET_DAYS = Script(
    TIME
    + """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0, now} end
local flat = cmsgpack.unpack(ARGV[3])
for i = 1, #flat, 3 do
  redis.call('HSET', flat[i], flat[i + 1], flat[i + 2])
  redis.call('EXPIRE', flat[i], ARGV[2])
end
return {1, now}
"""
)
