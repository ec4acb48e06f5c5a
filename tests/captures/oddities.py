"""Packets that real clients seldom send: each function returns Ethernet frames, in the order in which they pass."""

import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, TCPerror, UDPerror, fragment
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    fragment6,
)
from scapy.layers.l2 import ARP, GRE, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData, SCTPChunkInit
from scapy.packet import Packet, Padding, Raw

from lab.home import DEVICES, DNS as DNS_SITE, HOSTS, WEB

DEVICE, OTHER, GATEWAY = DEVICES["laptop"], DEVICES["tv"], HOSTS["gateway"]
MTU = 1500


class Ends(NamedTuple):
    """A device, somebody on the internet, and their ports."""

    port: int
    peer_port: int
    v6: bool = False
    peer: str | None = None

    def up(self, transport: Packet) -> Packet:
        """Return a frame from the device."""
        return Ether(src=DEVICE.mac, dst=GATEWAY.mac) / self._ip(*self._addresses()) / transport

    def down(self, transport: Packet) -> Packet:
        """Return a frame to the device."""
        there, here = self._addresses()[::-1]
        return Ether(src=GATEWAY.mac, dst=DEVICE.mac) / self._ip(there, here) / transport

    def _addresses(self) -> tuple[str, str]:
        default = WEB.ipv6 if self.v6 else WEB.ipv4
        return (DEVICE.ipv6 if self.v6 else DEVICE.ipv4), self.peer or default

    def _ip(self, source: str, destination: str) -> Packet:
        return (IPv6 if self.v6 else IP)(src=source, dst=destination)


class Connection:
    """A TCP connection that the device opened; segments are given as place in the stream and bytes."""

    def __init__(self, ends: Ends, start: int = 1000) -> None:
        self._ends = ends
        self._start = start

    def opened(self) -> Iterator[Packet]:
        """Yield the handshake; the other side counts from 5000."""
        ends = self._ends
        yield ends.up(self._up(0, flags="S", ack=0))
        yield ends.down(
            TCP(sport=ends.peer_port, dport=ends.port, seq=4999, ack=self._start, flags="SA")
        )
        yield ends.up(self._up(1))

    def said(self, place: int, data: bytes) -> Packet:
        """Return a segment from the device."""
        return self._ends.up(self._up(place + 1, flags="PA") / Raw(data))

    def answered(self, place: int, data: bytes) -> Packet:
        """Return a segment to the device."""
        ends = self._ends
        head = TCP(
            sport=ends.peer_port, dport=ends.port, seq=5000 + place, ack=self._start, flags="PA"
        )
        return ends.down(head / Raw(data))

    def closed(self, place: int) -> Iterator[Packet]:
        """Yield a reset from the device."""
        yield self._ends.up(self._up(place + 1, flags="RA"))

    def _up(self, offset: int, flags: str = "A", ack: int = 5000) -> Packet:
        sequence = (self._start - 1 + offset) & 0xFFFFFFFF
        return TCP(
            sport=self._ends.port, dport=self._ends.peer_port, seq=sequence, ack=ack, flags=flags
        )


