"""One-minute candles from the stream of quotes, with honest gaps; and their join with what was filled in later. Pure.

A minute is the exchange's minute of the last trade. Volume is the growth of the day's volume, less what a correction
took back. A minute in which the feed was not watched all the time is flagged: its open, high, low and volume may miss
something, or hold what belongs to the minutes before.
"""

from collections.abc import Iterable
from enum import IntFlag
from typing import NamedTuple

from bse_shared.quotes.quote import Quote


MINUTE_MS = 60_000
WATCHED_EVERY_MS = 10_000
"""Answers further apart than this leave a gap."""
CLOSES_AFTER_MS = 15_000
"""A minute is closed so long after its end: trades come late, by up to a poll and a delay."""
IST_OFFSET_MS = 19_800_000
DAY_MS = 86_400_000


class CandleFlag(IntFlag):
    """What is to be known against a candle."""

    NONE = 0
    GAP = 1
    FILLED = 2


class Candle(NamedTuple):
    """One minute (or day) of a scrip: prices in paise, volume in shares; `start_ms` is epoch milliseconds."""

    start_ms: int
    open_paise: int
    high_paise: int
    low_paise: int
    close_paise: int
    volume: int
    flags: int = CandleFlag.NONE


class _Scrip:
    """The minute of the last trade. `volume` is the day's volume that was counted so far.

    `first_minute` is the one of the trade that was there at the first look: what came before it was not seen.
    `told`: the candle was handed out as it is; it is kept, for a late trade makes a better one of it.
    """

    __slots__ = ("candle", "day", "first_minute", "told", "volume")

    def __init__(self, first_minute: int) -> None:
        self.candle: list[int] | None = None
        self.told = False
        self.volume: int | None = None
        self.day = 0
        self.first_minute = first_minute


