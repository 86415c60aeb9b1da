"""Parts of the market by name: `*`, `index:SENSEX`, `group:A`."""

from typing import Annotated

from fastapi import Query

from bse_gateway.lookup import Market
from bse_gateway.rest.problems import Kind, Problem
from bse_shared.quotes.instrument import Instrument, index_name


WHOLE = "*"

Selection = Annotated[
    str,
    Query(
        pattern=r"^(\*|([Ii][Nn][Dd][Ee][Xx]|[Gg][Rr][Oo][Uu][Pp]):[ -~]{1,60})$",
        description="`*`, `index:NAME` or `group:NAME`, in any case",
        openapi_examples={
            "whole market": {"value": "*"},
            "group": {"value": "group:A"},
        },
    ),
]


def selected(market: Market, selection: str) -> list[Instrument]:
    """The scrips of a selection. Raises the problem of one that names nothing."""
    found = market.instruments.select(selection)
    if not found and selection != WHOLE:
        raise Problem(
            Kind.UNKNOWN_SELECTION, "No scrip is in an index or group of this name."
        )
    return found


def canonical(selection: str) -> str:
    """One spelling for each selection."""
    kind, colon, name = selection.strip().upper().partition(":")
    return f"{kind}:{index_name(name)}" if colon else kind
