"""Which rows of an answer may be stored, and which of them are marked as suspect: held against what is stored.

Rows that contradict what is held are left out and counted by the reason; rows in doubt are stored with a mark.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import structlog

from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.plausibility import Timeline, clock_is_ahead, contradiction
from bse_fetcher.polling.validation import doubt, with_todays_limits
from bse_fetcher.sources.answer import Answer
from bse_shared.quotes.quote import NUMBER, Condition, Value
from bse_shared.quotes.shard_writer import ShardWriter


log = structlog.get_logger()

NAMED_ROWS_MAX = 10

_CONDITION, _SUSPECT = NUMBER["condition"], int(Condition.SUSPECT)

Fields = Mapping[int, Value]


@dataclass(slots=True)
class Scrutiny:
    """What is remembered from answer to answer: which scrips are in doubt, and which went back in time."""

    metrics: FetcherMetrics
    timeline: Timeline = field(default_factory=Timeline)
    contradicted: dict[int, str] = field(default_factory=dict)
    """Scrips that another source contradicts, and how."""
    doubts: dict[int, str] = field(default_factory=dict)
    """Scrips whose rows don't fit together, and why."""
    ticks: Mapping[int, int] = field(default_factory=dict)
    """The step of a scrip's prices in paise, where it is known."""

    def suspects(self) -> dict[int, str]:
        """The scrips whose price is marked as suspect, and why."""
        return {**self.contradicted, **self.doubts}

    def marked(self, code: int, fields: Fields, why: str) -> Fields:
        """The fields, marked as suspect where there is a reason (`why`, or what another source says)."""
        if why:
            if self.doubts.get(code) != why:
                self.doubts[code] = why
                self.metrics.suspects.labels(why).inc()
                log.warning("fetcher.price_suspect", code=code, why=why)
        else:
            self.doubts.pop(code, None)
        if why or code in self.contradicted:
            return {**fields, _CONDITION: _SUSPECT}
        return fields


class Inspection:
    """One answer, looked at shard by shard, so that the first is on its way while the next is looked at."""

    def __init__(
        self,
        scrutiny: Scrutiny,
        answer: Answer,
        now_ms: int,
        asked_at_ms: int = 0,
        *,
        is_second: bool = False,
    ):
        """A scrip that was confirmed after `asked_at_ms` is left alone.

        `is_second`: it comes from a source beside the primary, which may simply be late: of that one no row from
        the past is ever believed, however often it comes.
        """
        self._scrutiny = scrutiny
        self._answer = answer
        self._now_ms = now_ms
        self._asked_at_ms = asked_at_ms
        self._is_second = is_second
        self._clock_is_ahead: bool | None = None
        self._left_out: dict[int, str] = {}

    def rows(
        self, writer: ShardWriter, told: Mapping[int, Fields]
    ) -> dict[int, Fields]:
        """Of what the answer told of a shard, the rows to store."""
        scrutiny, ticks = self._scrutiny, self._scrutiny.ticks
        now_ms, asked_at_ms = self._now_ms, self._asked_at_ms
        kept: dict[int, Fields] = {}
        doubtful: dict[int, str] = {}
        for code, fields in told.items():
            if asked_at_ms and writer.confirmed.at_ms(code) > asked_at_ms:
                continue
            if writer.has_taken(code, fields):
                kept[code] = fields
                continue
            held, quote = writer.images.get(code), None
            if held is not None:
                if why := contradiction(held, fields, now_ms):
                    doubtful[code] = why
                    continue
                quote = held.quote
                fields = with_todays_limits(fields, quote)  # noqa: PLW2901
            why = doubt(fields, quote, ticks.get(code, 1))
            if why or scrutiny.doubts or scrutiny.contradicted:
                kept[code] = scrutiny.marked(code, fields, why)
            else:
                kept[code] = fields
        for code in self._true_after_all(doubtful, told):
            del doubtful[code]
            held = writer.images.get(code)
            why = doubt(told[code], held.quote if held else None, ticks.get(code, 1))
            kept[code] = scrutiny.marked(code, told[code], why)
        self._left_out |= doubtful
        return kept

    def tell(self) -> None:
        """Count and name what was left out."""
        for why in self._left_out.values():
            self._scrutiny.metrics.rows.labels(why).inc()
        if self._left_out:
            some = dict(list(self._left_out.items())[:NAMED_ROWS_MAX])
            log.warning("fetcher.rows_contradict", count=len(self._left_out), rows=some)

    def _true_after_all(
        self, doubtful: Mapping[int, str], told: Collection[int]
    ) -> set[int]:
        """The doubtful rows that the source's clock explains."""
        ahead = {c for c, why in doubtful.items() if why == "time_in_future"}
        if ahead and not self._is_clock_ahead():
            ahead = set()
        if self._is_second:
            return ahead
        back = self._scrutiny.timeline.believed(doubtful.keys() - ahead, told)
        if back:
            log.warning("fetcher.new_timeline", rows=len(back))
            self._scrutiny.metrics.new_timelines.inc(len(back))
        return ahead | back

    def _is_clock_ahead(self) -> bool:
        if self._clock_is_ahead is None:
            rows = self._answer.seen.values()
            self._clock_is_ahead = clock_is_ahead(rows, self._now_ms)
        return self._clock_is_ahead
