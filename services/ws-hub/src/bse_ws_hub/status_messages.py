"""What the hub says of itself, of the market and of a client's set; every encoding writes the same."""

from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.wire.feed_view import feed_state, market_is_open
from bse_ws_hub.admission.identity import Identity
from bse_ws_hub.encodings.messages import Message, Rejection
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.hub.wants import described
from bse_ws_hub.settings import HubSettings


PROTOCOL = 1


def welcome(
    session: Session, identity: Identity, follower: QuoteFollower, settings: HubSettings
) -> Message:
    """The first message."""
    return {
        "type": "welcome",
        "protocol": PROTOCOL,
        "session": session.id,
        "server_time_ms": follower.now_ms(),
        "heartbeat_interval_ms": settings.heartbeat_interval_ms,
        "identity": identity.described,
        "limits": {**identity.limits, "message_bytes": settings.message_bytes_max},
    }


def authenticated(identity: Identity, command_id: object) -> Message:
    """The answer to a proof."""
    return {
        "type": "authenticated",
        "id": command_id,
        "identity": identity.described,
        "limits": identity.limits,
    }


def heartbeat(follower: QuoteFollower) -> Message:
    """The heartbeat of a client of which no update was merged."""
    now_ms = follower.now_ms()
    feed = follower.feed
    return {
        "type": "heartbeat",
        "server_time_ms": now_ms,
        "live_for_ms": _live_for_ms(follower, now_ms),
        "feed": {
            "state": feed_state(feed, now_ms),
            "source": feed.source if feed else None,
            "age_ms": feed_age_ms(follower, now_ms),
        },
        "session": {
            "phase": feed.session.phase if feed else "unknown",
            "is_open": market_is_open(feed, now_ms),
            "reason": feed.session.reason if feed else "no fetcher was heard yet",
            "trading_day": feed.session.trading_day if feed else None,
            "next_change_at_ms": feed.session.next_change_at_ms if feed else None,
        },
        "conflated": 0,
    }


def set_answer(
    kind: str,
    session: Session,
    follower: QuoteFollower,
    command_id: object = None,
    rejected: list[Rejection] | None = None,
) -> Message:
    """The full resulting set, and what was not taken."""
    known = follower.instruments.by_code
    return {
        "type": kind,
        "id": command_id,
        "symbols": [
            {
                "symbol": known[code].symbol,
                "code": code,
                "isin": known[code].isin,
                **described(want),
            }
            for code, want in session.wants.items()
            if code in known
        ],
        "rejected": [rejection.as_dict() for rejection in rejected or ()],
    }


def _live_for_ms(follower: QuoteFollower, now_ms: int) -> int:
    # Before the store's clock is known its time is 0, and nothing would look old.
    return follower.table.live_for_ms(now_ms) if follower.ready else 0


def feed_age_ms(follower: QuoteFollower, now_ms: int) -> int | None:
    """Since when the source has not confirmed the market; None if it never did."""
    heard_ms = follower.table.heard_ms()
    return max(0, now_ms - heard_ms) if heard_ms else None
