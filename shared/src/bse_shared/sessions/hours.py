"""The hours of one day: which phase holds at which minute.

Minutes count from midnight in India. The phases never reach midnight, so a day
always ends closed. There may be gaps (two short sessions on one day).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from bse_shared.sessions.calendar_file import CalendarError, PhaseRow, StageRow
from bse_shared.sessions.session import Phase, Stage


class Span(NamedTuple):
    """One phase, from `start` up to but not including `end`, in minutes."""

    phase: Phase
    start: int
    end: int


Track = tuple[Span, ...]


class StageSpan(NamedTuple):
    """One stage of a call auction, from `start` up to but not including `end`, in minutes."""

    stage: Stage
    start: int
    end: int


Stages = tuple[StageSpan, ...]

CALL_AUCTIONS = frozenset({Phase.PRE_OPEN, Phase.CLOSING_AUCTION})


@dataclass(frozen=True, slots=True)
class Hours:
    """One trading day: the market's track, and that of closing-auction scrips.

    Both are sorted, not empty, and begin and end at the same minutes. The stages lie
    within the call auctions of their track.
    """

    market: Track
    closing_auction: Track
    stages: Stages = ()
    closing_auction_stages: Stages = ()

    @property
    def first_minute(self) -> int:
        """When the day's first phase begins."""
        return self.market[0].start

    @property
    def last_minute(self) -> int:
        """When the day's last phase ends."""
        return self.market[-1].end

    def boundaries(self) -> list[int]:
        """Every minute at which either track, or its stage, changes, ascending."""
        spans = (*self.market, *self.closing_auction)
        stages = (*self.stages, *self.closing_auction_stages)
        edges = [(start, end) for _, start, end in (*spans, *stages)]
        return sorted({minute for edge in edges for minute in edge})


def phase_at(track: Track, minute: int) -> Phase:
    """The phase at `minute`; closed outside of every span."""
    for span in track:
        if span.start <= minute < span.end:
            return span.phase
    return Phase.CLOSED


def stage_at(stages: Stages, minute: int) -> Stage | None:
    """The stage at `minute`; None outside of every one."""
    for span in stages:
        if span.start <= minute < span.end:
            return span.stage
    return None


def next_change(track: Track, minute: int) -> int | None:
    """The first later minute with another phase; None when today has none.

    Every edge is a change: a checked track never has one phase twice in a row.
    """
    edges = (edge for span in track for edge in (span.start, span.end))
    return next((edge for edge in edges if edge > minute), None)


def next_open(track: Track, minute: int) -> int | None:
    """The start of the first later continuous session; None when today has none."""
    starts = (span.start for span in track if span.phase is Phase.OPEN)
    return next((start for start in starts if start > minute), None)


def read_hours(
    where: str, rows: list[PhaseRow], auction_rows: list[PhaseRow] | None
) -> Hours:
    """The checked hours of a regime or special session.

    Without `auction_rows` all scrips share one track. Raises CalendarError, whose
    place begins with `where`.
    """
    place = f"{where}.phases"
    market = _read_track(place, rows)
    if any(span.phase is Phase.CLOSING_AUCTION for span in market):
        problem = "a closing_auction belongs into closing_auction_phases"
        raise CalendarError(place, problem)
    if auction_rows is None:
        return Hours(market, market)
    place = f"{where}.closing_auction_phases"
    auction = _read_track(place, auction_rows)
    if (auction[0].start, auction[-1].end) != (market[0].start, market[-1].end):
        problem = "must begin and end at the same times as phases"
        raise CalendarError(place, problem)
    return Hours(market, auction)


def read_stages(where: str, rows: list[StageRow], track: Track) -> Stages:
    """The checked stages of a track's call auctions. Raises CalendarError, whose place is `where` with the row."""
    stages: list[StageSpan] = []
    for at, (name, start, end) in enumerate(rows):
        place = f"{where}[{at}]"
        span = StageSpan(Stage(name), _minute(start), _minute(end))
        if span.start >= span.end:
            raise CalendarError(place, f"{name} ends at {end}, not after {start}")
        if stages and span.start < stages[-1].end:
            problem = f"{name} begins before {stages[-1].stage} has ended"
            raise CalendarError(place, problem)
        if not any(
            each.phase in CALL_AUCTIONS
            and each.start <= span.start
            and span.end <= each.end
            for each in track
        ):
            raise CalendarError(place, f"{name} is outside of every call auction")
        stages.append(span)
    return tuple(stages)


def _read_track(where: str, rows: list[PhaseRow]) -> Track:
    track = tuple(_read_span(f"{where}[{at}]", row) for at, row in enumerate(rows))
    for at, (before, after) in enumerate(pairwise(track), start=1):
        if problem := _clash(before, after):
            raise CalendarError(f"{where}[{at}]", problem)
    if all(span.phase is not Phase.OPEN for span in track):
        raise CalendarError(where, "no phase named open")
    return track


def _read_span(where: str, row: PhaseRow) -> Span:
    name, start, end = row
    if start >= end:
        raise CalendarError(where, f"{name} ends at {end}, not after {start}")
    return Span(Phase(name), _minute(start), _minute(end))


def _clash(before: Span, after: Span) -> str | None:
    if after.start < before.end:
        return f"{after.phase} begins before {before.phase} has ended"
    if after.start == before.end and after.phase is before.phase:
        return f"{after.phase} twice in a row: write one longer phase"
    return None


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
