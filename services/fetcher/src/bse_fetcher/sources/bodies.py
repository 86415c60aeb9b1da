"""What a body is before it is read: JSON, or one of the things that a web server sends instead. Pure."""

import codecs
import re

import msgspec

from bse_fetcher.sources.errors import MalformedAnswer


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON of the wanted shape."""


_MISSING = re.compile(r"missing required field `(\w+)`")
_RETYPED = re.compile(r" - at `\$\.([\w.\[\]]+)`")


def count_drift(drift: dict[str, int], what: str) -> None:
    """One member more that was missing or had another type."""
    drift[what] = drift.get(what, 0) + 1


def drift_of(error: Exception) -> str:
    """Which member of a row that could not be decoded is gone or has another type; empty where that is not it."""
    if not isinstance(error, msgspec.ValidationError):
        return ""
    if found := _MISSING.search(str(error)):
        return f"missing:{found[1]}"
    if found := _RETYPED.search(str(error)):
        return f"retyped:{found[1].replace('[...]', '')}"
    return "retyped:row"


def json_of(body: bytes) -> bytes:
    """The body without a byte order mark. Raises MalformedAnswer where it is plainly no JSON."""
    body = body.removeprefix(codecs.BOM_UTF8)
    content = body.strip()
    if not content:
        raise MalformedAnswer("empty", "no body")
    if content.startswith(b"<"):
        raise MalformedAnswer("html", "a page instead of data")
    if content == b"null":
        raise MalformedAnswer("null", "the answer is null")
    return body


def malformed(error: Exception) -> MalformedAnswer:
    """JSON of another shape, or no JSON: then it was most likely cut."""
    is_json = isinstance(error, msgspec.ValidationError | UnicodeError)
    too_deep = isinstance(error, RecursionError)
    return MalformedAnswer("shape" if is_json or too_deep else "truncated", str(error))
