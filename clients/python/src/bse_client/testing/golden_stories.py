"""What must be shown after which messages: the laws of contracts/wire_vectors.json, as stories.

Messages are encoded by us; what must follow from them (`then`) is written by hand.
"""

from typing import Self

from bse_client.fields import Quality
from bse_client.messages import Message, Qualities, QuoteQuality, Unsubscribed
from bse_client.testing.builders import (
    EPOCH,
    RELIANCE,
    SENT_MS,
    heartbeat,
    image,
    subscribed,
    update,
    welcome,
)
from bse_client.testing.encoding import to_json, to_msgpack
from bse_client.testing.golden_messages import SYMBOLS


CODE = str(RELIANCE.code)


class Steps(list[dict[str, object]]):
    """A story: what comes in at which moment, and what must be shown then."""

    def take(
        self, at_ms: int, message: Message, then: dict[str, object], **more: object
    ) -> Self:
        """A message comes in."""
        self.append({"at_ms": at_ms, "json": to_json(message, SYMBOLS),
                     "msgpack": to_msgpack(message).hex(), "then": {CODE: then}, **more})  # fmt: skip
        return self

    def look(self, at_ms: int, then: dict[str, object], **more: object) -> Self:
        """Nothing comes in, but time has passed."""
        self.append({"at_ms": at_ms, "then": {CODE: then}, **more})
        return self


def _shown(
    sequence: int, last: int | None, quality: str = "live", **more: object
) -> dict[str, object]:
    return {"sequence": sequence, "last_paise": last, "quality": quality, **more}


def _begun(live_for_ms: int = 6_000) -> Steps:
    """A stream that shows RELIANCE at 100 paise, live, at sequence 12."""
    shown = _shown(12, 100, volume=5)
    return (
        Steps([{"at_ms": 0, "json": to_json(message, SYMBOLS),
                "msgpack": to_msgpack(message).hex(), "then": {}}
               for message in (welcome(), subscribed(RELIANCE))])
        .take(0, image(last_paise=100, volume=5), shown)
        .take(0, heartbeat(live_for_ms), shown)
    )  # fmt: skip


STORIES: dict[str, Steps] = {
    "the next update is applied": _begun().take(10, update(last_paise=101), _shown(13, 101, volume=5)),
    "merged updates are applied": _begun().take(10, update(to=15, last_paise=102), _shown(15, 102)),
    "an update from before that reaches beyond is applied": _begun().take(
        10, update(after=9, to=14, last_paise=103), _shown(14, 103)
    ),
    "a repeated update is passed over": _begun()
    .take(10, update(last_paise=101), _shown(13, 101))
    .take(11, update(last_paise=999), _shown(13, 101)),
    "an update up to what we hold is passed over": _begun().take(
        10, update(after=3, to=12, last_paise=999), _shown(12, 100)
    ),
    "a field can become unknown": _begun().take(10, update(last_paise=None), _shown(13, None, volume=5)),
    "a hole: the scrip is stale, and an image is asked for once": _begun()
    .take(10, update(after=13, to=14, last_paise=999), _shown(12, 100, "stale"), ask_images=[500_325])
    .take(11, update(after=14, to=15, last_paise=999), _shown(12, 100, "stale"), ask_images=[])
    .take(20, image(sequence=15, last_paise=104), _shown(15, 104, volume=None))
    .take(30, update(after=15, to=16, last_paise=105), _shown(16, 105)),
    "an image replaces everything, even by less": _begun().take(
        10, image(sequence=2, last_paise=90), _shown(2, 90, volume=None)
    ),
    "a new epoch starts with an image": _begun()
    .take(10, image(epoch=EPOCH + 1, sequence=1, last_paise=90), _shown(1, 90, epoch=EPOCH + 1))
    .take(11, update(after=1, to=2, last_paise=91), _shown(2, 91, epoch=EPOCH + 1)),
    "a quality message changes only the quality": _begun().take(
        10, Qualities(SENT_MS, (QuoteQuality(500_325, Quality.HALTED),)), _shown(12, 100, "halted")
    ),
    "scrips outside of the set are ignored": _begun()
    .take(10, image(532_540, last_paise=5), _shown(12, 100), absent=[532_540])
    .take(11, update(532_540, last_paise=6), _shown(12, 100), absent=[532_540], ask_images=[]),
    "live ends when live_for_ms runs out": _begun(500)
    .look(499, _shown(12, 100))
    .look(500, _shown(12, 100, "stale")),
    "live ends after 3 s of silence": _begun()
    .look(2_999, _shown(12, 100))
    .look(3_000, _shown(12, 100, "stale")),
    "after a silence only a heartbeat makes live": _begun()
    .take(3_500, update(last_paise=101), _shown(13, 101, "stale"))
    .take(3_600, heartbeat(server_time_ms=SENT_MS + 3_600), _shown(13, 101)),
    "updates do not prolong live_for_ms": _begun(500)
    .take(400, update(last_paise=101), _shown(13, 101))
    .look(500, _shown(13, 101, "stale")),
    "only live turns stale": _begun(500)
    .take(10, Qualities(SENT_MS, (QuoteQuality(500_325, Quality.CLOSED),)), _shown(12, 100, "closed"))
    .look(5_000, _shown(12, 100, "closed")),
    "a late heartbeat allows less": _begun(500).take(
        1_000, heartbeat(live_for_ms=600, server_time_ms=SENT_MS + 300), _shown(12, 100, "stale")
    ),
    "a scrip leaves the set": _begun().take(
        10, Unsubscribed(2, (), ()), {}, absent=[500_325]
    ),
}  # fmt: skip
