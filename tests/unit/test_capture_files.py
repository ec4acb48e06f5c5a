"""Reading pcap and pcapng: every kind, and what is cut off or damaged."""

import io
import itertools
import struct
from collections import Counter
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter, PcapWriter

from hearthwall_sensor.capture.file import read_packets
from hearthwall_sensor.capture.packet import Damaged, Packet
from hearthwall_sensor.errors import SensorError
from tests.unit.captures import ENHANCED, INTERFACE, SIMPLE, TSOFFSET, TSRESOL, PcapNg, pcap

MAC = "00:00:5e:00:53:21"
BEGIN = 1_700_000_000_123_456_000
FRAMES = [(BEGIN + i * 1_000_000, bytes([i]) * (20 + i)) for i in range(5)]


def read(content: bytes) -> tuple[list[Packet], Counter[str], str | None]:
    """Return the packets, what was counted, and where it stopped."""
    found, counted = [], Counter[str]()
    try:
        for packet in read_packets(io.BytesIO(content), counted):
            found.append(packet)  # noqa: PERF402, what came before must stay
    except Damaged as damage:
        return found, counted, str(damage)
    return found, counted, None


def good(content: bytes) -> list[Packet]:
    found, counted, damage = read(content)
    assert (counted, damage) == (Counter(), None)
    return found


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap_in_both_orders_and_clocks(order: str, nanoseconds: bool) -> None:
    frames = [(time + nanoseconds, data) for time, data in FRAMES]
    found = good(pcap(frames, order, 113, nanoseconds))
    assert found == [Packet(time, len(data), 113, data) for time, data in frames]


def test_the_length_on_the_wire_is_kept_where_a_packet_is_cut_short() -> None:
    content = bytearray(pcap([(BEGIN, b"abcd")]))
    content[24 + 12 : 24 + 16] = struct.pack("<I", 1500)
    assert good(bytes(content)) == [Packet(BEGIN, 1500, 1, b"abcd")]


def test_a_link_type_that_says_that_checksums_follow() -> None:
    assert good(pcap(FRAMES[:1], link_type=0x24000001))[0].link_type == 1


def test_an_empty_pcap_has_no_packets() -> None:
    assert good(pcap([])) == []


@pytest.mark.parametrize("nanoseconds", [False, True])
def test_what_scapy_writes_as_pcap(tmp_path: Path, nanoseconds: bool) -> None:
    file = tmp_path / "a.pcap"
    frame = Ether(src=MAC, dst=MAC) / IP(src="192.168.1.2", dst="192.0.2.1") / UDP() / b"hello"
    frame.time = 1_700_000_000.5
    with PcapWriter(str(file), nano=nanoseconds) as writer:
        writer.write(frame)
    assert good(file.read_bytes()) == [
        Packet(1_700_000_000_500_000_000, len(frame), 1, bytes(frame))
    ]


def test_what_scapy_writes_as_pcapng(tmp_path: Path) -> None:
    file = tmp_path / "a.pcapng"
    frame = Ether(src=MAC, dst=MAC) / IP(src="192.168.1.2", dst="192.0.2.1") / UDP() / b"hello"
    frame.time = 1_700_000_000.5
    with PcapNgWriter(str(file)) as writer:
        writer.write(frame)
    (found,) = good(file.read_bytes())
    assert found[1:] == (len(frame), 1, bytes(frame))
    assert found.time == 1_700_000_000_500_000_000


@pytest.mark.parametrize("order", "<>")
def test_every_kind_of_packet_block(order: str) -> None:
    file = PcapNg(order)
    file.interface()
    file.block(0x0BAD, b"something else")
    file.enhanced(1_700_000_000_123_456, b"enhanced", length=99)
    file.simple(b"simple")
    file.obsolete(1_700_000_000_123_457, b"obsolete")
    found, counted, damage = read(bytes(file))
    assert found == [
        Packet(BEGIN, 99, 1, b"enhanced"),
        Packet(BEGIN, 6, 1, b"simple"),
        Packet(BEGIN + 1000, 8, 1, b"obsolete"),
    ]
    assert (counted, damage) == ({"without_time": 1}, None)


