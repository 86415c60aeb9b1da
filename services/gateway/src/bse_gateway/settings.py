"""The gateway's settings."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.service.settings import HttpSettings, MarketSettings, ProcessSettings


class RestSettings(BaseSettings):
    """The REST door: its limits, who may call it from a browser, where the stream is."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    stream_url: str = Field(
        "ws://127.0.0.1:8001",
        description="the ws-hub as clients reach it (ws:// or wss://), told by POST /api/subscribe",
    )
    cors_origins: str = Field(
        "",
        description="browser origins that may call, separated by commas; empty: none, *: all",
    )
    symbols_max: int = Field(
        500, ge=1, le=5000, description="identifiers in one request"
    )
    subscription_symbols_max: int = Field(
        1000, ge=1, le=10_000, description="scrips in one client's stored subscription"
    )
    body_bytes_max: int = Field(
        64 * 1024, ge=1024, description="a larger request body is refused"
    )

    @field_validator("stream_url")
    @classmethod
    def _websocket_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"ws", "wss"} or not parts.netloc or parts.query:
            msg = "must be ws://host or wss://host, without a query"
            raise ValueError(msg)
        return url.rstrip("/")

    @property
    def origins(self) -> list[str]:
        """The allowed origins."""
        return [o.strip() for o in self.cors_origins.split(",") if o.strip()]


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """All settings of the gateway, by theme."""

    http: HttpSettings
    process: ProcessSettings
    market: MarketSettings
    redis: RedisSettings
    rest: RestSettings
