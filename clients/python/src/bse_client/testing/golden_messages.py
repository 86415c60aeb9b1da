"""One message of each kind, and frames that are none: the content of contracts/wire_vectors.json."""

from bse_client.answers import (
    Authenticated,
    HeartbeatGranted,
    HubError,
    Identity,
    Pong,
    RateGranted,
    Rejection,
    Subscription,
    Unsubscribed,
)
from bse_client.fields import QUALITIES, Mode, Quality
from bse_client.messages import (
    Feed,
    Fields,
    Goodbye,
    Heartbeat,
    Image,
    Lost,
    LostChanges,
    MarketSession,
    Message,
    Notice,
    Qualities,
    QuoteImage,
    QuoteQuality,
    QuoteUpdate,
    Update,
)
from bse_client.quote import Level
from bse_client.testing.builders import (
    EPOCH,
    LIMITS,
    RECEIVED_MS,
    RELIANCE,
    SENT_MS,
    TCS,
    TRADER,
    heartbeat,
    image,
    resumed,
    subscribed,
    update,
    welcome,
)
from bse_client.testing.encoding import to_json, to_msgpack


SYMBOLS = {RELIANCE.code: "RELIANCE", TCS.code: "TCS", 500_180: "HDFCBANK"}

LTP: Fields = {
    "last_paise": 290_135,
    "previous_close_paise": 289_000,
    "exchange_time_ms": 1_795_334_399_000,
    "condition": "good",
}
QUOTE: Fields = LTP | {
    "open_paise": 289_500,
    "high_paise": 290_500,
    "low_paise": 288_805,
    "volume": 1_234_567,
    "turnover_paise": 358_190_000_001,
    "trades": 45_678,
    "average_price_paise": 289_777,
    "bid_paise": 290_130,
    "bid_quantity": 40,
    "ask_paise": 290_135,
    "ask_quantity": 7,
}
FULL: Fields = QUOTE | {
    "bids": (Level(290_130, 40), Level(290_125, 100), Level(290_100, 1)),
    "asks": (Level(290_135, 7),),
    "lower_circuit_paise": 260_100,
    "upper_circuit_paise": 317_900,
    "low_52_week_paise": 222_030,
    "high_52_week_paise": 302_480,
    "source": "bse",
}

