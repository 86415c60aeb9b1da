"""Candles by cases, and by their laws: nothing is lost, nothing is counted twice, no minute is closed too early."""

from hypothesis import given
from hypothesis import strategies as st

from bse_shared.quotes.candles import (
    CLOSES_AFTER_MS,
    MINUTE_MS,
    Candle,
    CandleFlag,
    CandleMaker,
    day_candle,
    day_start_ms,
    joined,
)
from bse_shared.testing.builders import a_quote


TEN_MS = 1_795_322_400_000
"""10:10 in India on a trading day, on a full minute."""
CODE = 500325


def traded(price, at_s, volume):
    """A quote whose last trade was so many seconds after ten past ten."""
    return a_quote(price, exchange_time_ms=TEN_MS + at_s * 1000, volume=volume)


def run(quotes, every_s=3, until_s=600):
    """Tell a maker of the quotes, each when it traded, between answers every so often; its candles."""
    maker = CandleMaker()
    maker.watched(TEN_MS - 120_000)
    made = []
    for now_s in range(-117, until_s, every_s):
        now_ms = TEN_MS + now_s * 1000
        maker.watched(now_ms)
        for quote in quotes:
            if now_s - every_s < (quote.exchange_time_ms - TEN_MS) / 1000 <= now_s:
                maker.take(CODE, quote)
        made += maker.closed(now_ms)
    return [candle for _, candle in made]


def test_a_minute_holds_open_high_low_close_and_the_volume_between():
    """What came before the first look is nobody's minute."""
    quotes = [
        traded(100, -100, 1000),
        traded(105, 2, 1010),
        traded(103, 20, 1015),
        traded(109, 40, 1030),
        traded(108, 59, 1031),
        traded(107, 61, 1040),
    ]
    candles = run(quotes)

    assert [
        Candle(TEN_MS, 105, 109, 103, 108, 31),
        Candle(TEN_MS + MINUTE_MS, 107, 107, 107, 107, 9),
    ] == candles


def test_a_minute_closes_a_while_after_its_end():
    """A trade of its last second may come with the next answer."""
    maker = CandleMaker()
    maker.watched(TEN_MS - 3000)
    maker.take(CODE, traded(99, -70, 9))
    maker.watched(TEN_MS)
    maker.take(CODE, traded(100, 0, 10))
    end_ms = TEN_MS + MINUTE_MS

    assert [] == maker.closed(end_ms + CLOSES_AFTER_MS - 1)
    assert 1 == len(maker.closed(end_ms + CLOSES_AFTER_MS))
    assert [] == maker.closed(end_ms + CLOSES_AFTER_MS + 1)


def test_the_minute_of_the_first_look_is_flagged():
    """Its beginning was not seen."""
    maker = CandleMaker()
    maker.watched(TEN_MS + 30_000)
    maker.take(CODE, traded(100, 20, 1000))
    maker.watched(TEN_MS + 33_000)
    maker.take(CODE, traded(101, 32, 1007))
    ((_, candle),) = maker.closed(TEN_MS + 2 * MINUTE_MS)

    assert (7, CandleFlag.GAP) == (candle.volume, candle.flags)


def test_a_pause_of_the_feed_is_flagged():
    """The minute before may lack its end, the minute after may hold what belongs to those before."""
    maker = CandleMaker()
    for now_s in range(-60, 60, 3):
        maker.watched(TEN_MS + now_s * 1000)
        if now_s == -57:
            maker.take(CODE, traded(99, -61, 5))
    maker.take(CODE, traded(100, 10, 10))
    maker.watched(TEN_MS + 100_000)
    maker.take(CODE, traded(101, 95, 90))
    for now_s in range(103, 190, 3):
        maker.watched(TEN_MS + now_s * 1000)
        if now_s == 127:
            maker.take(CODE, traded(102, 125, 95))
    candles = [candle for _, candle in maker.closed(TEN_MS + 300_000)]

    assert [(5, CandleFlag.GAP), (80, CandleFlag.GAP), (5, CandleFlag.NONE)] == [
        (candle.volume, candle.flags) for candle in candles
    ]


def watching(maker, from_s, until_s, every_s=3):
    """An answer every so often; nothing changed."""
    for now_s in range(from_s, until_s, every_s):
        maker.watched(TEN_MS + now_s * 1000)


def one_traded_minute(flag=CandleFlag.NONE):
    """A maker that has told the candle of ten past ten: seven shares at 101."""
    maker = CandleMaker()
    watching(maker, -90, 30)
    maker.take(CODE, traded(100, -80, 1000))
    maker.take(CODE, traded(101, 20, 1007))
    watching(maker, 30, 78)
    told = maker.closed(TEN_MS + 78_000)
    assert [(CODE, Candle(TEN_MS, 101, 101, 101, 101, 7, flag))] == told
    return maker