@pytest.mark.parametrize("order", "<>")
def test_each_interface_has_its_own_link_and_clock(order: str) -> None:
    file = PcapNg(order)
    offset = struct.pack(order + "q", 1_700_000_000)
    file.interface(1)
    file.interface(113, 0, file.option(TSRESOL, b"\x09"))
    file.interface(276, 0, file.option(TSRESOL, b"\x8a"), file.option(TSOFFSET, offset))
    file.interface(101, 0, file.option(TSRESOL, b"\x00"), file.option(2, b"name"))
    file.interface(12, 0, file.option(TSOFFSET, struct.pack(order + "q", -5)))
    file.enhanced(7, b"a", 0)
    file.enhanced(BEGIN, b"b", 1)
    file.enhanced(1536, b"c", 2)
    file.enhanced(1_700_000_000, b"d", 3)
    file.enhanced(7_000_000, b"e", 4)
    assert good(bytes(file)) == [
        Packet(7000, 1, 1, b"a"),
        Packet(BEGIN, 1, 113, b"b"),
        Packet(1_700_000_001_500_000_000, 1, 276, b"c"),
        Packet(1_700_000_000_000_000_000, 1, 101, b"d"),
        Packet(2_000_000_000, 1, 12, b"e"),
    ]


@pytest.mark.parametrize("resolution", range(256))
def test_times_stay_within_bounds_whatever_the_clock(resolution: int) -> None:
    file = PcapNg()
    offset = struct.pack("<q", (-1) ** resolution << 62)
    file.interface(1, 0, file.option(TSRESOL, bytes([resolution])), file.option(TSOFFSET, offset))
    file.interface(1, 0, file.option(TSRESOL, bytes([resolution])))
    for interface in (0, 1):
        file.enhanced(2**64 - 1, b"a", interface)
    assert all(0 <= each.time < 2**63 for each in good(bytes(file)))


def test_sections_have_their_own_order_and_interfaces() -> None:
    file = PcapNg("<")
    file.interface(113)
    file.enhanced(1, b"a")
    file.section(">")
    file.interface(101)
    file.enhanced(2, b"b")
    file.section("<")
    file.enhanced(3, b"nowhere")
    found, counted, damage = read(bytes(file))
    assert found == [Packet(1000, 1, 113, b"a"), Packet(2000, 1, 101, b"b")]
    assert (counted, damage) == ({"malformed_blocks": 1}, None)


def test_a_simple_packet_is_as_long_as_its_interface_keeps() -> None:
    file = PcapNg()
    file.interface(1, 4)
    file.simple(b"abcd", length=1000)
    assert [each[1:] for each in read(bytes(file))[0]] == [(1000, 1, b"abcd")]


def test_blocks_that_are_not_what_they_say_are_counted_and_left_out() -> None:
    file = PcapNg()
    file.simple(b"no interface yet")
    file.block(INTERFACE, b"abcd")
    file.interface(1)
    file.block(ENHANCED, bytes(16))
    file.block(ENHANCED, struct.pack("<IIIII", 0, 0, 0, 100, 100) + bytes(96))
    file.block(ENHANCED, struct.pack("<IIIII", 1, 0, 0, 4, 4) + bytes(4))
    file.block(SIMPLE, b"")
    file.block(SIMPLE, struct.pack("<I", 2**32 - 1))
    file.enhanced(1, b"good")
    found, counted, damage = read(bytes(file))
    assert [each.data for each in found] == [b"good"]
    assert (counted, damage) == ({"malformed_blocks": 7}, None)


def test_odd_options_of_an_interface_are_passed_over() -> None:
    file = PcapNg()
    for options in (
        file.option(TSRESOL, b"\x09\x09"),
        file.option(TSOFFSET, b"\x01"),
        struct.pack("<HH", TSRESOL, 60000),
        file.option(0, b"") + file.option(TSRESOL, b"\x00"),
        b"\x09",
    ):
        file.block(INTERFACE, struct.pack("<HHI", 1, 0, 0) + options)
    for number in range(5):
        file.enhanced(3, b"a", number)
    assert {each.time for each in good(bytes(file))} == {3000}


def test_more_interfaces_than_any_machine_has_are_not_kept() -> None:
    file = PcapNg()
    for _ in range(5000):
        file.interface()
    file.enhanced(1, b"a", 4095)
    file.enhanced(1, b"a", 4096)
    found, counted, damage = read(bytes(file))
    assert (len(found), counted, damage) == (1, {"malformed_blocks": 905}, None)


class Endless(io.RawIOBase):
    """A file that has a beginning and no end, and says how much was asked of it at once."""

    def __init__(self, head: bytes, size: int) -> None:
        self._head = io.BytesIO(head)
        self._left = size
        self.most = 0

    def read(self, size: int = -1) -> bytes:
        self.most = max(self.most, size)
        found = self._head.read(size)
        if not found:
            found = bytes(min(size, self._left))
            self._left -= len(found)
        return found


