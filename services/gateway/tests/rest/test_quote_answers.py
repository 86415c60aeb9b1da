"""What is written of quotes, by whatever way it was asked for."""

import json

import msgspec
import pytest

from bse_gateway.lookup import Lookup
from bse_gateway.rest.negotiation import JSON, MSGPACK
from bse_gateway.rest.quote_answers import QuoteAnswers
from bse_gateway.rest.shapes import WHOLE_JSON, WHOLE_MSGPACK, shape_of
from bse_shared.quotes.modes import Mode
from bse_shared.testing.builders import INFY, RELIANCE, TCS, a_quote


SHAPES = [
    WHOLE_JSON,
    WHOLE_MSGPACK,
    shape_of(JSON, frozenset({"last"})),
    shape_of(MSGPACK, frozenset({"last"})),
    shape_of(JSON, None, Mode.LTP),
    shape_of(MSGPACK, None, Mode.QUOTE),
    shape_of(JSON, frozenset({"volume"}), Mode.LTP),
]


@pytest.fixture(autouse=True)
def quotes(market):
    """TCS trades; RELIANCE was not confirmed for 8 s."""
    market.report({RELIANCE.code: a_quote(), TCS.code: a_quote(301_000)})
    market.at_ms += 8_000
    market.report({TCS.code: a_quote(301_000)})


@pytest.fixture
def answers(market):
    """One replica."""
    return QuoteAnswers(Lookup(market))


def read(body, shape):
    """The answer's content."""
    decode = msgspec.msgpack.decode if shape.media_type == MSGPACK else json.loads
    return decode(body)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_batch_says_of_a_scrip_what_it_says_alone(answers, shape):
    """Member by member."""
    batch = answers.many(answers.named("TCS,RELIANCE"), shape)
    alone = [answers.one(symbol, shape) for symbol in ("TCS", "RELIANCE")]
    assert [read(each.body, shape) for each in alone] == read(batch.body, shape)[
        "quotes"
    ]
    assert ["live", "stale"] == [
        quote["quality"] for quote in read(batch.body, shape)["quotes"]
    ]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("symbols", ["TCS", "TCS,RELIANCE", "TCS,INFY,XX"])
def test_all_replicas_give_the_same_tag(answers, market, shape, symbols):
    """Whatever else they were asked within the same millisecond."""
    other = QuoteAnswers(Lookup(market))
    other.one("RELIANCE", WHOLE_JSON)
    other.many(other.named("RELIANCE,TCS"), WHOLE_MSGPACK)
    assert (
        answers.many(answers.named(symbols), shape).tag
        == other.many(other.named(symbols), shape).tag
    )


def test_tags_differ_with_what_is_shown(answers, market):
    """Shape, scrips, order, errors, and the quality of any quote."""
    named = answers.named
    asked = ["TCS", "RELIANCE", "TCS,RELIANCE", "RELIANCE,TCS", "TCS,XX", "TCS,INFY"]
    tags = {answers.many(named(text), shape).tag for text in asked for shape in SHAPES}
    assert len(asked) * len(SHAPES) == len(tags)
    before = answers.many(named("TCS,RELIANCE"), WHOLE_JSON).tag
    market.at_ms += 8_000
    assert before != answers.many(named("TCS,RELIANCE"), WHOLE_JSON).tag


def test_only_the_age_moves_on_its_own(answers, market):
    """The settled part is the same bytes; the moment is this answer's."""
    first = answers.one("TCS", WHOLE_JSON)
    market.at_ms += 1
    second = answers.one("TCS", WHOLE_JSON)
    assert first.tag == second.tag
    assert first.body.replace(b'"age_ms":0}', b'"age_ms":1}') == second.body


def test_what_is_not_found_is_told_in_the_order_asked(answers):
    """And counted apart from what is."""
    found = answers.many(answers.named("XX,TCS,INFY,A\0"), WHOLE_JSON)
    assert 1 == found.found
    assert ["XX", INFY.symbol, "A\0"] == [miss.symbol for miss in found.misses]
