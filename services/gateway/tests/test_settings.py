"""The gateway's settings."""

import pytest
from pydantic import ValidationError

from bse_gateway.settings import RestSettings


@pytest.mark.parametrize(
    "url", ["http://hub", "ws://", "hub:8001", "", "wss://hub/?client_id=x"]
)
def test_a_stream_address_that_no_client_could_use_is_refused_at_start(url):
    """Better no start than an answer that leads nowhere."""
    with pytest.raises(ValidationError):
        RestSettings(stream_url=url)


def test_a_trailing_slash_of_the_stream_address_is_dropped():
    """Paths are put behind it."""
    assert RestSettings(stream_url="wss://a.example/x/").stream_url == (
        "wss://a.example/x"
    )


def test_origins_are_a_list_with_commas_and_none_by_default():
    """Browsers of other sites stay out until somebody lets them in."""
    assert [] == RestSettings().origins
    some = RestSettings(cors_origins="https://a.example, https://b.example,")
    assert ["https://a.example", "https://b.example"] == some.origins
