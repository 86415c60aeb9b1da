"""The rarer messages: maps with the same members in both encodings."""

from collections.abc import Callable

from bse_client.answers import (
    Authenticated,
    CommandId,
    HeartbeatGranted,
    HubError,
    Identity,
    Limits,
    Pong,
    RateGranted,
    Rejection,
    Resumed,
    Subscribed,
    Subscription,
    Unsubscribed,
)
from bse_client.checked import (
    boolean,
    count,
    entries,
    integer,
    member_of,
    members,
    number,
    optional,
    text,
)
from bse_client.fields import Mode
from bse_client.messages import (
    Feed,
    Goodbye,
    Heartbeat,
    Lost,
    LostChanges,
    MarketSession,
    Message,
    Notice,
    Welcome,
)
from bse_client.wire_quotes import Members


Reader = Callable[[Members], Message]

_mode = member_of(Mode)


def _command_id(value: object) -> CommandId | None:
    if value is None or isinstance(value, str):
        return value if value is None else text(value)
    return integer(value)


def _limits(value: object) -> Limits:
    raw = members(value)
    return Limits(
        symbols=count(raw.get("symbols")),
        message_bytes=optional(count)(raw.get("message_bytes")),
        commands_per_s=optional(number)(raw.get("commands_per_s")),
        connections=optional(count)(raw.get("connections")),
        all_symbols=optional(boolean)(raw.get("all_symbols")),
    )


def _identity(value: object) -> Identity:
    raw = members(value)
    return Identity(
        subject=text(raw.get("subject")),
        role=text(raw.get("role")),
        expires_at_ms=optional(count)(raw.get("expires_at_ms")),
    )


def _welcome(raw: Members) -> Welcome:
    return Welcome(
        protocol=count(raw.get("protocol")),
        session=text(raw.get("session")),
        server_time_ms=count(raw.get("server_time_ms")),
        heartbeat_interval_ms=count(raw.get("heartbeat_interval_ms")),
        limits=_limits(raw.get("limits")),
        identity=optional(_identity)(raw.get("identity")),
    )


def _authenticated(raw: Members) -> Authenticated:
    return Authenticated(
        _command_id(raw.get("id")),
        _identity(raw.get("identity")),
        _limits(raw.get("limits")),
    )


def _subscription(item: Members) -> Subscription:
    fields = item.get("fields")
    return Subscription(
        symbol=text(item.get("symbol")),
        code=count(item.get("code")),
        mode=optional(_mode)(item.get("mode")),
        isin=optional(text)(item.get("isin")),
        fields=None if fields is None else tuple(map(text, entries(fields))),
        max_hz=optional(number)(item.get("max_hz")),
        every=item.get("every", False) is True,
    )


def _set(raw: Members) -> tuple[Subscription, ...]:
    return tuple(
        _subscription(item) for item in map(members, entries(raw.get("symbols")))
    )


def _rejected(raw: Members) -> tuple[Rejection, ...]:
    return tuple(
        Rejection(
            text(item.get("symbol")),
            text(item.get("reason")),
            text(item.get("message")),
        )
        for item in map(members, entries(raw.get("rejected")))
    )


def _subscribed(raw: Members) -> Subscribed:
    return Subscribed(_command_id(raw.get("id")), _set(raw), _rejected(raw))


def _unsubscribed(raw: Members) -> Unsubscribed:
    return Unsubscribed(_command_id(raw.get("id")), _set(raw), _rejected(raw))


def _codes(value: object) -> tuple[int, ...]:
    return tuple(map(count, entries(value)))


def _resumed(raw: Members) -> Resumed:
    return Resumed(
        _command_id(raw.get("id")),
        _set(raw),
        _rejected(raw),
        resumed=_codes(raw.get("resumed")),
        re_imaged=_codes(raw.get("re_imaged")),
    )


def _rate(raw: Members) -> RateGranted:
    return RateGranted(_command_id(raw.get("id")), optional(number)(raw.get("max_hz")))


def _heartbeat_granted(raw: Members) -> HeartbeatGranted:
    return HeartbeatGranted(
        _command_id(raw.get("id")),
        interval_ms=count(raw.get("interval_ms")),
        digest=boolean(raw.get("digest")),
    )


def _notice(raw: Members) -> Notice:
    return Notice(
        reason=text(raw.get("reason")),
        max_hz=optional(number)(raw.get("max_hz")),
        conflated=optional(count)(raw.get("conflated")),
        expires_at_ms=optional(count)(raw.get("expires_at_ms")),
    )


def _lost(raw: Members) -> Lost:
    return Lost(
        tuple(
            LostChanges(
                text(item.get("symbol")),
                count(item.get("code")),
                from_sequence=count(item.get("from")),
                to_sequence=count(item.get("to")),
            )
            for item in map(members, entries(raw.get("quotes")))
        )
    )


def _heartbeat(raw: Members) -> Heartbeat:
    feed, session = members(raw.get("feed")), members(raw.get("session"))
    return Heartbeat(
        server_time_ms=count(raw.get("server_time_ms")),
        live_for_ms=integer(raw.get("live_for_ms")),
        feed=Feed(
            state=text(feed.get("state")),
            source=optional(text)(feed.get("source")),
            age_ms=optional(integer)(feed.get("age_ms")),
        ),
        session=MarketSession(
            phase=text(session.get("phase")),
            is_open=boolean(session.get("is_open")),
            reason=text(session.get("reason")),
            trading_day=optional(text)(session.get("trading_day")),
            next_change_at_ms=optional(integer)(session.get("next_change_at_ms")),
        ),
        conflated=count(raw.get("conflated")),
        digest=optional(count)(raw.get("digest")),
    )


def _pong(raw: Members) -> Pong:
    return Pong(_command_id(raw.get("id")), count(raw.get("server_time_ms")))


def _error(raw: Members) -> HubError:
    return HubError(
        _command_id(raw.get("id")), text(raw.get("reason")), text(raw.get("message"))
    )


def _goodbye(raw: Members) -> Goodbye:
    return Goodbye(
        text(raw.get("reason")),
        boolean(raw.get("reconnect")),
        count(raw.get("after_ms")),
    )


READERS: dict[str, Reader] = {
    "welcome": _welcome,
    "subscribed": _subscribed,
    "unsubscribed": _unsubscribed,
    "resumed": _resumed,
    "rate": _rate,
    "authenticated": _authenticated,
    "heartbeat_granted": _heartbeat_granted,
    "heartbeat": _heartbeat,
    "notice": _notice,
    "lost": _lost,
    "pong": _pong,
    "error": _error,
    "goodbye": _goodbye,
}
"""By the `type` of the map."""
