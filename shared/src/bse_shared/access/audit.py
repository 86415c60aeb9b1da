"""The audit log's chain: each entry carries a keyed digest of itself and of the one before.

Whoever changes, drops or inserts an entry without the pepper breaks the chain there.
"""

from collections.abc import Sequence

import msgspec

from bse_shared.access.secret_text import keyed_digest, same


START = ""
"""What the very first entry follows."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, to what, with which result."""

    at_ms: int
    who: str
    what: str
    target: str = ""
    result: str
    request_id: str = ""
    address: str = ""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An act in the chain."""

    act: Act
    previous: str
    digest: str


def linked(act: Act, previous: str, pepper: bytes) -> AuditEntry:
    """The act as the entry that follows the one with the digest `previous`."""
    return AuditEntry(act=act, previous=previous, digest=_digest(act, previous, pepper))


def first_break(
    entries: Sequence[AuditEntry], newest: str, pepper: bytes
) -> int | None:
    """The index of the first entry (oldest first) where the chain does not hold; None where it holds.

    `newest` is the digest that the store keeps beside the log: entries cut off at the end show by it. The
    first entry's own `previous` is taken as it is, because the log is bounded.
    """
    expected = entries[0].previous if entries else newest
    for index, entry in enumerate(entries):
        is_true = same(entry.digest, _digest(entry.act, entry.previous, pepper))
        if entry.previous != expected or not is_true:
            return index
        expected = entry.digest
    return None if expected == newest else len(entries)


def _digest(act: Act, previous: str, pepper: bytes) -> str:
    return keyed_digest(pepper, "audit", previous + msgspec.json.encode(act).decode())
