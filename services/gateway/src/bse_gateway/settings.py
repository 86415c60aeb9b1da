"""The gateway's settings."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bse_gateway.key_file import read_private_key
from bse_shared.access.addresses import Network, networks_of
from bse_shared.access.tokens import LIFETIME_MAX_S
from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.service.settings import (
    HttpSettings,
    IdentitySettings,
    MarketSettings,
    ProcessSettings,
)


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

    connections_max: int = Field(
        2000, ge=1, description="open connections; one more is turned away"
    )
    in_flight_max: int = Field(
        256,
        ge=1,
        description="requests at work, quotes out of memory aside; one more is turned away",
    )
    request_deadline_s: float = Field(
        10, gt=0, le=300, description="a request that takes longer is given up"
    )
    head_within_s: float = Field(
        10, gt=0, description="the head of a request takes at most so long to arrive"
    )
    body_within_s: float = Field(
        10, gt=0, description="its body takes at most so long to arrive"
    )
    read_within_s: float = Field(
        20, gt=0, description="a client that reads nothing for so long is cut off"
    )
    on_demand_within_s: float = Field(
        2,
        gt=0,
        le=2,
        description="a quote that is not there yet is asked for and waited for so long",
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


PEPPER_BYTES_MIN = 32
DEVELOPMENT_PEPPER = b"development: refused in production"
"""Known to all, and the same in each process, so that a key made by the command works in the service."""


class AuthSettings(IdentitySettings):
    """Who may come in, and with which secrets. Production refuses whatever only development may do without."""

    pepper_file: str = Field(
        "", description=f"file with {PEPPER_BYTES_MIN} or more secret bytes"
    )
    pepper: SecretStr = Field(
        SecretStr(""), description="the same as text; the file wins"
    )
    signing_key_file: str = Field(
        "",
        description="Ed25519 private key (PEM); empty: one is made at each start (development)",
    )
    token_lifetime_s: int = Field(
        LIFETIME_MAX_S, ge=60, le=LIFETIME_MAX_S, description="life of an access token"
    )
    refresh_lifetime_s: int = Field(
        24 * 3600, ge=600, le=90 * 24 * 3600, description="life of a sign-in"
    )
    admin_networks: str = Field(
        "127.0.0.0/8,::1/128",
        description="networks that /admin may be called from, separated by commas",
    )
    token_requests_per_minute: int = Field(
        300, ge=1, description="calls of /api/auth of one address"
    )
    demo_key: bool = Field(
        default=False, description="keep the well-known demo key (development)"
    )
    # Last, because it judges the others.
    environment: Literal["development", "production"] = Field(
        "development", validate_default=True, description="production: no defaults"
    )

    @field_validator("admin_networks")
    @classmethod
    def _networks(cls, text: str) -> str:
        networks_of(text)
        return text

    @field_validator("pepper_file", "signing_key_file")
    @classmethod
    def _readable(cls, path: str, info: ValidationInfo) -> str:
        try:
            if path and info.field_name == "signing_key_file":
                read_private_key(path)
            elif path:
                Path(path).read_bytes()
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from error
        return path

    @field_validator("environment")
    @classmethod
    def _complete(cls, environment: str, info: ValidationInfo) -> str:
        if environment == "production":
            lacks = list(_lacking(info))
            if lacks:
                raise ValueError("production " + ", ".join(lacks))
        return environment

    @property
    def is_production(self) -> bool:
        """Whether nothing may be left to defaults."""
        return self.environment == "production"

    @property
    def networks(self) -> list[Network]:
        """Where administration may come from."""
        return networks_of(self.admin_networks)

    @property
    def pepper_bytes(self) -> bytes:
        """The key of all stored digests."""
        return _pepper(self.pepper_file, self.pepper) or DEVELOPMENT_PEPPER


def _pepper(path: str, text: SecretStr) -> bytes:
    return Path(path).read_bytes().strip() if path else text.get_secret_value().encode()


def _lacking(info: ValidationInfo) -> Iterator[str]:
    """What production can't do without; of fields that are wrong by themselves nothing more is said."""
    held = info.data
    if "pepper" in held and "pepper_file" in held:
        pepper = _pepper(held["pepper_file"], held["pepper"])
        if len(pepper) < PEPPER_BYTES_MIN:
            yield f"needs AUTH_PEPPER_FILE with at least {PEPPER_BYTES_MIN} bytes"
    if held.get("signing_key_file") == "":
        yield "needs AUTH_SIGNING_KEY_FILE"
    if held.get("demo_key"):
        yield "has no AUTH_DEMO_KEY"
    if held.get("mode") == "off":
        yield "has no AUTH_MODE=off"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """All settings of the gateway, by theme."""

    http: HttpSettings
    process: ProcessSettings
    market: MarketSettings
    redis: RedisSettings
    rest: RestSettings
    auth: AuthSettings = field(default_factory=AuthSettings)
