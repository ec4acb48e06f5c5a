"""Captures made by hand, byte by byte: of every kind, and with everything that may be wrong with them."""

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from typing import Final

from hearthwall_sensor.capture.packet import Packet

ETHERNET: Final = 1
SECTION: Final = 0x0A0D0D0A
INTERFACE, OBSOLETE, SIMPLE, ENHANCED = 1, 2, 3, 6
TSRESOL, TSOFFSET, COMMENT = 9, 14, 1

Frames = Iterable[tuple[int, bytes]]


def pcap(
    frames: Frames, order: str = "<", link_type: int = ETHERNET, nanoseconds: bool = False
) -> bytes:
    """Return a pcap of frames and their times in nanoseconds."""
    magic, tick = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)]
    for time, data in frames:
        seconds, rest = divmod(time, 10**9)
        parts += [struct.pack(order + "IIII", seconds, rest // tick, len(data), len(data)), data]
    return b"".join(parts)


class PcapNg:
    """A pcapng that is written block by block."""

    def __init__(self, order: str = "<") -> None:
        self.order = order
        self.blocks: list[bytes] = []
        self.section()

    def __bytes__(self) -> bytes:
        return b"".join(self.blocks)

    def block(self, kind: int, body: bytes) -> None:
        body += bytes(-len(body) % 4)
        length = struct.pack(self.order + "I", len(body) + 12)
        self.blocks.append(struct.pack(self.order + "I", kind) + length + body + length)

    def section(self, order: str | None = None, version: int = 1) -> None:
        self.order = order or self.order
        self.block(SECTION, struct.pack(self.order + "IHHq", 0x1A2B3C4D, version, 0, -1))

    def option(self, code: int, value: bytes) -> bytes:
        head = struct.pack(self.order + "HH", code, len(value))
        return head + value + bytes(-len(value) % 4)

    def interface(self, link_type: int = ETHERNET, snap_length: int = 0, *options: bytes) -> None:
        head = struct.pack(self.order + "HHI", link_type, 0, snap_length)
        end = self.option(0, b"") if options else b""
        self.block(INTERFACE, head + b"".join(options) + end)

    def enhanced(self, ticks: int, data: bytes, interface: int = 0, length: int = 0) -> None:
        words = (interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length or len(data))
        data += bytes(-len(data) % 4) + self.option(COMMENT, b"a comment")
        self.block(ENHANCED, struct.pack(self.order + "IIIII", *words) + data)

    def obsolete(self, ticks: int, data: bytes, interface: int = 0) -> None:
        words = (interface, 7, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
        self.block(OBSOLETE, struct.pack(self.order + "HHIIII", *words) + data)

    def simple(self, data: bytes, length: int = 0) -> None:
        self.block(SIMPLE, struct.pack(self.order + "I", length or len(data)) + data)


# Frames


def address(text: str) -> bytes:
    """Return four or sixteen bytes."""
    return ipaddress.ip_address(text).packed


def ip(source: str, destination: str, protocol: int, message: bytes) -> bytes:
    """Return an IP packet of either family."""
    ends = address(source) + address(destination)
    if len(ends) == 8:
        head = (0x45, 0, 20 + len(message), 7, 0x4000, 64, protocol, 0)
        return struct.pack(">BBHHHBBH", *head) + ends + message
    return struct.pack(">IHBB", 6 << 28, len(message), protocol, 255) + ends + message


def udp(source: str, port: int, destination: str, peer_port: int, payload: bytes = b"x") -> bytes:
    head = struct.pack(">HHHH", port, peer_port, 8 + len(payload), 0)
    return ip(source, destination, 17, head + payload)


def tcp(
    ends: tuple[str, int, str, int], flags: int, sequence: int = 0, payload: bytes = b""
) -> bytes:
    source, port, destination, peer_port = ends
    head = struct.pack(">HHIIBBHHH", port, peer_port, sequence, 1, 0x50, flags, 9, 0, 0)
    return ip(source, destination, 6, head + payload)


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def ethertype(packet: bytes) -> bytes:
    return b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"


def ethernet(source: str, destination: str, packet: bytes, tags: bytes = b"") -> bytes:
    return mac(destination) + mac(source) + tags + ethertype(packet) + packet


def cooked(source: str | None, packet: bytes, kind: int = 0, version: int = 1) -> bytes:
    """Return what tcpdump -i any writes; kind is 0 for us, 1 broadcast, 2 multicast, 4 from us."""
    sender = b"" if source is None else mac(source)
    padded = sender.ljust(8, b"\0")
    if version == 1:
        head = struct.pack(">HHH", kind, 1, len(sender)) + padded + ethertype(packet)
    else:
        head = ethertype(packet) + struct.pack(">HIHBB", 0, 3, 1, kind, len(sender)) + padded
    return head + packet


def packets(frames: Sequence[bytes], link_type: int = ETHERNET) -> list[Packet]:
    """Return frames as packets, a second apart."""
    return [
        Packet(1_700_000_000_000_000_000 + i * 10**9, len(frame), link_type, frame)
        for i, frame in enumerate(frames)
    ]
