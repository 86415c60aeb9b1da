"""What a caller can read: media type by `Accept`, compression by `Accept-Encoding` (RFC 9110 12.5). Pure."""

from collections.abc import Iterator
from functools import lru_cache


JSON = "application/json"
MSGPACK = "application/msgpack"

_MSGPACK_NAMES = {MSGPACK, "application/x-msgpack", "application/vnd.msgpack"}
_KEPT = 256
"""So many different header values are remembered; clients send few."""


@lru_cache(_KEPT)
def media_type(accept: str) -> str:
    """JSON, unless MessagePack is named and JSON is not preferred to it.

    Who can read neither gets JSON too: an answer that may not fit is of more use than none.
    """
    weights = dict(_weighted(accept))
    packed = max((weights.get(name, 0) for name in _MSGPACK_NAMES), default=0)
    return MSGPACK if packed and packed >= weights.get(JSON, 0) else JSON


@lru_cache(_KEPT)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether a gzipped body may be sent. It has to be named: `*` is what proxies send."""
    return dict(_weighted(accept_encoding)).get("gzip", 0) > 0


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        weights = [_weight(p[2:]) for p in parameters if p.startswith("q=")]
        if name:
            yield name, weights[0] if weights else 1.0


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:  # what is no number asks for nothing
        return 0.0
