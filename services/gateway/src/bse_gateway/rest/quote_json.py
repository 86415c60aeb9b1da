"""A quote as JSON bytes, written by hand: rupees get exactly two decimals out of integer paise.

Pure. What depends on the image alone is written once per change and kept (`SettledQuotes`); what depends on
the moment is put behind it for each answer.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from bse_gateway.derived import change_of, indian_time
from bse_gateway.lookup import Miss, QuoteView
from bse_shared.quotes.frame import Image
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.quote import FIELDS, Condition, Kind, Levels, Source


def two_decimals(hundredths: int) -> str:
    """Paise as rupees, basis points as percent: `-5` is `-0.05`."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{rest:02d}"


def settled_json(instrument: Instrument, image: Image) -> bytes:
    """The part of the object that stands until the scrip's next change; without the closing brace."""
    quote = image.quote
    change = change_of(quote)
    members = [
        f'"symbol":{json.dumps(instrument.symbol)}',
        f'"code":{instrument.code}',
        f'"isin":{json.dumps(instrument.isin or None)}',
        f'"name":{json.dumps(instrument.name or None)}',
        f'"group":{json.dumps(instrument.group or None)}',
        *(
            f'"{field.public_name}":{_value(field.kind, value)}'
            for field, value in zip(FIELDS, quote, strict=True)
        ),
        f'"change":{_rupees(change.paise)}',
        f'"change_percent":{_rupees(change.basis_points)}',
        f'"as_of":{json.dumps(indian_time(quote.exchange_time_ms))}',
        f'"changed_at_ms":{image.changed_at_ms}',
        f'"position":{{"epoch":{image.position.epoch},"sequence":{image.position.sequence}}}',
    ]
    return ("{" + ",".join(members)).encode()


class SettledQuotes:
    """The settled bytes of each scrip, written again when its image or its instrument is another one.

    Bounded by the number of scrips.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Image, Instrument, bytes]] = {}

    def json(self, view: QuoteView) -> bytes:
        """The whole object."""
        instrument, image = view.instrument, view.image
        kept = self._kept.get(instrument.code)
        if kept is None or kept[0] is not image or kept[1] is not instrument:
            kept = (image, instrument, settled_json(instrument, image))
            self._kept[instrument.code] = kept
        return b'%b,"quality":"%b","confirmed_at_ms":%b,"age_ms":%b}' % (
            kept[2],
            view.quality.encode(),
            _integer(view.confirmed_at_ms),
            _integer(view.age_ms),
        )


def batch_json(
    quotes: Iterable[bytes], errors: Iterable[Miss], server_time_ms: int
) -> bytes:
    """The answer to a batch, from quotes already written."""
    return b'{"quotes":[%b],"errors":%b,"server_time_ms":%d}' % (
        b",".join(quotes),
        json.dumps([error_members(miss) for miss in errors]).encode(),
        server_time_ms,
    )


def error_members(miss: Miss) -> dict[str, str]:
    """One identifier's error, as in `rejected` of the stream protocol."""
    return {
        "symbol": miss.symbol,
        "reason": miss.reason.value,
        "message": miss.message,
    }


def name_in(names: type[Source] | type[Condition], number: int | None) -> str | None:
    """The public name of a source or condition; `unknown` for a number of a newer version."""
    if number is None:
        return None
    try:
        return names(number).name.lower()
    except ValueError:
        return "unknown"


def _rupees(paise: int | None) -> str:
    return "null" if paise is None else two_decimals(paise)


def _levels(levels: Levels) -> str:
    return (
        "["
        + ",".join(f"[{two_decimals(price)},{count}]" for price, count in levels)
        + "]"
    )


_WRITERS: dict[Kind, Callable[[Any], str]] = {
    Kind.PAISE: two_decimals,
    Kind.COUNT: str,
    Kind.TIME_MS: str,
    Kind.LEVELS: _levels,
    Kind.SOURCE: lambda number: json.dumps(name_in(Source, number)),
    Kind.CONDITION: lambda number: json.dumps(name_in(Condition, number)),
}


def _value(kind: Kind, value: Any) -> str:
    return "null" if value is None else _WRITERS[kind](value)


def _integer(value: int | None) -> bytes:
    return b"null" if value is None else b"%d" % value
