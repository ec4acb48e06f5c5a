"""A home of 250 devices and what they do: names are asked for, then connections made to where these lead."""

import ipaddress
import random
from collections.abc import Sequence
from typing import Final, NamedTuple

from bench import frames, hellos
from bench.router import LAN, WAN_MACS, Router
from bench.segments import DOWN, UP, Ends, Segment, connection, datagrams

DEVICES: Final = 250
#: Of each visit: four questions, three connections with TLS, one each with QUIC and HTTP, and a question for the time.
FLOWS_PER_VISIT: Final = 10
_NETWORK: Final = ipaddress.ip_network("192.168.77.0/24")
_GATEWAY: Final = str(_NETWORK[1])
_PEERS: Final = ipaddress.ip_network("198.19.0.0/16")
_RESOLVER: Final = str(_PEERS[256 + 53])
_CLOCK: Final = str(_PEERS[256 + 123])
_FIRST_PEER: Final = 512
_NAMES: Final = 4
_ANSWERED: Final = 2


class Spoken(NamedTuple):
    """A frame of a visit and which of its flows it belongs to."""

    segment: Segment
    flow: int


class Visit(NamedTuple):
    """What one device does in one go."""

    mac: str
    spoken: tuple[Spoken, ...]

    def amount(self, direction: int) -> tuple[int, int]:
        """Return bytes and packets of one direction."""
        sizes = [
            len(each.segment.frame) for each in self.spoken if each.segment.direction == direction
        ]
        return sum(sizes), len(sizes)


def mac(number: int) -> str:
    """Return a device's MAC."""
    return f"02:00:5e:30:00:{number:02x}"


def address(number: int) -> str:
    """Return a device's address."""
    return str(_NETWORK[number + 2])


def names(number: int) -> list[str]:
    """Return the names that a device asks for."""
    return [
        f"{kind}-{number:03d}.vendor{number % 40}.example"
        for kind in ("api", "storage", "video", "update")
    ]


def move_in(router: Router) -> None:
    """Have the gateway know the devices, and the way to their peers."""
    router.gateway.ip(
        f"address add {_GATEWAY}/{_NETWORK.prefixlen} dev {LAN}",
        f"route add {_PEERS} via {frames.FAR}",
        *(
            f"neighbour replace {address(each)} lladdr {mac(each)} dev {LAN} nud permanent"
            for each in range(DEVICES)
        ),
    )


def visits(devices: Sequence[int] = range(DEVICES)) -> list[Visit]:
    """Return a visit of each of these devices; the same ones in every run."""
    noise = random.Random(4)  # noqa: S311, what is encrypted looks like this
    return [_visit(number, noise) for number in devices]


def _visit(number: int, noise: random.Random) -> Visit:
    """Return what a device does."""
    asked = names(number)
    peers = [str(_PEERS[_FIRST_PEER + number * _NAMES + each]) for each in range(_NAMES)]
    flows: list[list[Segment]] = []
    for name, peer in zip(asked, peers, strict=True):
        query, reply = hellos.question(number, name), hellos.answer(number, name, peer)
        ends = _ends(number, _RESOLVER)
        flows.append(datagrams(ends, 53, [(0, UP, query), (1, DOWN, reply)]))
    for which, amount in ((0, 4000), (1, 1200), (0, 600)):
        ends, hello = _ends(number, peers[which]), hellos.tls(asked[which])
        more = noise.randbytes(amount)
        flows.append(_later(connection(ends, 443, hello, hellos.tls_answer(noise), more)))
    flows.append(_later(_quic(_ends(number, peers[2]), asked[2], noise)))
    request = hellos.http(asked[3])
    flows.append(_later(connection(_ends(number, peers[3]), 80, request, hellos.HTTP_ANSWER, b"")))
    clock = [(0, UP, hellos.NTP), (1, DOWN, hellos.NTP_ANSWER)]
    flows.append(datagrams(_ends(number, _CLOCK), 123, clock))
    if len(flows) != FLOWS_PER_VISIT:
        raise AssertionError(f"{len(flows)} flows")
    spoken = (Spoken(segment, flow) for flow, each in enumerate(flows) for segment in each)
    return Visit(mac(number), tuple(sorted(spoken, key=lambda each: each.segment.step)))


def _ends(number: int, peer: str) -> Ends:
    """Return who talks."""
    gateway, wan, server = (
        bytes.fromhex(each.replace(":", "")) for each in (frames.RECEIVER, *WAN_MACS)
    )
    own = bytes.fromhex(mac(number).replace(":", ""))
    return Ends(own, address(number), gateway, peer, server, wan)


def _later(segments: list[Segment]) -> list[Segment]:
    """Return what comes after a name's address is known."""
    return [each._replace(step=each.step + _ANSWERED) for each in segments]


def _quic(ends: Ends, name: str, noise: random.Random) -> list[Segment]:
    """Return a connection with QUIC."""
    client, server = hellos.quic(name, noise)
    messages = [
        *((0, UP, each) for each in client),
        (1, DOWN, server),
        (1, DOWN, hellos.quic_handshake(noise, 1200)),
        (2, UP, hellos.quic_handshake(noise, 90)),
        (2, UP, hellos.quic_data(noise, 300)),
        (3, DOWN, hellos.quic_data(noise, 1200)),
        (3, DOWN, hellos.quic_data(noise, 900)),
        (4, UP, hellos.quic_data(noise, 40)),
    ]
    return datagrams(ends, 443, messages)
