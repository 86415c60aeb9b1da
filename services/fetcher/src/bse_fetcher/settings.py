"""The fetcher's settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bse_fetcher.source_settings import BseSettings, KiteSettings, YahooSettings
from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.service.settings import HttpSettings, MarketSettings, ProcessSettings


SOURCE_NAMES = frozenset(
    each.parent.name for each in Path(__file__).parent.glob("sources/*/source.py")
)
"""A source is a folder with a `source.py`: its name is all that is to be known here."""

_LISTS_MARKET = {"bse", "replay"}


class FetcherHttp(HttpSettings):
    """The fetcher listens for probes and for operators who look at its status."""

    port: int = Field(8003, ge=0, le=65535, description="port to listen on")


class SourceSettings(BaseSettings):
    """Which source prices come from, and which one steps in."""

    model_config = SettingsConfigDict(env_prefix="SOURCE_")

    primary: str = Field(
        "bse",
        description="bse asks for the whole market at once, yahoo and kite in batches, "
        "replay plays a recording; any folder of sources",
    )
    backup: str = Field(
        "", description="steps in while the primary fails: yahoo or kite; empty: none"
    )
    hedge_after_s: float = Field(
        1.5,
        gt=0,
        description="a primary whose answer is so late is not waited for any longer",
    )

    attempts: int = Field(
        3, ge=1, le=10, description="tries of a call whose failure may be a moment's"
    )
    retry_within_s: float = Field(
        2.0, gt=0, description="no try begins so long after the first"
    )

    validate_by: str = Field(
        "",
        description="compares hot scrips with the primary: yahoo or kite; empty: none",
    )
    validate_interval_s: float = Field(
        15.0, gt=0, description="between two comparisons of one batch"
    )
    tolerance_percent: float = Field(
        1.0, gt=0, description="prices further apart than this are suspect"
    )
    ticks: str = Field(
        "",
        description="path of a CSV (code, tick_paise); prices off their tick are suspect; empty: none known",
    )

    @field_validator("primary", "backup", "validate_by")
    @classmethod
    def _is_known(cls, name: str, field: ValidationInfo) -> str:
        if name not in SOURCE_NAMES and (name or field.field_name == "primary"):
            raise ValueError(f"must be one of {', '.join(sorted(SOURCE_NAMES))}")
        return name

    @field_validator("backup", "validate_by")
    @classmethod
    def _backup_differs(cls, backup: str, others: ValidationInfo) -> str:
        if backup in {others.data.get("primary"), *_LISTS_MARKET}:
            raise ValueError("must be a batch source other than the primary")
        return backup


class ReplaySettings(BaseSettings):
    """Recording what is published, and playing a recording in place of the exchange."""

    model_config = SettingsConfigDict(env_prefix="REPLAY_")

    record_to: str = Field(
        "", description="folder for a recording a day; empty: nothing is recorded"
    )
    file: str = Field("", description="a recording to play, with SOURCE_PRIMARY=replay")
    speed: float = Field(
        1.0, gt=0, le=100_000, description="play so many times as fast"
    )


class DemandSettings(BaseSettings):
    """How often batch sources are asked for a scrip."""

    model_config = SettingsConfigDict(env_prefix="DEMAND_")

    hot_interval_s: float = Field(3.0, gt=0, description="scrips that somebody watches")
    warm_interval_s: float = Field(
        15.0, gt=0, description="scrips that were watched or missed lately"
    )
    cold_interval_s: float = Field(300.0, gt=0, description="all others")
    warm_for_s: float = Field(
        900.0, gt=0, description="how long a scrip stays warm when nobody watches it"
    )
    missed_hot_for_s: float = Field(
        30.0, gt=0, description="how long a scrip is hot that a REST reader missed"
    )
    hot_max: int = Field(1000, ge=1, description="more watched scrips than this: warm")


class PollSettings(BaseSettings):
    """When to poll, and what the session is."""

    model_config = SettingsConfigDict(env_prefix="POLL_")

    interval_s: float = Field(3.0, gt=0, description="between polls in market hours")
    closed_interval_s: float = Field(
        60.0, gt=0, description="while the market is closed"
    )
    forbidden_interval_s: float = Field(
        60.0, gt=0, description="first wait after a 403; doubles to 30 min"
    )
    frozen_after_s: float = Field(
        60.0,
        ge=0,
        description="an open market in which no row moves for so long is no answer; 0: off",
    )
    lease_ttl_s: float = Field(
        3.0, gt=0.5, description="a dead fetcher's shards are free after so long"
    )
    session: Literal["calendar", "always_open"] = Field(
        "calendar", description="always_open: for the stand-in exchange"
    )
    calendar: str = Field(
        "", description="path of a session calendar (JSON); empty: the one built in"
    )


@dataclass(frozen=True)
class FetcherSettings:
    """All of it."""

    redis: RedisSettings
    http: FetcherHttp
    process: ProcessSettings
    market: MarketSettings
    bse: BseSettings
    yahoo: YahooSettings
    kite: KiteSettings
    source: SourceSettings
    replay: ReplaySettings
    demand: DemandSettings
    poll: PollSettings
