"""What a device did that no description of it should allow: what events tell of that nobody said is fine."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from ..policy.expectations import LOCAL, Expectation
from ..protocol import Event

#: Whoever hands out names, addresses and the time in the home is needed all the same.
_BASICS: Final = frozenset((("udp", 53), ("tcp", 53), ("udp", 67), ("udp", 123)))


class _Contact(NamedTuple):
    """Somebody whom an event tells of."""

    seq: int
    address: str
    name: str
    transport: str | None = None
    """None where the event has no flow that says it, as for the port."""
    port: int | None = None


class Unwanted:
    """The contacts that events tell of."""

    def __init__(self, events: Iterable[Event], is_home: Callable[[str], bool]) -> None:
        """Take the events that nobody said are fine, and what tells whether an address is the home's."""
        self._contacts = [contact for event in events for contact in _contacts(event)]
        self._is_home = is_home

    def event(self, expectation: Expectation) -> int | None:
        """Return the number of the latest event that tells of what an expectation would allow, None for none."""
        return max(
            (each.seq for each in self._contacts if self._is(each, expectation)), default=None
        )

    def _is(self, contact: _Contact, expectation: Expectation) -> bool:
        """Return whether an expectation would allow a contact."""
        peer = expectation.peer
        if peer == LOCAL:
            is_peer = self._is_contact_at_home(contact)
        elif peer.startswith("*."):
            is_peer = f".{contact.name}".endswith(peer[1:])
        else:
            is_peer = peer in (contact.name, contact.address)
        if contact.transport is None:
            return is_peer and peer != LOCAL
        return is_peer and expectation.takes(contact.transport, contact.port or 0, "device")

    def _is_contact_at_home(self, contact: _Contact) -> bool:
        """Return whether a contact is a host of the home, and none that everybody asks."""
        is_basic = (contact.transport, contact.port) in _BASICS
        return bool(contact.address) and not is_basic and self._is_home(contact.address)


def _contacts(event: Event) -> Iterable[_Contact]:
    """Yield whom an event tells of: by its flows where it has any, else by its peer."""
    flows = event.evidence.get("flows")
    found = [_of_flow(event.seq, each) for each in flows] if isinstance(flows, list) else []
    if event.peer_name and all(each.name != event.peer_name for each in found):
        found.append(_Contact(event.seq, "", event.peer_name))
    if event.peer_address and not found:
        found.append(_Contact(event.seq, event.peer_address, ""))
    return found


def _of_flow(seq: int, flow: Mapping[str, Any]) -> _Contact:
    """Return whom a flow of an event's evidence was with."""
    port, transport = flow.get("peer_port"), str(flow.get("transport") or "")
    return _Contact(
        seq,
        str(flow.get("peer_address") or ""),
        str(flow.get("peer_name") or ""),
        "icmp" if transport == "icmpv6" else transport,
        port if isinstance(port, int) else None,
    )
