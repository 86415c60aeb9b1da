"""The gateway's settings."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from pydantic import ValidationError

from bse_gateway.settings import AuthSettings, RestSettings


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


def wrong(**settings):
    """What is wrong with the settings."""
    with pytest.raises(ValidationError) as caught:
        AuthSettings(**settings)
    return str(caught.value)


def test_production_wants_to_know_who_asks_and_development_does_not():
    """Unless it is said otherwise."""
    assert "optional" == AuthSettings().effective_mode
    assert "off" == AuthSettings(mode="off").effective_mode


def test_production_starts_with_secrets_of_its_own(tmp_path, signing_key_file):
    """And with nothing else: then everybody has to say who he is."""
    pepper = tmp_path / "pepper"
    pepper.write_bytes(b"p" * 32 + b"\n")
    good = {
        "environment": "production",
        "pepper_file": str(pepper),
        "signing_key_file": signing_key_file,
    }
    settings = AuthSettings(**good)
    assert ("required", b"p" * 32) == (settings.effective_mode, settings.pepper_bytes)
    assert "optional" == AuthSettings(**good, mode="optional").effective_mode
    pepper.write_bytes(b"short")
    assert "AUTH_PEPPER_FILE" in wrong(**good)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "AUTH_PEPPER_FILE"),
        ({}, "AUTH_SIGNING_KEY_FILE"),
        ({"demo_key": True}, "AUTH_DEMO_KEY"),
        ({"mode": "off"}, "AUTH_MODE=off"),
    ],
)
def test_production_refuses_what_only_development_may_do_without(settings, named):
    """At the start, by name."""
    assert named in wrong(environment="production", **settings)


def test_a_signing_key_that_is_none_is_refused_at_the_start(tmp_path):
    """Not at the first sign-in, and without a word of the file."""
    path = tmp_path / "key.pem"
    assert "cannot be read" in wrong(signing_key_file=str(path))
    path.write_text("hunter2")
    assert "not an unencrypted PEM" in wrong(signing_key_file=str(path))
    assert "hunter2" not in wrong(signing_key_file=str(path))
    other = generate_private_key(SECP256R1())
    path.write_bytes(
        other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    assert "not an Ed25519 key" in wrong(signing_key_file=str(path))


@pytest.mark.parametrize("text", ["localhost", "127.0.0.1/33", "10.0.0.1/8"])
def test_networks_must_be_networks(text):
    """A slip must not open administration, nor shut it."""
    assert "admin_networks" in wrong(admin_networks=text)


def test_secrets_are_not_shown():
    """Neither where settings are printed nor where they are wrong."""
    settings = AuthSettings(pepper="hunter2")
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in wrong(pepper="hunter2", environment="production")
