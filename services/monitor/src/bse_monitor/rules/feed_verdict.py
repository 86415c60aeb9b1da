"""Judges the feed: are prices confirmed, how old is the newest confirmation, and if not fresh, why."""

from collections.abc import Sequence

from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import FeedSeen, ShardSeen, StoreSeen
from bse_monitor.rules.status import FeedState, FeedVerdict, Health, ShardStatus
from bse_monitor.rules.words import clip, listed, span
from bse_shared.wire.records import FeedStatus, SessionRecord


def judge_feed(
    feed: FeedSeen, store: StoreSeen, now_ms: int, limits: Limits
) -> FeedVerdict:
    """The verdict at `now_ms` of the store's clock."""
    shards = tuple(_shard(shard, now_ms) for shard in feed.shards)
    ages = [shard.age_ms for shard in shards if shard.age_ms is not None]
    age_ms = min(ages, default=None)
    if store.reachable:
        state, reasons = _judge(feed.status, shards, age_ms, now_ms, limits)
    else:
        state, reasons = FeedState.UNKNOWN, ("the store cannot be read",)
    health = _health(state, age_ms, limits)
    return FeedVerdict(state, health, reasons, age_ms, feed.status, shards)


Judgement = tuple[FeedState, tuple[str, ...]]


def _judge(
    said: FeedStatus | None,
    shards: Sequence[ShardStatus],
    age_ms: float | None,
    now_ms: int,
    limits: Limits,
) -> Judgement:
    if said is None:
        return FeedState.UNKNOWN, ("no fetcher has reported on the feed yet",)
    troubles = _troubles(said, len(shards), now_ms, limits)
    if not _expects_prices(said.session, now_ms):
        if troubles:
            return FeedState.FAILING, troubles
        return FeedState.CLOSED, (_why_closed(said.session),)
    if _is_old(age_ms, limits):
        return FeedState.STALE, (_why_stale(age_ms), *troubles)
    troubles += _lagging(shards, limits)
    return (FeedState.FAILING if troubles else FeedState.OK), troubles


def _troubles(
    said: FeedStatus, shards: int, now_ms: int, limits: Limits
) -> tuple[str, ...]:
    """What is wrong with the writer and its source, whatever the age of the prices."""
    found = []
    silent_ms = now_ms - said.at_ms
    if abs(silent_ms) > limits.feed_silent_after_ms:
        found.append(
            "no writer holds the leases: the newest report on the feed"
            f" is {span(silent_ms)} {'old' if silent_ms > 0 else 'ahead'}"
        )
    if said.state == "failing" or said.last_error:
        error = clip(said.last_error or "no error told")
        found.append(f"source {clip(said.source)} fails: {error}")
    if said.shards != shards:
        found.append(
            f"the fetcher writes {said.shards} shards, the monitor reads {shards}:"
            " MARKET_SHARDS differs"
        )
    return tuple(found)


def _lagging(shards: Sequence[ShardStatus], limits: Limits) -> tuple[str, ...]:
    """Shards that stand still while others move. One that never held a price is empty, not late."""
    late = [s for s in shards if s.age_ms is not None and _is_old(s.age_ms, limits)]
    if not late:
        return ()
    oldest_ms = max(shard.age_ms or 0 for shard in late)
    names = listed([shard.shard for shard in late])
    return (f"{names} of {len(shards)}: no price confirmed for {span(oldest_ms)}",)


def _health(state: FeedState, age_ms: float | None, limits: Limits) -> Health:
    if state in {FeedState.OK, FeedState.CLOSED}:
        return Health.OK
    if state is FeedState.STALE and (
        age_ms is None or abs(age_ms) > limits.feed_down_after_ms
    ):
        return Health.DOWN
    return Health.DEGRADED


def _expects_prices(session: SessionRecord, now_ms: int) -> bool:
    """Whether the market is open; a writer that died before the opening could not say so."""
    opened = session.next_open_at_ms is not None and now_ms >= session.next_open_at_ms
    return session.is_open or opened


def _is_old(age_ms: float | None, limits: Limits) -> bool:
    return age_ms is None or abs(age_ms) > limits.feed_stale_after_ms


def _why_stale(age_ms: float | None) -> str:
    if age_ms is None:
        return "no price was ever confirmed"
    if age_ms < 0:
        return f"confirmations are dated {span(age_ms)} ahead of the store's clock"
    return f"no price confirmed for {span(age_ms)}"


def _why_closed(session: SessionRecord) -> str:
    return f"market closed: {clip(session.reason or session.phase) or 'no reason told'}"


def _shard(shard: ShardSeen, now_ms: int) -> ShardStatus:
    age_ms = now_ms - shard.confirmed_at_ms if shard.confirmed_at_ms else None
    return ShardStatus(shard.shard, shard.position, age_ms)