class CandleMaker:
    """Makes the candles of the scrips that it is told of.

    Told in turns: `watched` that an answer came, then `take` for each scrip that it changed. The exchange's time
    and ours are compared only to tell whether a minute is over: either may be another day's.
    """

    def __init__(self) -> None:
        self._scrips: dict[int, _Scrip] = {}
        self._closed: list[tuple[int, Candle]] = []
        self.pauses = 0  # of the whole feed, the time before the first answer included
        self._watched_ms = 0
        self._pause_ended_ms = -1
        self._scrips_watched_ms: dict[int, int] = {}
        self._after_pause: set[int] = set()

    def watched(self, now_ms: int, codes: Iterable[int] | None = None) -> None:
        """An answer came, on the whole market or on some scrips. What it changed after a pause is flagged."""
        if codes is None:
            if now_ms - self._watched_ms > WATCHED_EVERY_MS:
                self._pause_ended_ms = now_ms
                self.pauses += 1
            self._watched_ms = now_ms
            self._scrips_watched_ms.clear()
            self._after_pause.clear()
            return
        for code in codes:
            if now_ms - self._last_watched_ms(code) > WATCHED_EVERY_MS:
                self._after_pause.add(code)
            else:
                self._after_pause.discard(code)
            self._scrips_watched_ms[code] = now_ms

    def take(self, code: int, quote: Quote) -> None:
        """A scrip's quote changed."""
        price, at_ms = quote.last_paise, quote.exchange_time_ms
        if price is None or at_ms is None:
            return
        minute = at_ms - at_ms % MINUTE_MS
        scrip = self._scrips.get(code)
        if scrip is None:
            # Its last trade may be hours old: no minute of ours.
            scrip = self._scrips[code] = _Scrip(minute)
            self._traded(scrip, quote.volume, at_ms)
            return
        traded = self._traded(scrip, quote.volume, at_ms)
        is_gap = self._is_after_pause(code)
        candle = scrip.candle
        if candle is not None and candle[0] == minute:
            if is_gap and not scrip.told:
                candle[6] = CandleFlag.GAP
            if traded or price != candle[4]:
                _add(candle, price, traded)
                scrip.told = False
            return
        if candle is None:
            if traded <= 0 and minute == scrip.first_minute:
                return  # something else changed than its trades
        elif not scrip.told:
            if is_gap:
                candle[6] = CandleFlag.GAP  # its end may lie in the pause
            self._closed.append((code, Candle(*candle)))
        is_gap = is_gap or minute == scrip.first_minute
        flags = int(CandleFlag.GAP if is_gap else CandleFlag.NONE)
        scrip.candle = [minute, price, price, price, price, max(traded, 0), flags]
        scrip.told = False

    def _is_after_pause(self, code: int) -> bool:
        if code in self._scrips_watched_ms:
            return code in self._after_pause
        return self._pause_ended_ms == self._watched_ms

    def closed(self, now_ms: int) -> list[tuple[int, Candle]]:
        """The candles that are complete at `now_ms`, each once; again where a late trade came since.

        One whose end nobody watched is flagged: the feed may have been away since, and come back any time.
        """
        if now_ms % MINUTE_MS < CLOSES_AFTER_MS:
            over_ms = _minute(now_ms) - MINUTE_MS
        else:
            over_ms = _minute(now_ms)
        for code, scrip in self._scrips.items():
            candle = scrip.candle
            if candle is None or scrip.told or candle[0] >= over_ms:
                continue
            if self._last_watched_ms(code) < candle[0] + MINUTE_MS:
                candle[6] = CandleFlag.GAP
            self._closed.append((code, Candle(*candle)))
            scrip.told = True
        return self.ended()

    def _last_watched_ms(self, code: int) -> int:
        return max(self._watched_ms, self._scrips_watched_ms.get(code, 0))

    def ended(self) -> list[tuple[int, Candle]]:
        """The candles that a later minute's trade has ended, each once, here or by `closed`."""
        closed, self._closed = self._closed, []
        return closed

    def under_way(self, code: int) -> Candle | None:
        """The minute of the scrip's last trade, as far as it was seen."""
        scrip = self._scrips.get(code)
        if scrip is None or scrip.candle is None:
            return None
        return Candle(*scrip.candle)

    def _traded(self, scrip: _Scrip, volume: int | None, at_ms: int) -> int:
        """How many shares were traded since the last look; less than none where the exchange took some back."""
        if volume is None:
            return 0
        before, scrip.volume = scrip.volume, volume
        day_before, scrip.day = scrip.day, (at_ms + IST_OFFSET_MS) // DAY_MS
        if before is None or scrip.day < day_before:
            return 0  # nobody knows
        return volume if scrip.day > day_before else volume - before


def joined(candles: Iterable[Candle]) -> list[Candle]:
    """One candle a minute, by time: a complete one before a filled one before one with a gap, else the later."""
    best: dict[int, Candle] = {}
    for candle in candles:
        held = best.get(candle.start_ms)
        if held is None or _rank(candle) <= _rank(held):
            best[candle.start_ms] = candle
    return [best[start_ms] for start_ms in sorted(best)]


def day_candle(quote: Quote, day_start_ms: int) -> Candle | None:
    """The day of a scrip as its quote tells it; None where it did not trade."""
    opened, last = quote.open_paise, quote.last_paise
    high, low = quote.high_paise, quote.low_paise
    if opened is None or high is None or low is None or last is None:
        return None
    if quote.exchange_time_ms is None or quote.exchange_time_ms < day_start_ms:
        return None
    return Candle(day_start_ms, opened, high, low, last, quote.volume or 0)


def day_start_ms(at_ms: int) -> int:
    """The beginning of the Indian day that `at_ms` lies in, as epoch milliseconds."""
    return (at_ms + IST_OFFSET_MS) // DAY_MS * DAY_MS - IST_OFFSET_MS


def _add(candle: list[int], price: int, traded: int) -> None:
    """One look more at the candle's minute."""
    candle[2], candle[3] = max(candle[2], price), min(candle[3], price)
    candle[4], candle[5] = price, max(candle[5] + traded, 0)


def _rank(candle: Candle) -> int:
    if candle.flags & CandleFlag.FILLED:
        return 1
    return 2 if candle.flags & CandleFlag.GAP else 0


def _minute(at_ms: int) -> int:
    return at_ms - at_ms % MINUTE_MS
