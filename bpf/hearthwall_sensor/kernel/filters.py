"""The bits that tell a packet's program that a table can't hold its addresses: filter.h asks, this sets them."""

import ipaddress
from collections.abc import Iterable
from typing import Final

from ..notation import mac_bytes
from ..targets import Target, TargetKind
from .libbpf import Map

_BYTES: Final = 1024 * 8
_SPREAD_64: Final = 0x9E3779B97F4A7C15
_SPREAD_32: Final = 0x9E3779B1
_MASK_64: Final = 2**64 - 1
_MASK_32: Final = 2**32 - 1
#: The order of `struct filters`.
_ORDER: Final[tuple[TargetKind, ...]] = ("mac", "ipv4", "ipv6", "ipv4_network", "ipv6_network")
_NEVER_DROP: Final = len(_ORDER) * _BYTES
#: Size of `struct filters`.
FILTER_BYTES: Final = _NEVER_DROP + _BYTES
#: After so many rules have gone the filters are made anew; until then their bits only cost a look-up.
_STALE: Final = 1024


def _mac_bit(mac: int) -> int:
    """Return the number of a MAC's bit; its bytes in memory as a number."""
    return (mac * _SPREAD_64 & _MASK_64) >> 48


def _address_bit(address: bytes) -> int:
    """Return the number of an IPv6 address's bit."""
    high, low = (int.from_bytes(address[i : i + 8], "big") for i in (0, 8))
    return ((high * _SPREAD_64 + low) * _SPREAD_64 & _MASK_64) >> 48


def _bits(target: Target) -> Iterable[int]:
    """Yield the numbers of a target's bits in its filter."""
    match target.kind:
        case "mac":
            yield _mac_bit(int.from_bytes(mac_bytes(target.value), "little"))
        case "ipv4":
            value = int.from_bytes(ipaddress.IPv4Address(target.value).packed, "little")
            yield (value * _SPREAD_32 & _MASK_32) >> 16
        case "ipv6":
            yield _address_bit(ipaddress.IPv6Address(target.value).packed)
        case "ipv4_network":
            network = ipaddress.IPv4Network(target.value)
            first = int(network.network_address) >> 16
            yield from range(first, first + max(1, 1 << 16 >> network.prefixlen))
        case "ipv6_network":
            network6 = ipaddress.IPv6Network(target.value)
            first = int(network6.network_address) >> 96
            for each in range(first, first + max(1, 1 << 32 >> network6.prefixlen)):
                yield (each * _SPREAD_32 & _MASK_32) >> 16
        case "domain":  # watched by its answers, not by packets
            pass


class Filters:
    """The filters of one generation's tables of rules."""

    def __init__(self, table: Map) -> None:
        """Take the table with its one entry, as it is."""
        self._table = table
        self._bits = bytearray(table.get(bytes(4)) or bytes(FILTER_BYTES))
        self._gone = 0

    def add(self, target: Target) -> None:
        """Let packets that may meet the target's rule look for it."""
        self._set(target)
        self._write()

    def remove(self, remaining: Iterable[Target]) -> None:
        """Take note that a rule has gone; remaining are the targets that still have one."""
        self._gone += 1
        if self._gone < _STALE:
            return
        self._gone = 0
        self._bits[:_NEVER_DROP] = bytes(_NEVER_DROP)
        for target in remaining:
            self._set(target)
        self._write()

    def protect(self, keys: Iterable[bytes]) -> None:
        """Let what may be about to drop look for these MACs and addresses in the never-drop set."""
        before = bytes(self._bits)
        for key in keys:
            is_mac = len(key) == 8
            number = _mac_bit(int.from_bytes(key, "little")) if is_mac else _address_bit(key)
            self._bits[_NEVER_DROP + (number >> 3)] |= 1 << (number & 7)
        if self._bits != before:
            self._write()

    def _set(self, target: Target) -> None:
        """Set a target's bits."""
        if target.kind in _ORDER:
            start = _ORDER.index(target.kind) * _BYTES
            for number in _bits(target):
                self._bits[start + (number >> 3)] |= 1 << (number & 7)

    def _write(self) -> None:
        """Give the bits to the kernel."""
        self._table.put(bytes(4), bytes(self._bits))
