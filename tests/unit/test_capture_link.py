"""Links and frames of captures: where the IP packet begins, who sent it, and what its headers say."""

import struct

import pytest

from hearthwall_sensor.capture.frame import UNKNOWN, Frame, read
from hearthwall_sensor.capture.link import LINKS, NO_MAC, Link
from tests.gateway.model.frame import dissect
from tests.gateway.model.traffic import Traffic
from tests.gateway.model.world import World
from tests.unit.captures import address, cooked, ethernet, ip, mac, tcp, udp

DEVICE, ROUTER = "00:00:5e:00:53:21", "00:00:5e:00:53:01"
V4 = udp("192.168.1.21", 1000, "203.0.113.9", 443)
V6 = udp("fd00::21", 1000, "2001:db8::9", 443)
MAPPED = bytes(10) + b"\xff\xff"


@pytest.mark.parametrize("packet", [V4, V6])
@pytest.mark.parametrize(
    "tags", [b"", b"\x81\x00\x00\x07", b"\x88\xa8\x00\x07\x81\x00\x20\x08"], ids=["0", "1", "2"]
)
def test_ethernet_with_tags(packet: bytes, tags: bytes) -> None:
    link = LINKS[1](ethernet(DEVICE, ROUTER, packet, tags))
    ethertype = 0x0800 if packet is V4 else 0x86DD
    assert link == Link(14 + len(tags), ethertype, mac(DEVICE), mac(ROUTER))


def test_tags_that_are_cut_off_or_too_many_stay_tags() -> None:
    for tags, offset in ((b"\x81\x00\x00", 14), (b"\x81\x00\x00\x07" * 3 + b"\x08\x00", 22)):
        link = LINKS[1](mac(ROUTER) + mac(DEVICE) + tags)
        assert link is not None
        assert link[:2] == (offset, 0x8100)


@pytest.mark.parametrize(
    ("to", "is_group"), [("ff" * 6, True), ("01005e0000fb", True), (ROUTER, False)]
)
def test_frames_for_several_are_told_apart(to: str, is_group: bool) -> None:
    link = LINKS[1](ethernet(DEVICE, to, V4))
    assert link is not None
    assert link.is_group == is_group


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("packet", [V4, V6])
@pytest.mark.parametrize(
    ("kind", "is_group", "is_outgoing"),
    [(0, False, False), (1, True, False), (2, True, False), (3, False, False), (4, False, True)],
)
def test_linux_cooked(
    version: int, packet: bytes, kind: int, is_group: bool, is_outgoing: bool
) -> None:
    link = LINKS[{1: 113, 2: 276}[version]](cooked(DEVICE, packet, kind, version))
    ethertype, offset = 0x0800 if packet is V4 else 0x86DD, {1: 16, 2: 20}[version]
    assert link == Link(offset, ethertype, mac(DEVICE), None, is_group, is_outgoing)


@pytest.mark.parametrize("version", [1, 2])
def test_linux_cooked_on_links_without_macs_and_of_odd_kinds(version: int) -> None:
    reader = LINKS[{1: 113, 2: 276}[version]]
    plain = reader(cooked(None, V4, 0, version))
    assert plain is not None
    assert plain.sender == NO_MAC
    for hardware in (770, 803, 824):
        frame = bytearray(cooked(DEVICE, V4, 0, version))
        struct.pack_into(">H", frame, {1: 2, 2: 8}[version], hardware)
        odd = reader(bytes(frame))
        assert odd is not None
        assert odd.ethertype == 0


def test_linux_cooked_with_a_tag() -> None:
    frame = cooked(DEVICE, V4)
    link = LINKS[113](frame[:14] + b"\x81\x00\x00\x07" + frame[14:])
    assert link is not None
    assert link[:2] == (20, 0x0800)


@pytest.mark.parametrize("link_type", [12, 14, 101])
def test_raw_ip(link_type: int) -> None:
    assert LINKS[link_type](V4) == Link(0, 0x0800)
    assert LINKS[link_type](V6) == Link(0, 0x86DD)
    assert LINKS[link_type](b"\x10") == Link(0, 0)


def test_raw_ip_of_one_family() -> None:
    assert LINKS[228](V4) == Link(0, 0x0800)
    assert LINKS[229](V6) == Link(0, 0x86DD)


