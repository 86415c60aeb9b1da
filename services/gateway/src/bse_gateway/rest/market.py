"""`GET /api/market/status`: session, feed and counts, from what the fetcher last told."""

from typing import Any

from fastapi import FastAPI

from bse_gateway.derived import indian_time
from bse_gateway.lookup import Lookup, Market
from bse_gateway.rest.contract import problems
from bse_gateway.rest.problems import Kind
from bse_gateway.rest.replies.market import (
    CountsReply,
    FeedReply,
    MarketReply,
    SessionReply,
)
from bse_shared.wire.feed_view import feed_state
from bse_shared.wire.records import FeedStatus, SessionRecord


def add_market_routes(app: FastAPI, market: Market, lookup: Lookup) -> None:
    """Add the route."""

    @app.get(
        "/api/market/status",
        summary="Session and feed",
        tags=["market"],
        responses=problems(Kind.NOT_READY),
    )
    async def read_market_status() -> MarketReply:
        """The market session, how the feed does, and how much of the market is held here."""
        return market_reply(market, lookup.moment().now_ms)


def market_reply(market: Market, now_ms: int) -> MarketReply:
    """The status at `now_ms`."""
    feed = market.feed
    return MarketReply(
        server_time_ms=now_ms,
        server_time=indian_time(now_ms),
        session=_session(feed.session) if feed else None,
        feed=FeedReply(
            state=feed_state(feed, now_ms),
            source=feed.source if feed else None,
            age_ms=_age_ms(feed, now_ms),
            last_answer_at_ms=feed.last_answer_at_ms if feed else None,
            poll_interval_s=feed.poll_interval_s if feed else None,
        ),
        counts=CountsReply(
            instruments=len(market.instruments), quotes=len(market.table.images)
        ),
    )


def not_ready(market: Market) -> list[str]:
    """Why this gateway should get no traffic while another one can have it."""
    if not market.ready:
        return ["quotes not read yet"]
    return [] if market.connected else ["the bus is not heard: quotes grow stale"]


def health_detail(market: Market) -> dict[str, Any]:
    """What /health tells of this gateway beyond its status."""
    now_ms = market.now_ms()
    return {
        "synced": market.ready,
        "redis_connected": market.connected,
        "quotes": len(market.table.images),
        "instruments": len(market.instruments),
        "feed_state": feed_state(market.feed, now_ms),
        "feed_source": market.feed.source if market.feed else None,
        "feed_age_ms": _age_ms(market.feed, now_ms),
    }


def _age_ms(feed: FeedStatus | None, now_ms: int) -> int | None:
    if feed is None or feed.last_answer_at_ms is None:
        return None
    return max(now_ms - feed.last_answer_at_ms, 0)


def _session(session: SessionRecord) -> SessionReply:
    return SessionReply(
        phase=session.phase,
        closing_auction_phase=session.closing_auction_phase or session.phase,
        stage=session.stage,
        closing_auction_stage=session.closing_auction_stage,
        is_open=session.is_open,
        special=session.special,
        reason=session.reason,
        trading_day=session.trading_day,
        next_change_at_ms=session.next_change_at_ms,
        next_open_at_ms=session.next_open_at_ms,
        calendar_ends_in_days=session.calendar_ends_in_days,
    )