@pytest.mark.parametrize("kind", [ENHANCED, 0x0BAD])
def test_a_huge_block_takes_no_memory(kind: int) -> None:
    head = PcapNg()
    head.interface()
    length = struct.pack("<I", 2**31)
    file = Endless(bytes(head) + struct.pack("<I", kind) + length, 2**31 - 8)
    with pytest.raises(Damaged, match="two lengths"):
        list(read_packets(file, Counter()))  # type: ignore[arg-type]
    assert file.most <= 64 * 1024


def test_a_large_block_is_left_out_and_what_follows_is_read() -> None:
    file = PcapNg()
    file.interface()
    file.enhanced(1, bytes(256 * 1024))
    file.enhanced(2, b"a")
    found, counted, damage = read(bytes(file))
    assert [each.data for each in found] == [b"a"]
    assert (counted, damage) == ({"large_blocks": 1}, None)


def test_a_huge_packet_ends_a_pcap_without_taking_memory() -> None:
    head = pcap(FRAMES) + struct.pack("<IIII", 1, 1, 2**32 - 1, 2**32 - 1)
    file = Endless(head, 2**33)
    packets = read_packets(file, Counter())  # type: ignore[arg-type]
    assert len([*itertools.islice(packets, 5)]) == 5
    with pytest.raises(Damaged, match=f"byte {len(head) - 16}: a packet of 4294967295 bytes"):
        next(packets)
    assert file.most <= 64 * 1024


def whole_pcapng() -> bytes:
    file = PcapNg()
    file.interface(1, 0, file.option(TSRESOL, b"\x09"))
    for time, data in FRAMES:
        file.enhanced(time, data)
    file.section(">")
    file.interface(1, 0, file.option(TSRESOL, b"\x09"))
    for time, data in FRAMES:
        file.enhanced(time, data)
    return bytes(file)


@pytest.mark.parametrize(
    "content", [pcap(FRAMES, nanoseconds=True), whole_pcapng()], ids=["pcap", "ng"]
)
def test_a_file_gives_what_came_before_its_end_wherever_that_is(content: bytes) -> None:
    whole, clean_ends, before = good(content), [], 0
    for length in range(4, len(content) + 1):
        found, counted, damage = read(content[:length])
        assert found == whole[: len(found)]
        assert len(found) >= before
        assert not counted
        before = len(found)
        if damage is None:
            clean_ends.append(length)
        else:
            assert int(damage.split(":")[0].removeprefix("byte ")) <= length
            assert "ends within" in damage
    assert len(clean_ends) >= len(whole) + 1
    assert clean_ends[-1] == len(content)


def test_a_damaged_byte_never_takes_away_what_came_before() -> None:
    content = whole_pcapng()
    for at in range(4, len(content)):
        bad = bytearray(content)
        bad[at] ^= 0x81
        before = read(content[:at])[0]
        assert read(bytes(bad))[0][: len(before)] == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            b"\x0a\x0d\x0d\x0a\x1c\0\0\0\1\2\3\4" + bytes(16),
            "byte 0: a section in no known byte order",
        ),
        (
            whole_pcapng()[:28] + struct.pack("<II", 1, 14) + bytes(6),
            "byte 28: a block of 14 bytes",
        ),
        (whole_pcapng()[:28] + struct.pack("<III", 5, 8, 8), "byte 28: a block of 8 bytes"),
        (whole_pcapng()[:28] + struct.pack("<III", 5, 12, 16), "byte 28: a block with two lengths"),
        (pcap([])[:4] + b"\x03" + pcap([])[5:], "byte 4: there is no version 3 of pcap"),
    ],
)
def test_damage_is_told_with_its_place(damage: bytes, message: str) -> None:
    assert read(damage)[2] == message


def test_a_later_version_of_pcapng_is_not_guessed_at() -> None:
    file = PcapNg()
    file.section(version=2)
    assert read(bytes(file))[2] == "byte 28: there is no version 2 of pcapng"


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "empty"),
        (b"\xd4", "it begins neither"),
        (b"hello world", "tcpdump -w"),
        (b"\x1f\x8b\x08\x00rest", "gunzip"),
        (b"\x28\xb5\x2f\xfdrest", "unzstd"),
        (b"snoop\0\0\0", "editcap"),
        (b"\x17\0\0\0\0", "no capture"),
    ],
)
def test_what_is_no_capture_is_told_apart(content: bytes, hint: str) -> None:
    with pytest.raises(SensorError, match=hint) as raised:
        list(read_packets(io.BytesIO(content), Counter()))
    assert raised.value.code == "invalid_message"
