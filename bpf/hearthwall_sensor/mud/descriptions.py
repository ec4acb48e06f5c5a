"""The descriptions of the home's devices: which hold, and which ones devices would have us fetch."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from ..policy.expectations import Expectations
from .reading import Description

#: As many devices have a description.
MAX_DESCRIPTIONS: Final = 256
#: Whatever a device announces, it has us fetch once in so many seconds, …
_AGAIN: Final = 86_400.0
#: … and all of them together once in so many.
_PAUSE: Final = 60.0
#: Devices of which it is known when they were tried; the one that was tried the longest time ago gives way.
_MAX_TRIED: Final = 1024


@dataclass(frozen=True, slots=True)
class Described:
    """One device's description: the file, where it came from, and since when it holds."""

    document: Any
    source: str
    """`file`, or the address that it was fetched from."""
    time: float
    says: Description
    expectations: Expectations
    ordered: bool
    """Whether the user gave it, or had it fetched: no device replaces it."""


class Descriptions:
    """Descriptions by MAC, and when devices had us look for one."""

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
        self._tried: dict[str, float] = {}
        self._latest: float | None = None

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

    def due(self, macs: Collection[str], now: float) -> tuple[str, str] | None:
        """Return a device and the address that it announced, which the policy allows to fetch and nobody has yet.

        One that the user ordered stays. macs are all devices that there are: others are forgotten here.
        """
        for mac in self._tried.keys() - set(macs):
            del self._tried[mac]
        if _is_within(self._latest, now, _PAUSE):
            return None
        for mac in macs:
            url = self._announced(mac)
            if (
                url is None
                or not self._allowed(mac)
                or _is_within(self._tried.get(mac), now, _AGAIN)
            ):
                continue
            held = self._described.get(mac)
            if held is not None and (
                held.ordered or held.source == url or _is_within(held.time, now, _AGAIN)
            ):
                continue
            self._latest = now
            self._tried.pop(mac, None)
            self._tried[mac] = now
            if len(self._tried) > _MAX_TRIED:
                del self._tried[next(iter(self._tried))]
            return mac, url
        return None

    def forget(self, macs: Iterable[str]) -> None:
        """Forget devices."""
        for mac in macs:
            self._described.pop(mac, None)
            self._tried.pop(mac, None)


def described(
    document: Any, source: str, time: float, says: Description, *, ordered: bool
) -> Described:
    """Return a description that holds from a time on (seconds since the epoch)."""
    return Described(document, source, time, says, Expectations(says.expected), ordered)


def _is_within(since: float | None, now: float, seconds: float) -> bool:
    """Return whether something was less than so long ago; it was not if the clock was set back since."""
    return since is not None and 0 <= now - since < seconds
