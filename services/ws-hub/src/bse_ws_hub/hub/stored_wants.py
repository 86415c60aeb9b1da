"""A client's set as it is stored under its client id, and back."""

from collections.abc import Container, Mapping

from bse_shared.quotes.modes import MODE_MASKS, Mode
from bse_shared.wire.records import WantedScrips
from bse_ws_hub.hub.wants import (
    UnknownField,
    Want,
    interval_of,
    mask_of_fields,
    mode_of,
    names_of,
)


def stored_wants(wants: Mapping[int, Want]) -> list[WantedScrips]:
    """The set as it is stored: scrips that are wanted in the same way stand together."""
    codes: dict[Want, list[int]] = {}
    for code, want in wants.items():
        codes.setdefault(want, []).append(code)
    return [_stored(want, held) for want, held in codes.items()]


def wants_of(stored: list[WantedScrips], known: Container[int]) -> dict[int, Want]:
    """The set, as far as we know its scrips and understand how they are wanted (a newer version may have written it)."""
    found = {}
    for wanted in stored:
        want = _want(wanted)
        if want is not None:
            found.update({code: want for code in wanted.codes if code in known})
    return found


def _stored(want: Want, codes: list[int]) -> WantedScrips:
    mode = mode_of(want)
    return WantedScrips(
        codes=codes,
        mode=mode,
        fields=None if mode else names_of(want),
        max_hz=1000 / want.interval_ms if want.interval_ms else None,
        every=want.every,
    )


def _want(wanted: WantedScrips) -> Want | None:
    try:
        mask = (
            mask_of_fields(wanted.fields)
            if wanted.fields
            else MODE_MASKS[Mode(wanted.mode or Mode.QUOTE)]
        )
    except (UnknownField, ValueError):
        return None
    if wanted.max_hz is not None and wanted.max_hz <= 0:
        return None
    if wanted.every and wanted.max_hz is not None:
        return None
    return Want(mask, interval_of(wanted.max_hz), wanted.every)
