"""What this fetcher tells of itself, one picture for all: operators (`/status`), readers (the bus beat), Prometheus."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from bse_fetcher.core import Core
from bse_fetcher.feed import Feed
from bse_fetcher.loops.poll_batches import BatchPoller
from bse_fetcher.polling.demand import Demand
from bse_fetcher.sources.guard import Guards
from bse_shared.sessions.session import MarketSession
from bse_shared.wire.records import FeedStatus, FetcherStatus, SessionRecord


SUSPECTS_TOLD_MAX = 20
DRIFT_TOLD_MAX = 50


@dataclass(slots=True)
class StatusBoard:
    """Reads what the others know. Nothing here waits for anybody."""

    core: Core
    feed: Feed
    guards: Guards
    demand: Demand
    session: Callable[[], MarketSession]
    poll_interval_s: float
    pollers: list[BatchPoller] = field(default_factory=list)

    def of_feed(self, heard_ms: Sequence[int] | None = None) -> FeedStatus:
        """The feed. `heard_ms`: when each shard was last confirmed, where others write some of them."""
        core, feed, session = self.core, self.feed, self.session()
        orders, now_ms = core.orders, core.store.now_ms()
        suspects = core.publisher.scrutiny.suspects()
        return FeedStatus(
            at_ms=now_ms,
            writer=core.holder,
            source=feed.source,
            state=feed.state(session),
            session=_record(session),
            shards=core.terms.shards,
            poll_interval_s=self.poll_interval_s,
            last_answer_at_ms=min(heard_ms) if heard_ms else feed.last_answer_at_ms,
            last_error=feed.last_error,
            rows=feed.rows,
            rejected_rows=feed.rejected_rows,
            instruments_version=core.instruments.master.version,
            sources=self.guards.records(),
            order=orders.told(),
            order_ends_at_ms=now_ms + orders.left_ms if orders.record else None,
            suspect=len(suspects),
            suspects={
                core.instruments.master.symbol_of(code): why
                for code, why in islice(suspects.items(), SUSPECTS_TOLD_MAX)
            },
            drift=dict(core.publisher.drift.most_common(DRIFT_TOLD_MAX)),
            demand=self.demand.sizes(core.instruments.master.by_code, now_ms),
        )

    def whole(self) -> FetcherStatus:
        """Everything, for an operator who looks at this one."""
        terms = self.core.terms
        return FetcherStatus(
            instance=self.core.holder,
            role=self.role(),
            leads=terms.leads,
            shards=sorted(terms.writers),
            feed=self.of_feed(),
            order=self.core.orders.record,
            batches=[poller.counts() for poller in self.pollers],
        )

    def role(self) -> str:
        """Whether it does its part, or stands by."""
        return "active" if self.core.terms.active else "standby"

    def detail(self) -> dict[str, Any]:
        """The heart of it as plain facts, for the heartbeat and the health page."""
        core, feed, session = self.core, self.feed, self.session()
        return {
            "active": core.terms.active,
            "shards": len(core.terms.writers),
            "source": feed.source,
            "state": feed.state(session),
            "rows": feed.rows,
            "rejected_rows": feed.rejected_rows,
            "last_error": feed.last_error,
            "session": str(session.phase),
            "calendar_ends_in_days": session.calendar_ends_in_days,
            "suspect": len(core.publisher.scrutiny.suspects()),
            "order": core.orders.told(),
            **{f"{r.source} {r.endpoint}": r.circuit for r in self.guards.records()},
        }

    async def measure(self) -> None:
        """Set the gauges."""
        metrics, now_ms = self.core.metrics, self.core.store.now_ms()
        metrics.suspects_now.set(len(self.core.publisher.scrutiny.suspects()))
        metrics.ordered.set(self.core.orders.record is not None)
        known = self.core.instruments.master.by_code
        for tier, size in self.demand.sizes(known, now_ms).items():
            metrics.demand.labels(tier).set(size)
        for each in self.guards.records():
            age_ms = each.answered_ms_ago
            metrics.answered_age.labels(each.source, each.endpoint).set(
                math.nan if age_ms is None else age_ms / 1000
            )


def _record(session: MarketSession) -> SessionRecord:
    return SessionRecord(
        phase=session.phase,
        is_open=session.is_open,
        reason=session.reason,
        trading_day=session.trading_day,
        next_change_at_ms=session.next_change_at_ms,
        next_open_at_ms=session.next_open_at_ms,
        closing_auction_phase=session.closing_auction_phase,
        stage=session.stage,
        closing_auction_stage=session.closing_auction_stage,
        special=session.special,
        calendar_ends_in_days=session.calendar_ends_in_days,
    )
