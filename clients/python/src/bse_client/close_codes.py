"""What the end of a connection means: its reason in words, and whether coming back is welcome."""

from typing import NamedTuple


_REASONS = {
    1000: "closed by the hub",
    1001: "the hub shuts down",
    1006: "the connection was lost",
    1009: "a message was too big",
    4000: "internal error of the hub",
    4008: "we read too slowly",
    4010: "too many connections",
    4500: "too many bad messages",
    4501: "protocol not supported",
}

_TOO_BIG = 1009
_FINAL = range(4500, 5000)


class Ending(NamedTuple):
    """How a connection ended. `after_ms` and `reconnect` come from a goodbye, if there was one."""

    reason: str
    code: int | None = None
    reconnect: bool = True
    after_ms: int | None = None

    @property
    def is_final(self) -> bool:
        """Whether the same connection must not be tried again."""
        by_code = self.code == _TOO_BIG or self.code in _FINAL
        return by_code or not self.reconnect


def reason_of(code: int | None, said: str | None) -> str:
    """The reason in words: what the hub said, else what its code means."""
    return said or _REASONS.get(code or 1006, f"closed with code {code}")
