"""What was revoked before its time, as every door keeps it in memory: a token, a session, all of a subject's.

An entry lives until the last token that it can concern has expired by itself, so the table stays small.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from bse_shared.access.principal import Principal


Kind = Literal["jti", "sid", "sub"]
"""A token, a session, all of a subject's."""


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """One revocation. Of a subject (`sub`), what was issued up to `at_ms`; of a token or session, all."""

    kind: Kind
    value: str
    at_ms: int
    until_ms: int

    def covers(self, principal: Principal) -> bool:
        """Whether the principal's proof is revoked by this."""
        match self.kind:
            case "jti":
                return principal.jti == self.value
            case "sid":
                return principal.session_id == self.value
            case "sub":
                return principal.sub == self.value and (
                    principal.issued_at_ms <= self.at_ms
                )


class Revocations:
    """The revocations in force. Made of messages (which may be lost) and of the whole set, read again and again."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], Revocation] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, revocations: Iterable[Revocation], now_ms: int) -> list[Revocation]:
        """Take these in; those that say something new come back."""
        new = []
        for each in revocations:
            name = (each.kind, each.value)
            held = self._held.get(name)
            if each.until_ms > now_ms and (held is None or held.at_ms < each.at_ms):
                self._held[name] = each
                new.append(each)
        return new

    def forget(self, now_ms: int) -> None:
        """Drop what can't concern any token any more."""
        self._held = {n: r for n, r in self._held.items() if r.until_ms > now_ms}

    def cover(self, principal: Principal) -> bool:
        """Whether the principal's proof is revoked."""
        if not self._held:
            return False
        if ("jti", principal.jti) in self._held and principal.jti:
            return True
        if ("sid", principal.session_id) in self._held and principal.session_id:
            return True
        of_subject = self._held.get(("sub", principal.sub))
        return of_subject is not None and of_subject.covers(principal)
