"""Socket.IO 5 packets as clients send them, taken apart strictly: what is not understood is refused, never kept.

python-socketio's own parser keeps half-received binary events, and its dispatcher calls the handlers of
`connect` and `disconnect` for events of these names; so what comes in is read here.
"""

import re
from typing import Any, NamedTuple

import msgspec

from bse_ws_hub.hub.commands import BadCommand


CONNECT, DISCONNECT, EVENT, ACK = 0, 1, 2, 3

# Type, attachments, namespace, acknowledgement id, JSON.
_PACKET = re.compile(
    r"([0-6])(?:\d{1,10}-)?(/[^,?]*(?:\?[^,]*)?,?)?(\d{1,15})?(.*)",
    re.DOTALL | re.ASCII,
)


class InPacket(NamedTuple):
    """One packet; `data` is decoded JSON, None where there is none."""

    kind: int
    namespace: str
    id: int | None
    data: Any


class Event(NamedTuple):
    """The name and the only argument of an event."""

    name: str
    argument: Any


def parse_packet(data: str | bytes) -> InPacket:
    """The packet. Raises BadCommand."""
    found = _PACKET.fullmatch(data) if isinstance(data, str) else None
    if found is None:
        raise BadCommand("bad_message", "not a Socket.IO text packet")
    kind, namespace, number, text = found.groups()
    return InPacket(
        int(kind),
        (namespace or "/").rstrip(",").partition("?")[0],
        int(number) if number else None,
        _json(text) if text else None,
    )


def parse_event(data: Any) -> Event:
    """`["name", argument]`. Raises BadCommand."""
    match data:
        case [str(name)]:
            return Event(name, None)
        case [str(name), argument]:
            return Event(name, argument)
    raise BadCommand("bad_message", "an event is a name and one argument")


def ack_packet(number: int, answer: Any) -> bytes:
    """The acknowledgement of the event that came with this number."""
    return b"3%d[%b]" % (number, msgspec.json.encode(answer))


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        raise BadCommand("bad_message", str(error)[:200]) from error
