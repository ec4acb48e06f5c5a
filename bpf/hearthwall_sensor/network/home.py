"""What counts as the home and what as the internet; verdict.h judges packets by the same list."""

import ipaddress
from collections.abc import Iterable
from typing import Final

#: Prefixes that no internet host has: RFC 1122, 1918, 3927, 4291, 4193, 5735, 6598.
NEVER_INTERNET: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
        "::/127",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)


def is_home(address: str, networks: Iterable[str]) -> bool:
    """Return whether an address lies in the home; networks are the home's public prefixes."""
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in NEVER_INTERNET) or any(
        parsed in ipaddress.ip_network(network) for network in networks
    )


def public_networks(networks: Iterable[str]) -> list[str]:
    """Return the prefixes that need saying: those that NEVER_INTERNET does not cover."""
    found = []
    for text in networks:
        network = ipaddress.ip_network(text)
        covered = any(
            network.version == each.version and network.subnet_of(each)  # type: ignore[arg-type]
            for each in NEVER_INTERNET
        )
        if not covered and network.prefixlen > 0:
            found.append(text)
    return found
