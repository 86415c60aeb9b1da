"""The hub's settings."""

import pytest
from pydantic import ValidationError

from bse_ws_hub.settings import AuthSettings


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({}, "optional"),
        ({"environment": "production"}, "required"),
        ({"environment": "production", "mode": "optional"}, "optional"),
        ({"mode": "off"}, "off"),
    ],
)
def test_the_mode_means_what_it_means_at_the_gateway(settings, mode):
    """Production wants to know who comes, unless it is said otherwise."""
    assert mode == AuthSettings(**settings).effective_mode


def test_production_is_never_open_to_all_uncounted():
    """The setting for load tests must not be left on by mistake."""
    with pytest.raises(ValidationError):
        AuthSettings(environment="production", mode="off")
