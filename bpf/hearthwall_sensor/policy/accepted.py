"""The events of which the user said that they are fine, at hand for every event that is about to be told."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ..errors import SensorError
from ..habits import Acceptance
from ..kinds import KINDS
from ..notice import Notice, whose
from ..protocol import Event

#: In all, so that disk and memory stay small.
MAX_ACCEPTED: Final = 1000


class Accepted:
    """All that was accepted; any MAC of a device names it, and a program its path."""

    def __init__(
        self,
        known: Iterable[Acceptance] = (),
        macs_of: Callable[[str], Iterable[str]] = lambda mac: (mac,),
    ) -> None:
        """Take what was kept on disk, and what gives all MACs of a device."""
        self._by_id: dict[int, Acceptance] = {}
        self._macs_of = macs_of
        self._index: dict[tuple[str, str, str], list[Acceptance]] = {}
        for each in known:
            self.add(each)

    def of(self, notice: Notice) -> Iterable[Mapping[str, Any]]:
        """Yield the evidence of what was accepted of a notice's device, kind and subject."""
        if not self._index:
            return
        for who in self._names(notice):
            for each in self._index.get((who, notice.kind, notice.subject), ()):
                yield each.evidence

    def check(self, event: Event) -> None:
        """Raise SensorError if an event can't be accepted."""
        kind = KINDS.get(event.kind)  # type: ignore[call-overload]
        if kind is None or kind.by_rules:
            raise SensorError(
                "invalid_message",
                f"event {event.seq} tells of a rule: there is nothing about it to accept",
            )
        if not whose(event.mac, event.process, event.address):
            raise SensorError("invalid_message", f"event {event.seq} is about no device")
        if len(self._by_id) >= MAX_ACCEPTED:
            raise SensorError(
                "invalid_message",
                f"{MAX_ACCEPTED:,} events were accepted already: take some back with"
                " `accept --revoke ID`; `accept --list` shows them",
            )

    def covers(self, event: Event) -> bool:
        """Return whether the user said of an event, or of one like it, that it is fine."""
        return any((who, event.kind, event.subject) in self._index for who in self._names(event))

    def _names(self, told: Notice | Event) -> Iterable[str]:
        """Return what an event's device or program is known by: each of a device's MACs."""
        if told.mac is not None:
            return self._macs_of(told.mac)
        return (whose(None, told.process, told.address),)

    def of_event(self, seq: int) -> Acceptance | None:
        """Return what was accepted by an event's number."""
        return next((each for each in self._by_id.values() if each.seq == seq), None)

    # What is changed is on disk before it is changed here

    def add(self, acceptance: Acceptance) -> None:
        """Take what was accepted."""
        self._by_id[acceptance.id] = acceptance
        self._index.setdefault(_key(acceptance), []).append(acceptance)

    def get(self, number: int) -> Acceptance:
        """Return an acceptance by its id; raises SensorError `not_found`."""
        if number not in self._by_id:
            raise SensorError(
                "not_found", f"nothing was accepted as {number}; `accept --list` shows"
            )
        return self._by_id[number]

    def remove(self, acceptance: Acceptance) -> None:
        """Forget what was accepted."""
        self._by_id.pop(acceptance.id, None)
        key = _key(acceptance)
        left = [each for each in self._index.pop(key, ()) if each.id != acceptance.id]
        if left:
            self._index[key] = left

    def forget(self, macs: Iterable[str]) -> None:
        """Forget what was accepted of these MACs, or names them."""
        named = tuple(macs)
        for each in self.list():
            if any(mac in f"{each.mac} {each.summary} {each.evidence}" for mac in named):
                self.remove(each)

    def list(self) -> tuple[Acceptance, ...]:
        """Return all, the oldest first."""
        return tuple(self._by_id.values())

    def of_device(self, mac: str) -> tuple[Acceptance, ...]:
        """Return what was accepted of a device, by any of its MACs."""
        macs = set(self._macs_of(mac))
        return tuple(each for each in self._by_id.values() if each.mac in macs)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_id)


def _key(acceptance: Acceptance) -> tuple[str, str, str]:
    """Return what an acceptance is looked for by."""
    who = whose(acceptance.mac, acceptance.process, acceptance.address)
    return who, acceptance.kind, acceptance.subject
