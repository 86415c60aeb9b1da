"""The three frequent messages, in both encodings: image, update, quality.

Fields of a newer hub (unknown names and numbers) are passed over, and so are unknown sources and
conditions. An unknown quality is malformed: a price that cannot be judged must not be shown.
"""

from collections.abc import Callable, Mapping

from bse_client.checked import (
    count,
    entries,
    integer,
    malformed,
    member_of,
    members,
    paise_of_rupees,
    row,
    text,
)
from bse_client.fields import (
    CONDITIONS,
    FIELDS,
    QUALITIES,
    SOURCES,
    Field,
    Kind,
    Quality,
)
from bse_client.messages import (
    Fields,
    Image,
    Qualities,
    QuoteImage,
    QuoteQuality,
    QuoteUpdate,
    Unknown,
    Update,
    Value,
)
from bse_client.quote import Level


Frequent = Image | Update | Qualities
Members = Mapping[object, object]

_quality_named = member_of(Quality)


def _levels(price: Callable[[object], int], value: object) -> tuple[Level, ...]:
    rows = (row(level, 2) for level in entries(value))
    return tuple(Level(price(level[0]), count(level[1])) for level in rows)


def _name(names: tuple[str, ...]) -> Callable[[object], str | None]:
    return lambda value: name if (name := text(value)) in names else None


def _numbered(names: tuple[str, ...]) -> Callable[[object], str | None]:
    return lambda value: names[n] if (n := count(value)) < len(names) else None


_FROM_JSON: dict[Kind, Callable[[object], Value]] = {
    Kind.PAISE: paise_of_rupees,
    Kind.COUNT: integer,
    Kind.LEVELS: lambda value: _levels(paise_of_rupees, value),
    Kind.SOURCE: _name(SOURCES),
    Kind.CONDITION: _name(CONDITIONS),
}

_FROM_MSGPACK: dict[Kind, Callable[[object], Value]] = {
    Kind.PAISE: integer,
    Kind.COUNT: integer,
    Kind.LEVELS: lambda value: _levels(integer, value),
    Kind.SOURCE: _numbered(SOURCES),
    Kind.CONDITION: _numbered(CONDITIONS),
}


def _fields(
    known: Mapping[object, Field],
    of: dict[Kind, Callable[[object], Value]],
    raw: Members,
) -> Fields:
    fields: Fields = {}
    for key, value in raw.items():
        if field := known.get(key):
            fields[field.name] = None if value is None else of[field.kind](value)
    return fields


_NAMED: Mapping[object, Field] = {field.public_name: field for field in FIELDS}
_BY_NUMBER: Mapping[object, Field] = {field.number: field for field in FIELDS}


def _time(value: object = None) -> int | None:
    return None if value is None else count(value)


# JSON: maps with names.


def image_of_map(raw: Members) -> Image:
    """An `image` object."""
    quotes = tuple(_image_of_map(members(q)) for q in entries(raw.get("quotes")))
    return Image(
        count(raw.get("sent_at_ms")),
        count(raw.get("received_at_ms")),
        quotes,
        _time(raw.get("published_at_ms")),
    )


def _image_of_map(raw: Members) -> QuoteImage:
    return QuoteImage(
        code=count(raw.get("code")),
        epoch=count(raw.get("epoch")),
        sequence=count(raw.get("sequence")),
        changed_at_ms=count(raw.get("changed_at_ms")),
        quality=_quality_named(raw.get("quality")),
        fields=_fields(_NAMED, _FROM_JSON, raw),
    )


def update_of_map(raw: Members) -> Update:
    """An `update` object."""
    quotes = tuple(_update_of_map(members(q)) for q in entries(raw.get("quotes")))
    return Update(
        count(raw.get("sent_at_ms")),
        count(raw.get("received_at_ms")),
        quotes,
        _time(raw.get("published_at_ms")),
    )


def _update_of_map(raw: Members) -> QuoteUpdate:
    return QuoteUpdate(
        code=count(raw.get("code")),
        from_sequence=count(raw.get("from")),
        to_sequence=count(raw.get("to")),
        fields=_fields(_NAMED, _FROM_JSON, raw),
    )


def qualities_of_map(raw: Members) -> Qualities:
    """A `quality` object."""
    quotes = tuple(
        QuoteQuality(count(item.get("code")), _quality_named(item.get("quality")))
        for item in map(members, entries(raw.get("quotes")))
    )
    return Qualities(count(raw.get("sent_at_ms")), quotes)


# MessagePack: arrays with numbers.


def frequent_of_array(raw: list[object]) -> Frequent | Unknown:
    """One of the three arrays, told by the number in front."""
    kind, *rest = row(raw, 3)
    reader = _ARRAYS.get(integer(kind))
    return reader(rest) if reader else Unknown(f"number {kind}")


def _image_of_array(rest: list[object]) -> Image:
    sent, received, quotes = row(rest, 3)[:3]
    images = tuple(_image_of_row(row(q, 6)) for q in entries(quotes))
    return Image(count(sent), count(received), images, _time(*rest[3:4]))


def _update_of_array(rest: list[object]) -> Update:
    sent, received, quotes = row(rest, 3)[:3]
    updates = tuple(_update_of_row(row(q, 4)) for q in entries(quotes))
    return Update(count(sent), count(received), updates, _time(*rest[3:4]))


def _qualities_of_array(rest: list[object]) -> Qualities:
    sent, quotes = rest[:2]
    qualities = tuple(_quality_of_row(row(q, 2)) for q in entries(quotes))
    return Qualities(count(sent), qualities)


_ARRAYS: dict[int, Callable[[list[object]], Frequent]] = {
    1: _image_of_array,
    2: _update_of_array,
    3: _qualities_of_array,
}


def _image_of_row(cells: list[object]) -> QuoteImage:
    code, epoch, sequence, changed_at_ms, quality, raw = cells[:6]
    return QuoteImage(
        code=count(code),
        epoch=count(epoch),
        sequence=count(sequence),
        changed_at_ms=count(changed_at_ms),
        quality=_quality_numbered(quality),
        fields=_fields(_BY_NUMBER, _FROM_MSGPACK, members(raw)),
    )


def _update_of_row(cells: list[object]) -> QuoteUpdate:
    code, after, to, raw = cells[:4]
    fields = _fields(_BY_NUMBER, _FROM_MSGPACK, members(raw))
    return QuoteUpdate(count(code), count(after), count(to), fields)


def _quality_of_row(cells: list[object]) -> QuoteQuality:
    return QuoteQuality(count(cells[0]), _quality_numbered(cells[1]))


def _quality_numbered(value: object) -> Quality:
    number = count(value)
    if number >= len(QUALITIES):
        malformed(f"{number} is no quality")
    return QUALITIES[number]
