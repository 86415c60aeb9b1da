"""JSON with exact amounts: a Decimal is written with two decimals, never by way of a float."""

import json
from decimal import Decimal


def exact_json(value: object) -> str:
    """The shortest JSON text of a value."""
    if isinstance(value, dict):
        pairs = (
            f"{json.dumps(name)}:{exact_json(item)}" for name, item in value.items()
        )
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(exact_json, value)) + "]"
    return f"{value:.2f}" if isinstance(value, Decimal) else json.dumps(value)
