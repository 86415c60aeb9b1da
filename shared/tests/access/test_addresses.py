"""Where requests come from."""

import pytest

from bse_shared.access.addresses import is_within, networks_of, payer


def test_an_ipv6_site_pays_together():
    """One host has as many addresses as it likes."""
    assert payer("2001:db8:1:2::1") == payer("2001:db8:1:2:ffff::9")
    assert payer("2001:db8:1:2::1") != payer("2001:db8:1:3::1")
    assert "192.0.2.7" == payer("192.0.2.7")
    assert "" == payer("")


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::ffff:127.0.0.1", True),
        ("::1", True),
        ("128.0.0.1", False),
        ("::2", False),
        ("", False),
        ("localhost", False),
        ("127.0.0.1.evil.example", False),
        ("127.1", False),
        ("0177.0.0.1", False),
    ],
)
def test_only_addresses_are_within_networks(host, inside):
    """Nothing that merely looks like one."""
    assert inside == is_within(host, networks_of("127.0.0.0/8, ::1/128,"))


def test_an_empty_list_lets_nobody_in():
    """Administration can be shut."""
    assert not is_within("127.0.0.1", networks_of(""))