MESSAGES: dict[str, Message] = {
    "welcome": welcome(),
    "image in mode ltp": image(fields=LTP),
    "image in mode quote": image(fields=QUOTE),
    "image in mode full, with depth": image(fields=FULL),
    "image with unknown fields": image(
        quality=Quality.CLOSED, last_paise=None, bids=None
    ),
    "image with nothing known": image(sequence=0, quality=Quality.STALE),
    "image with an empty side of the book": image(bids=(), asks=(Level(1, 2),)),
    "image of several scrips": Image(
        SENT_MS,
        RECEIVED_MS,
        (
            QuoteImage(500_325, EPOCH, 12, RECEIVED_MS, Quality.LIVE, {"volume": 0}),
            QuoteImage(532_540, EPOCH + 5, 3, 1, Quality.SUSPECT, {"last_paise": 5}),
        ),
    ),
    "image of no scrip": Image(SENT_MS, RECEIVED_MS, ()),
    "image that says when it was published": Image(
        SENT_MS, RECEIVED_MS, (), RECEIVED_MS + 40
    ),
    "update that says when it was published": Update(
        SENT_MS,
        RECEIVED_MS,
        (QuoteUpdate(500_325, 12, 13, {"last_paise": 1}),),
        RECEIVED_MS + 40,
    ),
    "update of the last price": update(last_paise=290_140),
    "update over several positions": update(after=12, to=20, last_paise=290_200),
    "update to unknown": update(bid_paise=None, bid_quantity=None, bids=None),
    "update of depth": update(bids=(Level(290_130, 41), Level(290_125, 100))),
    "update of names": update(source="cache", condition="halted"),
    "update of a big number": update(turnover_paise=99_999_999_999_901),
    "update of several scrips": Update(
        SENT_MS,
        RECEIVED_MS,
        (
            QuoteUpdate(500_325, 12, 13, {"last_paise": 1}),
            QuoteUpdate(532_540, 3, 9, {"volume": 10}),
        ),
    ),
    "quality of every kind": Qualities(
        SENT_MS, tuple(QuoteQuality(500_000 + n, q) for n, q in enumerate(QUALITIES))
    ),
    "subscribed": subscribed(RELIANCE, TCS, answers=1),
    "subscribed with rejections": subscribed(
        RELIANCE,
        Subscription("TCS", 532_540, Mode.FULL),
        rejected=(
            Rejection("Nosuch", "unknown_symbol", "no scrip is called Nosuch"),
            Rejection("INFY", "too_many_symbols", "at most 2 scrips"),
        ),
        answers="a-1",
    ),
    "subscribed without being asked": subscribed(RELIANCE),
    "subscribed to fields, limited": subscribed(
        Subscription("TCS", 532_540, None, None, ("last", "volume"), 3.003), answers=5
    ),
    "subscribed to every change": subscribed(
        Subscription("TCS", 532_540, Mode.LTP, "INE467B01029", every=True), answers=6
    ),
    "resumed": resumed(
        RELIANCE,
        TCS,
        answers=7,
        re_imaged=(532_540,),
        rejected=(Rejection("999999", "unknown_symbol", "no such scrip"),),
    ),
    "rate granted": RateGranted(8, 4.0),
    "rate without a limit": RateGranted("r", None),
    "welcome with an identity": welcome(identity=TRADER, limits=LIMITS),
    "authenticated": Authenticated(1, TRADER, LIMITS),
    "authenticated without an end": Authenticated(
        None, Identity("demo", "viewer", None), LIMITS
    ),
    "heartbeat granted": HeartbeatGranted(4, 2_000, digest=True),
    "heartbeat with a digest": heartbeat(digest=0xFFFF_FFFF),
    "notice to a slow reader": Notice("slow_reader", 1.0, 345),
    "notice that all is well": Notice("keeps_up_again", 5.0, 345),
    "notice of a token that ends": Notice(
        "token_expiring", expires_at_ms=1_795_338_000_000
    ),
    "lost changes": Lost((LostChanges("RELIANCE", 500_325, 12, 15),)),
    "update with several rows of one scrip": Update(
        SENT_MS,
        RECEIVED_MS,
        (
            QuoteUpdate(500_325, 12, 13, {"last_paise": 1}),
            QuoteUpdate(500_325, 13, 15, {"last_paise": 2, "volume": None}),
        ),
    ),
    "unsubscribed to nothing": Unsubscribed(
        2, (), (Rejection("500180", "not_subscribed", "you have no HDFCBANK"),)
    ),
    "heartbeat": heartbeat(),
    "heartbeat without a fetcher": Heartbeat(
        SENT_MS,
        0,
        Feed("unknown", None, None),
        MarketSession(
            "closed",
            is_open=False,
            reason="holiday: Diwali",
            trading_day=None,
            next_change_at_ms=None,
        ),
        17,
    ),
    "pong": Pong(3, SENT_MS),
    "error with an id": HubError(9, "unknown_op", "there is no operation 'sell'"),
    "error without an id": HubError(None, "bad_message", "not JSON"),
    "goodbye": Goodbye("hub shuts down", reconnect=True, after_ms=750),
    "goodbye for ever": Goodbye("protocol not supported", reconnect=False, after_ms=0),
}

COMMANDS: dict[str, dict[str, object]] = {
    "subscribe": {
        "op": "subscribe",
        "id": 1,
        "symbols": ["RELIANCE", "500325"],
        "mode": "quote",
    },
    "subscribe with a text id": {
        "op": "subscribe",
        "id": "a-1",
        "symbols": ["INE002A01018"],
    },
    "unsubscribe": {"op": "unsubscribe", "id": 2, "symbols": ["TCS"]},
    "ping": {"op": "ping", "id": 3},
    "subscribe to fields, limited": {
        "op": "subscribe",
        "id": 5,
        "symbols": ["index:SENSEX"],
        "fields": ["last", "volume"],
        "max_hz": 2.5,
    },
    "resume": {
        "op": "resume",
        "id": 7,
        "positions": [[500_325, EPOCH, 12], [532_540, EPOCH + 5, 0]],
        "mode": "quote",
    },
    "rate": {"op": "rate", "id": 8, "max_hz": 4.0},
    "rate without a limit": {"op": "rate", "id": "r", "max_hz": None},
    "subscribe to every change": {
        "op": "subscribe",
        "id": 6,
        "symbols": ["TCS"],
        "mode": "ltp",
        "every": True,
    },
    "resume every change": {
        "op": "resume",
        "id": 9,
        "positions": [[500_325, EPOCH, 12]],
        "mode": "quote",
        "every": True,
    },
    "authenticate": {"op": "authenticate", "id": 1, "token": "ey.a.b"},
    "heartbeat": {"op": "heartbeat", "id": 4, "interval_ms": 2_000, "digest": True},
}

