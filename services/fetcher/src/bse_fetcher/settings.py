"""The fetcher's settings."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, HttpUrl, TypeAdapter, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.service.settings import HttpSettings, MarketSettings, ProcessSettings


class FetcherHttp(HttpSettings):
    """The fetcher listens for probes only."""

    port: int = Field(8003, ge=0, le=65535, description="port to listen on")


class BseSettings(BaseSettings):
    """How BSE's web API is asked. BSE's rules for headers change: all of them are settings."""

    model_config = SettingsConfigDict(env_prefix="BSE_")

    base_url: str = Field(
        "https://api.bseindia.com",
        description="BSE, or a stand-in such as exchange-sim",
    )
    user_agent: str = Field(
        "bse-quotes/0.1", description="an honest name without a URL in it"
    )
    accept_language: str = Field("en-US,en;q=0.5", description="BSE refuses without")
    referer: str = Field("https://www.bseindia.com/", description="BSE refuses without")
    origin: str = Field("https://www.bseindia.com", description="sent as Origin")
    extra_headers: dict[str, str] = Field(
        default_factory=dict, description='more headers as JSON, e.g. {"X-A": "b"}'
    )
    timeout_s: float = Field(
        5.0, gt=0, description="deadline of one answer, all in all"
    )
    answer_bytes_max: int = Field(
        32 * 1024 * 1024, gt=0, description="an answer that inflates beyond is refused"
    )

    @field_validator("base_url")
    @classmethod
    def _http(cls, url: str) -> str:
        host = TypeAdapter(HttpUrl).validate_python(url).host or ""
        host.encode("idna")  # raises ValueError where no name server could be asked
        return url

    @field_validator("user_agent", "accept_language", "referer", "origin")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return _header_text(text)

    @field_validator("extra_headers")
    @classmethod
    def _lines(cls, headers: dict[str, str]) -> dict[str, str]:
        return {_header_text(name): _header_text(headers[name]) for name in headers}

    @property
    def headers(self) -> dict[str, str]:
        """The header set of every request."""
        return {
            "User-Agent": self.user_agent,
            "Accept": "application/json, text/plain, */*",
            "Accept-Language": self.accept_language,
            "Accept-Encoding": "gzip, deflate",
            "Origin": self.origin,
            "Referer": self.referer,
            **self.extra_headers,
        }


def _header_text(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a header is one line of printable characters")
    return text


class PollSettings(BaseSettings):
    """When to poll, and what the session is."""

    model_config = SettingsConfigDict(env_prefix="POLL_")

    interval_s: float = Field(3.0, gt=0, description="between polls in market hours")
    closed_interval_s: float = Field(
        60.0, gt=0, description="while the market is closed"
    )
    failing_interval_max_s: float = Field(
        15.0, gt=0, description="longest wait after errors that pass by themselves"
    )
    forbidden_interval_s: float = Field(
        60.0, gt=0, description="first wait after a 403; doubles to 30 min"
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
    poll: PollSettings
