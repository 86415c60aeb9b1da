"""What a subscribe request makes of a client's stored set. Pure: the route loads, this decides, the route saves."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, NamedTuple, assert_never

from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.modes import Mode
from bse_shared.wire.records import SubscriptionRecord


Action = Literal["set", "add", "remove"]


class Refusal(StrEnum):
    """Why a known scrip did not enter or leave the set."""

    NOT_SUBSCRIBED = "not_subscribed"
    TOO_MANY_SYMBOLS = "too_many_symbols"


Asked = Sequence[tuple[str, Instrument]]
"""Scrips with the identifiers that the client used for them."""

Refused = list[tuple[str, Refusal]]
"""Identifiers as the client wrote them."""


class NextSet(NamedTuple):
    """The resulting set, in the order of subscribing, and what was refused of the request."""

    codes: list[int]
    mode: Mode
    refused: Refused


def next_set(
    held: SubscriptionRecord | None,
    action: Action,
    asked: Asked,
    mode: Mode | None,
    symbols_max: int,
) -> NextSet:
    """The set after `action`. Without a `mode`, a new set is in `quote` and a held one stays in its own."""
    codes = [] if held is None or action == "set" else list(held.codes)
    chosen = mode or (Mode.QUOTE if action == "set" else _mode_of(held))
    match action:
        case "set" | "add":
            refused = _add(codes, asked, symbols_max)
        case "remove":
            refused = _remove(codes, asked)
        case _:
            assert_never(action)
    return NextSet(codes, chosen, refused)


def _add(codes: list[int], asked: Asked, symbols_max: int) -> Refused:
    refused = []
    held = set(codes)
    for identifier, scrip in asked:
        if scrip.code in held:
            continue
        if len(codes) >= symbols_max:
            refused.append((identifier, Refusal.TOO_MANY_SYMBOLS))
            continue
        held.add(scrip.code)
        codes.append(scrip.code)
    return refused


def _remove(codes: list[int], asked: Asked) -> Refused:
    held = set(codes)
    leaving = {scrip.code for _, scrip in asked}
    codes[:] = [code for code in codes if code not in leaving]
    return [
        (identifier, Refusal.NOT_SUBSCRIBED)
        for identifier, scrip in asked
        if scrip.code not in held
    ]


def _mode_of(held: SubscriptionRecord | None) -> Mode:
    # A newer hub may have stored a mode that we do not know.
    if held is None or held.mode not in set(Mode):
        return Mode.QUOTE
    return Mode(held.mode)
