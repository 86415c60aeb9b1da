"""`ListofScripData`: the daily list of active scrips. Pure."""

import msgspec

from bse_fetcher.sources.answer import MasterAnswer, Rejected
from bse_fetcher.sources.bodies import UNREADABLE, json_of, malformed
from bse_fetcher.sources.bse.values import code, text
from bse_fetcher.sources.errors import MalformedAnswer
from bse_fetcher.sources.money import BadValue
from bse_shared.quotes.instrument import Instrument


class _MasterRow(msgspec.Struct):
    SCRIP_CD: str | int
    scrip_id: str
    Scrip_Name: str | None = None
    GROUP: str | None = None
    ISIN_NUMBER: str | None = None


_master = msgspec.json.Decoder(list[msgspec.Raw])
_master_row = msgspec.json.Decoder(_MasterRow)


def read_master(body: bytes) -> MasterAnswer:
    """The answer of `ListofScripData`. Bad rows are named. Raises MalformedAnswer for the whole."""
    try:
        raws = _master.decode(json_of(body))
    except UNREADABLE as error:
        raise malformed(error) from error
    answer = MasterAnswer()
    for number, raw in enumerate(raws):
        try:
            answer.instruments.append(_instrument(_master_row.decode(raw)))
        except (BadValue, *UNREADABLE) as error:
            answer.rejected.append(Rejected(f"#{number}", str(error)))
    if not answer.instruments:
        raise MalformedAnswer("empty", f"no usable row of {len(raws)}")
    return answer


def _instrument(row: _MasterRow) -> Instrument:
    symbol = text(row.scrip_id).upper()
    if not symbol:
        raise BadValue("no scrip_id")
    return Instrument(
        code(row.SCRIP_CD),
        symbol,
        text(row.ISIN_NUMBER).upper(),
        text(row.Scrip_Name),
        text(row.GROUP),
    )
