"""The hand-written JSON, by its laws."""

import json
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from bse_gateway.identifiers import Miss, Reason
from bse_gateway.lookup import QuoteView, Trust
from bse_gateway.rest.quote_json import (
    SettledQuotes,
    batch_json,
    chosen_json,
    trust_json,
    two_decimals,
)
from bse_gateway.rest.replies.quotes import BatchReply, QuoteReply
from bse_shared.quotes.frame import Image
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.position import Position
from bse_shared.quotes.quality import Quality
from bse_shared.quotes.quote import EMPTY, FIELDS, Kind, Quote
from bse_shared.testing.builders import RELIANCE, a_quote, an_image


big = st.integers(-(2**63), 2**63 - 1)
levels = st.lists(st.tuples(big, st.integers(0, 2**40)), max_size=5).map(tuple)
OF_KIND = {
    Kind.PAISE: big,
    Kind.COUNT: big,
    Kind.TIME_MS: big,
    Kind.LEVELS: levels,
    Kind.SOURCE: st.integers(0, 9),
    Kind.CONDITION: st.integers(0, 9),
}
quotes = st.builds(
    Quote, **{f.name: st.none() | OF_KIND[f.kind] for f in FIELDS if f.name}
)
instruments = st.builds(
    Instrument,
    code=st.integers(1, 999_999),
    symbol=st.text(),
    isin=st.text(),
    name=st.text(),
    group=st.text(),
)
ages = st.none() | st.integers(0, 2**53)
views = st.builds(
    QuoteView,
    instrument=instruments,
    image=st.builds(
        Image,
        st.builds(Position, ages.map(lambda n: n or 0), st.integers(0)),
        big,
        quotes,
    ),
    trust=st.builds(
        Trust,
        quality=st.sampled_from(Quality),
        confirmed_at_ms=ages,
        age_ms=ages,
    ),
)


def written(view, settled=None):
    """The whole object."""
    return (settled or SettledQuotes()).of(view).text + trust_json(view.trust)


def parsed(view):
    """The JSON, with decimals kept exact."""
    return json.loads(written(view), parse_float=Decimal)


@given(view=views)
@example(view=QuoteView(RELIANCE, an_image(EMPTY), Trust(Quality.STALE, None, None)))
def test_every_price_reads_back_to_the_same_paise(view):
    """Rupees have exactly two decimals, and none of them is lost at any size."""
    found = parsed(view)
    for field, value in zip(FIELDS, view.image.quote, strict=True):
        if field.kind is Kind.PAISE and value is not None:
            rupees = found[field.public_name]
            assert -2 == rupees.as_tuple().exponent
            assert value == int(rupees.scaleb(2))


@given(view=views)
def test_every_other_value_reads_back_as_it_is(view):
    """Counts, times, depth, names and freshness come through."""
    found, quote = parsed(view), view.image.quote
    for field, value in zip(FIELDS, quote, strict=True):
        if field.kind in {Kind.COUNT, Kind.TIME_MS} or value is None:
            assert value == found[field.public_name]
    for side in ("bids", "asks"):
        read = [[int(p.scaleb(2)), n] for p, n in found[side] or []]
        assert [list(level) for level in getattr(quote, side) or []] == read
    assert view.instrument.symbol == found["symbol"]
    assert (view.instrument.name or None) == found["name"]
    assert view.image.position._asdict() == found["position"]
    assert (view.trust.quality, view.trust.age_ms) == (
        found["quality"],
        found["age_ms"],
    )


@given(view=views)
def test_the_bytes_are_what_the_contract_describes(view):
    """No member more, none less, each of the documented type."""
    QuoteReply.model_validate_json(written(view))


@given(hundredths=st.integers())
def test_two_decimals_are_exact(hundredths):
    """Below a rupee and below zero too."""
    text = two_decimals(hundredths)
    assert "." == text[-3]
    assert hundredths == int(text.replace(".", ""))


def test_small_and_negative_amounts_keep_their_sign():
    """-5 paise is no plus."""
    assert ["0.00", "0.05", "-0.05", "-1.00", "-12.34"] == [
        two_decimals(n) for n in (0, 5, -5, -100, -1234)
    ]


def test_a_falling_price_shows_a_falling_change():
    """Change and percent carry the sign and two decimals."""
    image = an_image(a_quote(288_999, previous_close_paise=289_000))
    text = written(QuoteView(RELIANCE, image, Trust(Quality.LIVE, 1, 1)))
    assert b'"change":-0.01,"change_percent":0.00' in text


def test_settled_bytes_are_written_again_when_image_or_instrument_change():
    """A kept part never outlives what it was written from."""
    settled = SettledQuotes()
    first, second = an_image(a_quote(100)), an_image(a_quote(200))
    renamed = RELIANCE._replace(name="Reliance")
    seen = [
        json.loads(
            written(QuoteView(instrument, image, Trust(Quality.LIVE, 1, age)), settled)
        )
        for instrument, image, age in [
            (RELIANCE, first, 1),
            (RELIANCE, first, 2),
            (RELIANCE, second, 3),
            (renamed, second, 4),
        ]
    ]
    assert [1, 1, 2, 2] == [quote["last"] for quote in seen]
    assert [1, 2, 3, 4] == [quote["age_ms"] for quote in seen]
    assert "Reliance" == seen[3]["name"]


@given(symbols=st.lists(st.text(), max_size=5), count=st.integers(0, 3))
def test_a_batch_is_what_the_contract_describes(symbols, count):
    """Whatever was asked comes back as valid JSON."""
    quote = written(QuoteView(RELIANCE, an_image(), Trust(Quality.LIVE, 1, 1)))
    errors = [Miss(symbol, Reason.UNKNOWN_SYMBOL) for symbol in symbols]
    found = BatchReply.model_validate_json(
        batch_json(b",".join([quote] * count), errors, 7)
    )
    assert (count, symbols, 7) == (
        len(found.quotes),
        [error.symbol for error in found.errors],
        found.server_time_ms,
    )


@given(view=views, names=st.sets(st.sampled_from([f.public_name for f in FIELDS])))
def test_chosen_members_are_those_of_the_whole(view, names):
    """The same values; what tells how far the price may be trusted is always there."""
    names = {*names, "symbol"}  # as the routes always ask for
    text = chosen_json(view, names)
    whole, chosen = parsed(view), json.loads(text, parse_float=Decimal)
    assert {*names, "quality", "confirmed_at_ms", "age_ms"} == chosen.keys()
    assert chosen == {name: whole[name] for name in chosen}
