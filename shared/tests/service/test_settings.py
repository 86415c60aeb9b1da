"""Settings from the environment: checked, explained, refused with a readable list."""

import sys
from dataclasses import dataclass

import pytest
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from bse_shared.service.settings import (
    HttpSettings,
    MarketSettings,
    ProcessSettings,
    explain,
    load_settings,
)


class TinyPart(BaseSettings):
    """Settings of a service under test."""

    model_config = SettingsConfigDict(env_prefix="TINY_")

    wait_s: float = Field(3.0, gt=0, description="how long to wait")
    url: str = Field("redis://here", pattern="^redis://", description="where to go")
    headers: dict[str, str] = Field(default_factory=dict, description="what to say")


@dataclass(frozen=True)
class TinySettings:
    """All of it."""

    http: HttpSettings
    process: ProcessSettings
    market: MarketSettings
    tiny: TinyPart


@pytest.fixture
def load(monkeypatch):
    """Load the settings from this environment."""

    def load_from(*arguments, **environment):
        monkeypatch.setattr(sys, "argv", ["tiny", *arguments])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load_settings(TinySettings, "A tiny service.")

    return load_from


@pytest.fixture
def refusal(load, capsys):
    """What is told of wrong settings."""

    def load_wrong(**environment):
        with pytest.raises(SystemExit) as caught:
            load(**environment)
        assert 2 == caught.value.code
        return capsys.readouterr().err

    return load_wrong


def test_defaults_need_no_environment(load):
    """A service starts as it is."""
    settings = load()

    assert (8000, "info", 8, 3.0) == (
        settings.http.port,
        settings.process.log_level,
        settings.market.shards,
        settings.tiny.wait_s,
    )


def test_the_environment_wins(load):
    """Each setting by its own variable."""
    settings = load(HTTP_PORT="9000", TINY_WAIT_S="0.5", TINY_HEADERS='{"A": "b"}')

    assert 9000 == settings.http.port
    assert 0.5 == settings.tiny.wait_s
    assert {"A": "b"} == settings.tiny.headers


def test_all_wrong_settings_are_told_at_once(refusal):
    """One line each: variable, rule, what was given."""
    told = refusal(HTTP_PORT="70000", LOG_LEVEL="loud", TINY_WAIT_S="0")

    assert told.startswith("Settings are wrong:\n")
    assert "  HTTP_PORT: Input should be less than or equal to 65535" in told
    assert "(got '70000')" in told
    assert "  LOG_LEVEL: " in told
    assert "  TINY_WAIT_S: " in told


@pytest.mark.parametrize("endless", ["inf", "nan", "-inf"])
def test_a_number_without_end_is_wrong(refusal, endless):
    """No wait may last for ever, and nothing compares with nan."""
    assert "TINY_WAIT_S: " in refusal(TINY_WAIT_S=endless)


def test_a_value_of_parts_must_be_json(refusal):
    """The variable is named here, too."""
    assert "  TINY_HEADERS: must be JSON\n" in refusal(TINY_HEADERS="A: b")


def test_passwords_are_not_told(refusal):
    """Standard error ends up in logs."""
    told = refusal(TINY_URL="http://user:secret@redis:6379/0")

    assert "secret" not in told
    assert "(got 'http://***@redis:6379/0')" in told


def test_help_explains_every_setting(load, capsys):
    """Variable, default, purpose; and it ends with 0."""
    with pytest.raises(SystemExit) as caught:
        load("--help")

    told = capsys.readouterr().out
    assert 0 == caught.value.code
    assert "A tiny service." in told
    assert "  TINY_WAIT_S=3.0\n      how long to wait" in told
    assert "  MARKET_SHARDS=8\n" in told
    assert all(line in told for line in explain(TinySettings))


@pytest.mark.parametrize(
    ("settings", "advertised"),
    [
        ({"host": "10.0.0.7"}, "10.0.0.7"),
        ({"host": "::1"}, "::1"),
        ({"host": "0.0.0.0", "advertise_host": "hub.example"}, "hub.example"),
    ],
)
def test_others_are_told_an_address_that_they_can_reach(settings, advertised):
    """The advertised host, else the one listened on."""
    assert advertised == HttpSettings(**settings).advertised


def test_an_address_for_all_interfaces_is_not_advertised():
    """Nobody can reach 0.0.0.0."""
    for everywhere in ("0.0.0.0", "::"):
        assert everywhere != HttpSettings(host=everywhere).advertised
