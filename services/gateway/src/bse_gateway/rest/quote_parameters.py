"""The parameters of routes that answer quotes, and their good answers, as the contract tells them."""

from typing import Any

from bse_gateway.rest.negotiation import MSGPACK
from bse_gateway.rest.replies.quotes import QuoteReply
from bse_gateway.rest.symbol import DESCRIPTION, EXAMPLES, SCHEMA
from bse_shared.quotes.modes import Mode


MODES = [mode.value for mode in Mode]

QUOTES_OK: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            MSGPACK: {
                "schema": {
                    "description": "The same members with integer paise: `last_paise` for `last`,"
                    " `change_paise`, `change_basis_points`."
                }
            }
        }
    },
    304: {"description": "You have this already (see If-None-Match)"},
}
_FIELD = "|".join(QuoteReply.model_fields)
FIELDS_PATTERN = f"^({_FIELD})(,({_FIELD}))*$"
SYMBOL = {
    "name": "symbol",
    "in": "path",
    "required": True,
    "description": DESCRIPTION,
    "schema": {"type": "string", **SCHEMA},
    "examples": EXAMPLES,
}
SYMBOLS = {
    "name": "symbols",
    "in": "query",
    "required": True,
    "description": "identifiers separated by commas; write `&` of a symbol as `%26`",
    "schema": {"type": "string", "minLength": 1, "pattern": r"[^\s,]"},
    "example": "RELIANCE,532540,INE009A01021",
}
MODE_DESCRIPTION = (
    "how much of a quote, as over the stream: `ltp`, `quote` or `full` (the default)"
)
MODE = {
    "name": "mode",
    "in": "query",
    "required": False,
    "description": MODE_DESCRIPTION,
    "schema": {"type": "string", "enum": MODES},
    "example": "ltp",
}
FIELDS = {
    "name": "fields",
    "in": "query",
    "required": False,
    "description": "only these members, separated by commas, and always `symbol`, `code`, `position`,"
    " `quality`, `confirmed_at_ms`, `age_ms`; with `mode` these besides the mode's",
    "schema": {
        "type": "string",
        "pattern": FIELDS_PATTERN,
    },
    "example": "last,change_percent,volume",
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "the ETag of an earlier answer",
    "schema": {"type": "string"},
}
