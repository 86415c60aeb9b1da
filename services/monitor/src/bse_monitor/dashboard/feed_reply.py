"""The public JSON of the feed: its state, its age, and where each shard stands."""

from collections.abc import Mapping
from itertools import islice
from typing import Self

from pydantic import Field

from bse_monitor.dashboard.reply import Reply, Seconds, seconds
from bse_monitor.rules.status import FeedState, FeedVerdict, Health, ShardStatus
from bse_monitor.rules.words import clip
from bse_shared.wire.records import SourceRecord


TOLD_MAX = 50
NAME_MAX = 60
"""What a fetcher says of itself is told on, but not at any length."""


class ShardReply(Reply):
    """A shard of the market: where its history stands."""

    shard: int
    epoch: int
    sequence: int
    age_s: Seconds | None = Field(description="of its newest confirmation; null: none")

    @classmethod
    def of(cls, status: ShardStatus) -> Self:
        """From the verdict."""
        return cls(
            shard=status.shard,
            epoch=status.position.epoch,
            sequence=status.position.sequence,
            age_s=None if status.age_ms is None else seconds(status.age_ms),
        )


class SessionReply(Reply):
    """The market session in the fetcher's words."""

    phase: str
    is_open: bool
    reason: str
    trading_day: str
    next_change_at_ms: int | None
    next_open_at_ms: int | None


class SourceReply(Reply):
    """One endpoint of one source, as the fetcher that leads sees it."""

    source: str
    endpoint: str
    role: str
    circuit: str = Field(description="closed: asked; open: spared; half_open: probed")
    failures: int = Field(description="calls in a row that failed")
    opened: int = Field(description="how often its circuit opened")
    answered_s_ago: Seconds | None = Field(description="null: never")
    asked_again_in_s: Seconds = Field(description="0: it may be asked now")
    last_error: str

    @classmethod
    def of(cls, record: SourceRecord) -> Self:
        """From the fetcher's word."""
        ago_ms = record.answered_ms_ago
        return cls(
            source=clip(record.source, NAME_MAX),
            endpoint=clip(record.endpoint, NAME_MAX),
            role=clip(record.role, NAME_MAX),
            circuit=clip(record.circuit, NAME_MAX),
            failures=record.failures,
            opened=record.opened,
            answered_s_ago=None if ago_ms is None else seconds(ago_ms),
            asked_again_in_s=seconds(record.asked_again_in_ms),
            last_error=clip(record.last_error),
        )


class FeedReply(Reply):
    """The stream of prices."""

    status: FeedState = Field(
        description="ok; failing: trouble, prices still fresh or none expected;"
        " stale: market open, no price confirmed for too long; closed: market closed"
    )
    means: Health = Field(description="what this means for the whole")
    reasons: list[str] = Field(description="why it is not ok; empty when it is")
    age_s: Seconds | None = Field(
        description="age of the newest confirmation of any price, as of as_of_ms;"
        " null: none ever"
    )
    source: str | None = Field(description="null: no fetcher has reported")
    writer: str | None = Field(description="the instance that reported last")
    last_error: str | None
    poll_interval_s: Seconds | None
    rows: int | None = Field(description="rows of the source's newest answer")
    rejected_rows: int | None
    order: str = Field(description="the operators' order in words; empty: none")
    order_ends_at_ms: int | None
    suspect: int = Field(description="prices that are marked as suspect")
    suspects: dict[str, str] = Field(description="some of them by symbol, and why")
    drift: dict[str, int] = Field(
        description="fields that the source left out or retyped, since the fetcher began"
    )
    demand: dict[str, int] = Field(description="scrips by tier")
    sources: list[SourceReply]
    session: SessionReply | None
    shards: list[ShardReply]

    @classmethod
    def of(cls, verdict: FeedVerdict) -> Self:
        """From the verdict."""
        said = verdict.said
        return cls(
            status=verdict.state,
            means=verdict.health,
            reasons=list(verdict.reasons),
            age_s=None if verdict.age_ms is None else seconds(verdict.age_ms),
            source=clip(said.source) if said else None,
            writer=clip(said.writer) if said else None,
            last_error=clip(said.last_error) if said and said.last_error else None,
            poll_interval_s=said.poll_interval_s if said else None,
            rows=said.rows if said else None,
            rejected_rows=said.rejected_rows if said else None,
            order=clip(said.order) if said else "",
            order_ends_at_ms=said.order_ends_at_ms if said else None,
            suspect=said.suspect if said else 0,
            suspects=_words(said.suspects) if said else {},
            drift=_counts(said.drift) if said else {},
            demand=_counts(said.demand) if said else {},
            sources=(
                [SourceReply.of(each) for each in said.sources[:TOLD_MAX]]
                if said
                else []
            ),
            session=(
                SessionReply.model_validate(said.session, from_attributes=True)
                if said
                else None
            ),
            shards=[ShardReply.of(shard) for shard in verdict.shards],
        )


def _words(told: Mapping[str, str]) -> dict[str, str]:
    return {
        clip(name, NAME_MAX): clip(word, NAME_MAX)
        for name, word in islice(told.items(), TOLD_MAX)
    }


def _counts(told: Mapping[str, int]) -> dict[str, int]:
    return {
        clip(name, NAME_MAX): count for name, count in islice(told.items(), TOLD_MAX)
    }
