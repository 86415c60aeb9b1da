"""The monitor's settings."""

import re
from dataclasses import dataclass

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bse_monitor.rules.limits import Limits
from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.service.settings import HttpSettings, MarketSettings, ProcessSettings


_EXPECTED = re.compile(r"([a-z][a-z0-9-]{0,40})(?::([1-9][0-9]{0,2}))?")
_TAKEN_NAMES = {"overall", "store", "feed"}


class MonitorHttp(HttpSettings):
    """Where the status is served."""

    port: int = Field(8002, ge=0, le=65535, description="port to listen on")


class ObserveSettings(BaseSettings):
    """What to look at, how often, and when it is not well."""

    model_config = SettingsConfigDict(env_prefix="MONITOR_")

    expected_services: str = Field(
        "fetcher,gateway,ws-hub,monitor",
        description="services that must be up; gateway:2 asks for two instances",
    )
    observe_interval_s: float = Field(2.0, gt=0, description="between two looks")
    missing_after_s: float = Field(
        3.5, gt=0, description="an instance without a heartbeat for so long is missing"
    )
    feed_silent_after_s: float = Field(
        3.5, gt=0, description="no report on the feed for so long: nobody writes"
    )
    feed_stale_after_s: float = Field(
        7.0, gt=0, description="market open, no price confirmed for so long: stale"
    )
    feed_down_after_s: float = Field(
        30.0, gt=0, description="a feed stale for so long counts as down"
    )
    store_slow_after_ms: float = Field(
        100.0, gt=0, description="a longer round trip to Redis counts as degraded"
    )
    probe_deadline_s: float = Field(
        1.0, gt=0, le=10, description="an instance must answer its probe within"
    )
    probes_at_once: int = Field(
        32, ge=1, le=256, description="instances probed at the same time"
    )
    instances_max: int = Field(
        500, ge=1, le=5000, description="instances looked at; strangers go first"
    )
    view_stale_after_s: float = Field(
        10.0, gt=0, description="a status older than this is never shown as ok"
    )
    events_kept: int = Field(
        100, ge=1, le=10_000, description="state changes remembered"
    )

    @field_validator("expected_services")
    @classmethod
    def _readable(cls, listed: str) -> str:
        for entry in _entries(listed):
            found = _EXPECTED.fullmatch(entry)
            if found is None or found[1] in _TAKEN_NAMES:
                msg = f"{entry!r} is not a service name, or name:count"
                raise ValueError(msg)
        return listed

    @property
    def wanted(self) -> dict[str, int]:
        """The expected services, and how many instances of each must be up."""
        found = (
            _EXPECTED.fullmatch(entry) for entry in _entries(self.expected_services)
        )
        return {entry[1]: int(entry[2] or 1) for entry in found if entry}

    @property
    def limits(self) -> Limits:
        """The same numbers as the rules take them."""
        return Limits(
            wanted=self.wanted,
            missing_after_ms=self.missing_after_s * 1000,
            feed_silent_after_ms=self.feed_silent_after_s * 1000,
            feed_stale_after_ms=self.feed_stale_after_s * 1000,
            feed_down_after_ms=self.feed_down_after_s * 1000,
            store_slow_after_ms=self.store_slow_after_ms,
        )


@dataclass(frozen=True)
class MonitorSettings:
    """All of it."""

    redis: RedisSettings
    http: MonitorHttp
    process: ProcessSettings
    market: MarketSettings
    observe: ObserveSettings


def _entries(listed: str) -> list[str]:
    return [entry.strip() for entry in listed.split(",") if entry.strip()]
