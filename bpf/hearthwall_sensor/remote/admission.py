"""Who may knock how often: a listener that anybody in the home can reach has little time for strangers."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from ..bounded import make_room

#: What one address, and all strangers together, may open at once, and how many more each second.
_ADDRESS_BURST: Final = 20.0
_ADDRESS_RATE: Final = 0.5
_ALL_BURST: Final = 100.0
_ALL_RATE: Final = 10.0
_REMEMBERED: Final = 1024


@dataclass(slots=True)
class _Bucket:
    """So many connections are left, as of then."""

    left: float
    at: float

    def take(self, burst: float, rate: float, now: float) -> bool:
        """Take one, if there is one."""
        self.left = min(burst, self.left + rate * max(now - self.at, 0.0))
        self.at = now
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


class Admission:
    """Counts connections by where they come from. One that shows a good token costs nothing."""

    def __init__(self, is_known: Callable[[str], bool]) -> None:
        """Take what says whether somebody with a good token was last at an address.

        That one never waits because of strangers: what all of them may open together is not its.
        """
        self._is_known = is_known
        self._all = _Bucket(_ALL_BURST, 0.0)
        self._addresses: dict[str, _Bucket] = {}

    def whose(self, address: str, interface: int = 0) -> str:
        """Return what stands for an address: where a good token was last used, itself.

        A stranger has as many addresses as it likes: of IPv6 its prefix stands for it, and of a link the interface.
        """
        if self._is_known(address):
            return address
        parsed = ip_address(address)
        if isinstance(parsed, IPv6Address):
            if parsed.is_link_local:
                return f"link {interface}"
            return str(ip_network((int(parsed), 64), strict=False))
        return address

    def admit(self, address: str, now: float, interface: int = 0) -> bool:
        """Return whether an address may open one more connection."""
        key = self.whose(address, interface)
        bucket = self._addresses.pop(key, None) or _Bucket(_ADDRESS_BURST, now)
        self._addresses[key] = bucket  # at the end: those that knocked long ago give way
        make_room(self._addresses, _REMEMBERED)
        if not bucket.take(_ADDRESS_BURST, _ADDRESS_RATE, now):
            return False
        return self._is_known(address) or self._all.take(_ALL_BURST, _ALL_RATE, now)

    def welcome(self, address: str, interface: int = 0) -> None:
        """Give an address back what it took: it has shown a good token."""
        self._addresses.pop(self.whose(address, interface), None)
