"""The quotes of one stream and the law of positions: `from <= sequence < to`.

Pure. Laws: the fields held are always those that the hub held at our `sequence`, whatever is split,
merged, repeated or late; a hole harms no other scrip; nothing unsound is ever called live.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from bse_client.fields import PUBLIC_NAME, Quality
from bse_client.messages import Fields, QuoteImage, QuoteUpdate, Subscription
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
    """What we hold of a scrip. `sound` ends with the connection, until the next image;
    `missing_to` above `sequence` means that a hole is known up to there.
    """

    epoch: int
    sequence: int
    changed_at_ms: int
    reported: Quality
    shown: Quality
    fields: Fields
    sound: bool = True
    missing_to: int = 0

    @property
    def is_torn(self) -> bool:
        """Whether changes are known to be missing."""
        return self.missing_to > self.sequence

    def quality(self, *, live: bool) -> Quality:
        """The quality to show, while live prices may or may not be shown as live."""
        if self.reported is not Quality.LIVE:
            return self.reported
        return (
            Quality.LIVE if live and self.sound and not self.is_torn else Quality.STALE
        )


@dataclass(slots=True)
class QuoteTable:
    """All scrips of the set, by code."""

    symbols: dict[int, str] = field(default_factory=dict)
    held: dict[int, Held] = field(default_factory=dict)

    def keep(self, subscriptions: Iterable[Subscription]) -> list[int]:
        """Hold exactly this set from now on; the codes that left."""
        self.symbols = {item.code: item.symbol for item in subscriptions}
        gone = [code for code in self.held if code not in self.symbols]
        for code in gone:
            del self.held[code]
        return gone

    def disconnected(self) -> None:
        """Positions of another connection can't be compared: wait for images."""
        for held in self.held.values():
            held.sound = False

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
        return True

    def torn(self) -> Iterator[int]:
        """The codes with a known hole."""
        return (code for code, held in self.held.items() if held.is_torn)

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
