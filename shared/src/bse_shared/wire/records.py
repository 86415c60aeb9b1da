"""The small records that services leave for each other in the store, as typed JSON.

JSON, because operators read these keys by hand. Unknown members are passed over (a newer writer may add).
"""

from typing import TypeVar

import msgspec


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The market session as the fetcher sees it; times are epoch milliseconds.

    `closing_auction_phase` is the phase of the scrips that close by auction; a stage is that of a call auction (order
    entry, matching …), None outside of one. `calendar_ends_in_days`: None for a
    session without a calendar; where it is small, a new calendar is due.
    """

    phase: str
    is_open: bool
    reason: str = ""
    trading_day: str = ""
    next_change_at_ms: int | None = None
    next_open_at_ms: int | None = None
    closing_auction_phase: str = ""
    stage: str | None = None
    closing_auction_stage: str | None = None
    special: bool = False
    calendar_ends_in_days: int | None = None


class SourceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint of one source as this fetcher sees it. `asked_again_in_ms`: 0 where it may be asked now."""

    source: str
    endpoint: str
    role: str
    circuit: str
    failures: int = 0
    opened: int = 0
    asked_again_in_ms: int = 0
    answered_ms_ago: int | None = None
    last_error: str = ""


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator ordered, who and when (store clock). None of the four: back to normal.

    `source` forces one source by name; `pause` asks none; `freeze` publishes nothing; `poll_now` polls once.
    """

    by: str
    at_ms: int
    source: str = ""
    pause: bool = False
    freeze: bool = False
    poll_now: bool = False
    why: str = ""


ALL_HUBS = "*"


class DrainRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator ordered a hub, or all of them (store clock). An end that is not after `at_ms`: back to normal."""

    by: str
    at_ms: int
    ends_at_ms: int
    instance: str = ALL_HUBS
    why: str = ""


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The word on the feed of the fetcher that leads, published every second as the bus beat; store-clock times.

    `last_answer_at_ms`: where several fetchers share a source, of the shard that was confirmed longest ago.
    `suspects` names some of the `suspect` scrips, and why; `drift` counts fields that were missing or retyped;
    `demand` counts the scrips of each tier.
    """

    at_ms: int
    writer: str
    source: str
    state: str
    session: SessionRecord
    shards: int
    poll_interval_s: float
    last_answer_at_ms: int | None = None
    last_error: str | None = None
    rows: int = 0
    rejected_rows: int = 0
    instruments_version: int = 0
    sources: list[SourceRecord] = msgspec.field(default_factory=list)
    order: str = ""
    order_ends_at_ms: int | None = None
    suspect: int = 0
    suspects: dict[str, str] = msgspec.field(default_factory=dict)
    drift: dict[str, int] = msgspec.field(default_factory=dict)
    demand: dict[str, int] = msgspec.field(default_factory=dict)


class BatchCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one source's batches since this fetcher started; `under_way` are asked and not over."""

    source: str
    endpoint: str
    under_way: int
    stored: int
    failed: int


class FetcherStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What one fetcher tells of itself: its shards, its view of the feed, the order that it obeys, its batches."""

    instance: str
    role: str
    leads: bool
    shards: list[int]
    feed: FeedStatus
    order: OrderRecord | None
    batches: list[BatchCounts]


class BatchRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The processing status of a fetch batch: `asked`, `stored` or `failed`; store-clock times."""

    batch_id: str
    source: str
    fetcher: str
    state: str
    codes: list[int]
    asked_at_ms: int
    done_at_ms: int | None = None
    seen: int = 0
    rejected: int = 0
    error: str = ""


class IndexRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An index; values in hundredths of a point, times on the exchange's and the store's clock."""

    name: str
    code: int
    last: int
    open: int | None = None
    high: int | None = None
    low: int | None = None
    previous_close: int | None = None
    exchange_time_ms: int | None = None
    received_at_ms: int = 0


class MoverRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A scrip that moved; `change_basis_points` is hundredths of a percent."""

    code: int
    symbol: str
    last_paise: int
    change_basis_points: int
    volume: int
    turnover_paise: int


class SummaryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The market, or a shard of it, in a few numbers, of the scrips that traded since `since_ms`.

    `at_ms` is a store-clock time: of the oldest part, where it is joined of parts.
    """

    at_ms: int
    since_ms: int = 0
    advances: int
    declines: int
    unchanged: int
    untraded: int
    turnover_paise: int
    gainers: list[MoverRecord]
    losers: list[MoverRecord]
    most_active: list[MoverRecord]


class DemandRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The scrips that one reporter's clients watch; `at_ms` is a store-clock time."""

    at_ms: int
    codes: list[int]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """One instance's sign of life; `at_ms` and `started_at_ms` are store-clock times."""

    service: str
    instance: str
    url: str
    version: str
    at_ms: int
    started_at_ms: int
    ready: bool
    reasons: list[str] = msgspec.field(default_factory=list)
    role: str = ""
    detail: dict[str, str | int | float | bool | None] = msgspec.field(
        default_factory=dict
    )


class WantedScrips(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Scrips wanted in the same way, in the words of the `subscribe` command: a mode or fields, and how often."""

    codes: list[int]
    mode: str | None = None
    fields: list[str] | None = None
    max_hz: float | None = None
    every: bool = False


class SubscriptionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The set of a client id, as `POST /api/subscribe` or a hub wrote it."""

    client_id: str
    wants: list[WantedScrips]
    updated_at_ms: int

    @property
    def codes(self) -> list[int]:
        """All scrips of the set."""
        return [code for wanted in self.wants for code in wanted.codes]


Record = TypeVar("Record", bound=msgspec.Struct)


def to_json(record: msgspec.Struct) -> bytes:
    """The record as JSON."""
    return msgspec.json.encode(record)


def from_json(data: bytes | str, kind: type[Record]) -> Record | None:
    """The record, or None where the bytes are not one (written by another version)."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (ValueError, RecursionError):  # ValueError: DecodeError, or not UTF-8
        return None
