"""Turns what samples say into observations: the same for a living network and for a capture."""

from collections.abc import Callable
from typing import Final

from ..bounded import make_room
from ..dissect import arp, dhcp, dns, nd
from ..dissect.applications import UNKNOWN
from ..observations import (
    Advertised,
    Answered,
    Asked,
    Claimed,
    Leased,
    Named,
    Observation,
    Spoke,
)
from .flow import UPLOAD, FlowKey, Sample
from .labels import Label
from .observed import World, who

_UNSPECIFIED: Final = (bytes(16), bytes(10) + b"\xff\xff" + bytes(4))
#: Questions whose answers are awaited; the oldest gives way.
_MAX_ASKED: Final = 4096
#: One frame may be seen twice, where it comes in and where it leaves, within so many nanoseconds.
_TWICE: Final = 50_000_000


class Witness:
    """Tells what devices say."""

    def __init__(
        self,
        tell: Callable[[Observation], None],
        world: World,
        opener: Callable[[bytes], int | None],
    ) -> None:
        """Take whom to tell, and what knows which direction opened a flow, by its packed key."""
        self._tell = tell
        self._world = world
        self._opener = opener
        #: Whether anybody minds that an application is spoken: telling of each is most of the work.
        self.minds: Callable[[str], bool] = lambda _: True
        self._asked: dict[tuple[bytes, bytes, str], None] = {}
        self._leased = (bytes(6), b"", -_TWICE)

    # Flows

    def label_changed(self, sample: Sample, key: FlowKey, before: Label, now: Label) -> None:
        """Tell what is spoken, and the name that the client called its server."""
        spoken = now.application
        if spoken not in (None, UNKNOWN, before.application) and self.minds(spoken):
            self._speak(sample, key, now)
        is_named = now.name is not None and (now.name, now.source) != (before.name, before.source)
        if is_named and now.way == sample.direction == UPLOAD and now.source != "dns":
            self._tell(
                Named(
                    self._world.epoch(sample.time),
                    self._world.device(who(key)),
                    sample.key,
                    key,
                    now.name or "",
                    now.source or "",
                )
            )

    def _speak(self, sample: Sample, key: FlowKey, label: Label) -> None:
        """Tell what is spoken."""
        opener = self._opener(sample.key)
        self._tell(
            Spoke(
                self._world.epoch(sample.time),
                self._world.device(who(key)),
                sample.key,
                key,
                label.application or UNKNOWN,
                self._world.scope(key.peer),
                label.peer_name,
                (sample.direction if opener is None else opener) == UPLOAD,
            )
        )

    # Names

    def asked(
        self, sample: Sample, key: FlowKey, message: bytes, question: tuple[str, int]
    ) -> None:
        """Tell of a question."""
        name, kind = question
        self._asked[who(key), message[:2], name] = None
        make_room(self._asked, _MAX_ASKED)
        self._ask(sample, key, name, kind, _size(sample, message))

    def _ask(self, sample: Sample, key: FlowKey, name: str, kind: int, size: int) -> None:
        """Tell of a question."""
        time, device = self._world.epoch(sample.time), self._world.device(who(key))
        self._tell(Asked(time, device, name, kind, key.peer, size))

    def answered(
        self, sample: Sample, key: FlowKey, message: bytes, answer: dns.Answer, *, believed: bool
    ) -> None:
        """Tell of an answer, and before it of its question, if that was not seen and the answer is believed."""
        name = answer.names[0]
        question = (who(key), message[:2], name)
        if question in self._asked:
            del self._asked[question]
        elif believed:
            # A header, the name with a length before each label and a zero at its end, type and class
            self._ask(sample, key, name, answer.kind, 12 + len(name) + 2 + 4)
        addresses = tuple(address for address, _ in answer.addresses)
        self._tell(
            Answered(
                self._world.epoch(sample.time),
                self._world.device(question[0]),
                name,
                answer.kind,
                addresses,
                key.peer,
                _size(sample, message),
            )
        )

    # Addresses

    def claimed_by_arp(self, sample: Sample, key: FlowKey, claim: arp.Claim) -> None:
        """Tell that a device claims an address by ARP."""
        if claim.address not in _UNSPECIFIED:
            is_true = claim.mac == sample.sender
            sought = None if claim.is_reply else claim.target
            self._tell(
                Claimed(
                    self._world.epoch(sample.time),
                    self._world.device(who(key)),
                    claim.address,
                    claim.is_reply,
                    is_true,
                    sought,
                )
            )

    def discovered(self, sample: Sample, key: FlowKey, message: nd.Message) -> None:
        """Tell what neighbour discovery says: of an address, of a router, or of a way."""
        if message.kind in (nd.ROUTER_ADVERTISEMENT, nd.REDIRECT):
            self._tell(
                Advertised(
                    self._world.epoch(sample.time),
                    self._world.device(who(key)),
                    key.address,
                    message.kind == nd.REDIRECT,
                    message.lifetime,
                )
            )
            return
        is_reply = message.kind == nd.NEIGHBOUR_ADVERTISEMENT
        is_new = message.kind == nd.NEIGHBOUR_SOLICITATION and key.address in _UNSPECIFIED
        address = message.address if is_reply or is_new else key.address
        if address is not None and address not in _UNSPECIFIED:
            is_true = message.mac in (None, sample.sender)
            time, device = self._world.epoch(sample.time), self._world.device(who(key))
            self._tell(Claimed(time, device, address, is_reply, is_true))

    def leased(self, sample: Sample, key: FlowKey, lease: dhcp.Lease, *, is_v6: bool) -> None:
        """Tell what a DHCP server says."""
        sender, data, time = self._leased
        is_again = sender == sample.sender and data == sample.data
        if lease.kind not in dhcp.BY_SERVERS or (is_again and sample.time - time < _TWICE):
            return
        self._leased = (sample.sender, sample.data, sample.time)
        address = key.address if sample.direction == UPLOAD else key.peer
        device = sample.sender if any(sample.sender) else address
        self._tell(
            Leased(
                self._world.epoch(sample.time),
                self._world.device(device),
                lease,
                is_v6,
                address,
                is_own=sample.interface == 0,
            )
        )


def _size(sample: Sample, message: bytes) -> int:
    """Return a message's size, also of a datagram that is cut off."""
    is_whole_datagram = message is sample.data
    return max(len(message), sample.wire_length) if is_whole_datagram else len(message)
