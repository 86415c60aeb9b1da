"""What a source said, in the product's own terms: the same for every source. Pure."""

from dataclasses import dataclass, field

from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.quote import Value
from bse_shared.wire.records import IndexRecord


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: which, and why."""

    row: str
    reason: str


@dataclass(slots=True)
class Answer:
    """Fields by scrip code and field number, what is new of who the scrips are, and what was wrong.

    `seen` may hold the very same fields object as the source's last answer: then nothing in it changed.
    An instrument's symbol is empty where the row does not tell it.
    """

    seen: dict[int, dict[int, Value]] = field(default_factory=dict)
    instruments: dict[int, Instrument] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    drift: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class MasterAnswer:
    """The list of active scrips, the rows that were not taken, and the members that were gone or retyped."""

    instruments: list[Instrument] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    drift: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class IndexAnswer:
    """The indices by name (as the master names them), and likewise."""

    indices: dict[str, IndexRecord] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    drift: dict[str, int] = field(default_factory=dict)
