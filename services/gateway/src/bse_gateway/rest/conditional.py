"""Entity tags: a caller that has this quote in this quality already gets 304 and no body. Pure.

Tags are weak: ages in the body go on growing under the same tag.
"""

import hashlib
from collections.abc import Iterable


def quote_tag(place: str, quality: str, master_version: int, shape: str) -> str:
    """The tag of one quote: where in history it is, how far it may be trusted, whose names, in which shape."""
    return f'W/"{place}-{quality}-{master_version}-{shape}"'


def digest_tag(*groups: Iterable[str]) -> str:
    """The tag of an answer made of many parts; the same text in another group makes another tag."""
    text = "\n\n".join("\n".join(group) for group in groups)
    digest = hashlib.blake2b(text.encode(errors="replace"), digest_size=12)
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
