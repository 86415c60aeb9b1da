"""Messages of a hub with sensible members, for tests that care about few of them."""

from bse_client.answers import (
    CommandId,
    Identity,
    Limits,
    Rejection,
    Resumed,
    Subscribed,
    Subscription,
)
from bse_client.fields import Mode, Quality
from bse_client.messages import (
    Feed,
    Fields,
    Heartbeat,
    Image,
    MarketSession,
    QuoteImage,
    QuoteUpdate,
    Update,
    Value,
    Welcome,
)


SENT_MS = 1_795_334_400_100
RECEIVED_MS = 1_795_334_400_020
EPOCH = 1_795_330_000_000
RELIANCE = Subscription("RELIANCE", 500_325, Mode.QUOTE, "INE002A01018")
TCS = Subscription("TCS", 532_540, Mode.QUOTE, "INE467B01029")


TRADER = Identity("key:abc", "trader", 1_795_338_000_000)
LIMITS = Limits(
    symbols=3_000,
    message_bytes=65_536,
    commands_per_s=50,
    connections=20,
    all_symbols=False,
)


def welcome(
    session: str = "s-1",
    *,
    identity: Identity | None = None,
    limits: Limits | None = None,
    **changes: int,
) -> Welcome:
    """The first message of a connection."""
    return Welcome(
        protocol=changes.get("protocol", 1),
        session=session,
        server_time_ms=changes.get("server_time_ms", SENT_MS),
        heartbeat_interval_ms=1_000,
        limits=limits or Limits(symbols=5_000, message_bytes=65_536),
        identity=identity,
    )


def subscribed(
    *symbols: Subscription,
    rejected: tuple[Rejection, ...] = (),
    answers: CommandId | None = None,
) -> Subscribed:
    """The full set, as the answer to a command or unasked."""
    return Subscribed(answers, symbols, rejected)


def resumed(
    *symbols: Subscription,
    answers: CommandId | None = None,
    re_imaged: tuple[int, ...] = (),
    rejected: tuple[Rejection, ...] = (),
) -> Resumed:
    """The set after a return; all of it goes on but for `re_imaged`."""
    going_on = tuple(s.code for s in symbols if s.code not in re_imaged)
    return Resumed(answers, symbols, rejected, going_on, re_imaged)


def image(
    code: int = RELIANCE.code,
    sequence: int = 12,
    *,
    epoch: int = EPOCH,
    quality: Quality = Quality.LIVE,
    fields: Fields | None = None,
    **more: Value,
) -> Image:
    """One whole quote."""
    known = (fields or {}) | more
    whole = QuoteImage(code, epoch, sequence, RECEIVED_MS, quality, known)
    return Image(SENT_MS, RECEIVED_MS, (whole,))


def update(
    code: int = RELIANCE.code, after: int = 12, to: int = 13, **fields: Value
) -> Update:
    """One quote's changes after a sequence, up to another."""
    return Update(SENT_MS, RECEIVED_MS, (QuoteUpdate(code, after, to, fields),))


def heartbeat(
    live_for_ms: int = 6_000,
    server_time_ms: int = SENT_MS,
    conflated: int = 0,
    digest: int | None = None,
) -> Heartbeat:
    """A heartbeat of an open market with a good feed."""
    return Heartbeat(
        server_time_ms=server_time_ms,
        live_for_ms=live_for_ms,
        feed=Feed("ok", "bse", 400),
        session=MarketSession(
            phase="open",
            is_open=True,
            reason="continuous trading",
            trading_day="2026-11-23",
            next_change_at_ms=1_795_341_600_000,
        ),
        conflated=conflated,
        digest=digest,
    )