def test_what_changes_beside_the_trades_makes_no_candle():
    """A book, a mark, another source's name: the minute that was told stands, and no empty one takes its place."""
    maker = one_traded_minute()
    for now_s in (81, 200):  # at once, and after a pause
        maker.watched(TEN_MS + now_s * 1000)
        maker.take(CODE, traded(101, 20, 1007)._replace(bid_paise=99, condition=1))

        assert [] == maker.closed(TEN_MS + 600_000)


def test_a_trade_that_comes_late_makes_the_minute_better():
    """It is told again as a whole: the later of two equals wins."""
    maker = one_traded_minute()
    maker.watched(TEN_MS + 81_000)
    maker.take(CODE, traded(103, 59, 1010))
    whole = Candle(TEN_MS, 101, 103, 101, 103, 10)

    assert [(CODE, whole)] == maker.closed(TEN_MS + 84_000)
    assert [] == maker.closed(TEN_MS + 87_000)


def test_a_trade_that_comes_after_a_pause_leaves_a_whole_minute_whole():
    """Its end was watched; a flag would put it behind what was told first."""
    maker = one_traded_minute()
    maker.watched(TEN_MS + 200_000)
    maker.take(CODE, traded(103, 59, 1010))
    ((_, candle),) = maker.closed(TEN_MS + 210_000)

    assert (10, CandleFlag.NONE) == (candle.volume, candle.flags)


def test_a_source_without_volume_has_prices_all_the_same():
    """Each price counts."""
    maker = CandleMaker()
    watching(maker, -90, 80)
    for price, at_s in ((100, -80), (101, 10), (103, 20), (99, 30)):
        maker.take(CODE, traded(price, at_s, None))

    assert [Candle(TEN_MS, 101, 103, 99, 99, 0)] == [
        candle for _, candle in maker.closed(TEN_MS + 80_000)
    ]


def test_a_correction_of_what_was_there_at_first_is_no_trade():
    """Nor is there ever less than nothing in a minute."""
    maker = CandleMaker()
    watching(maker, -90, 80)
    maker.take(CODE, traded(100, -80, 1000))
    maker.take(CODE, traded(100, -80, 990))
    assert maker.under_way(CODE) is None
    for volume in (995, 900):
        maker.take(CODE, traded(101, 10, volume))

    assert [0] == [candle.volume for _, candle in maker.closed(TEN_MS + 80_000)]


def test_the_next_minute_does_not_tell_the_last_one_again():
    """Each once."""
    maker = one_traded_minute()
    maker.watched(TEN_MS + 81_000)
    maker.take(CODE, traded(104, 80, 1008))

    watching(maker, 84, 140)

    assert [(CODE, Candle(TEN_MS + MINUTE_MS, *[104] * 4, 1))] == maker.closed(
        TEN_MS + 300_000
    )


def test_a_minute_whose_end_nobody_watched_is_flagged():
    """The feed stopped in it, and nobody knows yet for how long."""
    for last_s, flags in ((57, CandleFlag.GAP), (60, CandleFlag.NONE)):
        maker = CandleMaker()
        watching(maker, -90, last_s + 1)
        maker.take(CODE, traded(100, -80, 1000))
        maker.take(CODE, traded(101, 20, 1007))
        ((_, candle),) = maker.closed(TEN_MS + 75_000)

        assert flags == candle.flags, last_s


def test_a_scrip_that_was_asked_for_after_its_minute_is_whole():
    """Where each scrip is watched for itself."""
    for last_s, flags in ((57, CandleFlag.GAP), (60, CandleFlag.NONE)):
        maker = CandleMaker()
        for now_s in range(-90, last_s + 1, 3):
            maker.watched(TEN_MS + now_s * 1000, [CODE])
        maker.take(CODE, traded(100, -80, 1000))
        maker.take(CODE, traded(101, 20, 1007))
        ((_, candle),) = maker.closed(TEN_MS + 75_000)

        assert flags == candle.flags, last_s


def test_what_the_exchange_takes_back_is_taken_from_the_minute():
    """The volume is the day's growth; never less than nothing."""
    maker = CandleMaker()
    watching(maker, -90, 60)
    for price, at_s, volume in (
        (100, -80, 1000),
        (101, 10, 1050),
        (101, 12, 1030),
        (102, 14, 1035),
        (103, 61, 1020),
        (103, 65, 1024),
    ):
        maker.take(CODE, traded(price, at_s, volume))
    watching(maker, 60, 140)

    assert [35, 4] == [c.volume for _, c in maker.closed(TEN_MS + 140_000)]


def test_a_scrip_that_does_not_trade_has_no_candle():
    """Nor has one without a price, or without a time, or one of which no volume is known."""
    maker = CandleMaker()
    for now_s in range(-90, 600, 3):
        maker.watched(TEN_MS + now_s * 1000)
        maker.take(CODE, traded(100, -80, 1000)._replace(bid_paise=now_s))
        maker.take(7, a_quote(None, exchange_time_ms=TEN_MS, volume=now_s))
        maker.take(8, a_quote(100, exchange_time_ms=None, volume=now_s))
        maker.take(9, traded(100, -80, None)._replace(bid_paise=now_s))

    assert [] == maker.closed(TEN_MS + 900_000)


