"""The fetcher's settings."""

from dataclasses import dataclass
from typing import Literal

from pydantic import (
    Field,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.service.settings import HttpSettings, MarketSettings, ProcessSettings


SourceName = Literal["bse", "yahoo", "kite"]
"""The names in `sources/registry.py`."""


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

    requests_per_s: float = Field(
        2.0, gt=0, description="at most, by all replicas together, in the long run"
    )
    burst: int = Field(4, ge=1, description="requests at once")
    indices_interval_s: float = Field(
        30.0, ge=0, description="between two looks at the indices; 0: none"
    )
    details_per_s: float = Field(
        0.0,
        ge=0,
        description="requests for depth, 52 weeks and limits of hot scrips; 0: none",
    )

    @field_validator("base_url")
    @classmethod
    def _http(cls, url: str) -> str:
        return _host_that_can_be_asked(url)

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


def _host_that_can_be_asked(url: str) -> str:
    host = TypeAdapter(HttpUrl).validate_python(url).host or ""
    host.encode("idna")  # raises ValueError where no name server could be asked
    return url


class YahooSettings(BaseSettings):
    """How Yahoo Finance is asked, where it is used. Unofficial, and for personal use only."""

    model_config = SettingsConfigDict(env_prefix="YAHOO_")

    base_url: str = Field(
        "https://query1.finance.yahoo.com", description="where quotes come from"
    )
    cookie_url: str = Field(
        "https://fc.yahoo.com", description="where the cookie comes from"
    )
    user_agent: str = Field("bse-quotes/0.1", description="sent as User-Agent")
    symbols_max: int = Field(50, ge=1, le=50, description="scrips in a request")
    requests_per_s: float = Field(
        2.0, gt=0, description="at most, by all replicas together, in the long run"
    )
    burst: int = Field(4, ge=1, description="requests at once")
    charts_per_s: float = Field(
        0.0,
        ge=0,
        description="requests for the minutes of hot scrips that BSE can't tell; 0: none",
    )
    timeout_s: float = Field(2.5, gt=0, description="deadline of one answer")
    answer_bytes_max: int = Field(
        4 * 1024 * 1024, gt=0, description="an answer that inflates beyond is refused"
    )

    @field_validator("base_url", "cookie_url")
    @classmethod
    def _http(cls, url: str) -> str:
        return _host_that_can_be_asked(url)

    @field_validator("user_agent")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return _header_text(text)


class KiteSettings(BaseSettings):
    """How the broker is asked, where it is used: with your own account's key."""

    model_config = SettingsConfigDict(env_prefix="KITE_")

    base_url: str = Field(
        "https://api.kite.trade", description="where quotes come from"
    )
    api_key: str = Field("", description="the application's key")
    access_token: SecretStr = Field(
        SecretStr(""), description="the day's access token of the account"
    )
    symbols_max: int = Field(500, ge=1, le=500, description="scrips in a request")
    requests_per_s: float = Field(
        1.0, gt=0, description="at most, by all replicas together, in the long run"
    )
    burst: int = Field(2, ge=1, description="requests at once")
    timeout_s: float = Field(2.5, gt=0, description="deadline of one answer")
    answer_bytes_max: int = Field(
        8 * 1024 * 1024, gt=0, description="an answer that inflates beyond is refused"
    )

    @field_validator("base_url")
    @classmethod
    def _http(cls, url: str) -> str:
        return _host_that_can_be_asked(url)

    @field_validator("api_key")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return _header_text(text)

    @field_validator("access_token")
    @classmethod
    def _one_secret_line(cls, text: SecretStr) -> SecretStr:
        _header_text(text.get_secret_value())
        return text


class SourceSettings(BaseSettings):
    """Which source prices come from, and which one steps in."""

    model_config = SettingsConfigDict(env_prefix="SOURCE_")

    primary: SourceName | Literal["replay"] = Field(
        "bse",
        description="bse asks for the whole market at once, yahoo and kite in batches, "
        "replay plays a recording",
    )
    backup: SourceName | Literal[""] = Field(
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

    validate_by: SourceName | Literal[""] = Field(
        "",
        description="compares hot scrips with the primary: yahoo or kite; empty: none",
    )
    validate_interval_s: float = Field(
        15.0, gt=0, description="between two comparisons of one batch"
    )
    tolerance_percent: float = Field(
        1.0, gt=0, description="prices further apart than this are suspect"
    )

    @field_validator("backup", "validate_by")
    @classmethod
    def _backup_differs(cls, backup: str, others: ValidationInfo) -> str:
        if backup in {others.data.get("primary"), "bse"}:
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
