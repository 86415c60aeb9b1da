"""The quotes of one stream and the law of positions: `from <= sequence < to`.

Pure. Laws: the fields held are always those that the hub held at our `sequence`, whatever is split,
merged, repeated or late; a hole harms no other scrip; nothing unsound is ever called live.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from bse_client.answers import Subscription
from bse_client.commands import HeldAt
from bse_client.digest import digest
from bse_client.fields import PUBLIC_NAME, Quality
from bse_client.messages import Fields, QuoteImage, QuoteUpdate
from bse_client.quote import Quote


class Outcome(StrEnum):
    """What became of an image or update."""

    APPLIED = "applied"
    PASSED_OVER = "passed_over"
    GAP = "gap"
    IGNORED = "ignored"


class Result(NamedTuple):
    """The outcome, the fields (JSON names) that have new values, and whether a hole is new."""

    outcome: Outcome
    changed: frozenset[str] = frozenset()
    new_gap: bool = False


IGNORED = Result(Outcome.IGNORED)
PASSED_OVER = Result(Outcome.PASSED_OVER)


@dataclass(slots=True)
class Held:
    """What we hold of a scrip. `sound` ends with the connection, until the hub goes on from it or images it.

    `vouched`: the hub has told the quality since. `doubted`: the check sums differ. `missing_to` above `sequence` means that a hole is known up
    to there.
    """

    epoch: int
    sequence: int
    changed_at_ms: int
    reported: Quality
    shown: Quality
    fields: Fields
    sound: bool = True
    vouched: bool = True
    doubted: bool = False
    missing_to: int = 0

    @property
    def is_torn(self) -> bool:
        """Whether changes are known to be missing."""
        return self.missing_to > self.sequence

    @property
    def is_unsure(self) -> bool:
        """Whether it takes an image, or a word on the quality, to trust what we hold."""
        return self.is_torn or self.doubted or (self.sound and not self.vouched)

    def quality(self, *, live: bool) -> Quality:
        """The quality to show, while live prices may or may not be shown as live."""
        if self.reported is not Quality.LIVE:
            return self.reported
        good = live and self.sound and not self.is_unsure
        return Quality.LIVE if good else Quality.STALE


@dataclass(slots=True)
class QuoteTable:
    """All scrips of the set, by code."""

    symbols: dict[int, str] = field(default_factory=dict)
    held: dict[int, Held] = field(default_factory=dict)

    def keep(
        self, subscriptions: Iterable[Subscription], also: Iterable[int] = ()
    ) -> list[int]:
        """Hold exactly this set from now on, and what is held of `also`; the codes that left."""
        known = {code: self.symbols[code] for code in also if code in self.held}
        self.symbols = known | {item.code: item.symbol for item in subscriptions}
        gone = [code for code in self.held if code not in self.symbols]
        for code in gone:
            del self.held[code]
        return gone

    def disconnected(self) -> None:
        """Nothing is followed any more: wait for the hub to go on, or for images."""
        for held in self.held.values():
            held.sound = held.vouched = False

    def resumed(self, codes: Collection[int]) -> list[int]:
        """The hub goes on from what we hold of these scrips; those whose quality it has yet to tell."""
        for code in codes:
            if held := self.held.get(code):
                held.sound = True
        return [
            code for code in codes if code in self.held and self.held[code].is_unsure
        ]

    def doubt(self) -> None:
        """What we hold is not what the hub holds, nobody knows where: nothing is live until imaged."""
        for held in self.held.values():
            held.doubted = True

    def positions(self, codes: Iterable[int]) -> list[HeldAt]:
        """Where we stand in each of these scrips that we hold."""
        return [
            (code, held.epoch, held.sequence)
            for code in codes
            if (held := self.held.get(code))
        ]

    def digest(self, codes: Iterable[int]) -> int:
        """The check sum of these scrips."""
        known = {position[0]: position for position in self.positions(self.held)}
        return digest(known.get(code, (code, 0, 0)) for code in codes)

    def image(self, image: QuoteImage) -> Result:
        """Replace all that is held of a scrip."""
        if image.code not in self.symbols:
            return IGNORED
        before = self.held.get(image.code)
        old = before.fields if before else {}
        new: Fields = {n: v for n, v in image.fields.items() if v is not None}
        self.held[image.code] = Held(
            epoch=image.epoch,
            sequence=image.sequence,
            changed_at_ms=image.changed_at_ms,
            reported=image.quality,
            shown=before.shown if before else image.quality,
            fields=new,
        )
        return Result(Outcome.APPLIED, _changed(old, new, old | new))

    def update(self, update: QuoteUpdate, changed_at_ms: int) -> Result:
        """Apply an update, pass it over, or find that something is missing before it."""
        held = self.held.get(update.code)
        if held is None or not held.sound:
            return IGNORED
        if update.to_sequence <= held.sequence:
            return PASSED_OVER
        if update.from_sequence > held.sequence:
            known = held.is_torn
            held.missing_to = max(held.missing_to, update.to_sequence)
            return Result(Outcome.GAP, new_gap=not known)
        changed = _changed(held.fields, update.fields, update.fields)
        held.fields.update(update.fields)
        held.sequence = update.to_sequence
        held.changed_at_ms = max(held.changed_at_ms, changed_at_ms)
        return Result(Outcome.APPLIED, changed)

    def report(self, code: int, quality: Quality) -> bool:
        """Take the hub's word on a quality; False if the scrip is not held."""
        held = self.held.get(code)
        if held is None:
            return False
        held.reported = quality
        held.vouched = held.vouched or held.sound
        return True

    def requalify(
        self, codes: Iterable[int], *, live: bool
    ) -> Iterator[tuple[int, Quality]]:
        """Each of `codes` whose shown quality changes now, with the one shown before."""
        for code in codes:
            held = self.held[code]
            before, held.shown = held.shown, held.quality(live=live)
            if before is not held.shown:
                yield code, before

    def quote(self, code: int, *, live: bool, hub_now_ms: float | None) -> Quote | None:
        """The quote to show; None while no image was received."""
        held = self.held.get(code)
        if held is None:
            return None
        age = None if hub_now_ms is None else int(hub_now_ms) - held.changed_at_ms
        return Quote(
            symbol=self.symbols[code],
            code=code,
            quality=held.quality(live=live),
            age_ms=None if age is None else max(age, 0),
            epoch=held.epoch,
            sequence=held.sequence,
            changed_at_ms=held.changed_at_ms,
            **held.fields,  # type: ignore[arg-type]  # the decoder checked each kind
        )


def _changed(old: Fields, new: Fields, names: Iterable[str]) -> frozenset[str]:
    return frozenset(
        PUBLIC_NAME[name] for name in names if old.get(name) != new.get(name)
    )