def test_a_day_begins_at_midnight_in_india():
    """Its first trade counts as a whole; one of the day before that comes after it counts nothing."""
    midnight_s = (day_start_ms(TEN_MS) + 86_400_000 - TEN_MS) // 1000
    maker = CandleMaker()
    watching(maker, midnight_s - 90, midnight_s + 200)
    for at_s, volume in ((-80, 5000), (-1, 5003), (0, 40), (60, 45), (-30, 5007)):
        maker.take(CODE, traded(100, midnight_s + at_s, volume))
    candles = [c for _, c in maker.closed(TEN_MS + (midnight_s + 300) * 1000)]

    assert [3, 40, 5, 0] == [candle.volume for candle in candles]
    assert day_start_ms(TEN_MS) + 86_400_000 == candles[1].start_ms


def test_volume_starts_anew_each_day():
    """The first trade of the day counts as a whole."""
    maker = CandleMaker()
    maker.watched(TEN_MS)
    maker.take(CODE, traded(100, 0, 5000))
    maker.watched(TEN_MS + 86_400_000)
    maker.take(CODE, traded(101, 86_400, 70))
    (*_, (_, candle)) = maker.closed(TEN_MS + 86_400_000 + 2 * MINUTE_MS)

    assert 70 == candle.volume


TRADES = st.lists(
    st.tuples(st.integers(1, 500), st.integers(0, 50), st.integers(90, 110)),
    max_size=30,
)


@given(TRADES)
def test_no_share_is_lost_or_counted_twice(trades):
    """The candles' volumes add up to the day's growth; prices stay within what was seen."""
    quotes, volume = [traded(100, -110, 1000)], 1000
    for at_s, shares, price in sorted(trades):
        volume += shares
        quotes.append(traded(price, at_s, volume))
    candles = run(quotes, until_s=900)

    assert volume - 1000 == sum(candle.volume for candle in candles)
    starts = [candle.start_ms for candle in candles]
    assert sorted(set(starts)) == starts
    for candle in candles:
        assert candle.low_paise <= candle.open_paise <= candle.high_paise
        assert candle.low_paise <= candle.close_paise <= candle.high_paise
        assert candle.start_ms % MINUTE_MS == 0


def a_candle(minute, close, flags=CandleFlag.NONE):
    """A candle of a minute, told by its close."""
    return Candle(minute * MINUTE_MS, 1, 9, 1, close, 5, flags)


def test_what_was_filled_in_replaces_a_gap_and_nothing_better():
    """And the later of two equals wins."""
    candles = [
        a_candle(2, 1),
        a_candle(1, 2, CandleFlag.GAP),
        a_candle(1, 3, CandleFlag.FILLED),
        a_candle(2, 4, CandleFlag.FILLED),
        a_candle(3, 5, CandleFlag.GAP),
        a_candle(3, 6, CandleFlag.GAP),
    ]

    assert [3, 1, 6] == [candle.close_paise for candle in joined(candles)]


@given(st.permutations([a_candle(n % 4, n, CandleFlag(n % 3)) for n in range(9)]))
def test_the_join_is_one_candle_a_minute_in_order(candles):
    """Whatever the order in the store."""
    starts = [candle.start_ms for candle in joined(candles)]

    assert [n * MINUTE_MS for n in range(4)] == starts


def test_a_day_is_what_the_quote_says_of_it():
    """None for a scrip that has not traded since its beginning."""
    quote = traded(100, 0, 77)._replace(open_paise=99, high_paise=101, low_paise=98)
    start_ms = day_start_ms(TEN_MS)

    assert Candle(start_ms, 99, 101, 98, 100, 77) == day_candle(quote, start_ms)
    assert day_candle(quote, start_ms + 86_400_000) is None
    assert day_candle(quote._replace(open_paise=None), start_ms) is None
    assert 0 == (start_ms + 19_800_000) % 86_400_000


def test_a_scrip_that_is_asked_for_seldom_has_gaps_of_its_own():
    """A batch source watches each scrip for itself."""
    maker = CandleMaker()
    for now_s in range(0, 243, 3):
        codes = [CODE, 7] if now_s % 60 == 0 else [CODE]
        for code in codes:
            maker.watched(TEN_MS + now_s * 1000, [code])
            maker.take(code, traded(100, now_s, 1000 + now_s))
    flags = {}
    for code, candle in maker.closed(TEN_MS + 600_000):
        flags.setdefault(code, []).append(candle.flags)

    nobody_watched_its_end = CandleFlag.GAP
    assert [
        CandleFlag.GAP,
        *[CandleFlag.NONE] * 3,
        nobody_watched_its_end,
    ] == flags[CODE]
    assert [CandleFlag.GAP] * 4 == flags[7]
