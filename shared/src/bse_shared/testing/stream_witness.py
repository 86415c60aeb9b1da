"""A client of the stream protocol that believes nothing: it holds each message against what the writer wrote.

Pure: whoever owns the connection feeds it `Row`s and answers. It outlives its connections, as a returning client does.
An AssertionError says what the hub broke.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bse_shared.quotes.delta import mask_of
from bse_shared.quotes.frame import Image
from bse_shared.quotes.position import START, Position
from bse_shared.quotes.quote import EMPTY, Quote, Value
from bse_shared.quotes.shard_writer import Plan


Fields = dict[int, Value]


class Written(NamedTuple):
    """One change of a scrip: the fields in `mask`, which led to `quote`."""

    position: Position
    mask: int
    quote: Quote


class Ledger:
    """All that was ever written, by scrip, in order. To be told before anybody can read it."""

    def __init__(self) -> None:
        self._written: dict[int, list[Written]] = {}

    def write(self, plan: Plan) -> None:
        """The writer is about to commit this."""
        masks = {change.code: mask_of(change.delta) for change in plan.frame.changes}
        for code, image in plan.images.items():
            entry = Written(image.position, masks[code], image.quote)
            self._written.setdefault(code, []).append(entry)

    def at(self, code: int, position: Position) -> Quote:
        """What was written at this very position."""
        if position == START:
            return EMPTY
        entries = self._written.get(code, [])
        index = bisect_right(entries, position, key=lambda entry: entry.position)
        assert index, f"{code}: nothing was written up to {position}"
        found = entries[index - 1]
        assert found.position == position, f"{code}: nothing was written at {position}"
        return found.quote

    def changes(self, code: int, after: Position, to: Position, mask: int) -> int:
        """How many changes of these fields there are after one position up to another."""
        entries = self._written.get(code, [])
        return sum(after < e.position <= to and e.mask & mask != 0 for e in entries)


class Row(NamedTuple):
    """A quote of an image (`since` is None, `epoch` is told) or of an update (`epoch` is None)."""

    code: int
    epoch: int | None
    since: int | None
    to: int
    fields: Fields


class Held(NamedTuple):
    """What the client has of a scrip."""

    position: Position
    fields: Fields


class Witness:
    """`mask`: the fields it asked for; `every`: each change by itself; `limited`: at most so many a second, so that it
    shares what is sent with clients that may have less. `counts`: what it has seen, by kind.
    """

    def __init__(
        self,
        ledger: Ledger,
        codes: Iterable[int],
        mask: int,
        *,
        every: bool,
        limited: bool,
    ):
        self.codes = set(codes)
        self.mask = mask
        self.every = every
        self.limited = limited
        self.held: dict[int, Held] = {}
        self.counts: Counter[str] = Counter()
        self._ledger = ledger
        self._images_due: set[int] = set()
        self._lost: dict[int, tuple[int, int]] = {}

    # What the client does.

    def forget(self) -> None:
        """Begin anew, as a client that was restarted."""
        self.held.clear()

    def asks_images(self, codes: Iterable[int]) -> None:
        """It subscribes: of these each is owed an image."""
        self._images_due |= set(codes)

    def left(self) -> None:
        """It has no connection any more: what was under way does not come."""
        self._images_due.clear()
        self._lost.clear()

    @property
    def positions(self) -> list[list[int]]:
        """What it comes back with."""
        return [[code, *held.position] for code, held in self.held.items()]

    # What it is told.

    def resumed(self, answer: Mapping[str, Any]) -> None:
        """The hub's word on what goes on and what begins anew."""
        on, anew = set(answer["resumed"]), set(answer["re_imaged"])
        assert not on & anew, f"both resumed and imaged anew: {on & anew}"
        assert on <= self.held.keys(), f"resumed what was never held: {on}"
        self._images_due |= anew
        self.counts["resumed"] += len(on)
        self.counts["re-imaged"] += len(anew)

    def lost(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Changes that come merged."""
        assert self.every, "told of lost steps without having asked for each"
        for row in rows:
            self._lost[row["code"]] = (row["from"], row["to"])
            self.counts["lost"] += 1

    def image(self, row: Row) -> None:
        """A whole quote."""
        code, held = row.code, self.held.get(row.code)
        assert row.epoch is not None, f"{row}: an image without an epoch"
        position = Position(row.epoch, row.to)
        if held is not None:
            assert not self._older(code, position), f"{code}: {held} -> {position}"
            if code not in self._images_due and position > held.position:
                explained = self.limited or position.epoch > held.position.epoch
                assert explained, (
                    f"{code}: an image at {position} that nothing explains"
                )
                told = not self.every or code in self._lost
                assert told, f"{code}: steps up to {position} came merged, untold"
        self._images_due.discard(code)
        self._lost.pop(code, None)
        self.counts["images"] += 1
        self._holds(code, position, row.fields)

    def update(self, row: Row) -> None:
        """Changes after a position up to another."""
        code, held = row.code, self.held.get(row.code)
        assert held is not None, f"{row}: an update of what has no image"
        assert code not in self._images_due, f"{row}: an update before the image"
        assert row.since is not None, f"{row}: an update without a base"
        assert row.since < row.to, f"{row}: leads nowhere"
        position = Position(held.position.epoch, row.to)
        if position <= held.position:
            self._ledger.at(code, position)
            self.counts["passed over"] += 1
            if self._lost.get(code, (0, 0))[1] == row.to:
                del self._lost[code]  # told to its group; it was imaged since
            return
        assert row.since <= held.position.sequence, f"{row}: a hole after {held}"
        if self.every:
            self._is_one_step(code, held.position, position)
        self.counts["updates"] += 1
        self._holds(code, position, {**held.fields, **row.fields})

    def digest(self, number: int) -> None:
        """The hub says what it believes the client to hold."""
        held = {code: Held(START, {}) for code in self.codes} | self.held
        own = sum(_term(code, *held[code].position) for code in self.codes) % 2**32
        assert number == own, f"digest {number}, but {own}: {self.held}"
        self.counts["digests"] += 1

    def has(self, images: Mapping[int, Image]) -> bool:
        """Whether it holds just these quotes."""
        return all(
            code in self.held
            and self.held[code].fields == self._shown(image.quote)
            and self.held[code].position.epoch == image.position.epoch
            for code, image in images.items()
            if code in self.codes
        )

    # Private.

    def _older(self, code: int, position: Position) -> bool:
        """Whether this is another state than what it holds, and an earlier one.

        Replicas may count the same state differently: one that came late does not know which of a scrip's changes was
        the last in these fields.
        """
        held = self.held[code].position
        return self._ledger.changes(code, position, held, self.mask) > 0

    def _holds(self, code: int, position: Position, fields: Fields) -> None:
        true = self._shown(self._ledger.at(code, position))
        assert fields == true, f"{code} at {position}: {fields}, but {true}"
        self.held[code] = Held(position, fields)

    def _shown(self, quote: Quote) -> Fields:
        return {n: value for n, value in enumerate(quote) if self.mask >> n & 1}

    def _is_one_step(self, code: int, held: Position, to: Position) -> None:
        steps = self._ledger.changes(code, held, to, self.mask)
        lost = self._lost.pop(code, None)
        if lost is not None:
            told = lost[0] <= held.sequence and lost[1] == to.sequence
            assert told, f"{code}: {held} -> {to}, but lost are {lost}"
        else:
            assert steps <= 1, f"{code}: {steps} steps in one, {held} -> {to}"


def _term(code: int, epoch: int, sequence: int) -> int:
    """A scrip's share of the digest, from the protocol's text."""
    h = code
    for part in (epoch // 2**32, epoch % 2**32, sequence % 2**32):
        h = (h * 0x01000193 ^ part) % 2**32
    h = (h ^ (h >> 15)) * 0x85EBCA6B % 2**32
    return h ^ (h >> 13)
