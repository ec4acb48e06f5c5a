"""Random frames between the hosts of a world: decent ones, odd ones, mangled ones and mere bytes."""

import random
import struct
from typing import Final, NamedTuple

from .frame import ARP, AUTHENTICATION, EAPOL, FRAGMENT, ICMP, ICMPV6, IPV4, IPV6, SCTP, TCP, UDP
from .world import World

VLANS: Final = (0, 5, 6, 100)
PORTS: Final = (443, 53, 80, 8123, 0)
_DHCP: Final = {4: (68, 67), 6: (546, 547)}
_ICMPV6_TYPES: Final = (128, 1, *range(129, 138), 143, 144)
_OTHER_PROTOCOLS: Final = (50, 59, SCTP, 2, ICMP, ICMPV6, 0, 255)
_OTHER_TYPES: Final = (0x8863, 0x8864, 0x88CC, 0x8847, 0x0600, 0x002A)
_EXTENSIONS: Final = (0, 43, 60, 60, AUTHENTICATION)


class Sent(NamedTuple):
    """A frame, and the size of the segments that it stands for, 0 for a plain one."""

    data: bytes
    segment: int


class Traffic:
    """An endless source of frames."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = random.Random(seed)
        self._last = self._fresh()

    def frame(self) -> Sent:
        """Return another frame, or the same again, as hosts do that flood."""
        if self._random.random() < 0.8:
            self._last = self._fresh()
        return self._last

    def _fresh(self) -> Sent:
        """Return another frame."""
        chance = self._random.random()
        if chance < 0.02:
            return Sent(self._random.randbytes(self._random.randint(14, 120)), 0)
        data = self._local() if chance > 0.92 else self._ip()
        if chance > 0.85:
            data = self._spoil(data)
        segmented = chance < 0.10 and len(data) > 150
        return Sent(data, self._one(100, 536, 1400) if segmented else 0)

    def _one(self, *of: int) -> int:
        return of[int(self._random.random() * len(of))]

    def _spoil(self, data: bytes) -> bytes:
        """Cut a frame off, or change a byte of its headers, or both."""
        chance = self._random.random()
        if chance < 0.7:
            data = data[: self._random.randint(14, min(len(data), 110))]
        if chance > 0.5:
            at = self._random.randrange(min(len(data), 80))
            data = data[:at] + self._random.randbytes(1) + data[at + 1 :]
        return data

    def _link(self, ethertype: int) -> bytes:
        """Return an Ethernet header with tags, mostly none."""
        macs = self._world.macs
        source = self._random.choice(macs)
        destination = self._random.choice(macs + self._world.group_macs)
        tags, chance = b"", self._random.random()
        while chance < 0.3 and len(tags) < 12:
            control = self._one(0, 0, *VLANS, self._random.getrandbits(12)) | self._one(0, 0xE000)
            tags += struct.pack(">HH", self._one(0x8100, 0x88A8), control)
            chance *= 1.7
        return destination + source + tags + ethertype.to_bytes(2)

    def _local(self) -> bytes:
        """Return a frame without addresses to route by."""
        ethertype = self._one(ARP, ARP, ARP, ARP, EAPOL, *_OTHER_TYPES)
        return self._link(ethertype) + bytes(self._one(28, 46, 50, 51, 54, 55, 60, 100))

    def _ip(self) -> bytes:
        version = self._one(4, 6)
        source, destination = self._address(version), self._address(version)
        protocol, payload = self._upper(version)
        if version == 4:
            return self._link(IPV4) + self._ipv4(source, destination, protocol, payload)
        return self._link(IPV6) + self._ipv6(source, destination, protocol, payload)

    def _address(self, version: int) -> int:
        chance = self._random.random()
        if chance < 0.9:
            return self._random.choice(self._world.addresses[version])
        if chance < 0.98:
            return self._random.choice(self._world.special[version])
        if version == 4:
            return self._random.getrandbits(32)
        return self._random.getrandbits(128)

    def _upper(self, version: int) -> tuple[int, bytes]:
        """Return a protocol's number and its message."""
        protocol = self._one(TCP, TCP, UDP, UDP, *(ICMP if version == 4 else ICMPV6,) * 2, SCTP, 0)
        payload = bytes(self._one(0, 0, 5, 20, 200, 1000))
        if protocol == TCP:
            flags = self._one(0x02, 0x10, 0x12, 0x18, 0x03)
            words = self._one(5, 5, 8)
            header = struct.pack(
                ">HHIIBBHHH", *self._ports(version), 1, 1, words << 4, flags, 1, 0, 0
            )
            return TCP, header + bytes(words * 4 - 20) + payload
        if protocol == UDP:
            return UDP, struct.pack(">HHHH", *self._ports(version), 8 + len(payload), 0) + payload
        if protocol == SCTP:
            return SCTP, struct.pack(">HHII", *self._ports(version), 1, 0) + payload
        if protocol == ICMP:
            return ICMP, bytes([self._one(0, 8)]) + bytes(7) + payload
        if protocol == ICMPV6:
            return ICMPV6, bytes([self._one(*_ICMPV6_TYPES)]) + bytes(self._one(7, 23)) + payload
        return self._one(*_OTHER_PROTOCOLS), self._random.randbytes(self._one(0, 8, 40))

    def _ports(self, version: int) -> tuple[int, int]:
        if self._random.random() < 0.15:
            client, server = _DHCP[version]
            return (client, server) if self._random.random() < 0.5 else (server, client)
        known, other = self._one(*PORTS), self._random.getrandbits(16)
        return (known, other) if self._random.random() < 0.4 else (other, known)

    def _ipv4(self, source: int, destination: int, protocol: int, payload: bytes) -> bytes:
        words = 5 + (self._random.random() < 0.1) * self._one(1, 2, 10)
        fragment = self._one(0, 0, 0, 0, 0, 0, 0, 0x4000, 0x2000, 1, 0x2000 | 185, 0x1000)
        size = words * 4 + len(payload)
        hops = self._one(64, 255)
        head = struct.pack(">BBHHHBBH", 0x40 | words, 0, size, 7, fragment, hops, protocol, 0)
        ends = struct.pack(">II", source & 0xFFFFFFFF, destination & 0xFFFFFFFF)
        return head + ends + b"\1" * (words * 4 - 20) + payload

    def _ipv6(self, source: int, destination: int, protocol: int, payload: bytes) -> bytes:
        chance = self._random.random()
        while chance < 0.35 and len(payload) < 1200:
            protocol, payload = self._extension(protocol, payload)
            chance *= self._random.uniform(1, 2)
        head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, self._one(64, 255))
        return head + source.to_bytes(16) + destination.to_bytes(16) + payload

    def _extension(self, protocol: int, payload: bytes) -> tuple[int, bytes]:
        """Put an extension header before a payload."""
        if self._random.random() < 0.4:
            offset = self._one(0, 0, 8, 1480, 0xFFF8) | self._one(0, 1, 6)
            return FRAGMENT, struct.pack(">BBHI", protocol, 0, offset, 7) + payload
        kind = self._one(*_EXTENSIONS)
        length = self._one(0, 0, 1, 3)
        if kind == AUTHENTICATION:
            length += 1
            size = (length + 2) * 4
        else:
            size = (length + 1) * 8
        return kind, bytes([protocol, length]) + bytes(size - 2) + payload
