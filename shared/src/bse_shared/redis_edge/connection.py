"""Opens the connection to Redis (standalone or Sentinel, with or without TLS) and translates its errors.

Our loops back off themselves, so the driver does not retry: one layer retries, never two.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from bse_shared.pacing.backoff import TransientError


class StoreUnavailable(TransientError):
    """Redis did not answer, or refused."""


class RedisSettings(BaseSettings):
    """How to reach Redis."""

    model_config = SettingsConfigDict(env_prefix="REDIS_")

    url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="redis://, rediss://, unix:// or redis+sentinel://host:port,host:port/service/db",
    )
    timeout_s: float = Field(
        2.0, gt=0, description="deadline of one command; a frozen server counts as away"
    )

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        if urlsplit(url).scheme not in {"redis", "rediss", "unix", "redis+sentinel"}:
            msg = "must begin with redis://, rediss://, unix:// or redis+sentinel://"
            raise ValueError(msg)
        return url

    @property
    def address(self) -> str:
        """The URL without its password, for logs."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@asynccontextmanager
async def open_redis(settings: RedisSettings, name: str) -> AsyncIterator[Redis]:
    """A connected-on-demand client; closes its pool at the end. `name` shows in CLIENT LIST."""
    redis = _client(settings, name)
    try:
        yield redis
    finally:
        await redis.aclose()


@contextmanager
def store_errors() -> Iterator[None]:
    """Translate what Redis and the network raise into StoreUnavailable."""
    try:
        yield
    except NoScriptError:
        raise
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error


def _client(settings: RedisSettings, name: str) -> Redis:
    options: dict[str, Any] = {
        "socket_timeout": settings.timeout_s,
        "socket_connect_timeout": settings.timeout_s,
        "socket_keepalive": True,
        "health_check_interval": 0,
        "client_name": name,
        "retry": Retry(NoBackoff(), 0),
    }
    parts = urlsplit(settings.url)
    if parts.scheme != "redis+sentinel":
        return Redis.from_url(settings.url, **options)
    credentials, _, hosts = parts.netloc.rpartition("@")
    nodes = [_host_port(node) for node in hosts.split(",")]
    service, _, db = parts.path.strip("/").partition("/")
    username, _, password = credentials.partition(":")
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # the driver's class lacks annotations
        nodes, sentinel_kwargs={"socket_timeout": settings.timeout_s}
    )
    master: Redis = sentinel.master_for(
        service or "mymaster",
        db=int(db or 0),
        username=username or None,
        password=password or None,
        **options,
    )
    return master


def _host_port(node: str) -> tuple[str, int]:
    host, _, port = node.rpartition(":")
    return (host, int(port)) if host else (node, 26379)
