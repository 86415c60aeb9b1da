"""Puts together the loops that ask for prices: the primary's, the backup's, the comparison's, and the demand's."""

from typing import cast

from bse_fetcher.loops.cross_check import CrossChecker
from bse_fetcher.loops.follow_demand import DemandFollower, Fetch
from bse_fetcher.loops.poll import Poller
from bse_fetcher.loops.poll_batches import BatchPoller
from bse_fetcher.parts import LIST_SOURCE, Parts
from bse_fetcher.polling.frozen import FrozenFeed, FrozenTrades
from bse_fetcher.polling.pace import Pace
from bse_fetcher.polling.validation import CrossCheck
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.bse.scrip_source import BseDetailSource, BseHeaderSource
from bse_fetcher.sources.protocol import ListSource
from bse_fetcher.sources.registry import DETAILS, LIST_SOURCES, SOURCES, on_demand
from bse_shared.redis_edge.demand_board import DemandBoard
from bse_shared.service.loops import Loop


SERVE = "serve readers that miss"

TIMES_APART_MAX_MS = 20_000
"""Prices of two sources whose last trades are further apart can't be compared."""


def price_loops(parts: Parts, board: DemandBoard) -> list[Loop]:
    """The loops that ask for prices: the primary's, the backup's where there is one, and what readers miss."""
    if parts.settings.source.primary not in LIST_SOURCES:
        name = parts.settings.source.primary
        primary = parts.batches(
            parts.batch_source(name), parts.guards.add(name, "quotes", "primary")
        )
        primary.feed = parts.feed
        primary.frozen = FrozenTrades(parts.settings.poll.frozen_after_s * 1000)
        primary.moves = lambda: parts.calendar.session().phase == "open"
        primary.missed = parts.guards.add(name, "misses", "on demand", on_demand(name))
        loops = [_endless(parts, "poll batches", primary)]
        fetch: Fetch | None = primary.fetch_missed
    else:
        loops, fetch = _list_pollers(parts)
    wishes = DemandFollower(
        parts.core, board, parts.demand, board.missed, fetch, parts.alive(SERVE)
    )
    if parts.settings.source.validate_by:
        loops.append(_cross_check(parts))
    return [
        *loops,
        Loop("follow the demand", wishes.step, 2),
        Loop(SERVE, wishes.serve),
    ]


def _endless(parts: Parts, name: str, poller: BatchPoller) -> Loop:
    """Its step never ends: it tells itself that it lives."""
    poller.alive = parts.alive(name)
    return Loop(name, poller.run)


def _cross_check(parts: Parts) -> Loop:
    chosen = parts.settings.source
    checker = CrossChecker(
        core=parts.core,
        source=parts.batch_source(chosen.validate_by),
        guard=parts.guards.add(chosen.validate_by, "comparison", "validation"),
        check=CrossCheck(chosen.tolerance_percent, TIMES_APART_MAX_MS),
        demand=parts.demand,
        is_wanted=lambda: parts.calendar.session().phase == "open",
    )
    return Loop(
        "compare with a second source", checker.step, chosen.validate_interval_s
    )


def _list_pollers(parts: Parts) -> tuple[list[Loop], Fetch | None]:
    settings, core, guards = parts.settings, parts.core, parts.guards
    chosen, poll = settings.source, settings.poll
    bse = BseSource(parts.session, settings.bse)
    made = SOURCES[chosen.primary].make(parts.session, settings)
    poller = Poller(
        core=core,
        source=cast("ListSource", made),
        guard=guards.add(chosen.primary, "market", "primary"),
        feed=parts.feed,
        pace=Pace(poll.interval_s, poll.closed_interval_s),
        session=parts.calendar.session,
        frozen=FrozenFeed(poll.frozen_after_s * 1000),
    )
    loops = [Loop("poll the exchange", poller.step, 0.05)]
    if chosen.backup:
        backup = parts.batches(
            parts.batch_source(chosen.backup),
            guards.add(chosen.backup, "quotes", "backup"),
        )
        backup.is_wanted = lambda: poller.is_late(chosen.hedge_after_s)
        loops.append(_endless(parts, "poll the backup", backup))
    if chosen.primary != LIST_SOURCE:
        return loops, None  # who plays a recording asks nobody else
    if settings.bse.details_per_s > 0:
        details = parts.batches(
            BseDetailSource(bse, core.clock.wall_ms),
            guards.add(LIST_SOURCE, "details", "details", DETAILS),
        )
        details.details = True
        loops.append(_endless(parts, "read details", details))
    own = on_demand(LIST_SOURCE)
    header = parts.batches(
        BseHeaderSource(bse), guards.add(LIST_SOURCE, "header", "on demand", own)
    )
    return loops, header.fetch_missed
