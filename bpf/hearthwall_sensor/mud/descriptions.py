"""The descriptions of the home's devices: which hold, and which ones devices would have us fetch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from ..policy.expectations import Expectations
from .reading import Description

#: As many devices have a description.
MAX_DESCRIPTIONS: Final = 256
#: What could not be fetched is asked for again after so long, in seconds.
_AGAIN: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Described:
    """One device's description: the file, where it came from, and since when it holds."""

    document: Any
    source: str
    """`file`, or the address that it was fetched from."""
    time: float
    says: Description
    expectations: Expectations


class Descriptions:
    """Descriptions by MAC, and the addresses that were tried."""

    def __init__(
        self,
        kept: Iterable[tuple[str, Described]],
        announced: Callable[[str], str | None],
        allowed: Callable[[str], bool],
    ) -> None:
        """Take what was kept on disk, what a device says where it is described, and whether that may be fetched."""
        self._described = dict(kept)
        self._announced = announced
        self._allowed = allowed
        self._tried: dict[str, tuple[str, float]] = {}

    def of(self, mac: str) -> Described | None:
        """Return a device's description."""
        return self._described.get(mac)

    def expectations(self, mac: str) -> Expectations | None:
        """Return what is expected of a device, None where nothing is said."""
        described = self._described.get(mac)
        return None if described is None else described.expectations

    def announced(self, mac: str) -> str | None:
        """Return where a device says that it is described."""
        return self._announced(mac)

    def put(self, mac: str, described: Described) -> None:
        """Let a description hold."""
        self._described[mac] = described

    def remove(self, mac: str) -> bool:
        """Take a device's description away; return whether there was one."""
        return self._described.pop(mac, None) is not None

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another device's."""
        return len(self._described) >= MAX_DESCRIPTIONS

    def due(self, macs: Iterable[str], now: float) -> tuple[str, str] | None:
        """Return a device and the address that it announced, which the policy allows to fetch and nobody has yet.

        One that the user gave stays, and an address that could not be had is tried again a day later.
        """
        for mac in macs:
            url = self._announced(mac)
            if url is None or not self._allowed(mac):
                continue
            described = self._described.get(mac)
            if described is not None and described.source in ("file", url):
                continue
            tried, when = self._tried.get(mac, ("", 0.0))
            if tried != url or now - when > _AGAIN:
                self._tried[mac] = (url, now)
                return mac, url
        return None

    def forget(self, macs: Iterable[str]) -> None:
        """Forget devices."""
        for mac in macs:
            self._described.pop(mac, None)
            self._tried.pop(mac, None)


def described(document: Any, source: str, time: float, says: Description) -> Described:
    """Return a description that holds from a time on (seconds since the epoch)."""
    return Described(document, source, time, says, Expectations(says.expected))
