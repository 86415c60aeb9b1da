"""The rarer messages: maps with the same members in both encodings."""

from collections.abc import Callable

from bse_client.checked import (
    boolean,
    count,
    entries,
    integer,
    member_of,
    members,
    optional,
    text,
)
from bse_client.fields import Mode
from bse_client.messages import (
    CommandId,
    Feed,
    Goodbye,
    Heartbeat,
    HubError,
    Limits,
    MarketSession,
    Message,
    Pong,
    Rejection,
    Subscribed,
    Subscription,
    Unsubscribed,
    Welcome,
)
from bse_client.wire_quotes import Members


Reader = Callable[[Members], Message]

_mode = member_of(Mode)


def _command_id(value: object) -> CommandId | None:
    if value is None or isinstance(value, str):
        return value if value is None else text(value)
    return integer(value)


def _welcome(raw: Members) -> Welcome:
    limits = members(raw.get("limits"))
    return Welcome(
        protocol=count(raw.get("protocol")),
        session=text(raw.get("session")),
        server_time_ms=count(raw.get("server_time_ms")),
        heartbeat_interval_ms=count(raw.get("heartbeat_interval_ms")),
        limits=Limits(
            symbols=count(limits.get("symbols")),
            message_bytes=count(limits.get("message_bytes")),
        ),
    )


def _set(raw: Members) -> tuple[Subscription, ...]:
    return tuple(
        Subscription(
            text(item.get("symbol")), count(item.get("code")), _mode(item.get("mode"))
        )
        for item in map(members, entries(raw.get("symbols")))
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
    "heartbeat": _heartbeat,
    "pong": _pong,
    "error": _error,
    "goodbye": _goodbye,
}
"""By the `type` of the map."""
