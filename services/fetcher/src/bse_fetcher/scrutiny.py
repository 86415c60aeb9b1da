"""Which rows of an answer may be stored, and which of them are marked as suspect: held against what is stored.

Rows that contradict what is held are left out and counted by the reason; rows in doubt are stored with a mark.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice

import structlog

from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.plausibility import Timeline, clock_is_ahead, contradiction
from bse_fetcher.polling.validation import doubt, with_todays_limits
from bse_fetcher.sources.answer import Answer
from bse_shared.quotes.frame import NO_IMAGE
from bse_shared.quotes.quote import NUMBER, Condition, Quote, Value
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
    new_doubts: dict[int, str] = field(default_factory=dict)
    """Those of them that nobody was told of yet."""
    ticks: Mapping[int, int] = field(default_factory=dict)
    """The step of a scrip's prices in paise, where it is known."""

    def suspects(self) -> dict[int, str]:
        """The scrips whose price is marked as suspect, and why."""
        return {**self.contradicted, **self.doubts}

    def weighed(self, code: int, fields: Fields, held: Quote) -> Fields:
        """The fields as they are to be stored: marked as suspect where they don't fit together, or where another
        source contradicts them.
        """
        fields = with_todays_limits(fields, held)
        why = doubt(fields, held, self.ticks.get(code, 1))
        if not (why or self.doubts or self.contradicted):
            return fields
        if why:
            if self.doubts.get(code) != why:
                self.doubts[code] = why
                self.new_doubts[code] = why
                self.metrics.suspects.labels(why).inc()
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
        weighed, images, taken = self._scrutiny.weighed, writer.images, writer.taken
        now_ms, asked_at_ms = self._now_ms, self._asked_at_ms
        kept: dict[int, Fields] = {}
        doubtful: dict[int, str] = {}
        for code, fields in told.items():
            if asked_at_ms and writer.confirmed.at_ms(code) > asked_at_ms:
                continue
            if taken.get(code) is fields:
                kept[code] = fields
                continue
            held = images.get(code, NO_IMAGE).quote
            if why := contradiction(held, fields, now_ms):
                doubtful[code] = why
            else:
                kept[code] = weighed(code, fields, held)
        for code in self._true_after_all(doubtful, told):
            del doubtful[code]
            kept[code] = weighed(code, told[code], images.get(code, NO_IMAGE).quote)
        self._left_out |= doubtful
        return kept

    def tell(self) -> None:
        """Count and name what was left out, and what is in doubt since this answer."""
        for why in self._left_out.values():
            self._scrutiny.metrics.rows.labels(why).inc()
        if self._left_out:
            _warn("fetcher.rows_contradict", self._left_out)
        doubts, self._scrutiny.new_doubts = self._scrutiny.new_doubts, {}
        if doubts:
            _warn("fetcher.price_suspect", doubts)

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


def _warn(event: str, rows: Mapping[int, str]) -> None:
    log.warning(event, count=len(rows), rows=dict(islice(rows.items(), NAMED_ROWS_MAX)))
