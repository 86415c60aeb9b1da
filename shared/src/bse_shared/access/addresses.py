"""Where a request comes from, as budgets and allow-lists see it. Pure."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)


Network = IPv4Network | IPv6Network

_SITE_BITS = 64
"""An IPv6 host has as many addresses as it likes within its /64."""


def networks_of(text: str) -> list[Network]:
    """The networks of a list with commas. Raises ValueError."""
    return [ip_network(part.strip()) for part in text.split(",") if part.strip()]


@lru_cache(maxsize=4096)
def payer(host: str) -> str:
    """Whose budget a request from this host is taken out of."""
    address = _address(host)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _SITE_BITS), strict=False))
    return host


def is_within(host: str, networks: Sequence[Network]) -> bool:
    """Whether the host is in one of the networks."""
    address = _address(host)
    return address is not None and any(address in network for network in networks)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:  # a UNIX socket's peer has none
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