def client_hello(name: str, protocols: int = 0) -> bytes:
    """Return the record that OpenSSL opens a connection with, the longer the more protocols it offers."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(
        ["h2", *(f"no-protocol-of-this-name-{n:04}" for n in range(protocols))]
    )
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with suppress(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


def in_records(hello: bytes, sizes: list[int]) -> bytes:
    """Return a hello whose handshake message is spread over records of these sizes, the rest in a last one."""
    message, out = hello[5:], b""
    for size in [*sizes, len(message)]:
        piece, message = message[:size], message[size:]
        if piece:
            out += hello[:3] + struct.pack(">H", len(piece)) + piece
    return out


def _pieces(data: bytes, *at: int) -> list[tuple[int, bytes]]:
    edges = [0, *at, len(data)]
    return [(begin, data[begin:end]) for begin, end in pairwise(edges)]


def tls() -> Iterator[Packet]:
    """Hellos in pieces: out of order, twice, in several records, byte by byte, over IPv6."""
    ports = iter(range(40000, 41000))

    def connection(v6: bool = False, start: int = 1000) -> Connection:
        return Connection(Ends(next(ports), 443, v6), start)

    plans: list[tuple[Connection, bytes, Callable[[bytes], list[tuple[int, bytes]]]]] = [
        (connection(), client_hello("whole.example"), _pieces),
        (connection(), client_hello("in-two.example"), lambda data: _pieces(data, 100)),
        (connection(), client_hello("swapped.example"), lambda data: _pieces(data, 120, 300)[::-1]),
        (
            connection(v6=True),
            client_hello("long.example", 90),
            lambda data: _pieces(data, *range(1400, len(data), 1400)),
        ),
        (
            connection(),
            client_hello("long-swapped.example", 60),
            lambda data: [(p := _pieces(data, 1000, 1900))[0], p[2], p[1]],
        ),
        (
            connection(start=0xFFFFFF80),
            client_hello("wrapped.example"),
            lambda data: _pieces(data, 60, 200),
        ),
        (
            connection(),
            client_hello("repeated.example"),
            lambda data: [(p := _pieces(data, 90, 250))[0], p[0], p[1], p[1], p[2]],
        ),
        (
            connection(),
            in_records(client_hello("records.example"), [30, 40, 1]),
            _pieces,
        ),
        (
            connection(v6=True),
            in_records(client_hello("records-in-segments.example"), [50, 60]),
            lambda data: _pieces(data, 52, 90, 160),
        ),
        (connection(), client_hello("slow.example"), lambda data: _pieces(data, 5, 9, 40, 41, 150)),
    ]
    for each, hello, cut in plans:
        yield from each.opened()
        for place, piece in cut(hello):
            yield each.said(place, piece)
        yield each.answered(0, b"\x15\x03\x03\x00\x02\x02\x28")
        yield from each.closed(len(hello))


def _request(host: str, more: str = "") -> bytes:
    return f"GET /{more} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode()


def http() -> Iterator[Packet]:
    """Requests: in pieces, on odd ports, with a port, in capitals, a proxy's; and a port that is used again."""
    requests = [
        (80, _request("Shop.Example"), (20,)),
        (8080, _request("with-port.example:8080"), ()),
        (80, _request("203.0.113.10"), ()),
        (3128, b"CONNECT tunnel.example:443 HTTP/1.1\r\nHost: tunnel.example:443\r\n\r\n", ()),
        (80, _request("late.example", "a" * 900), (200, 910)),
        (
            80,
            b"POST /x HTTP/1.1\r\nContent-Length: 4\r\nhOsT:   spaced.example  \r\n\r\nabcd",
            (60,),
        ),
    ]
    for number, (port, request, edges) in enumerate(requests):
        connection = Connection(Ends(41000 + number, port))
        yield from connection.opened()
        for place, piece in _pieces(request, *edges):
            yield connection.said(place, piece)
        yield connection.answered(0, b"HTTP/1.1 204 No Content\r\n\r\n")
        yield from connection.closed(len(request))
    for start, host in ((7000, "first.example"), (900000, "first.example")):
        connection = Connection(Ends(42000, 80), start)
        yield from connection.opened()
        yield connection.said(0, _request(host))
        yield from connection.closed(len(_request(host)))


def _answer(name: str, *records: tuple[str, str, str]) -> DNS:
    """Return an answer with records of name, type and data."""
    answers = [DNSRR(rrname=owner, type=kind, rdata=data, ttl=60) for owner, kind, data in records]
    return DNS(qr=1, rd=1, ra=1, qd=[DNSQR(qname=name)], an=answers)


def dns() -> Iterator[Packet]:
    """DNS: several messages in one segment and one in several, odd names, chains, what nobody asked for."""
    server = DNS_SITE.ipv4
    stream = Connection(Ends(43000, 53, peer=server))
    questions = [DNS(id=n, rd=1, qd=[DNSQR(qname=f"q{n}.example")]) for n in range(4)]
    framed = b"".join(struct.pack(">H", len(bytes(each))) + bytes(each) for each in questions)
    answers = [
        _answer("q0.example", ("q0.example", "A", "203.0.113.70")),
        _answer(
            "q1.example", ("q1.example", "CNAME", "q9.example"), ("q9.example", "A", "203.0.113.71")
        ),
        _answer("q2.example", ("q2.example", "AAAA", "2001:db8:ffff::72")),
        DNS(qr=1, rcode=3, qd=[DNSQR(qname="q3.example")]),
    ]
    replies = b"".join(struct.pack(">H", len(bytes(each))) + bytes(each) for each in answers)
    yield from stream.opened()
    for place, piece in _pieces(framed, 1, 40, 70):
        yield stream.said(place, piece)
    for place, piece in _pieces(replies, 50, 51, 120):
        yield stream.answered(place, piece)
    ends = Ends(43001, 53, peer=server)
    up, down = UDP(sport=43001, dport=53), UDP(sport=53, dport=43001)
    odd = b"a\xff\x03 b\\c.M\xc3\xbcnchen.example."
    yield ends.up(up / DNS(rd=1, qd=[DNSQR(qname=odd)]))
    for message in (
        _answer(
            "chain.example",
            *((f"{a}.example", "CNAME", f"{b}.example") for a, b in ("xy", ("chain", "x"), "yz")),
            ("z.example", "A", "203.0.113.73"),
            ("unasked.example", "A", "203.0.113.99"),
        ),
        _answer("loop.example", ("loop.example", "CNAME", "loop.example")),
        _answer(
            "both.example",
            ("both.example", "A", "203.0.113.74"),
            ("both.example", "A", "203.0.113.75"),
        ),
    ):
        yield ends.down(down / message)
    # What a device asked for names the peer it then talks to
    yield Ends(43002, 8443, peer="203.0.113.75").up(UDP(sport=43002, dport=8443) / Raw(b"hello"))


