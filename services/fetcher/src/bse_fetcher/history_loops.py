"""Puts together the loops that keep what was: minutes, days, the summary, indices, a recording."""

from pathlib import Path

from bse_fetcher.loops.fill_gaps import GapFiller
from bse_fetcher.loops.keep_history import HistoryKeeper
from bse_fetcher.loops.read_indices import IndexReader
from bse_fetcher.loops.record_day import Recorder
from bse_fetcher.loops.sum_up import Summariser
from bse_fetcher.parts import LIST_SOURCE, Parts
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.guard import Guard
from bse_fetcher.sources.protocol import MinuteSource
from bse_fetcher.sources.registry import CHARTS, DETAILS
from bse_fetcher.sources.yahoo.source import YahooSource
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.service.loops import Loop


RECORD_S = 5.0
PAUSE_S = 0.25
"""How often it is looked whether there is a pause between two answers."""


def history_loops(parts: Parts, history: MarketHistory) -> list[Loop]:
    """The loops; what they listen to is told of every commit."""
    keeper = HistoryKeeper(parts.core, history, parts.calendar.session)
    summariser = Summariser(parts.core, history)
    parts.core.publisher.listeners += (keeper.took, summariser.took)
    loops = [
        Loop("keep the minutes", keeper.step, 5),
        Loop("sum the market up", summariser.step, PAUSE_S),
    ]
    bse = parts.settings.bse
    if sources := _minute_sources(parts):
        filler = GapFiller(
            core=parts.core,
            sources=sources,
            history=history,
            demand=parts.demand,
            is_wanted=parts.is_wanted,
            pauses=lambda: keeper.maker.pauses,
        )
        loops.append(Loop("fill the gaps", filler.step, 1))
    if parts.settings.replay.record_to:
        recorder = Recorder(parts.core, Path(parts.settings.replay.record_to))
        parts.core.publisher.listeners.append(recorder.took)
        parts.at_end.append(recorder.step)
        loops.append(Loop("record the day", recorder.step, RECORD_S))
    interval_s = bse.indices_interval_s
    if interval_s > 0 and parts.settings.source.primary == LIST_SOURCE:
        reader = IndexReader(
            core=parts.core,
            source=BseSource(parts.session, bse),
            guard=parts.guards.add(LIST_SOURCE, "indices", "indices"),
            history=history,
            is_closed=lambda: not parts.is_wanted(),
            interval_s=interval_s,
        )
        loops.append(Loop("read the indices", reader.step, 1))
    return loops


def _minute_sources(parts: Parts) -> list[tuple[MinuteSource, Guard]]:
    """Who is asked for minutes that were missed, the exchange first; nobody else while a recording is played."""
    settings, guards = parts.settings, parts.guards
    found: list[tuple[MinuteSource, Guard]] = []
    if settings.source.primary == LIST_SOURCE and settings.bse.details_per_s > 0:
        guard = guards.add(LIST_SOURCE, "minutes", "details", DETAILS)
        found.append((BseSource(parts.session, settings.bse), guard))
    if settings.source.primary != "replay" and settings.yahoo.charts_per_s > 0:
        guard = guards.add("yahoo", "chart", "details", CHARTS)
        found.append((YahooSource(parts.session, settings.yahoo), guard))
    return found
