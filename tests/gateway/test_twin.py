"""The meter of captures against the kernel's: the same frames give the same flows and the same samples."""

import random
import struct
from collections.abc import Iterable, Iterator
from typing import Final

import pytest

from hearthwall_sensor.capture.frame import read
from hearthwall_sensor.capture.link import ARP, LINKS
from hearthwall_sensor.capture.meter import Meter as Twin
from hearthwall_sensor.capture.packet import Packet
from hearthwall_sensor.flows.flow import DOWNLOAD, UPLOAD, Counted, FlowKey, Sample
from tests.gateway.meter import Meter
from tests.gateway.model.traffic import Traffic
from tests.gateway.model.world import World
from tests.gateway.unattached import Programs

pytestmark = pytest.mark.lab

ETHERNET: Final = 1
PROGRAMS: Final = {UPLOAD: "meter_ingress", DOWNLOAD: "meter_egress"}
#: The least header by type of frame: test runs in tc refuse IP without a whole one.
HEADER: Final = {b"\x08\x00": 20, b"\x86\xdd": 40}

MACS: Final = [bytes.fromhex(f"00005e0053{each:02x}") for each in (0x21, 0x22)]
GROUPS: Final = [b"\xff" * 6, bytes.fromhex("01005e0000fb"), bytes.fromhex("333300000001")]
ADDRESSES: Final = {
    4: [bytes([192, 168, 1, 21]), bytes([203, 0, 113, 9]), bytes([224, 0, 0, 251])],
    6: [bytes.fromhex("fd00" + "0" * 26 + each) for each in ("21", "22")],
}
PORTS: Final = (443, 53, 80, 8123, 5353, 67, 547, 1900, 40000)
HELLO: Final = bytes.fromhex("16030102000100")
BEGINNINGS: Final = (
    *(
        HELLO + b"\x01\xfc\x03\x03",
        HELLO + b"\x50\x00\x03\x03",
        b"\x16\x03\x01\0\x05\x02" + bytes(9),
    ),
    *(b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"NOTIFY *", b"NOTIFY * HTTP", b"SSH-2.0-x"),
    *(b"\xc0\0\0\0\1", b"\x40", b"", b"x", b"12345678", b"123456789"),
)


class Chatter:
    """Conversations that go on: the same ends again and again, and streams that have a beginning."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def frame(self) -> bytes:
        """Return another frame."""
        pick = self._random.choice
        link = pick(MACS + GROUPS[: self._random.random() < 0.2]) + pick(MACS)
        link += pick((b"", b"", b"\x81\x00\x00\x07", b"\x88\xa8\x00\x07\x81\x00\x00\x08"))
        if self._random.random() < 0.03:
            return link + b"\x08\x06" + self._random.randbytes(pick((0, 1, 28, 46)))
        version = pick((4, 6))
        protocol, message = self._message(version)
        source, destination = pick(ADDRESSES[version]), pick(ADDRESSES[version])
        claimed = len(message) + pick((0, 0, 0, 0, -2, 9))
        if version == 4:
            claimed = max(0, claimed + 20) * (self._random.random() < 0.95)
            fragment = pick((0, 0, 0, 0, 0, 0x2000, 0x4000, 8))
            head = struct.pack(">BBHHHBBH", 0x45, 0, claimed, 7, fragment, 64, protocol, 0)
            data = link + b"\x08\x00" + head + source + destination + message
        else:
            claimed = max(0, claimed) * (self._random.random() < 0.95)
            head = struct.pack(">IHBB", 6 << 28, claimed, protocol, 255)
            data = link + b"\x86\xdd" + head + source + destination + message
        return data + bytes(pick((0, 0, 0, 6)))

    def _message(self, version: int) -> tuple[int, bytes]:
        """Return a protocol's number and its message."""
        pick, ports = self._random.choice, self._ports()
        payload = pick(BEGINNINGS) + self._random.randbytes(pick((0, 0, 10, 300, 1400)))
        kind = self._random.random()
        if kind < 0.6:
            flags = pick((0x02, 0x12, 0x10, 0x18, 0x18, 0x18, 0x18, 0x11, 0x14))
            start = pick((0, 0xFFFFFF00))
            sequence = start + pick((0, 1, 1, 1, 2, 200, 1000, 5000, 20000)) & 0xFFFFFFFF
            words = pick((5, 5, 5, 8, 4))
            head = struct.pack(">HHIIBBHHH", *ports, sequence, 1, words << 4, flags, 9, 0, 0)
            return 6, head + bytes(max(0, words - 5) * 4) + payload
        if kind < 0.85:
            return 17, struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
        if kind < 0.95:
            types = (0, 8, 3, 9, 10, 13, 14, 17) if version == 4 else (*range(128, 138), 1, 143)
            body = bytes([pick(types), pick((0, 3))]) + self._random.randbytes(30)
            return pick((1, 58)) if kind > 0.94 else {4: 1, 6: 58}[version], body
        return pick((132, 50, 0)), struct.pack(">HH", *ports) + bytes(12)

    def _ports(self) -> tuple[int, int]:
        return self._random.choice(PORTS), self._random.choice(PORTS)


