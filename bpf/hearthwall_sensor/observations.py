"""What detectors are told: small facts with a time, the same whether packets are seen live or come from a capture.

Times are seconds since the epoch and never run backwards by more than a look's interval. `who` is a device: the
MAC that stands for it, or its address in a capture without MACs.
"""

from functools import lru_cache
from typing import NamedTuple

from .dissect.applications import UNKNOWN, guess
from .dissect.dhcp import Lease
from .flows.community_id import community_id
from .flows.flow import ICMP, ICMPV6, SCTP, TCP, UDP, UPLOAD, Counted, FlowKey
from .flows.labels import Label
from .network.places import Place
from .notation import address_text
from .processes.image import Image
from .protocol import Outcome, Role, Scope

TRANSPORTS = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "icmpv6", SCTP: "sctp"}


def _transport(protocol: int) -> str:
    """Return a protocol's name."""
    return TRANSPORTS.get(protocol) or f"ip-{protocol}"


@lru_cache(maxsize=4096)
def _service(protocol: int, port: int) -> str:
    """Return what a server is called, of which every detector asks for every flow."""
    transport = _transport(protocol)
    return f"{transport}/{port}" if protocol in (TCP, UDP, SCTP) else transport


class _Flow(NamedTuple):
    """The fields of a Flow."""

    packed: bytes
    """The kernel's key: what one flow is known by."""
    key: FlowKey
    counted: Counted
    """As of the observation; its times are on the flows' own clock."""
    label: Label
    scope: Scope
    """Where the peer is, seen from the device."""
    place: Place
    outcome: Outcome | None
    """Of TCP; None for the others."""
    first: float
    last: float


class Flow(_Flow):
    """One flow of one device, as far as it has come."""

    @property
    def is_outgoing(self) -> bool:
        """Whether the device opened it."""
        return self.counted.opener == UPLOAD

    @property
    def transport(self) -> str:
        """Its name, such as `tcp`."""
        return _transport(self.key.protocol)

    @property
    def server_port(self) -> int:
        """The port that the side which was called listens on."""
        return self.key.peer_port if self.is_outgoing else self.key.port

    @property
    def service(self) -> str:
        """Transport and the server's port, such as `tcp/443`; the transport alone where there are no ports."""
        return _service(self.key.protocol, self.server_port)

    @property
    def application(self) -> str:
        """What is spoken: by its bytes, else by its port where both sides spoke, else `unknown`."""
        if self.label.application is not None:
            return self.label.application
        if self.outcome in ("refused", "no_answer"):
            return UNKNOWN
        return guess(self.key.protocol, self.key.port, self.key.peer_port, self.label.name)

    @property
    def address(self) -> str:
        """The device's."""
        return address_text(self.key.address)

    @property
    def peer(self) -> str:
        """The peer's address."""
        return address_text(self.key.peer)

    @property
    def community_id(self) -> str:
        """Community ID v1."""
        return community_id(self.key)

    @property
    def has_failed(self) -> bool:
        """Whether nobody answered, or with a refusal only: TCP by its flags, UDP and ICMP by silence."""
        if self.outcome is not None:
            return self.outcome in ("refused", "no_answer")
        counted = self.counted
        answers = counted.download_packets if self.is_outgoing else counted.upload_packets
        return answers == 0


class Began(NamedTuple):
    """A flow was looked at for the first time, a few seconds after its first packet at most."""

    time: float
    who: str
    flow: Flow


class Settled(NamedTuple):
    """A flow has been quiet for SETTLED seconds. One that moves again settles again, with all that it has counted."""

    time: float
    who: str
    flow: Flow


class Met(NamedTuple):
    """It is known whom a flow is with that a device opened and somebody answered: told once for each flow."""

    time: float
    who: str
    flow: Flow


#: Quiet for so many seconds, a flow has settled: TCP's first attempts are over by then (flows.outcome).
SETTLED = 3.0


class Spoke(NamedTuple):
    """The bytes of a flow told which application it is: at once, before anyone looks at the flow."""

    time: float
    who: str
    packed: bytes
    key: FlowKey
    application: str
    scope: Scope
    name: str | None
    """The peer's, if it is known yet."""
    is_outgoing: bool


class Asked(NamedTuple):
    """A device asked a DNS server for a name; live, a question whose packet was not sampled is told by its answer."""

    time: float
    who: str
    name: str
    kind: int
    """The type that was asked for: 1 A, 28 AAAA, 16 TXT, 10 NULL, …"""
    server: bytes
    size: int
    """Of the question's message, bytes."""


class Answered(NamedTuple):
    """A device was answered by a DNS server."""

    time: float
    who: str
    name: str
    kind: int
    addresses: tuple[bytes, ...]
    """None for a name that does not exist, or has no address."""
    server: bytes
    size: int


