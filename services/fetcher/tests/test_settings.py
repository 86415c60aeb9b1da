"""The fetcher's settings, and the command."""

import dataclasses
import subprocess
import sys
import typing

import pytest
from pydantic import ValidationError

from bse_fetcher.settings import FetcherSettings, SourceSettings
from bse_fetcher.source_settings import BseSettings, KiteSettings, YahooSettings


def run(*arguments, **environment):
    """Run the command until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "bse_fetcher", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_help_lists_every_setting():
    """An operator needs no other page to start it."""
    done = run("--help")
    hints = typing.get_type_hints(FetcherSettings)

    assert 0 == done.returncode
    for part in dataclasses.fields(FetcherSettings):
        kind = hints[part.name]
        for name, field in kind.model_fields.items():
            variable = f"{kind.model_config.get('env_prefix', '')}{name}".upper()
            assert f"  {variable}=" in done.stdout
            assert field.description in done.stdout


def test_wrong_settings_end_it_with_a_readable_list():
    """Exit code 2 and a line for each wrong setting; passwords are not told."""
    done = run(
        REDIS_URL="https://user:secret@redis/0",
        HTTP_PORT="70000",
        LOG_LEVEL="loud",
        MARKET_SHARDS="0",
        BSE_BASE_URL="api.bseindia.com",
        BSE_USER_AGENT="two\nlines",
        BSE_EXTRA_HEADERS="not JSON",
        POLL_INTERVAL_S="soon",
        POLL_LEASE_TTL_S="0.5",
        POLL_SESSION="never",
    )

    assert 2 == done.returncode
    assert done.stderr.startswith("Settings are wrong:\n")
    for name in (
        "REDIS_URL: ",
        "HTTP_PORT: ",
        "LOG_LEVEL: ",
        "MARKET_SHARDS: ",
        "BSE_EXTRA_HEADERS: must be JSON",
        "POLL_INTERVAL_S: ",
        "POLL_LEASE_TTL_S: ",
        "POLL_SESSION: ",
    ):
        assert name in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "url", ["api.bseindia.com", "ftp://api.bseindia.com", "", "http://", "http://a..b"]
)
def test_an_address_that_cannot_be_asked_is_refused_at_start(url):
    """Better no start than a fetcher that fails for ever."""
    with pytest.raises(ValidationError):
        BseSettings(base_url=url)


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_agent": "a\nb"},
        {"referer": "https://a\r\nX: b"},
        {"origin": "\x00"},
        {"accept_language": "en\n"},
        {"extra_headers": {"X": "a\nb"}},
        {"extra_headers": {"X\n": "a"}},
        {"extra_headers": {"X": "\ud800"}},
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_at_start(wrong):
    """A line break in a header would end the process at its first poll."""
    with pytest.raises(ValidationError):
        BseSettings(**wrong)


def test_extra_headers_win():
    """The header set is configuration, all of it."""
    settings = BseSettings(extra_headers={"Accept-Encoding": "gzip", "X-A": "b"})

    assert "gzip" == settings.headers["Accept-Encoding"]
    assert "b" == settings.headers["X-A"]


def test_a_batch_is_fifty_scrips_unless_an_operator_says_more():
    """Also where the broker allows five hundred."""
    assert [50, 50] == [KiteSettings().symbols_max, YahooSettings().symbols_max]


@pytest.mark.parametrize(
    "wrong",
    [
        {"primary": "nobody"},
        {"primary": ""},
        {"primary": "http"},
        {"backup": "nobody"},
        {"backup": "replay"},
        {"primary": "kite", "backup": "bse"},
        {"primary": "kite", "backup": "kite"},
        {"validate_by": "bse"},
    ],
)
def test_a_source_that_can_not_serve_is_refused_at_start(wrong):
    """One that nobody made, or a list source where a batch source is wanted."""
    with pytest.raises(ValidationError):
        SourceSettings(**wrong)


def test_who_is_wrong_learns_which_sources_there_are():
    """The names are those of the folders."""
    with pytest.raises(ValidationError, match="one of bse, kite, replay, yahoo"):
        SourceSettings(primary="nobody")
