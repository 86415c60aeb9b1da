"""Entity tags: a caller that has this quote in this quality already gets 304 and no body. Pure.

Tags are weak: ages in the body go on growing under the same tag.
"""

import hashlib
from collections.abc import Iterable

from bse_gateway.lookup import QuoteView


def quote_tag(view: QuoteView, master_version: int, media_type: str) -> str:
    """The tag of one quote."""
    epoch, sequence = view.image.position
    encoding = media_type.rpartition("/")[2]
    return f'W/"{epoch}-{sequence}-{view.quality}-{master_version}-{encoding}"'


def batch_tag(tags: Iterable[str], errors: Iterable[str]) -> str:
    """The tag of an answer made of these quotes and these errors."""
    digest = hashlib.blake2b("\n".join([*tags, "", *errors]).encode(), digest_size=12)
    return f'W/"{digest.hexdigest()}"'


def is_held(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller's `If-None-Match` names this tag (RFC 9110 13.1.2, weak comparison)."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    opaque = tag.removeprefix("W/")
    return any(
        held.strip().removeprefix("W/") == opaque for held in if_none_match.split(",")
    )
