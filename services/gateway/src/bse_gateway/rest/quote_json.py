"""A quote as JSON bytes, written by hand: rupees get exactly two decimals out of integer paise.

Pure. What depends on the image alone is written once per change and kept (`SettledQuotes`); what depends on
the moment is put behind it for each answer.
"""

import json
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from bse_gateway.derived import change_of, indian_time
from bse_gateway.identifiers import Miss
from bse_gateway.lookup import Judged, QuoteView, Trust
from bse_shared.quotes.frame import Image
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.quote import FIELDS, Condition, Kind, Levels, Source


def two_decimals(hundredths: int) -> str:
    """Paise as rupees, basis points as percent: `-5` is `-0.05`."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{rest:02d}"


def settled_members(instrument: Instrument, image: Image) -> dict[str, str]:
    """The members that stand until the scrip's next change, each already written."""
    quote = image.quote
    change = change_of(quote)
    return {
        "symbol": json.dumps(instrument.symbol),
        "code": str(instrument.code),
        "isin": json.dumps(instrument.isin or None),
        "name": json.dumps(instrument.name or None),
        "group": json.dumps(instrument.group or None),
        **{
            field.public_name: _value(field.kind, value)
            for field, value in zip(FIELDS, quote, strict=True)
        },
        "change": _rupees(change.paise),
        "change_percent": _rupees(change.basis_points),
        "as_of": json.dumps(indian_time(quote.exchange_time_ms)),
        "changed_at_ms": str(image.changed_at_ms),
        "position": f'{{"epoch":{image.position.epoch},"sequence":{image.position.sequence}}}',
    }


def open_object(members: dict[str, str]) -> bytes:
    """The members as an object without its closing brace."""
    return ("{" + ",".join(f'"{n}":{text}' for n, text in members.items())).encode()


def trust_json(trust: Trust) -> bytes:
    """The rest of a quote's object: what depends on the moment."""
    return b',"quality":"%b","confirmed_at_ms":%b,"age_ms":%b}' % (
        trust.quality.encode(),
        _integer(trust.confirmed_at_ms),
        _integer(trust.age_ms),
    )


def chosen_json(view: QuoteView, names: Collection[str]) -> bytes:
    """The object with these settled members only; what depends on the moment is always there."""
    members = settled_members(view.instrument, view.image)
    return open_object(_chosen(members, names)) + trust_json(view.trust)


def _chosen(members: dict[str, str], names: Collection[str] | None) -> dict[str, str]:
    if names is None:
        return members
    return {name: text for name, text in members.items() if name in names}


class Settled(NamedTuple):
    """What was written of a scrip, and from what. `place` is its position as tags have it."""

    image: Image
    instrument: Instrument
    text: bytes
    place: str


def place_of(image: Image) -> str:
    """The position of a quote as tags have it."""
    return f"{image.position.epoch}-{image.position.sequence}"


class SettledQuotes:
    """The settled bytes of each scrip, written again when its image or its instrument is another one.

    Bounded by the number of scrips.
    """

    def __init__(self, names: Collection[str] | None = None) -> None:
        """`names`: only these members; None: all."""
        self._names = names
        self._kept: dict[int, Settled] = {}

    def of(self, view: QuoteView) -> Settled:
        """What stands until the scrip's next change."""
        instrument, image, _ = view
        kept = self._kept.get(instrument[0])
        if kept is None or kept[0] is not image or kept[1] is not instrument:
            members = _chosen(settled_members(instrument, image), self._names)
            kept = Settled(image, instrument, open_object(members), place_of(image))
            self._kept[instrument.code] = kept
        return kept

    def batch(
        self, judged: Iterable[Judged], tails: dict[Trust, bytes]
    ) -> tuple[bytes, list[str]]:
        """The objects with commas between them, and the place of each in history. `tails` holds `trust_json` of what was met already."""
        parts: list[bytes] = []
        places = []
        get = self._kept.get
        for scrip, image, trust in judged:
            kept = get(scrip[0])
            if kept is None or kept[0] is not image or kept[1] is not scrip:
                kept = self.of(QuoteView(scrip, image, trust))
            tail = tails.get(trust)
            if tail is None:
                tail = tails[trust] = trust_json(trust)
            parts += (kept[2], tail, b",")
            places.append(kept[3])
        return b"".join(parts[:-1]), places


def batch_json(quotes: bytes, errors: Iterable[Miss], server_time_ms: int) -> bytes:
    """The answer to a batch, from quotes already written, with commas between them."""
    told = [error_members(miss) for miss in errors]
    return b'{"quotes":[%b],"errors":%b,"server_time_ms":%d}' % (
        quotes,
        json.dumps(told).encode() if told else b"[]",
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
