"""What counts as the home and what as the internet; verdict.h judges packets by the same list."""

import ipaddress
from collections.abc import Iterable
from typing import Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

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


#: The same as (version, bits behind the prefix, number before them): addresses are asked for by the thousand.
_PREFIXES: Final = tuple(
    (
        each.version,
        each.max_prefixlen - each.prefixlen,
        int(each.network_address) >> each.max_prefixlen - each.prefixlen,
    )
    for each in NEVER_INTERNET
)


def is_home(text: str, networks: Iterable[str]) -> bool:
    """Return whether an address, or all of a prefix, lies in the home; networks are the home's public prefixes."""
    if "/" not in text:
        address = ipaddress.ip_address(text)
        version, number = address.version, int(address)
        return any(
            version == of and number >> bits == prefix for of, bits, prefix in _PREFIXES
        ) or any(address in ipaddress.ip_network(network) for network in networks)
    parsed = ipaddress.ip_network(text)
    return any(_lies_in(parsed, network) for network in NEVER_INTERNET) or any(
        _lies_in(parsed, ipaddress.ip_network(network)) for network in networks
    )


def public_networks(networks: Iterable[str]) -> list[str]:
    """Return the prefixes that need saying: those that NEVER_INTERNET does not cover."""
    found = []
    for text in networks:
        network = ipaddress.ip_network(text)
        covered = any(_lies_in(network, each) for each in NEVER_INTERNET)
        if not covered and network.prefixlen > 0:
            found.append(text)
    return found


def _lies_in(network: Network, other: Network) -> bool:
    """Return whether all of a prefix lies in another one."""
    return network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]
