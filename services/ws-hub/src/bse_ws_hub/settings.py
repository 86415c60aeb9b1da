"""The hub's settings."""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.service.settings import (
    HttpSettings,
    IdentitySettings,
    MarketSettings,
    ProcessSettings,
)


class HubHttp(HttpSettings):
    """Where clients connect."""

    port: int = Field(8001, ge=0, le=65535, description="port to listen on")


class HubSettings(BaseSettings):
    """Limits and paces of the fan-out."""

    model_config = SettingsConfigDict(env_prefix="WS_HUB_")

    flush_interval_ms: float = Field(
        20, ge=1, description="changes are gathered so long before they are sent"
    )
    heartbeat_interval_ms: int = Field(1000, ge=100, description="to every client")
    history_updates: int = Field(
        50_000,
        ge=0,
        description="changes kept for clients that want every one, over all scrips",
    )
    connections_max: int = Field(20_000, ge=1, description="clients of this process")
    symbols_max: int = Field(
        10_000, ge=1, description="scrips of one client, whatever its role"
    )
    message_bytes_max: int = Field(
        65_536, ge=1024, description="largest message that a client may send"
    )
    commands_per_s: float = Field(
        200, gt=0, description="commands of one client, whatever its role"
    )
    arrivals_per_s: float = Field(
        50,
        gt=0,
        description="new connections of one address, and of one identity; then 429",
    )
    bad_messages_max: int = Field(10, ge=1, description="then the client is cut")
    backlog_bytes_max: int = Field(
        65_536,
        ge=1024,
        description="unread bytes that are a full buffer; from a quarter on updates are merged",
    )
    backlog_packets_max: int = Field(
        16, ge=1, description="the same for Socket.IO, in packets"
    )
    slow_cut_s: float = Field(
        10, gt=0, description="a client that lags for longer is closed with 4008"
    )
    drip_cut_s: float = Field(
        7, gt=0, description="the same for a client that reads, but never catches up"
    )
    slow_notice_s: float = Field(
        2, gt=0, description="who lagged for longer gets fewer updates for a while"
    )
    slowed_for_s: float = Field(30, gt=0, description="how long that while is")
    drain_spread_s: float = Field(
        5, ge=0, description="clients that are sent away come back within so long"
    )
    allowed_origins: str = Field(
        "*", description="comma list of browser origins; * allows all"
    )

    @property
    def origins(self) -> list[str]:
        """The allow-list."""
        return [o.strip() for o in self.allowed_origins.split(",") if o.strip()]


class AuthSettings(IdentitySettings):
    """Who may come in."""

    # Last, because it judges the others.
    environment: Literal["development", "production"] = Field(
        "development", validate_default=True, description="production: no AUTH_MODE=off"
    )

    @field_validator("environment")
    @classmethod
    def _closed(cls, environment: str, info: ValidationInfo) -> str:
        if environment == "production" and info.data.get("mode") == "off":
            msg = "production has no AUTH_MODE=off"
            raise ValueError(msg)
        return environment

    @property
    def is_production(self) -> bool:
        """Whether nothing may be left to defaults."""
        return self.environment == "production"


@dataclass(frozen=True)
class WsHubSettings:
    """All of it."""

    redis: RedisSettings
    http: HubHttp
    process: ProcessSettings
    market: MarketSettings
    hub: HubSettings
    auth: AuthSettings = field(default_factory=AuthSettings)