def fragments() -> Iterator[Packet]:
    """Fragments of both families; an answer's first fragment says some of it."""
    yield from fragment(Ends(44000, 9999).up(UDP(sport=44000, dport=9999) / Raw(b"f" * 4000)), 1400)
    yield from fragment(Ends(0, 0).up(ICMP(type=8, id=7) / Raw(b"p" * 3000)), 1400)
    big = Ends(44001, 9999, v6=True)
    packet = big.up(IPv6ExtHdrFragment(id=9) / UDP(sport=44001, dport=9999) / Raw(b"6" * 4000))
    ether, ip = packet.copy(), packet[IPv6]
    ether.remove_payload()
    yield from (ether / piece for piece in fragment6(ip, 1400))
    records = [("many.example", "A", f"203.0.113.{n}") for n in range(100, 200)]
    answer = _answer("many.example", *records)
    answers = Ends(44002, 53, peer=DNS_SITE.ipv4)
    yield answers.up(UDP(sport=44002, dport=53) / DNS(rd=1, qd=[DNSQR(qname="many.example")]))
    yield from fragment(answers.down(UDP(sport=53, dport=44002) / answer), 1000)


def _tagged(frame: Packet, *tags: int) -> Packet:
    """Put VLAN tags into a frame."""
    ether = Ether(src=frame.src, dst=frame.dst)
    for tag in tags:
        ether /= Dot1Q(vlan=tag)
    return ether / frame.payload


def links() -> Iterator[Packet]:
    """One VLAN tag and two; ARP; frames of a length instead of a type."""
    for number, numbers in enumerate(((7,), (0,), (7, 8))):
        ends = Ends(45000 + number, 9999)
        yield _tagged(ends.up(UDP(sport=ends.port, dport=9999) / Raw(b"tagged")), *numbers)
        yield _tagged(ends.down(UDP(sport=9999, dport=ends.port) / Raw(b"back")), *numbers)
    hello = client_hello("vlan.example")
    connection = Connection(Ends(45100, 443))
    yield from (_tagged(each, 7) for each in connection.opened())
    yield _tagged(connection.said(0, hello), 7)
    yield Ether(src=DEVICE.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
        op=1, hwsrc=DEVICE.mac, psrc=DEVICE.ipv4, pdst="192.168.10.1"
    )
    spanning_tree = b"\x42\x42\x03" + bytes(35)
    yield Dot3(src=DEVICE.mac, dst="01:80:c2:00:00:00", len=38) / Raw(spanning_tree)


def tags() -> Iterator[Packet]:
    """Three VLAN tags: more than are looked behind."""
    ends = Ends(45200, 9999)
    yield _tagged(ends.up(UDP(sport=ends.port, dport=9999) / Raw(b"hidden")), 7, 8, 9)
    yield ends.up(UDP(sport=ends.port, dport=9999) / Raw(b"plain"))


