"""Quotes and deltas as hypothesis draws them."""

from hypothesis import strategies as st

from bse_shared.quotes.quote import FIELDS, Kind, Quote, Value


LEVELS = st.lists(
    st.tuples(st.integers(1, 10**10), st.integers(0, 10**9)), max_size=5
).map(tuple)


def value(kind: Kind) -> st.SearchStrategy[Value]:
    """A value of a field, or None."""
    known = LEVELS if kind is Kind.LEVELS else st.integers(0, 2**53 - 1)
    return st.none() | known


QUOTES = st.tuples(*(value(field.kind) for field in FIELDS)).map(Quote._make)

DELTAS = st.dictionaries(st.sampled_from(FIELDS), st.none(), max_size=6).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {field.number: value(field.kind) for field in chosen}
    )
)
