"""All settings of the simulator, read from the environment."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import AliasChoices, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Mode(StrEnum):
    """How virtual time passes."""

    CONTINUOUS = "continuous"
    SESSION = "session"
    REPLAY = "replay"


class Activity(StrEnum):
    """How often scrips change."""

    NATURAL = "natural"
    EVERY_TICK = "every_tick"


class Switch(StrEnum):
    """A setting that is on or off."""

    ON = "on"
    OFF = "off"


class Settings(BaseSettings):
    """Environment settings, prefix SIM_; BHAVCOPY and SPEED also without it."""

    model_config = SettingsConfigDict(
        env_prefix="SIM_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8004, ge=0, le=65_535, description="port, 0 for any free one")
    mode: Mode = Field(
        Mode.CONTINUOUS,
        description="continuous: always open; session: real 09:15-15:30 IST; "
        "replay: one day, then hold its final values",
    )
    speed: float = Field(
        1.0,
        gt=0,
        le=1_000_000,
        description="replay this many times faster (implies replay)",
        validation_alias=AliasChoices("SIM_SPEED", "SPEED"),
    )
    bhavcopy: Path | None = Field(
        None,
        description="end-of-day file to play, legacy or UDiFF (default: built in)",
        validation_alias=AliasChoices("SIM_BHAVCOPY", "BHAVCOPY"),
    )
    seed: int = Field(1, ge=0, description="seed of the invented universe and paths")
    activity: Activity = Field(
        Activity.NATURAL,
        description="natural, or every_tick: every scrip changes at each tick",
    )
    tick_ms: int = Field(
        1000, ge=10, le=60_000, description="the market advances once per tick"
    )
    scrips: int | None = Field(
        None, ge=1, description="play only this many scrips, best known first"
    )
    header_rules: Switch = Field(
        Switch.ON, description="refuse requests by the exchange's header rules"
    )

    @model_validator(mode="before")
    @classmethod
    def _speed_implies_replay(cls, values: dict[str, object]) -> dict[str, object]:
        """Switch to replay when a speed is given."""
        given = any(values.get(name) for name in ("speed", "SPEED", "SIM_SPEED"))
        return {**values, "mode": Mode.REPLAY} if given else values

    @model_validator(mode="after")
    def _bhavcopy_is_there(self) -> Self:
        """Refuse a file that cannot be read, before anything starts."""
        if self.bhavcopy is not None and not self.bhavcopy.is_file():
            raise ValueError(f"BHAVCOPY: no such file: {self.bhavcopy}")
        return self


def environment_name(field: str) -> str:
    """Return the environment variable of a setting; other texts as they are."""
    if field not in Settings.model_fields:
        return field
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[-1])
    return f"SIM_{field.upper()}"


def describe_settings() -> str:
    """Return the settings as help text, one a line."""
    lines = []
    for name, field in Settings.model_fields.items():
        default = getattr(field.default, "value", field.default)
        shown = "none" if default is None else default
        lines.append(f"  {environment_name(name):<17} {field.description} [{shown}]")
    return "\n".join(lines)
