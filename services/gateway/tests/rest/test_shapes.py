"""Modes and chosen members, as laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_gateway.rest.negotiation import JSON, MSGPACK
from bse_gateway.rest.replies.quotes import ALWAYS, QuoteReply
from bse_gateway.rest.shapes import (
    DERIVED,
    WHOLE_JSON,
    WHOLE_MSGPACK,
    members_of,
    shape_of,
)
from bse_shared.quotes.modes import Mode


NAMES = st.frozensets(st.sampled_from(sorted(QuoteReply.model_fields)), min_size=1)


@given(names=NAMES, mode=st.sampled_from(Mode))
def test_a_mode_and_chosen_members_add_up(names, mode):
    """Nothing that either names is left out, and nothing else comes."""
    shape, whole = shape_of(JSON, names, mode), members_of(mode)
    if whole is None:
        assert WHOLE_JSON is shape
    else:
        assert whole | names == shape.names


@given(first=NAMES, second=NAMES)
def test_tags_tell_apart_what_differs(first, second):
    """And only that: what is always there need not be named."""
    one, two = shape_of(JSON, first), shape_of(JSON, second)
    assert (one.names == two.names) == (one.label == two.label)


def test_modes_grow():
    """Each holds the smaller one."""
    assert ALWAYS | DERIVED < members_of(Mode.LTP) < members_of(Mode.QUOTE)
    assert {"last", "previous_close", "exchange_time_ms", "condition"} == (
        members_of(Mode.LTP) - ALWAYS - DERIVED
    )
    assert members_of(Mode.QUOTE) < QuoteReply.model_fields.keys()
    assert "bids" not in members_of(Mode.QUOTE)


@pytest.mark.parametrize(
    ("media_type", "whole"), [(JSON, WHOLE_JSON), (MSGPACK, WHOLE_MSGPACK)]
)
def test_nothing_asked_and_the_full_mode_are_the_same(media_type, whole):
    """The very shape whose bytes are kept."""
    assert whole is shape_of(media_type, None) is shape_of(media_type, None, Mode.FULL)
