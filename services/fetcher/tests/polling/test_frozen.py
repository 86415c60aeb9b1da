"""A feed that answers, but always the same."""

from bse_fetcher.polling.frozen import FrozenFeed, FrozenTrades, newest_trade_ms
from bse_shared.quotes.quote import NUMBER


def rows(*prices):
    """Rows of scrips 1, 2, …, traded at the second of their price."""
    return {
        code: {
            NUMBER["last_paise"]: price,
            NUMBER["exchange_time_ms"]: price * 1000,
        }
        for code, price in enumerate(prices, 1)
    }


def frozen_at(feed, answers, *, should_move=True):
    """At which of the answers, one each 3 s, the feed is frozen."""
    return [
        number
        for number, seen in enumerate(answers)
        if feed.is_frozen(seen, number * 3000, should_move=should_move)
    ]


def test_nothing_that_moves_for_a_minute_is_frozen():
    """Counted from the last answer with news; equal rows need not be the same objects."""
    answers = [rows(1, 2), rows(1, 3), *(rows(1, 3) for _ in range(22))]

    assert [22, 23] == frozen_at(FrozenFeed(60_000), answers)


def test_one_row_that_moves_is_enough():
    """A quiet market is no frozen one."""
    answers = [rows(1, 2 + n // 15) for n in range(60)]

    assert [] == frozen_at(FrozenFeed(60_000), answers)


def test_it_thaws_with_the_first_row_that_moves():
    """At once, with no minute to wait."""
    feed = FrozenFeed(60_000)
    frozen_at(feed, [rows(1)] * 30)

    assert not feed.is_frozen(rows(2), 90_000, should_move=True)


def test_a_closed_market_may_stand_still():
    """And the time of it does not count when it opens."""
    feed = FrozenFeed(60_000)
    assert [] == frozen_at(feed, [rows(1)] * 100, should_move=False)
    assert not feed.is_frozen(rows(1), 303_000, should_move=True)


def test_it_can_be_switched_off():
    """A very small market may stand still for minutes."""
    assert [] == frozen_at(FrozenFeed(0), [rows(1)] * 100)


def test_a_pause_between_two_answers_is_no_standstill():
    """After a block of an hour the first answer may well be the last one again."""
    feed = FrozenFeed(60_000)
    for now_ms in (0, 3_600_000, 3_603_000):
        assert not feed.is_frozen(rows(1), now_ms, should_move=True)


def test_the_newest_trade_of_an_answer():
    """Whatever its place; a row without a time says nothing of it."""
    assert 7000 == newest_trade_ms({**rows(3, 7, 5), 9: {NUMBER["last_paise"]: 1}})
    assert 0 == newest_trade_ms({})


def trade(code, second):
    """A row of one scrip, traded at that second."""
    return {code: {NUMBER["exchange_time_ms"]: second * 1000}}


def test_a_part_of_the_market_may_tell_old_news():
    """A cold scrip differs from what it was minutes ago: only a trade newer than all others shows that it lives."""
    answers = [trade(1, 100), *(trade(code, code) for code in range(2, 30))]

    assert list(range(21, 29)) == frozen_at(FrozenTrades(60_000), answers)


def test_one_newer_trade_is_enough():
    """Of whichever scrip."""
    answers = [trade(n % 7, 100 + n // 15) for n in range(60)]

    assert [] == frozen_at(FrozenTrades(60_000), answers)


def test_a_clock_that_was_put_back_moves():
    """All its times are from the past, and then they go on from there."""
    before = [trade(1, 10_000 + n) for n in range(5)]
    after = [trade(1, 5_000 + n) for n in range(60)]

    assert [] == frozen_at(FrozenTrades(60_000), before + after)


def test_trades_stand_still_while_the_market_is_closed():
    """And where the source tells no times at all, nothing can be said."""
    assert [] == frozen_at(FrozenTrades(60_000), [trade(1, 9)] * 50, should_move=False)
    assert [] == frozen_at(FrozenTrades(60_000), [{1: {}}] * 50)
    assert [] == frozen_at(FrozenTrades(0), [trade(1, 9)] * 50)


def test_trades_thaw_with_the_first_newer_one():
    """At once; and a pause between two answers counts by its beginning only."""
    feed = FrozenTrades(60_000)
    frozen_at(feed, [trade(1, 9)] * 30)
    assert feed.is_frozen(trade(1, 9), 90_000, should_move=True)
    assert not feed.is_frozen(trade(1, 10), 93_000, should_move=True)
    assert not feed.is_frozen(trade(1, 10), 10_000_000, should_move=True)
