"""A scrip's identifier in a path, as the contract tells it; `Lookup` judges it."""

from typing import Annotated

from fastapi import Path


EXAMPLES = {
    "symbol": {"value": "RELIANCE"},
    "scrip code": {"value": "500325"},
    "ISIN": {"value": "INE002A01018"},
}
SCHEMA = {"minLength": 1, "maxLength": 40, "pattern": "^[!-.0-~]+$"}
"""Printable ASCII; a slash would end it."""
DESCRIPTION = "symbol, scrip code or ISIN, in any case"

Symbol = Annotated[
    str,
    Path(description=DESCRIPTION, json_schema_extra=SCHEMA, openapi_examples=EXAMPLES),
]
