"""Captures that nobody wrote honestly: no reader raises past its boundary, takes much memory or invents packets."""

import io
import random
import struct
from collections import Counter
from typing import Any, Final

from hypothesis import HealthCheck, example, given, settings, strategies as st

from hearthwall_sensor.capture import pcap, pcapng
from hearthwall_sensor.capture.file import read_packets
from hearthwall_sensor.capture.frame import read
from hearthwall_sensor.capture.link import LINKS
from hearthwall_sensor.capture.meter import Meter
from hearthwall_sensor.capture.packet import MAX_BYTES, MAX_TIME, Damaged, Packet
from hearthwall_sensor.capture.replay import Capture
from hearthwall_sensor.capture.told import tell_of
from hearthwall_sensor.flows.flow import COUNTED, KEY, Sample
from tests.gateway.model.traffic import Traffic
from tests.gateway.model.world import World
from tests.unit.captures import TSOFFSET, TSRESOL, PcapNg, pcap as make_pcap

FUZZ: Final = settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
MAGICS: Final = (*pcap.MAGIC, pcapng.MAGIC)


class Watched(io.BytesIO):
    """A file that says how much was asked of it at once."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0
        self.most = max(self.most, size)
        return super().read(size)


def check(content: bytes) -> list[Packet]:
    """Read a file to its end or damage, and look at what comes of it."""
    file, found, position = Watched(content), [], 0
    try:
        for packet in read_packets(file, Counter()):
            assert 0 <= packet.time <= MAX_TIME
            assert len(packet.data) <= MAX_BYTES
            found.append(packet)
    except Damaged as damage:
        position = damage.position
    assert 0 <= position <= len(content)
    assert file.most <= MAX_BYTES
    assert sum(len(each.data) for each in found) <= len(content)
    return found


@st.composite
def files(draw: Any) -> bytes:
    """Return a file of either format that was sound once."""
    order = draw(st.sampled_from("<>"))
    datas = draw(st.lists(st.binary(max_size=80), max_size=6))
    if draw(st.booleans()):
        return make_pcap(
            enumerate(datas), order, draw(st.integers(0, 2**32 - 1)), draw(st.booleans())
        )
    file = PcapNg(order)
    for number, data in enumerate(datas):
        if draw(st.booleans()):
            options = file.option(TSRESOL, draw(st.binary(max_size=2)))
            options += file.option(TSOFFSET, draw(st.binary(min_size=7, max_size=9)))
            file.interface(draw(st.integers(0, 65535)), draw(st.integers(0, 100)), options)
        kind = draw(st.integers(0, 4))
        writer = (file.enhanced, file.obsolete)[kind % 2]
        if kind == 4:
            file.block(draw(st.integers(0, 2**32 - 1)), data)
        elif kind == 3:
            file.simple(data, draw(st.integers(0, 2**32 - 1)))
        else:
            writer(draw(st.integers(0, 2**64 - 1)), data, draw(st.integers(0, number)))
        if draw(st.integers(0, 5)) == 0:
            file.section(draw(st.sampled_from("<>")))
    return bytes(file)


@FUZZ
@given(content=files(), damage=st.randoms(use_true_random=False), length=st.integers(0, 2000))
def test_damaged_files(content: bytes, damage: random.Random, length: int) -> None:
    check(content)
    bad = bytearray(content)
    for _ in range(damage.randint(1, 8)):
        at = damage.randrange(4, max(5, len(bad)))
        bad[at : at + 1] = damage.choice((b"", b"\xff", b"\0", damage.randbytes(1), b"\0\0\0\0"))
    check(bytes(bad))
    check(bytes(bad[: max(4, length)]))


@FUZZ
@given(magic=st.sampled_from(MAGICS), rest=st.binary(max_size=400))
@example(magic=pcapng.MAGIC, rest=struct.pack("<IIHHq", 2**32 - 4, 0x1A2B3C4D, 1, 0, -1))
def test_mere_bytes(magic: bytes, rest: bytes) -> None:
    check(magic + rest)


@FUZZ
@given(
    link_type=st.sampled_from(sorted(LINKS)),
    data=st.binary(max_size=200),
    more=st.integers(0, 70_000),
)
def test_links_and_frames(link_type: int, data: bytes, more: int) -> None:
    link = LINKS[link_type](data)
    if link is None:
        return
    assert link.offset <= len(data)
    assert len(link.sender) == 6
    for ethertype in (link.ethertype, 0x0800, 0x86DD):
        frame = read(data, link.offset, ethertype, len(data) + more)
        if frame is not None:
            assert len(frame.source) == len(frame.destination) == 16
            assert 0 <= frame.source_port < 65536
            assert frame.payload + frame.payload_length <= max(len(data) + more, frame.payload)


def frames(seed: int, count: int) -> list[bytes]:
    """Return random frames, many of them mangled."""
    traffic = Traffic(World(seed), seed)
    return [traffic.frame().data for _ in range(count)]


@st.composite
def captures(draw: Any) -> list[Packet]:
    """Return packets of several links, with times and lengths that need not make sense."""
    seed = draw(st.integers(0, 2**32))
    pick, found = random.Random(seed), []
    for data in frames(seed, 40):
        link_type = pick.choice((1, 1, 1, *LINKS, 7))
        time = pick.choice((pick.getrandbits(63), 10**18, 10**18 + pick.getrandbits(34)))
        length = pick.choice((len(data), len(data), pick.getrandbits(32), 0))
        found.append(Packet(time, length, link_type, data))
    return found


@settings(FUZZ, max_examples=100)
@given(capture=captures())
def test_the_meter_counts_every_packet_once_or_twice(capture: list[Packet]) -> None:
    samples: list[Sample] = []
    meter = Meter(samples.append)
    for packet in capture:
        meter.take(packet)
    counted = meter.counted
    seen = len(capture) - sum(counted.values())
    views = sum(flow[3] + flow[9] for flow in meter.flows.values())
    assert seen <= views <= 2 * seen
    meter.finish()
    for key, flow in meter.flows.items():
        assert len(key) == KEY.size
        assert len(COUNTED.pack(*flow)) == COUNTED.size
    assert all(len(each.data) <= 4096 and len(each.key) == KEY.size for each in samples)
    assert len(samples) <= views + counted["not_ip"]


@settings(FUZZ, max_examples=60)
@given(capture=captures())
def test_a_replay_tells_of_whatever_there_is(capture: list[Packet]) -> None:
    told = []
    for _ in range(2):
        replayed = Capture()
        for packet in capture:
            replayed.meter.take(packet)
        replayed.meter.finish()
        told.append(tell_of(replayed.learnt(), 1000).to_wire())
    assert told[0] == told[1]
    assert len(told[0]["flows"]) == len(replayed.meter.flows)
