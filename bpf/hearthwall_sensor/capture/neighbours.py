"""Which MAC an address has, where a link tells only who sent a packet (Linux cooked captures)."""

from typing import Final

from ..flows.flow import Sample
from .link import NO_MAC

#: Addresses that are remembered; a flood of invented ones is not learnt from.
_MAX_ADDRESSES: Final = 65_536
#: Samples of devices that have not sent yet, kept until it is known whose they are.
_MAX_WAITING: Final = 4096


class Neighbours:
    """What was learnt from senders."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._macs: dict[bytes, bytes] = {}
        self._waiting: dict[bytes, list[Sample]] = {}
        self._left = _MAX_WAITING

    def learn(self, address: bytes, mac: bytes, *, is_outgoing: bool) -> bool:
        """Learn who sent from an address, zeros where its link has no MACs; return whether that is news.

        What the capturing host sends on for others bears its own MAC, so it counts only where nothing else is known.
        """
        known = self._macs.get(address)
        if known is None:
            if len(self._macs) >= _MAX_ADDRESSES:
                return False
        elif mac in (known, NO_MAC) or (is_outgoing and known != NO_MAC):
            return False
        self._macs[address] = mac
        return known is None or known == NO_MAC

    def mac(self, address: bytes) -> bytes | None:
        """Return the MAC that an address has, None if it is not known yet."""
        return self._macs.get(address)

    def wait(self, address: bytes, sample: Sample) -> bool:
        """Keep a sample if the MAC of its device is still to be learnt, and there is room; return whether it was."""
        if not self._left or address in self._macs:
            return False
        self._left -= 1
        self._waiting.setdefault(address, []).append(sample)
        return True

    def waiting(self, address: bytes) -> list[Sample]:
        """Give up the samples of an address."""
        found = self._waiting.pop(address, [])
        self._left += len(found)
        return found

    def all_waiting(self) -> list[Sample]:
        """Give up all samples, in the order in which they came."""
        found = [sample for each in self._waiting.values() for sample in each]
        self._waiting.clear()
        self._left = _MAX_WAITING
        return sorted(found, key=lambda sample: sample.time)