class Both:
    """The kernel's meter and its twin, which meet the same frames."""

    def __init__(self, programs: Programs) -> None:
        self.kernel = Meter(programs)
        self._samples: list[Sample] = []
        self.twin = Twin(self._samples.append)
        self._devices = {
            bytes.fromhex(mac.replace(":", "")) for mac, _ in programs.tables.devices()
        }
        self.sampled = 0

    def meet(self, data: bytes, direction: int) -> None:
        """Let both meet a frame, and compare what they sample of it."""
        assert self.kernel.meet(PROGRAMS[direction], data) == "pass"
        self._meet_twin(data, direction)
        ours, theirs = map(_told, self._samples), map(_told, self.kernel.samples())
        assert [*ours] == [*theirs], (direction, data.hex())
        self.sampled += len(self._samples)
        self._samples.clear()

    def _meet_twin(self, data: bytes, direction: int) -> None:
        link = LINKS[ETHERNET](data)
        assert link is not None
        mac = link.sender if direction == UPLOAD else link.receiver
        assert mac is not None
        if mac[0] & 1 or (direction == DOWNLOAD and mac not in self._devices):
            return
        self._devices.add(mac)
        packet = Packet(1, len(data), ETHERNET, data)
        frame = read(data, link.offset, link.ethertype, len(data))
        if frame is not None:
            self.twin.view(packet, frame, direction, mac, link.sender)
        elif direction == UPLOAD and link.ethertype == ARP:
            self.twin._take_other(packet, link)

    def compare(self) -> int:
        """Compare all flows; return how many there are."""
        ours = {FlowKey.unpack(key): _counts(flow) for key, flow in self.twin.flows.items()}
        theirs = {key: _counts(flow) for key, flow in self.kernel.flows().items()}
        assert ours == theirs
        assert self.kernel.statistic("samples_limited") == 0
        return len(ours)


def _told(sample: Sample) -> Sample:
    """Return a sample without what only a living network has."""
    return sample._replace(time=0, interface=0)


def _counts(flow: Iterable[int]) -> Counted:
    """Return what was counted of a flow, without what only a living network has."""
    return Counted._make(flow)._replace(first=0, last=0, interface=0)


@pytest.fixture
def both(programs: Programs) -> Iterator[Both]:
    both = Both(programs)
    yield both
    both.kernel.close()


@pytest.mark.parametrize("seed", range(8))
def test_conversations_are_metered_alike(both: Both, seed: int) -> None:
    chatter, pick = Chatter(seed), random.Random(seed)
    for _ in range(1500):
        both.meet(chatter.frame(), pick.choice((UPLOAD, DOWNLOAD)))
    assert both.compare() > 200
    assert both.sampled > 500


@pytest.mark.parametrize("seed", range(8))
def test_odd_and_mangled_frames_are_metered_alike(both: Both, seed: int) -> None:
    traffic, pick, met = Traffic(World(seed), seed), random.Random(seed), 0
    for _ in range(1000):
        data = traffic.frame().data
        if len(data) >= 14 + HEADER.get(data[12:14], 0):
            both.meet(data, pick.choice((UPLOAD, DOWNLOAD)))
            met += 1
    assert met > 800
    assert both.compare() > 100


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("direction", [UPLOAD, DOWNLOAD])
def test_every_type_of_icmp_is_metered_alike(both: Both, version: int, direction: int) -> None:
    near, far = ADDRESSES[version][:2]
    ends = near + far if direction == UPLOAD else far + near
    both.meet(MACS[1] + MACS[0] + b"\x08\x00" + bytes.fromhex("45") + bytes(39), UPLOAD)
    for kind in range(256):
        body = bytes([kind, 1]) + bytes(22)
        if version == 4:
            head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 7, 0, 64, 1, 0)
        else:
            head = struct.pack(">IHBB", 6 << 28, len(body), 58, 255)
        ethertype = b"\x08\x00" if version == 4 else b"\x86\xdd"
        macs = MACS[1] + MACS[0] if direction == UPLOAD else MACS[0] + MACS[1]
        both.meet(macs + ethertype + head + ends + body, direction)
    # Questions and answers that go the same way belong to different flows; one frame makes the device
    assert both.compare() == 256 + 1


def test_a_hello_in_pieces_is_sampled_alike(both: Both) -> None:
    """Segments of one byte to many, in and out of order, past the number where sequences wrap."""
    ends = ADDRESSES[4][0] + ADDRESSES[4][1]
    hello = HELLO + b"\x03\xf0" + bytes(1100)
    for size in (1, 5, 8, 9, 10, 400, 1400):
        for start in (0, 0xFFFFFFF0):
            port = 10_000 + size + (start & 1)
            pieces = [(0x02, start - 1, b"")] + [
                (0x18, start + at, hello[at : at + size]) for at in range(0, len(hello), size)
            ]
            pieces[2:4] = pieces[3:1:-1]
            for flags, sequence, payload in pieces[:40]:
                tcp = struct.pack(
                    ">HHIIBBHHH", port, 443, sequence & 0xFFFFFFFF, 1, 0x50, flags, 9, 0, 0
                )
                size_in_all = 20 + len(tcp) + len(payload)
                ip = struct.pack(">BBHHHBBH", 0x45, 0, size_in_all, 7, 0x4000, 64, 6, 0)
                frame = MACS[1] + MACS[0] + b"\x08\x00" + ip + ends + tcp + payload
                both.meet(frame, UPLOAD)
    assert both.compare() == 7
    assert both.sampled > 60