def neighbours() -> Iterator[Packet]:
    """Two devices of the home with each other: each has a flow of its own."""
    yield (
        Ether(src=DEVICE.mac, dst=OTHER.mac)
        / IPv6(src=DEVICE.ipv6, dst=OTHER.ipv6)
        / ICMPv6ND_NS(tgt=OTHER.ipv6)
    )
    yield (
        Ether(src=OTHER.mac, dst=DEVICE.mac)
        / IPv6(src=OTHER.ipv6, dst=DEVICE.ipv6)
        / ICMPv6ND_NA(tgt=OTHER.ipv6)
    )
    there = Ether(src=DEVICE.mac, dst=OTHER.mac) / IP(src=DEVICE.ipv4, dst=OTHER.ipv4)
    back = Ether(src=OTHER.mac, dst=DEVICE.mac) / IP(src=OTHER.ipv4, dst=DEVICE.ipv4)
    for number in range(3):
        yield there / UDP(sport=48000, dport=8009) / Raw(b"play" * number)
    yield back / UDP(sport=8009, dport=48000) / Raw(b"playing")
    get = TCP(sport=48001, dport=80, seq=1, flags="PA") / Raw(_request("tv.home.example"))
    hello = TCP(sport=48002, dport=443, seq=1, flags="PA") / Raw(
        client_hello("laptop.home.example")
    )
    yield there / get
    yield back / hello
    yield back / ICMP(type=8) / Raw(b"there?")
    yield there / ICMP(type=0) / Raw(b"there?")


def headers() -> Iterator[Packet]:
    """IPv6 extension headers, IPv4 options, and padding that is no payload."""
    six = Ends(46000, 9999, v6=True)
    udp = UDP(sport=46000, dport=9999)
    for number, chain in enumerate(
        (
            [IPv6ExtHdrHopByHop()],
            [IPv6ExtHdrDestOpt(), IPv6ExtHdrRouting(addresses=[])],
            [IPv6ExtHdrHopByHop(), IPv6ExtHdrRouting(addresses=[]), IPv6ExtHdrDestOpt()],
            [IPv6ExtHdrFragment(id=1, m=0, offset=0)],
        )
    ):
        transport: Packet = UDP(sport=46000 + number, dport=9999) / Raw(b"behind")
        for header in reversed(chain):
            transport = header / transport
        yield six.up(transport)
    yield six.up(udp / Raw(b"short")) / Padding(bytes(20))
    options = Ether(src=DEVICE.mac, dst=GATEWAY.mac) / IP(
        src=DEVICE.ipv4, dst=WEB.ipv4, options=b"\x94\x04\x00\x00"
    )
    yield options / UDP(sport=46100, dport=9999) / Raw(b"options")
    hello = client_hello("options.example")
    yield from Connection(Ends(46101, 443, v6=True)).opened()
    yield Connection(Ends(46101, 443, v6=True)).said(0, hello)


def others() -> Iterator[Packet]:
    """SCTP, ICMP with and without answers and its errors, GRE, ESP, IGMP, IPv6 in IPv4."""
    sctp = Ends(47000, 5060)
    yield sctp.up(SCTP(sport=47000, dport=5060, tag=0) / SCTPChunkInit(init_tag=5))
    yield sctp.down(SCTP(sport=5060, dport=47000, tag=5) / SCTPChunkData(data=b"data"))
    ends, six = Ends(0, 0), Ends(0, 0, v6=True)
    for number in range(2):
        yield ends.up(ICMP(type=8, id=3, seq=number) / Raw(b"ping"))
        yield ends.down(ICMP(type=0, id=3, seq=number) / Raw(b"ping"))
        yield six.up(ICMPv6EchoRequest(id=3, seq=number))
        yield six.down(ICMPv6EchoReply(id=3, seq=number))
    yield ends.up(ICMP(type=13)) / Raw(bytes(12))
    quoted = IPerror(src=DEVICE.ipv4, dst=WEB.ipv4)
    for kind, code in ((3, 3), (3, 13), (11, 0)):
        yield ends.down(ICMP(type=kind, code=code) / quoted / UDPerror(sport=47001, dport=9999))
        yield ends.up(
            ICMP(type=kind, code=code)
            / IPerror(src=WEB.ipv4, dst=DEVICE.ipv4)
            / TCPerror(sport=443, dport=47002)
        )
    yield (
        six.down(ICMPv6DestUnreach(code=4))
        / IPv6(src=DEVICE.ipv6, dst=WEB.ipv6)
        / UDP(sport=47003, dport=9999)
    )
    yield ends.up(GRE() / IP(src="10.9.9.9", dst="10.8.8.8") / TCP(sport=1, dport=2))
    for protocol in (50, 51, 2, 41, 4, 253):
        frame = ends.up(Raw(bytes(24)))
        frame[IP].proto = protocol
        yield frame
    inner = IPv6(src="2001:db8:1::1", dst="2001:db8:2::2") / TCP(sport=1, dport=2)
    yield ends.up(inner)


#: By name: the frames.
ODDITIES: dict[str, Callable[[], Iterator[Packet]]] = {
    each.__name__: each
    for each in (tls, http, dns, fragments, links, tags, neighbours, headers, others)
}
