"""What a subscribe request makes of a client's stored set. Pure: the route loads, this decides, the route saves."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple, assert_never

import msgspec

from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.modes import Mode
from bse_shared.wire.records import SubscriptionRecord, WantedScrips


Action = Literal["set", "add", "remove"]


class Refusal(StrEnum):
    """Why a known scrip did not enter or leave the set."""

    NOT_SUBSCRIBED = "not_subscribed"
    TOO_MANY_SYMBOLS = "too_many_symbols"


Asked = Sequence[tuple[str, Instrument]]
"""Scrips with the identifiers that the client used for them."""

Refused = list[tuple[str, Refusal]]
"""Identifiers as the client wrote them."""

Way = WantedScrips
"""How a scrip is wanted: the record's entry without its scrips."""

Wanted = dict[int, Way]
"""By scrip code, in the order of subscribing."""


class NextSet(NamedTuple):
    """The resulting set and what was refused of the request."""

    wanted: Wanted
    refused: Refused

    @property
    def wants(self) -> list[WantedScrips]:
        """The set as it is stored: scrips that are wanted in the same way stand together."""
        codes: dict[bytes, WantedScrips] = {}
        for code, way in self.wanted.items():
            name = msgspec.json.encode(way)
            held = codes.setdefault(name, msgspec.structs.replace(way, codes=[]))
            held.codes.append(code)
        return list(codes.values())


def next_set(
    held: SubscriptionRecord | None,
    action: Action,
    asked: Asked,
    mode: Mode | None,
    symbols_max: int,
) -> NextSet:
    """The set after `action`.

    Scrips come in the given mode; without one, a scrip that is held stays as it is, and a new one comes in
    `quote`, or as all the others are if those are all in one mode.
    """
    wanted = {} if held is None or action == "set" else _wanted(held)
    match action:
        case "set" | "add":
            refused = _add(wanted, asked, mode, symbols_max)
        case "remove":
            refused = _remove(wanted, asked)
        case _:
            assert_never(action)
    return NextSet(wanted, refused)


def _wanted(held: SubscriptionRecord) -> Wanted:
    return {
        code: msgspec.structs.replace(wants, codes=[])
        for wants in held.wants
        for code in wants.codes
    }


def _add(wanted: Wanted, asked: Asked, mode: Mode | None, symbols_max: int) -> Refused:
    refused = []
    way = WantedScrips(codes=[], mode=mode or _common_mode(wanted.values()))
    for identifier, scrip in asked:
        if scrip.code in wanted:
            if mode is not None:
                wanted[scrip.code] = way
        elif len(wanted) >= symbols_max:
            refused.append((identifier, Refusal.TOO_MANY_SYMBOLS))
        else:
            wanted[scrip.code] = way
    return refused


def _remove(wanted: Wanted, asked: Asked) -> Refused:
    held = set(wanted)
    for _, scrip in asked:
        wanted.pop(scrip.code, None)
    return [
        (identifier, Refusal.NOT_SUBSCRIBED)
        for identifier, scrip in asked
        if scrip.code not in held
    ]


def _common_mode(ways: Iterable[Way]) -> Mode:
    modes = {way.mode for way in ways}
    # A newer hub may have stored a mode that we do not know.
    return next((m for m in Mode if modes == {m}), Mode.QUOTE)
