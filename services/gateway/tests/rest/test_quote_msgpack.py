"""Quotes as MessagePack."""

import msgspec

from bse_gateway.identifiers import Miss, Reason
from bse_gateway.lookup import QuoteView, Trust
from bse_gateway.rest.quote_msgpack import batch_msgpack, quote_msgpack
from bse_shared.quotes.quality import Quality
from bse_shared.quotes.quote import FIELDS, Kind
from bse_shared.testing.builders import RELIANCE, a_quote, an_image


VIEW = QuoteView(RELIANCE, an_image(a_quote(288_000)), Trust(Quality.LIVE, 5, 6))


def test_prices_are_integer_paise_under_names_that_say_so():
    """No reader can take paise for rupees."""
    found = msgspec.msgpack.decode(quote_msgpack(VIEW, None))
    for field, value in zip(FIELDS, VIEW.image.quote, strict=True):
        if field.kind is Kind.PAISE:
            assert field.name.endswith("_paise")
            assert value == found[field.name]
    assert (-1_000, -35) == (found["change_paise"], found["change_basis_points"])
    assert ("bse", "good", "live") == (
        found["source"],
        found["condition"],
        found["quality"],
    )


def test_a_batch_has_quotes_and_errors():
    """The same shape as the JSON."""
    found = msgspec.msgpack.decode(
        batch_msgpack([VIEW], [Miss("XX", Reason.NO_QUOTE)], 9, None)
    )
    assert ["RELIANCE"] == [quote["symbol"] for quote in found["quotes"]]
    assert ["no_quote"] == [error["reason"] for error in found["errors"]]
    assert 9 == found["server_time_ms"]
