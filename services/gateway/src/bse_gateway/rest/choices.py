"""How much of each quote a caller may choose, where lists of quotes come, as the contract tells it."""

from typing import Annotated

from fastapi import Query

from bse_gateway.rest.problems import Kind
from bse_gateway.rest.quote_parameters import FIELDS_PATTERN, MODE_DESCRIPTION, MODES


Fields = Annotated[
    str | None,
    Query(
        description="only these members, separated by commas; see /api/stock/{symbol}",
        json_schema_extra={"pattern": FIELDS_PATTERN},
        openapi_examples={"short": {"value": "last,change_percent"}},
    ),
]
QuoteMode = Annotated[
    str | None,
    Query(description=MODE_DESCRIPTION, json_schema_extra={"enum": MODES}),
]
LISTED = (
    Kind.UNKNOWN_SELECTION,
    Kind.UNKNOWN_MODE,
    Kind.UNKNOWN_FIELD,
    Kind.INVALID_REQUEST,
    Kind.NOT_READY,
)
"""What such a request may be refused for."""
