"""The calendar file: its shape, and its decoding into structs.

It alone knows the keys of the JSON. What a shape cannot say (order, overlap,
coverage) is checked in `hours` and `rules`.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec


MAX_FILE_BYTES = 65_536
MAX_ROWS = 2_000  # holidays, special sessions or regimes in one file
MAX_PHASES = 24  # in one day
MAX_SCRIPS = 5_000  # in the closing auction

Weekday = Literal[
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"
]
PhaseName = Literal["pre_open", "open", "closing_auction", "closing", "post_close"]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
HhMm = Annotated[str, msgspec.Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
PhaseRow = tuple[PhaseName, HhMm, HhMm]
PhaseRows = Annotated[list[PhaseRow], msgspec.Meta(min_length=1, max_length=MAX_PHASES)]
StageName = Literal["order_entry", "limit_only", "matching", "buffer", "transition"]
StageRow = tuple[StageName, HhMm, HhMm]
StageRows = Annotated[list[StageRow], msgspec.Meta(max_length=MAX_PHASES)]
ScripCode = Annotated[int, msgspec.Meta(gt=0, lt=10_000_000)]


class CalendarError(ValueError):
    """A calendar that cannot be used.

    where: the place in the file, as ``regimes[1].phases[2]``; empty for the whole.
    problem: what is wrong there, for the person who edits the file.
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)
        self.where = where
        self.problem = problem

    def __str__(self) -> str:
        return ": ".join(filter(None, ("calendar", self.where, self.problem)))


class HolidayRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day without trading, and the name people know it by."""

    date: dt.date
    name: Label
    source: Label | None = None


class SpecialRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session on a holiday or weekend, or at unusual hours.

    phases: ``"full_day"`` for the hours of a normal day, rows of its own, or null
    while the times are to be notified.
    """

    date: dt.date
    name: Label
    phases: Literal["full_day"] | PhaseRows | None
    closing_auction_phases: PhaseRows | None = None
    source: Label | None = None


class RegimeRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hours of a normal day, in force until the next regime begins.

    closing_auction_phases: of the scrips in the closing auction; null while there
    is no such auction. stages: what is done in the day's call auctions;
    closing_auction_stages: the same for those scrips, where it differs.
    """

    name: Label
    starts_on: dt.date
    phases: PhaseRows
    stages: StageRows = []
    closing_auction_phases: PhaseRows | None = None
    closing_auction_stages: StageRows = []
    source: Label | None = None


class CalendarFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `as_of` is the day its facts were last checked.

    closing_auction_scrips: the codes of those that close by auction; null where
    nobody told.
    """

    schema: Literal[1]
    market: Label
    as_of: dt.date
    covers_from: dt.date
    covers_until: dt.date
    weekend: Annotated[list[Weekday], msgspec.Meta(max_length=7)]
    holidays: Annotated[list[HolidayRow], msgspec.Meta(max_length=MAX_ROWS)]
    special_sessions: Annotated[list[SpecialRow], msgspec.Meta(max_length=MAX_ROWS)]
    regimes: Annotated[list[RegimeRow], msgspec.Meta(max_length=MAX_ROWS)]
    closing_auction_scrips: (
        Annotated[list[ScripCode], msgspec.Meta(max_length=MAX_SCRIPS)] | None
    ) = None


def decode_file(data: bytes | Mapping[str, object]) -> CalendarFile:
    """Decode JSON, or its content already decoded. Raises CalendarError."""
    try:
        if not isinstance(data, bytes):
            return msgspec.convert(data, CalendarFile)
        if len(data) > MAX_FILE_BYTES:
            raise CalendarError("", f"larger than {MAX_FILE_BYTES} bytes")
        return msgspec.json.decode(data, type=CalendarFile)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        raise CalendarError(where.strip("`."), problem) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CalendarError("", f"not JSON: {error}") from error
