"""What the end of a connection means: its reason in words, and whether coming back is welcome."""

from typing import NamedTuple


GOODBYE_MAX_S = 300.0
"""A hub may send us away for so long at most."""

_REASONS = {
    1000: "closed by the hub",
    1001: "the hub shuts down",
    1002: "the WebSocket protocol was broken",
    1006: "the connection was lost",
    1007: "text that is not UTF-8",
    1009: "a message was too big",
    4000: "internal error of the hub",
    4001: "the token expired",
    4008: "we read too slowly",
    4010: "too many connections",
    4011: "too many connections of this identity",
    4500: "too many bad messages",
    4501: "protocol not supported",
    4502: "revoked",
    4503: "not authenticated",
    4504: "another connection took over this session",
}

_FINAL = frozenset({1002, 1007, 1009, *range(4500, 5000)})


class Ending(NamedTuple):
    """How a connection ended. `after_ms` and `reconnect` come from a goodbye, if there was one.

    `status`: the HTTP status of a handshake that was refused; `after_ms` is then its Retry-After.
    """

    reason: str
    code: int | None = None
    reconnect: bool = True
    after_ms: int | None = None
    status: int | None = None

    @property
    def is_final(self) -> bool:
        """Whether the same connection must not be tried again."""
        return self.code in _FINAL or not self.reconnect

    @property
    def told_wait_s(self) -> float | None:
        """When to come back, if the hub said so; None: back off with jitter."""
        if not self.after_ms or self.is_final:
            return None
        return min(GOODBYE_MAX_S, self.after_ms / 1000)


def reason_of(code: int | None, said: str | None) -> str:
    """The reason in words: what the hub said, else what its code means."""
    return said or _REASONS.get(code or 1006, f"closed with code {code}")
