"""Settings come from the environment, are checked before anything starts, and explain themselves.

A service's settings are a frozen dataclass of small settings classes by theme. A bad value ends the process
with a readable list and exit code 2.
"""

import argparse
import dataclasses
import math
import re
import socket
import sys
import typing
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError


Settings = TypeVar("Settings")


class HttpSettings(BaseSettings):
    """Where the service listens, and where others reach it."""

    model_config = SettingsConfigDict(env_prefix="HTTP_")

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    advertise_host: str = Field(
        "", description="address for the monitor to reach this instance; empty: own"
    )

    @property
    def advertised(self) -> str:
        """The host that others reach this instance at."""
        if self.advertise_host:
            return self.advertise_host
        if self.host not in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            return self.host
        try:
            return socket.gethostbyname(socket.gethostname())
        except OSError:
            return "127.0.0.1"


class ProcessSettings(BaseSettings):
    """Logging and shutdown."""

    model_config = SettingsConfigDict(env_prefix="")

    log_level: typing.Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least level that is logged"
    )
    log_format: typing.Literal["auto", "json", "console"] = Field(
        "auto", description="auto: readable in a terminal, JSON elsewhere"
    )
    drain_delay_s: float = Field(
        0, ge=0, description="after SIGTERM, not ready but still serving for so long"
    )
    shutdown_deadline_s: float = Field(
        20, gt=0, description="a shutdown that takes longer is cut short"
    )


class MarketSettings(BaseSettings):
    """What all services of one installation must agree on."""

    model_config = SettingsConfigDict(env_prefix="MARKET_")

    shards: int = Field(
        8, ge=1, le=256, description="parts of the market; equal in all services"
    )


class IdentitySettings(BaseSettings):
    """Who may come in: what gateway and hub must agree on.

    Each adds `environment`, as its last field, because that judges the others.
    """

    model_config = SettingsConfigDict(env_prefix="AUTH_")

    mode: typing.Literal["auto", "off", "optional", "required"] = Field(
        "auto",
        description="required: nothing without a token or key; optional: without one, as `anonymous`;"
        " off: nobody is asked nor counted; auto: required in production, optional in development",
    )
    issuer: str = Field("bse-gateway", description="`iss` of tokens")
    audience: str = Field("bse-quotes", description="`aud` of tokens")
    failures_per_minute: int = Field(
        10, ge=1, description="refused credentials of one address, then 429"
    )

    @property
    @abstractmethod
    def is_production(self) -> bool:
        """Whether nothing may be left to defaults."""

    @property
    def effective_mode(self) -> str:
        """The mode that holds."""
        if self.mode != "auto":
            return self.mode
        return "required" if self.is_production else "optional"


def load_settings(kind: type[Settings], description: str) -> Settings:
    """The settings from the environment; handles `--help`; exits with 2 where they are wrong."""
    parser = argparse.ArgumentParser(
        description=description,
        epilog="Settings (environment variables):\n\n" + "\n".join(explain(kind)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    problems: list[str] = []
    parts: dict[str, Any] = {}
    for name, part in _parts(kind):
        try:
            parts[name] = part()
        except ValidationError as error:
            problems += [
                f"{_variable(part, str(e['loc'][0]))}: {e['msg']}"
                f" (got {_without_password(repr(e['input']))})"
                for e in error.errors()
            ]
        except SettingsError as error:  # a value of several parts that is no JSON
            named = re.search(r'field "(\w+)"', str(error))
            variable = _variable(part, named[1]) if named else part.__name__
            problems.append(f"{variable}: must be JSON")
        else:
            problems += _infinite(part, parts[name])
    if problems:
        sys.stderr.write("Settings are wrong:\n  " + "\n  ".join(problems) + "\n")
        sys.exit(2)
    return kind(**parts)


def explain(kind: type[Any]) -> Iterator[str]:
    """A line for each setting: variable, default, what it is for."""
    for _, part in _parts(kind):
        for name, field in part.model_fields.items():
            default = field.get_default(call_default_factory=True)
            yield f"  {_variable(part, name)}={default}\n      {field.description}"


def _infinite(part: type[BaseSettings], values: BaseSettings) -> Iterator[str]:
    """Numbers that pass every bound and still are none: no wait may last for ever."""
    for name, value in values:
        if isinstance(value, float) and not math.isfinite(value):
            yield f"{_variable(part, name)}: must be a finite number (got {value!r})"


def _without_password(shown: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", shown)


def _parts(kind: type[Any]) -> Iterator[tuple[str, type[BaseSettings]]]:
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        yield field.name, hints[field.name]


def _variable(part: type[BaseSettings], name: str) -> str:
    return (part.model_config.get("env_prefix", "") + name).upper()
