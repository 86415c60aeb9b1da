"""Asks a second source for a few hot scrips now and then, and marks what diverges as suspect.

The mark goes with the next row of the primary once the two agree: only that row knows what else there is to say.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bse_fetcher.core import Core
from bse_fetcher.polling.demand import Demand
from bse_fetcher.polling.validation import CrossCheck, Seen
from bse_fetcher.sources.answer import Answer
from bse_fetcher.sources.errors import ExchangeError, NotAsked
from bse_fetcher.sources.guard import Guard
from bse_fetcher.sources.protocol import BatchSource
from bse_fetcher.sources.registry import SOURCES
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.quote import NUMBER, Condition, Quote, Value


log = structlog.get_logger()

_LAST, _TIME, _VOLUME, _CONDITION = (
    NUMBER[name] for name in ("last_paise", "exchange_time_ms", "volume", "condition")
)


@dataclass(slots=True)
class CrossChecker:
    """Compares what is stored with what the second source says, a batch each time."""

    core: Core
    source: BatchSource
    guard: Guard
    check: CrossCheck
    demand: Demand
    is_wanted: Callable[[], bool]
    _next: int = 0

    async def step(self) -> None:
        """One comparison: what diverges and what is hot in turns; any scrips, where none is hot."""
        if not self.core.terms.active or not self.is_wanted():
            return
        self.check.lapse(self.core.clock.monotonic_ms())
        self.core.publisher.scrutiny.contradicted = dict(self.check.diverging)
        codes = self._turn()
        known = self.core.instruments.master.by_code
        wanted = [known[code] for code in codes]
        if not wanted:
            return
        try:
            body = await self.guard.call(lambda: self.source.ask(wanted))
            answer = self.source.read(body, wanted)
        except NotAsked:
            return
        except ExchangeError as error:
            log.warning("fetcher.cross_check_failed", error=str(error))
            return
        await self._compare(answer)

    def _turn(self) -> list[int]:
        core = self.core
        known = core.instruments.master.by_code
        hot = [c for c in self.demand.hot(core.store.now_ms()) if c in known]
        pool = dict.fromkeys([*self.check.diverging, *(hot or known)])
        codes = [code for code in pool if code in known and core.terms.holds(code)]
        size = min(self.source.symbols_max, len(codes))
        start, self._next = self._next, self._next + size
        return [codes[(start + n) % len(codes)] for n in range(size)]

    async def _compare(self, answer: Answer) -> None:
        before, now_ms = dict(self.check.diverging), self.core.clock.monotonic_ms()
        for code, fields in answer.seen.items():
            held = self._held(code)
            last, at_ms = fields.get(_LAST), fields.get(_TIME)
            volume = fields.get(_VOLUME)
            if held is None or not isinstance(last, int) or not isinstance(at_ms, int):
                continue
            theirs = Seen(last, at_ms, volume if isinstance(volume, int) else None)
            agrees = self.check.compare(code, held, theirs, now_ms)
            outcome = {True: "agrees", False: "differs", None: "incomparable"}[agrees]
            self.core.metrics.cross_checks.labels(outcome).inc()
        after = self.check.diverging
        if before == after:
            return
        log.warning("fetcher.suspect_prices", diverging=dict(list(after.items())[:10]))
        self.core.publisher.scrutiny.contradicted = dict(after)
        if not after.keys() - before:
            return
        mark: dict[int, Value] = {_CONDITION: int(Condition.SUSPECT)}
        marked = Answer(seen=dict.fromkeys(after.keys() - before, mark))
        await self.core.publisher.publish_details(marked, self.core.store.now_ms())

    def _held(self, code: int) -> Seen | None:
        core = self.core
        writer = core.terms.writers.get(shard_of(code, core.terms.shards))
        image = writer.images.get(code) if writer else None
        quote: Quote | None = image.quote if image else None
        if quote is None or quote.last_paise is None or quote.exchange_time_ms is None:
            return None
        if quote.source == SOURCES[self.source.name].number:
            return None  # never a source against itself
        return Seen(quote.last_paise, quote.exchange_time_ms, quote.volume)
