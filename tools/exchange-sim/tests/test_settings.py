"""Settings come from the environment, under their plain names too."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from bse_exchange_sim.load import UnreadableFileError, load_universe
from bse_exchange_sim.settings import Activity, Mode, Settings, describe_settings


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an environment the market is continuous on port 8004; empty is unset."""
    monkeypatch.setenv("SPEED", "")
    monkeypatch.setenv("BHAVCOPY", "")
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8004)
    assert (settings.mode, settings.activity) == (Mode.CONTINUOUS, Activity.NATURAL)
    assert settings.bhavcopy is None


@pytest.mark.parametrize("name", ["SPEED", "SIM_SPEED"])
def test_speed_implies_replay(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A speed, under either name, means a replay."""
    monkeypatch.setenv(name, "120")
    settings = Settings()
    assert (settings.mode, settings.speed) == (Mode.REPLAY, 120.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPEED", "0"),
        ("SPEED", "fast"),
        ("SPEED", "nan"),
        ("SIM_PORT", "70000"),
        ("SIM_MODE", "sometimes"),
        ("SIM_SCRIPS", "0"),
        ("SIM_TICK_MS", "1"),
        ("SIM_HEADER_RULES", "maybe"),
        ("BHAVCOPY", "/no/such/file.csv"),
    ],
)
def test_wrong_value_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A wrong setting stops the start."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_file_that_is_no_bhavcopy_is_named(tmp_path: Path) -> None:
    """The complaint names the file and the reason."""
    page = tmp_path / "EQ280624.CSV"
    page.write_text("<!doctype html>")
    with pytest.raises(
        UnreadableFileError, match=r"EQ280624\.CSV: the file is an HTML"
    ):
        load_universe(Settings(bhavcopy=page))


def test_help_names_every_setting() -> None:
    """The help text lists all settings by their names in the environment."""
    text = describe_settings()
    for name in [
        "SIM_HOST",
        "SIM_PORT",
        "SIM_MODE",
        "SPEED",
        "BHAVCOPY",
        "SIM_SEED",
        "SIM_ACTIVITY",
        "SIM_TICK_MS",
        "SIM_SCRIPS",
        "SIM_HEADER_RULES",
    ]:
        assert f"  {name} " in text