MALFORMED_JSON = {
    "empty": "",
    "no JSON": "{",
    "no map": "[1,2,3]",
    "no type": "{}",
    "type of a wrong type": '{"type":1}',
    "constant that is no JSON": '{"type":"pong","id":1,"server_time_ms":NaN}',
    "member missing": '{"type":"pong","id":1}',
    "parts of a paisa": to_json(image(last_paise=290_135), SYMBOLS).replace("2901.35", "2901.355"),
    "unknown quality": to_json(image(), SYMBOLS).replace("live", "lively"),
    "price as text": to_json(image(last_paise=100), SYMBOLS).replace("1.00", '"1.00"'),
    "sequence with a fraction": to_json(image(), SYMBOLS).replace('"sequence":12', '"sequence":1.5'),
    "negative sequence": to_json(image(), SYMBOLS).replace('"sequence":12', '"sequence":-1'),
}  # fmt: skip

MALFORMED_MSGPACK = {
    "empty": "",
    "cut off": to_msgpack(image(fields=QUOTE))[:-1].hex(),
    "more than one value": "c0c0",
    "quality out of range": to_msgpack(Qualities(1, (QuoteQuality(5, Quality.SUSPECT),))).hex()[:-2] + "06",
    "price as text": "9402010291940501029100a0".replace("9100", "8100"),
    "extension": "d40100",
}  # fmt: skip

PASSED_OVER = {
    "json": {"unknown type": '{"type":"hello","more":[1]}'},
    "msgpack": {
        "unknown type": "81a474797065a568656c6c6f",
        "unknown number": "93040000",
    },
}
"""Messages of a newer hub: no error, and nothing changes."""

DIGESTS: dict[str, list[tuple[int, int, int]]] = {
    "of nothing": [],
    "of a scrip without a quote": [(500_325, 0, 0)],
    "of one scrip": [(500_325, EPOCH, 12)],
    "of another sequence": [(500_325, EPOCH, 13)],
    "of another epoch in the high half": [(500_325, EPOCH + (1 << 32), 12)],
    "of two scrips": [(500_325, EPOCH, 12), (532_540, EPOCH + 5, 3)],
    "of two scrips in another order": [(532_540, EPOCH + 5, 3), (500_325, EPOCH, 12)],
    "of an epoch beyond 2^53": [(500_325, (1 << 53) + 1, 12)],
    "of the next epoch beyond 2^53": [(500_325, (1 << 53) + 2, 12)],
    "of a sequence beyond 2^32": [(999_999, EPOCH, (1 << 32) + 12)],
    "of many scrips": [(500_000 + n, EPOCH + n % 3, n * n) for n in range(500)],
}

_BY_CODE: list[dict[str, object]] = [
    {"code": code, "reconnect": reconnect}
    for code, reconnect in (
        (1000, True), (1001, True), (1002, False), (1006, True), (1007, False),
        (1009, False), (1011, True), (4000, True), (4001, True), (4008, True),
        (4010, True), (4011, True), (4499, True), (4500, False), (4501, False),
        (4502, False), (4503, False), (4504, False), (4999, False), (None, True),
    )
]  # fmt: skip

CLOSES: list[dict[str, object]] = [
    *_BY_CODE,
    {"code": 1000, "goodbye": {"reconnect": False, "after_ms": 0}, "reconnect": False},
    {"code": 1001, "goodbye": {"reconnect": True, "after_ms": 750}, "reconnect": True, "after_ms": 750},
    {"code": 1006, "goodbye": {"reconnect": True, "after_ms": 900_000}, "reconnect": True, "after_ms": 300_000},
    {"code": 4504, "goodbye": {"reconnect": True, "after_ms": 10}, "reconnect": False},
]  # fmt: skip
"""What the end of a connection means. after_ms: exactly so long to wait; without it, backoff with jitter."""
