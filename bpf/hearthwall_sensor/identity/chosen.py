"""What the user says of devices: their names, and which MACs are one device. The user's word wins."""

from collections.abc import Iterable, Mapping
from typing import Final

from ..protocol import SensorError

MAX_NAME: Final = 64


def checked_name(text: str) -> str:
    """Return a name that may be given; raises SensorError `invalid_message`."""
    name = text.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise SensorError(
            "invalid_message", f"a device's name is 1 to {MAX_NAME} printable characters"
        )
    return name


class Chosen:
    """Names by MAC, and the MACs that were merged into another one: never into one that is merged itself."""

    def __init__(
        self, names: Mapping[str, str] | None = None, merged: Mapping[str, str] | None = None
    ) -> None:
        """Take what was kept on disk: MAC → name, and MAC → the one that stands for it."""
        self.names: dict[str, str] = dict(names or {})
        self._merged: dict[str, str] = dict(merged or {})

    def primary(self, mac: str) -> str:
        """Return the MAC that stands for a device."""
        return self._merged.get(mac, mac)

    def is_merged(self, mac: str) -> bool:
        """Return whether another MAC stands for this one."""
        return mac in self._merged

    def macs(self, mac: str) -> tuple[str, ...]:
        """Return all MACs of a device, the one that stands for it at the head; it is named by any of them."""
        primary = self.primary(mac)
        return primary, *sorted(
            alias for alias, standing in self._merged.items() if standing == primary
        )

    def name(self, mac: str) -> str | None:
        """Return what the user calls a device, by any of its MACs."""
        return next((self.names[each] for each in self.macs(mac) if each in self.names), None)

    @property
    def spoken_of(self) -> frozenset[str]:
        """The MACs that the user has said something of."""
        return frozenset((*self.names, *self._merged, *self._merged.values()))

    # What is changed is on disk before it is changed here

    def rename(self, mac: str, name: str | None) -> None:
        """Give a device a name, or take it back: then none of its MACs has one.

        The MAC that stands for it has the name. One that was merged keeps its own, for when it is split off.
        """
        if name is not None:
            self.names[self.primary(mac)] = name
            return
        for each in self.macs(mac):
            self.names.pop(each, None)

    def merge(self, macs: Iterable[str], into: str) -> None:
        """Let a MAC stand for others too."""
        self._merged.update(dict.fromkeys(macs, into))

    def split(self, mac: str) -> None:
        """Let a MAC stand for itself again."""
        self._merged.pop(mac, None)

    def forget(self, macs: Iterable[str]) -> None:
        """Forget all that was said of MACs."""
        for mac in macs:
            self.names.pop(mac, None)
            self._merged.pop(mac, None)
