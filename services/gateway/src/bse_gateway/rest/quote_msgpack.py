"""A quote as MessagePack, for programs: the members of the JSON with integer paise, and `_paise` in their names."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from bse_gateway.derived import change_of, indian_time
from bse_gateway.identifiers import Miss
from bse_gateway.lookup import QuoteView
from bse_gateway.rest.quote_json import error_members, name_in
from bse_shared.quotes.quote import Condition, Source


def quote_msgpack(view: QuoteView, names: Collection[str] | None) -> bytes:
    """One quote; with `names`, as the JSON has them, only these of its settled members."""
    return msgspec.msgpack.encode(_members(view, names))


def batch_msgpack(
    views: Iterable[QuoteView],
    errors: Iterable[Miss],
    server_time_ms: int,
    names: Collection[str] | None,
) -> bytes:
    """The answer to a batch."""
    return msgspec.msgpack.encode(
        {
            "quotes": [_members(view, names) for view in views],
            "errors": [error_members(miss) for miss in errors],
            "server_time_ms": server_time_ms,
        }
    )


def _members(view: QuoteView, names: Collection[str] | None) -> dict[str, Any]:
    settled = _settled(view)
    if names is not None:
        settled = {n: v for n, v in settled.items() if _json_name(n) in names}
    return {
        **settled,
        "quality": view.trust.quality.value,
        "confirmed_at_ms": view.trust.confirmed_at_ms,
        "age_ms": view.trust.age_ms,
    }


def _json_name(name: str) -> str:
    """What the member is called in the JSON, where units leave the names of prices and percent."""
    if name == "change_basis_points":
        return "change_percent"
    return name.removesuffix("_paise")


def _settled(view: QuoteView) -> dict[str, Any]:
    instrument, image = view.instrument, view.image
    quote = image.quote
    change = change_of(quote)
    return {
        "symbol": instrument.symbol,
        "code": instrument.code,
        "isin": instrument.isin or None,
        "name": instrument.name or None,
        "group": instrument.group or None,
        **quote._asdict(),
        "source": name_in(Source, quote.source),
        "condition": name_in(Condition, quote.condition),
        "change_paise": change.paise,
        "change_basis_points": change.basis_points,
        "as_of": indian_time(quote.exchange_time_ms),
        "changed_at_ms": image.changed_at_ms,
        "position": image.position._asdict(),
    }