@pytest.mark.parametrize("link_type", [0, 108])
@pytest.mark.parametrize("order", ["little", "big"])
def test_loopback(link_type: int, order: str) -> None:
    for family, ethertype in ((2, 0x0800), (24, 0x86DD), (28, 0x86DD), (30, 0x86DD), (7, 0)):
        head = family.to_bytes(4, order)  # type: ignore[arg-type]
        assert LINKS[link_type](head + V4) == Link(4, ethertype)


@pytest.mark.parametrize(
    ("link_type", "least"),
    [(0, 4), (1, 14), (12, 1), (14, 1), (101, 1), (108, 4), (113, 16), (276, 20)],
)
def test_headers_that_are_cut_off(link_type: int, least: int) -> None:
    assert all(LINKS[link_type](bytes(length)) is None for length in range(least))
    assert LINKS[link_type](bytes(least)) is not None


# Frames


def frame_of(packet: bytes, length: int | None = None) -> Frame | None:
    ethertype = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    return read(packet, 0, ethertype, len(packet) if length is None else length)


def test_padding_is_no_payload_and_a_cut_off_packet_is_as_long_as_it_was() -> None:
    assert frame_of(V4 + bytes(30)) == frame_of(V4)
    cut = frame_of(udp("192.168.1.21", 1, "192.0.2.1", 2, b"x" * 100)[:60], 128)
    assert cut is not None
    assert (cut.payload, cut.payload_length) == (28, 100)


def test_a_length_that_says_more_than_there_is_is_not_believed() -> None:
    packet = bytearray(V4)
    packet[2:4] = b"\xff\xff"
    frame = frame_of(bytes(packet))
    assert frame is not None
    assert frame.payload_length == 1


@pytest.mark.parametrize("packet", [V4, V6])
def test_a_length_of_zero_means_to_the_end(packet: bytes) -> None:
    at = 2 if packet is V4 else 4
    frame = frame_of(packet[:at] + b"\0\0" + packet[at + 2 :] + bytes(9))
    assert frame is not None
    assert frame.payload_length == 10


def test_tcp() -> None:
    frame = frame_of(tcp(("192.168.1.21", 1000, "203.0.113.9", 443), 0x18, 2**32 - 1, b"hello"))
    assert frame == Frame(
        MAPPED + address("192.168.1.21"),
        MAPPED + address("203.0.113.9"),
        *(6, 1000, 443, False, 40, 5, 0x18, 2**32 - 1),
    )


def test_later_fragments_have_no_ports() -> None:
    packet = bytearray(V4)
    packet[6:8] = b"\x00\x08"
    assert frame_of(bytes(packet)) == Frame(V4_ENDS[0], V4_ENDS[1], 17)
    piece = ip("fd00::21", "2001:db8::9", 44, struct.pack(">BBHI", 17, 0, 8 | 1, 7) + bytes(20))
    assert frame_of(piece) == Frame(address("fd00::21"), address("2001:db8::9"), 17)


V4_ENDS = MAPPED + address("192.168.1.21"), MAPPED + address("203.0.113.9")


def test_extension_headers_are_followed_so_far() -> None:
    upper = struct.pack(">HHHH", 5, 6, 8, 0)
    for count, protocol in ((0, 17), (6, 17), (7, 60)):
        chain = b"".join(bytes([60 if i < count - 1 else 17, 0]) + bytes(6) for i in range(count))
        frame = frame_of(ip("fd00::1", "fd00::2", 60 if count else 17, chain + upper))
        assert frame is not None
        assert frame.protocol == protocol
    cut = frame_of(ip("fd00::1", "fd00::2", 60, b"\x11\0\0"))
    assert cut is not None
    assert cut.protocol == UNKNOWN


@pytest.mark.parametrize("seed", range(10))
def test_frames_are_read_as_the_model_reads_them(seed: int) -> None:
    traffic, compared = Traffic(World(seed), seed), 0
    for _ in range(500):
        data, _ = traffic.frame()
        model, link = dissect(data), LINKS[1](data)
        assert link is not None
        assert link[:2] == (min(model.header_bytes, link.offset), model.ethertype)
        frame = read(data, link.offset, link.ethertype, len(data))
        assert (frame is None) == (model.version == 0)
        if frame is None:
            continue
        assert int.from_bytes(frame.source) == model.source
        assert int.from_bytes(frame.destination) == model.destination
        if model.protocol is not None:
            assert frame.protocol == model.protocol
        if model.source_port is not None:
            ports = frame.source_port, frame.destination_port
            assert ports == (model.source_port, model.destination_port)
            compared += 1
    assert compared > 50
