"""`ListofScripData`: the daily list of active scrips. Pure.

A name may end in a flag (`-$`), which is no part of it.
"""

import msgspec

from bse_fetcher.sources.answer import MasterAnswer, Rejected
from bse_fetcher.sources.bodies import UNREADABLE, count_drift, json_of, malformed
from bse_fetcher.sources.bse.values import NO_VALUE, code, text
from bse_fetcher.sources.errors import MalformedAnswer
from bse_fetcher.sources.money import BadValue
from bse_shared.quotes.instrument import Instrument


FLAG = "-$"


class _MasterRow(msgspec.Struct):
    SCRIP_CD: object = None
    scrip_id: object = None
    Scrip_Name: object = msgspec.UNSET
    GROUP: object = msgspec.UNSET
    ISIN_NUMBER: object = msgspec.UNSET


_master = msgspec.json.Decoder(list[msgspec.Raw])
_master_row = msgspec.json.Decoder(_MasterRow)


def read_master(body: bytes) -> MasterAnswer:
    """The answer of `ListofScripData`. Bad rows are named. Raises MalformedAnswer for the whole."""
    try:
        raws = _master.decode(json_of(body))
    except UNREADABLE as error:
        raise malformed(error) from error
    answer = MasterAnswer()
    codes: set[int] = set()
    for number, raw in enumerate(raws):
        try:
            instrument = _instrument(_master_row.decode(raw), answer.drift)
        except (BadValue, *UNREADABLE) as error:
            answer.rejected.append(Rejected(f"#{number}", str(error)))
            continue
        if instrument.code in codes:
            answer.rejected.append(Rejected(f"#{number}", f"{instrument.code} twice"))
            continue
        codes.add(instrument.code)
        answer.instruments.append(instrument)
    if not answer.instruments:
        raise MalformedAnswer("empty", f"no usable row of {len(raws)}")
    return answer


def _instrument(row: _MasterRow, drift: dict[str, int]) -> Instrument:
    scrip, symbol = code(row.SCRIP_CD), text(row.scrip_id).upper()
    if not symbol:
        raise BadValue(f"no scrip_id of {scrip}")
    return Instrument(
        scrip,
        symbol,
        _told(row.ISIN_NUMBER, "ISIN_NUMBER", drift).upper(),
        _told(row.Scrip_Name, "Scrip_Name", drift).removesuffix(FLAG).strip(),
        _told(row.GROUP, "GROUP", drift),
    )


def _told(value: object, name: str, drift: dict[str, int]) -> str:
    """A text, or nothing; that it is gone, or no text, is told."""
    if value is msgspec.UNSET:
        count_drift(drift, f"missing:{name}")
    elif not isinstance(value, str | None):
        count_drift(drift, f"retyped:{name}")
    found = text(value)
    return "" if found in NO_VALUE else found
