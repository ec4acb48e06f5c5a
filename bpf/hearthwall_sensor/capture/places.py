"""Which addresses of a capture are the home's, and which are nobody's."""

import ipaddress
from collections.abc import Iterable
from typing import Final

from ..network.home import NEVER_INTERNET, Network

INTERNET: Final = 0
HOME: Final = 1
#: Multicast and broadcast: of the home, and of no device.
GROUP: Final = 2

#: Addresses that no prefix makes foreign: they are not routed.
_LINK_ONLY: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/3",
        "::/127",
        "fe80::/10",
        "ff00::/8",
    )
)
_GROUPS: Final = tuple(
    ipaddress.ip_network(text) for text in ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8")
)
#: Addresses that are remembered to spare looking again.
_REMEMBERED: Final = 65_536

_Block = tuple[int, int]


class Places(dict[bytes, int]):
    """INTERNET, HOME or GROUP by address of sixteen bytes, for whatever address is asked for."""

    def __init__(self, lan: Iterable[Network] = ()) -> None:
        """Take the home's prefixes; without any, whatever can't be on the internet is the home's."""
        super().__init__()
        #: The home's prefixes that were given.
        self.named = own = tuple(lan)
        self._on_link = [_block(each) for each in _LINK_ONLY]
        self._home = [_block(each) for each in ((*own, *_LINK_ONLY) if own else NEVER_INTERNET)]
        self._groups = [_block(each) for each in _GROUPS]
        self._groups += [_block(each, last_only=True) for each in own if _has_broadcast(each)]

    def is_routed(self, address: bytes) -> bool:
        """Return whether an address is the home's and means something beyond its link."""
        number = int.from_bytes(address, "big")
        return self[address] == HOME and not _is_in(number, self._on_link)

    def __missing__(self, address: bytes) -> int:
        """Find out what an address is, and remember it."""
        number = int.from_bytes(address, "big")
        found = INTERNET
        if _is_in(number, self._groups):
            found = GROUP
        elif _is_in(number, self._home):
            found = HOME
        if len(self) >= _REMEMBERED:
            self.clear()
        self[address] = found
        return found


def _is_in(number: int, blocks: Iterable[_Block]) -> bool:
    """Return whether an address is in one of these."""
    return any(number >> shift == prefix for shift, prefix in blocks)


def _has_broadcast(network: Network) -> bool:
    """Return whether a prefix's last address is everybody's."""
    return network.version == 4 and network.prefixlen < 31


def _block(network: Network, *, last_only: bool = False) -> _Block:
    """Return the bits behind a prefix of sixteen bytes, and the number before them."""
    address = network.broadcast_address if last_only else network.network_address
    shift = 0 if last_only else network.max_prefixlen - network.prefixlen
    number = int(address) | (0xFFFF << 32 if network.version == 4 else 0)
    return shift, number >> shift
