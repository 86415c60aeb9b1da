"""The only file that knows key and channel names, and how long keys live.

`{s3}` is a hash tag: all keys of a shard live in one Redis Cluster slot.
"""

QUOTE_TTL_S = 300
"""Requirement: `stock:quote:*` lives five minutes, refreshed with each confirmation."""

SUBSCRIPTION_TTL_S = 24 * 3600
INSTANCES_KEPT_S = 600

QUOTE_PREFIX = "stock:quote:"
BEAT_CHANNEL = "bse:beat"
SUBSCRIPTION_CHANNEL = "bse:subscription-changed"
FEED_STATUS = "bse:feed:status"
INSTRUMENTS = "bse:instruments"
INSTANCES = "bse:instances"
FETCHERS = "bse:fetchers"
FETCHER_ORDER = "bse:fetcher:order"
FETCHER_ORDERS = "bse:fetcher:orders"
CALENDAR = "bse:calendar"
HUB_DRAINS = "bse:hub:drains"
HUB_ORDERS = "bse:hub:orders"
SUMMARY = "bse:summary"
SUMMARY_PARTS = "bse:summary:parts"
SUMMARY_CHANNEL = "bse:summary-changed"
INDICES = "bse:indices"
INDICES_CHANNEL = "bse:indices-changed"
DEMAND_WATCHED = "bse:demand:watched"
DEMAND_CHANNEL = "bse:demand:missed"
BATCH_STATUS_TTL_S = 300

# Identity. One hash tag: the scripts need these keys in one slot, and they are few and small.
API_KEYS = "bse:{access}:api-keys"
API_KEYS_USED = "bse:{access}:api-keys-used"
SIGNING_KEYS = "bse:{access}:signing-keys"
REVOCATIONS = "bse:{access}:revocations"
AUDIT = "bse:{access}:audit"
AUDIT_NEWEST = "bse:{access}:audit-newest"
ACCESS_CHANNEL = "bse:access:changed"
SPENT_CHANNEL = "bse:access:spent"
TICKET_TTL_S = 30

# Streams that are open. One hash tag: a script looks at an identity's streams and at the hubs that hold them.
STREAM_HUBS = "bse:{streams}:hubs"
STREAM_HUB_TTL_MS = 15_000
"""A hub that was not heard for so long holds no streams any more."""

STREAM_COUNTS_TTL_S = 3600
TAKEOVER_CHANNEL = "bse:streams:taken-over"


def quote(symbol: str) -> str:
    """The packed image of a symbol, for anyone who reads the cache by hand or by name."""
    return f"{QUOTE_PREFIX}{symbol}"


def batch(batch_id: str) -> str:
    """The processing status of a fetch batch."""
    return f"stock:batch:{batch_id}"


def subscription(client_id: str) -> str:
    """A client's subscription set."""
    return f"client:subscription:{client_id}"


def lease(shard: int) -> str:
    """Who writes the shard, and in which epoch."""
    return f"bse:{{s{shard}}}:lease"


def head(shard: int) -> str:
    """The shard's epoch, sequence and confirmation times (hash)."""
    return f"bse:{{s{shard}}}:head"


def quotes(shard: int) -> str:
    """The shard's last-known images by scrip code (hash), which outlive the TTL of `stock:quote:*`."""
    return f"bse:{{s{shard}}}:quotes"


def minutes(shard: int, code: int, day_ms: int) -> str:
    """The one-minute candles of a scrip on the Indian day that begins at `day_ms` (list)."""
    return f"bse:{{s{shard}}}:minutes:{day_ms}:{code}"


def days(shard: int, code: int) -> str:
    """The days of a scrip by their beginning (hash)."""
    return f"bse:{{s{shard}}}:days:{code}"


def deltas(shard: int) -> str:
    """The channel of the shard's frames."""
    return f"bse:{{s{shard}}}:deltas"


def demand_asked(code: int) -> str:
    """That a reader asked for the scrip, until its deadline."""
    return f"bse:demand:asked:{code}"


def source_budget(source: str) -> str:
    """What was spent of a source's request budget, and until when it is left alone (hash)."""
    return f"bse:source:{source}:budget"


def family(family_id: str) -> str:
    """A refresh-token family: its record and the digest of the one token that is good (hash)."""
    return f"bse:{{access}}:family:{family_id}"


def families_of(sub: str) -> str:
    """The ids of a subject's families by their end (sorted set)."""
    return f"bse:{{access}}:families:{sub}"


def ticket(ticket_id: str) -> str:
    """A one-time ticket for the hub."""
    return f"bse:{{access}}:ticket:{ticket_id}"


def client_owner(client_id: str) -> str:
    """The subject that a client id belongs to; none for one that was made without a token."""
    return f"bse:{{access}}:owner:{client_id}"


def streams_of(owner: str) -> str:
    """How many streams of an identity each hub holds (hash)."""
    return f"bse:{{streams}}:of:{owner}"


def stream_session(digest: str) -> str:
    """The stream that holds a session name, and since when: the digest is of identity and name."""
    return f"bse:{{streams}}:session:{digest}"
