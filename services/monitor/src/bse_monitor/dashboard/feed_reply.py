"""The public JSON of the feed: its state, its age, and where each shard stands."""

from typing import Self

from pydantic import Field

from bse_monitor.dashboard.reply import Reply, Seconds, seconds
from bse_monitor.rules.status import FeedState, FeedVerdict, Health, ShardStatus
from bse_monitor.rules.words import clip


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
            session=(
                SessionReply.model_validate(said.session, from_attributes=True)
                if said
                else None
            ),
            shards=[ShardReply.of(shard) for shard in verdict.shards],
        )
