"""The rare messages of the protocol, as plain members; every encoding writes the same ones."""

from typing import Any, NamedTuple


class Rejection(NamedTuple):
    """A symbol that was not taken, as the client wrote it, and why."""

    symbol: str
    reason: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """The public members."""
        return self._asdict()


Message = dict[str, Any]
"""A message with its `type`."""


def error(reason: str, message: str, command_id: object = None) -> Message:
    """An `error` message."""
    found: Message = {"type": "error", "reason": reason, "message": message}
    return found if command_id is None else {**found, "id": command_id}


def goodbye(reason: str, *, reconnect: bool, after_ms: int) -> Message:
    """The last message before the hub closes."""
    return {
        "type": "goodbye",
        "reason": reason,
        "reconnect": reconnect,
        "after_ms": after_ms,
    }
