"""How each source is asked: where, as whom, how often at most. A class a source."""

from pydantic import Field, HttpUrl, SecretStr, TypeAdapter, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    symbols_max: int = Field(
        50, ge=1, le=500, description="scrips in a request; the broker allows 500"
    )
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


def _header_text(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a header is one line of printable characters")
    return text
