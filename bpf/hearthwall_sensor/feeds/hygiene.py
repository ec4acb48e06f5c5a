"""What no list may block: the home, what it needs of the internet, and ranges that are no internet."""

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Final

from ..network.home import NEVER_INTERNET
from ..targets import SHORTEST_PREFIX
from .entries import MAX_EXAMPLES, Entries, Examples, Prefix, parse_prefix, prefix_text

#: Prefix → why it is no internet, beside `NEVER_INTERNET`: IANA's registries of special-purpose
#: addresses. The ranges for documentation may be blocked: nobody has them.
SPECIAL: Final[Mapping[str, str]] = {
    "192.0.0.0/24": "reserved for protocols",
    "198.18.0.0/15": "reserved for benchmarks",
    "64:ff9b::/96": "the way to IPv4 (NAT64)",
    "64:ff9b:1::/48": "the way to IPv4 (NAT64)",
    "100::/64": "reserved for discarding",
}

#: Prefix → why.
Protected = Mapping[str, str]


def protected(
    home_networks: Iterable[str], addresses: Mapping[str, str], servers: Iterable[str]
) -> dict[str, str]:
    """Return what no list may block, with the reason; addresses come with theirs."""
    found = {str(network): "a private or special range" for network in NEVER_INTERNET}
    found |= SPECIAL
    found |= dict.fromkeys(servers, "a DNS server of this host")
    found |= dict.fromkeys(home_networks, "a network of this home")
    return found | dict(addresses)


def subtract(entries: Entries, what: Protected) -> tuple[list[Prefix], list[Prefix], Examples]:
    """Return a list's IPv4 and IPv6 prefixes without what is protected, in order, and what was taken out.

    A wider prefix is split around it.
    """
    taken = Examples()
    kept = {32: list(entries.ipv4), 128: list(entries.ipv6)}
    for text, reason in what.items():
        found = _network(text)
        if found is not None:
            bits, hole = found
            _subtract(kept[bits], hole, bits, reason, taken)
    return kept[32], kept[128], taken


def _network(text: str) -> tuple[int, Prefix] | None:
    """Return a protected prefix, which may be wider than a list's."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return parse_prefix(text)
    return network.max_prefixlen, int(network.network_address) << 8 | network.prefixlen


def _subtract(
    prefixes: list[Prefix], hole: Prefix, bits: int, reason: str, taken: Examples
) -> None:
    """Take one prefix out of those of its family."""
    address, length = hole >> 8, hole & 255
    last = address | ((1 << bits - length) - 1)
    begin, end = bisect_left(prefixes, hole), bisect_right(prefixes, last << 8 | 255)
    if begin < end:
        for each in prefixes[begin : min(end, begin + MAX_EXAMPLES)]:
            taken.add(f"{prefix_text(each, bits)}: {reason}")
        taken.count += max(0, end - begin - MAX_EXAMPLES)
        del prefixes[begin:end]
    for size in range(SHORTEST_PREFIX[4 if bits == 32 else 6], length):
        wider = (address >> bits - size << bits - size) << 8 | size
        at = bisect_left(prefixes, wider)
        if at < len(prefixes) and prefixes[at] == wider:
            del prefixes[at]
            taken.add(f"{prefix_text(wider, bits)} but for {prefix_text(hole, bits)}: {reason}")
            _add_around(prefixes, hole, size, bits)


def _add_around(prefixes: list[Prefix], hole: Prefix, size: int, bits: int) -> None:
    """Add what is left of a prefix of this size without the hole in it."""
    address, length = hole >> 8, hole & 255
    for each in range(size + 1, length + 1):
        beside = address >> bits - each ^ 1
        piece = (beside << bits - each) << 8 | each
        at = bisect_left(prefixes, piece)
        if at == len(prefixes) or prefixes[at] != piece:
            prefixes.insert(at, piece)
