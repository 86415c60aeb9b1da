"""Looking up quotes, and judging them."""

import pytest

from bse_gateway.identifiers import Miss, Reason, distinct
from bse_gateway.lookup import LISTS_MAX, Lookup, NotReady
from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.quotes.quality import Quality
from bse_shared.testing.builders import RELIANCE, TCS, a_quote


@pytest.fixture
def lookup(market):
    """A lookup of a market in which RELIANCE trades."""
    market.report({RELIANCE.code: a_quote()})
    return Lookup(market)


@pytest.mark.parametrize(
    "identifier", ["RELIANCE", "reliance", " 500325 ", "INE002A01018", "ine002a01018"]
)
def test_symbol_code_and_isin_name_the_same_scrip(lookup, identifier):
    """Any case, any of the three."""
    assert RELIANCE == lookup.quote(identifier, lookup.moment()).instrument


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        ("XX", Reason.UNKNOWN_SYMBOL),
        ("999999", Reason.UNKNOWN_SYMBOL),
        ("TCS", Reason.NO_QUOTE),
        ("", Reason.INVALID_SYMBOL),
        ("A" * 41, Reason.INVALID_SYMBOL),
        ("REL\0", Reason.INVALID_SYMBOL),
        ("रिलायंस", Reason.INVALID_SYMBOL),
    ],
)
def test_what_has_no_quote_says_why(lookup, identifier, reason):
    """Unknown, malformed and not yet traded are three different things."""
    assert Miss(identifier, reason) == lookup.quote(identifier, lookup.moment())


def test_a_long_wrong_identifier_is_not_told_back_whole(lookup):
    """An error is not a way to make us send much."""
    assert len(lookup.scrip("A" * 10_000).symbol) == 64


def test_half_a_character_is_told_back_as_something_that_can_be_sent(lookup):
    """JSON can carry a lone surrogate; no encoder would take it."""
    assert "A?" == lookup.scrip("A\ud800").symbol


@pytest.mark.parametrize(
    ("age_ms", "quality"),
    [(0, Quality.LIVE), (7_000, Quality.LIVE), (7_001, Quality.STALE)],
)
def test_quality_follows_the_age_of_the_confirmation(lookup, market, age_ms, quality):
    """A price last confirmed more than 7 s ago is never shown as live."""
    market.at_ms += age_ms
    found = lookup.quote("RELIANCE", lookup.moment())
    assert (quality, age_ms) == (found.trust.quality, found.trust.age_ms)


def test_an_unchanged_price_confirmed_again_is_fresh(lookup, market):
    """The age counts from the confirmation, not from the change."""
    changed_at_ms = market.at_ms
    market.at_ms += 60_000
    market.report({RELIANCE.code: a_quote()})
    found = lookup.quote("RELIANCE", lookup.moment())
    assert Quality.LIVE is found.trust.quality
    assert changed_at_ms == found.image.changed_at_ms
    assert market.at_ms == found.trust.confirmed_at_ms


def test_a_scrip_missing_from_the_list_grows_old(lookup, market):
    """What the source did not return was not confirmed."""
    market.at_ms += 8_000
    market.report({TCS.code: a_quote()})
    assert Quality.STALE is lookup.quote("RELIANCE", lookup.moment()).trust.quality
    assert Quality.LIVE is lookup.quote("TCS", lookup.moment()).trust.quality


def test_a_closed_market_makes_prices_closed_not_stale(lookup, market):
    """Nobody expects news until the session changes."""
    market.at_ms += 3_600_000
    market.hear(
        phase="closed", is_open=False, next_change_at_ms=market.at_ms + 3_600_000
    )
    assert Quality.CLOSED is lookup.quote("RELIANCE", lookup.moment()).trust.quality


def test_a_reading_of_the_clock_that_trails_gives_no_negative_age(lookup, market):
    """Our estimate of the store's clock may be a few milliseconds behind."""
    market.at_ms -= 3
    found = lookup.quote("RELIANCE", lookup.moment())
    assert (Quality.LIVE, 0) == (found.trust.quality, found.trust.age_ms)


def test_a_price_that_was_never_confirmed_is_stale(market):
    """No confirmation means no age."""
    market.at_ms = 0
    market.report({RELIANCE.code: a_quote()})
    found = Lookup(market).quote("RELIANCE", Lookup(market).moment())
    assert (Quality.STALE, None, None) == (
        found.trust.quality,
        found.trust.confirmed_at_ms,
        found.trust.age_ms,
    )


def test_nothing_is_said_before_the_market_was_read(lookup, market):
    """An empty table must not look like a market without scrips."""
    market.ready = False
    with pytest.raises(NotReady):
        lookup.moment()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TCS,INFY", ["TCS", "INFY"]),
        ("tcs, TCS ,Tcs", ["tcs"]),
        (",, ,", []),
        ("", []),
    ],
)
def test_a_list_names_each_identifier_once(text, expected):
    """Blanks and repetitions cost nothing."""
    assert expected == distinct(text)


def test_a_list_names_each_scrip_once(lookup, market):
    """By whatever identifier; what is wrong stays in its place among the errors."""
    market.report({RELIANCE.code: a_quote(), TCS.code: a_quote()})
    named = lookup.named("XX,TCS,532540,INFY,RELIANCE,xx")
    found, misses = lookup.quotes(named, lookup.moment())
    assert [TCS, RELIANCE] == [scrip for scrip, _, _ in found]
    assert ["XX", "INFY"] == [miss.symbol for miss in misses]


def test_a_list_says_what_each_of_its_scrips_says_alone(lookup, market):
    """The loop for many and the lookup of one follow the same rules."""
    market.at_ms += 8_000
    market.report({TCS.code: a_quote()})
    found, _ = lookup.quotes(lookup.named("RELIANCE,TCS"), lookup.moment())
    for scrip, image, trust in found:
        alone = lookup.quote(scrip.symbol, lookup.moment())
        assert (image, trust) == (alone.image, alone.trust)
    assert [Quality.STALE, Quality.LIVE] == [trust.quality for _, _, trust in found]


def test_a_new_master_makes_remembered_names_forgotten(lookup, market):
    """A symbol may belong to another scrip tomorrow."""
    assert RELIANCE == lookup.scrip("RELIANCE")
    assert 1 == len(lookup.named("RELIANCE"))
    moved = TCS._replace(symbol="RELIANCE")
    market.instruments = InstrumentMaster([moved], version=2)
    assert moved == lookup.scrip("RELIANCE")
    assert [("RELIANCE", moved)] == lookup.named("RELIANCE")


def test_what_is_remembered_is_bounded(lookup):
    """Whoever makes up lists and spellings fills no memory."""
    for number in range(LISTS_MAX + 50):
        lookup.named(f"RELIANCE,X{number}")
    lookup.named("RELIANCE," + "," * 5_000)
    assert len(lookup._lists) == LISTS_MAX