class Named(NamedTuple):
    """A name was said in a hello (TLS, QUIC) or an HTTP request by a device that opened the flow."""

    time: float
    who: str
    packed: bytes
    key: FlowKey
    name: str
    source: str = "tls"
    """Where it was said: `tls`, `quic` or `http`."""


class Claimed(NamedTuple):
    """A device said by ARP or neighbour discovery that an address is its own."""

    time: float
    who: str
    address: bytes
    is_reply: bool
    """An answer or an announcement, which changes others' tables, rather than a question by the way."""
    is_true: bool
    """Whether the frame comes from the MAC that it names."""
    sought: bytes | None = None
    """The address of somebody else that an ARP question looks for."""


class Leased(NamedTuple):
    """A DHCP or DHCPv6 server said something to a client."""

    time: float
    who: str
    """The device that the frame came from: the server, or a relay."""
    lease: Lease
    is_v6: bool
    address: bytes
    """The address that it was sent from."""
    is_own: bool = False
    """Whether this host sent it itself: a device could send it in this host's name."""


class Advertised(NamedTuple):
    """A router advertisement, or a redirect to another router (ND)."""

    time: float
    who: str
    address: bytes
    """The address that it was sent from."""
    is_redirect: bool
    lifetime: int | None = None
    """For how many seconds an advertiser offers to be the way out; 0 for one that only tells of networks behind it."""


class Appeared(NamedTuple):
    """A device that was never seen before sent its first packets."""

    time: float
    who: str
    is_randomised: bool


class Moved(NamedTuple):
    """What a device moved since it was told the last time; devices that moved nothing are not told of."""

    time: float
    who: str
    seconds: float
    """Since the look before, about LOOK seconds."""
    upload: int
    """Bytes to the internet."""
    download: int
    """Bytes from the internet."""
    upload_packets: int
    """Packets of all scopes that it sent."""
    download_packets: int
    """Packets of all scopes that reached it."""
    all_upload: int
    """Bytes of all scopes that it sent."""
    all_download: int


#: How often flows and totals are looked at, in seconds.
LOOK = 5.0


class Listed(NamedTuple):
    """A device met an address, or asked for or spoke to a name, that is on a feed."""

    time: float
    who: str | None
    address: str | None
    peer: str | None
    """The listed address."""
    name: str | None
    """The listed name."""
    via: str
    """How it was met: `packets`, `dns`, `http`, `tls` or `quic`."""
    feeds: tuple[str, ...]
    entry: str
    """What stands in the list: the address, prefix, name or `*.name` that matched."""
    listed_since: float | None
    """Since when the entry was in our copy of the list, or when that was last read."""
    packets: int = 0
    bytes: int = 0
    blocked: bool = False
    resolved: tuple[str, ...] = ()


class Flooding(NamedTuple):
    """A source sent more packets of a kind than a threshold of the kernel's, which dropped the rest."""

    time: float
    who: str | None
    """None for a source outside."""
    address: str
    peer: str
    flood: str
    """`syn`, `udp` or `icmp`."""
    side: Role
    rate: int
    limit: int
    dropped: int
    dropped_bytes: int


class Executed(NamedTuple):
    """A process of this host became something else by an exec."""

    time: float
    who: str
    """The program, as `Image.program`; the same in all that is observed of processes."""
    image: Image


class Connected(NamedTuple):
    """A process of this host began a connection, or was called: at once, before anyone looks at the flow."""

    time: float
    who: str
    image: Image
    pid: int
    transport: str
    address: bytes
    """This side's; zeros where it is not known yet."""
    port: int
    peer: bytes
    peer_port: int
    scope: Scope
    is_outgoing: bool


class Bound(NamedTuple):
    """A process of this host bound a port that was not chosen for it by the kernel."""

    time: float
    who: str
    image: Image
    pid: int
    service: str
    """Such as `tcp/8080`."""
    address: bytes


class Called(NamedTuple):
    """A process of this host made a system call that is watched."""

    time: float
    who: str
    image: Image
    pid: int
    call: str
    """`write` (a file opened for writing), `chmod` (made executable), `memfd`, `ptrace`, `socket` or `listen`."""
    path: str
    """Of write, chmod and memfd; empty for the others."""
    number: int
    """ptrace: the process that it is about; socket: the address family."""
    detail: int = 0
    """ptrace: the request; socket: its type; chmod: the mode."""


class Look(NamedTuple):
    """A look at flows and totals is over: time for what is judged by the clock."""

    time: float


Observation = (
    Began
    | Settled
    | Met
    | Spoke
    | Asked
    | Answered
    | Named
    | Claimed
    | Leased
    | Advertised
    | Appeared
    | Moved
    | Listed
    | Flooding
    | Executed
    | Connected
    | Bound
    | Called
    | Look
)
