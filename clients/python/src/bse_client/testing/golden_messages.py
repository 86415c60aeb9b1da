"""One message of each kind, and frames that are none: the content of contracts/wire_vectors.json."""

from bse_client.fields import QUALITIES, Mode, Quality
from bse_client.messages import (
    Feed,
    Fields,
    Goodbye,
    Heartbeat,
    HubError,
    Image,
    MarketSession,
    Message,
    Pong,
    Qualities,
    QuoteImage,
    QuoteQuality,
    QuoteUpdate,
    Rejection,
    Subscription,
    Unsubscribed,
    Update,
)
from bse_client.quote import Level
from bse_client.testing.builders import (
    EPOCH,
    RECEIVED_MS,
    RELIANCE,
    SENT_MS,
    TCS,
    heartbeat,
    image,
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
}

MALFORMED_JSON = {
    "empty": "",
    "no JSON": "{",
    "no map": "[1,2,3]",
    "no type": "{}",
    "unknown type": '{"type":"hello"}',
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
    "unknown number of a message": "93040000",
    "quality out of range": to_msgpack(Qualities(1, (QuoteQuality(5, Quality.SUSPECT),))).hex()[:-2] + "06",
    "price as text": "9402010291940501029100a0".replace("9100", "8100"),
    "extension": "d40100",
}  # fmt: skip
