"""What must be shown after which messages: the laws of contracts/wire_vectors.json, as stories.

Messages are encoded by us; what must follow from them (`then`) is written by hand.
"""

from dataclasses import replace
from typing import Self

from bse_client.answers import HeartbeatGranted, Unsubscribed
from bse_client.digest import digest
from bse_client.fields import Quality
from bse_client.messages import (
    Lost,
    LostChanges,
    Message,
    Notice,
    Qualities,
    QuoteQuality,
    QuoteUpdate,
    Update,
)
from bse_client.testing.builders import (
    EPOCH,
    RECEIVED_MS,
    RELIANCE,
    SENT_MS,
    TCS,
    heartbeat,
    image,
    resumed,
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
                     "msgpack": to_msgpack(message).hex(), "then": {CODE: then} if then else {}, **more})  # fmt: skip
        return self

    def lose(self, at_ms: int, then: dict[str, object]) -> Self:
        """The connection is lost."""
        self.append({"at_ms": at_ms, "lost": True, "then": {CODE: then}})
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


_CODE = RELIANCE.code
_HERE = [[_CODE, EPOCH, 12]]
_EVERY = replace(RELIANCE, every=True)
_LIVE = Qualities(SENT_MS, (QuoteQuality(_CODE, Quality.LIVE),))
_ASKED: dict[str, object] = {"op": "resume", "positions": _HERE}


def _back(at_ms: int = 1_000) -> Steps:
    """A stream that lost its connection and is welcomed by a hub again, which is alive."""
    shown = _shown(12, 100, "stale", volume=5)
    return (
        _begun()
        .lose(at_ms, shown)
        .take(at_ms + 100, welcome("s-2"), shown, positions=_HERE)
        .take(at_ms + 110, heartbeat(server_time_ms=SENT_MS + 10), shown)
    )


def _right(sequence: int = 12, code: int = _CODE) -> int:
    return digest([(code, EPOCH, sequence)])


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
    "back: only what was missed comes, and live again with the hub's word": _back()
    .take(1_120, resumed(RELIANCE, answers=1), _shown(12, 100, "stale"), asked=_ASKED)
    .take(1_130, update(after=12, to=15, last_paise=105), _shown(15, 105, "stale", volume=5))
    .take(1_130, _LIVE, _shown(15, 105)),
    "back: nothing was missed": _back()
    .take(1_120, resumed(RELIANCE, answers=1), _shown(12, 100, "stale"), asked=_ASKED)
    .take(1_121, _LIVE, _shown(12, 100, volume=5)),
    "back: halted in the meantime": _back()
    .take(1_120, resumed(RELIANCE, answers=1), _shown(12, 100, "stale"), asked=_ASKED)
    .take(1_121, Qualities(SENT_MS, (QuoteQuality(_CODE, Quality.HALTED),)), _shown(12, 100, "halted")),
    "back: without a word on the quality an image is asked for": _back()
    .take(1_120, resumed(RELIANCE, answers=1), _shown(12, 100, "stale"), asked=_ASKED)
    .take(2_120, heartbeat(server_time_ms=SENT_MS + 1_020), _shown(12, 100, "stale"), ask_images=[])
    .take(4_120, heartbeat(server_time_ms=SENT_MS + 3_020), _shown(12, 100, "stale"), ask_images=[_CODE])
    .take(4_130, image(last_paise=100), _shown(12, 100)),
    "back: another epoch begins with an image": _back()
    .take(1_120, resumed(RELIANCE, answers=1, re_imaged=(_CODE,)), _shown(12, 100, "stale"), asked=_ASKED)
    .take(1_121, update(after=12, to=13, last_paise=999), _shown(12, 100, "stale"))
    .take(1_130, image(epoch=EPOCH + 9, sequence=1, last_paise=70), _shown(1, 70, epoch=EPOCH + 9)),
    "back: an update before the hub goes on is not believed": _back()
    .take(1_120, update(after=12, to=13, last_paise=999), _shown(12, 100, "stale")),
    "every change comes by itself, in order": _begun()
    .take(1, subscribed(_EVERY), _shown(12, 100))
    .take(10, Update(SENT_MS, RECEIVED_MS, (
        QuoteUpdate(_CODE, 12, 13, {"last_paise": 101}),
        QuoteUpdate(_CODE, 13, 14, {"last_paise": 102}),
        QuoteUpdate(_CODE, 14, 15, {"volume": 9}),
    )), _shown(15, 102, volume=9), rows=[[13, 101], [14, 102], [15, 102]]),
    "of several rows those that we hold are passed over": _begun()
    .take(1, subscribed(_EVERY), _shown(12, 100))
    .take(10, Update(SENT_MS, RECEIVED_MS, (
        QuoteUpdate(_CODE, 11, 12, {"last_paise": 99}),
        QuoteUpdate(_CODE, 12, 13, {"last_paise": 101}),
    )), _shown(13, 101), rows=[[13, 101]]),
    "changes that come merged are told before": _begun()
    .take(1, subscribed(_EVERY), _shown(12, 100))
    .take(10, Lost((LostChanges("RELIANCE", _CODE, 12, 15),)), _shown(12, 100), lost_changes=[[_CODE, 12, 15]])
    .take(11, update(after=12, to=15, last_paise=103), _shown(15, 103), rows=[[15, 103]]),
    "the right digest": _begun()
    .take(10, update(last_paise=101), _shown(13, 101))
    .take(20, heartbeat(digest=_right(13)), _shown(13, 101), ask_images=[], mismatches=0),
    "a wrong digest: all is stale, and asked for once": _begun()
    .take(20, heartbeat(digest=_right(13)), _shown(12, 100, "stale"), ask_images=[_CODE], mismatches=1)
    .take(30, heartbeat(digest=_right(13)), _shown(12, 100, "stale"), ask_images=[], mismatches=1)
    .take(40, _LIVE, _shown(12, 100, "stale"))
    .take(50, image(sequence=13, last_paise=101), _shown(13, 101))
    .take(60, heartbeat(digest=_right(13)), _shown(13, 101), ask_images=[], mismatches=1),
    "a scrip without a quote counts with zeros": _begun()
    .take(10, subscribed(TCS), {}, absent=[_CODE])
    .take(11, image(TCS.code, 0, epoch=0, quality=Quality.STALE), {}, absent=[_CODE])
    .take(20, heartbeat(digest=digest([(TCS.code, 0, 0)])), {}, absent=[_CODE], mismatches=0),
    "a granted interval makes patient": _begun(60_000)
    .take(0, HeartbeatGranted(4, 5_000, digest=False), _shown(12, 100), asked={"op": "heartbeat"})
    .look(14_999, _shown(12, 100))
    .look(15_000, _shown(12, 100, "stale")),
    "a short interval makes not hasty": _begun()
    .take(0, HeartbeatGranted(4, 500, digest=False), _shown(12, 100), asked={"op": "heartbeat"})
    .look(2_999, _shown(12, 100))
    .look(3_000, _shown(12, 100, "stale")),
    "a notice changes no quote": _begun()
    .take(10, Notice("slow_reader", 1.0, 3), _shown(12, 100)),
    "a scrip leaves the set": _begun().take(
        10, Unsubscribed(2, (), ()), {}, absent=[500_325]
    ),
}  # fmt: skip
