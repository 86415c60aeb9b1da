"""How every door reads the fetcher's word on the feed. One rule, so that no two doors disagree."""

from bse_shared.wire.records import FeedStatus


BEAT_HEARD_FOR_MS = 5_000
"""The fetcher beats each second; beyond this nobody is heard."""

NEXT_SESSION_WITHIN_MS = 3_000


def feed_state(feed: FeedStatus | None, now_ms: int) -> str:
    """`ok`, `failing`, `closed`, or `unknown` when no fetcher is heard (`now_ms`: the store's clock)."""
    if feed is None or now_ms - feed.at_ms > BEAT_HEARD_FOR_MS:
        return "unknown"
    return feed.state


def market_is_open(feed: FeedStatus | None, now_ms: int) -> bool:
    """Whether prices should be moving now. In doubt yes: then an old price is stale, not `closed`.

    A closed session is believed only until its announced end (and a moment, for the beat that announces the
    next one): who has not heard since does not know.
    """
    if feed is None or feed.session.is_open:
        return True
    ends_at_ms = feed.session.next_change_at_ms
    return ends_at_ms is None or now_ms >= ends_at_ms + NEXT_SESSION_WITHIN_MS
