"""Conversations under hostile input: findings are what they say, soon, in bounded memory, however bytes arrive."""

import pytest
from hypothesis import given, settings, strategies as st

from hearthwall_sensor.dissect.applications import APPLICATIONS, UNKNOWN
from hearthwall_sensor.dissect.conversation import Conversation, Finding
from hearthwall_sensor.dissect.stream import Stream
from tests.fuzz.hostile import changed, held, hostile, pieces, soon
from tests.unit.hellos import (
    V1,
    V2,
    client_hello,
    crypto,
    in_records,
    initial,
    long_packet,
    with_extension,
)

TCP, UDP = 6, 17
MAX_HELD = 32 * 1024
EXAMPLES = settings(max_examples=500, deadline=None)
PORTS = st.sampled_from((22, 23, 53, 80, 443, 853, 1080, 1883, 1900, 3333, 5683, 9001, 40_001))

HELLO = client_hello()
LONG = with_extension(with_extension(HELLO, 0xFE0D, bytes(300)), 0xFFA5, bytes(1500))
HELLOS = (HELLO, LONG, in_records(LONG, 200), in_records(HELLO, 7), client_hello(None, ()))
REQUESTS = (
    b"GET /a HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n",
    b"GET http://b.example:80/ HTTP/1.1\nHost: a.example\n\n",
    b"CONNECT c.example:443 HTTP/1.1\r\n\r\n" + HELLO,
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<friendlyName>TV &amp; &#x41;</friendlyName>",
    b"OPTIONS rtsp://camera.local/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n",
)
BEGINNINGS = (
    b"SSH-2.0-x\r\n",
    b"\xff\xfd\x18\xff\xfd\x20login: ",
    b"\0\0\0\x54\xfeSMB" + bytes(20),
    b"\x10\x10\0\4MQTT\4\2\0\x3c\0\4abcd",
    b"\x13BitTorrent protocol" + bytes(8),
    b"NICK bot17\r\nUSER bot 8 * :bot\r\n",
    b"220 mail.example ESMTP Postfix\r\n",
    b"\5\1\0\5\1\0\1\xcb\0\x71\5\1\xbb",
    b'{"id": 1, "method": "mining.subscribe", "params": []}\n',
    b'{"method":"login","params":{"agent":"x"}}\n',
    bytes.fromhex("030000130ee000000000000100080003000000"),
)
STREAMS = (*HELLOS, *REQUESTS, *BEGINNINGS)
INITIALS = (
    initial(crypto(HELLO[5:])),
    initial(crypto(HELLO[5:], 200) + b"\1" + crypto(HELLO[5:], 0, 200), version=V2),
    initial(crypto(HELLO[5:], 0, 250), size=None) + initial(crypto(HELLO[5:], 250), size=None),
    long_packet(0xF0, V1, b"", b"chosen", b"token" + bytes(16)),
)
DATAGRAMS = (
    *INITIALS,
    b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12),
    b"\x80\x60\0\1" + bytes(160),
    b"d1:ad2:id20:" + bytes(20),
    b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n",
    b"\1\0\0\0" + bytes(144),
    b"\x16\xfe\xfd\0\0" + bytes(8) + b"\1" + bytes(60),
)


def check(finding: Finding) -> None:
    """Check that a finding is what it says."""
    assert finding.application is None or finding.application in APPLICATIONS
    assert (finding.name is None) == (finding.source is None)
    assert finding.source in (None, "http", "tls", "quic")
    if finding.name is not None:
        assert finding.name.isascii()
        assert finding.name == finding.name.lower()
        assert 0 < len(finding.name) <= 4 * 255
    if finding.friendly_name is not None:
        assert finding.friendly_name.isprintable()
        assert 0 < len(finding.friendly_name) <= 64
    assert finding.malformed in (None, "tls", "quic", "http")


def facts(finding: Finding) -> Finding:
    """Return what was found out, without what depends on when it was."""
    return finding._replace(friendly_name=None, malformed=None)


@EXAMPLES
@given(
    protocol=st.sampled_from((TCP, UDP, 132)),
    ports=st.tuples(PORTS, PORTS),
    taken=st.lists(
        st.tuples(
            st.integers(0, 1),
            st.one_of(st.integers(0, 3000), st.integers(0, 2**32 - 1)),
            hostile((*STREAMS, *DATAGRAMS)),
            st.integers(0, 3000),
        ),
        max_size=12,
    ),
)
def test_anything(
    protocol: int, ports: tuple[int, int], taken: list[tuple[int, int, bytes, int]]
) -> None:
    conversation = Conversation(protocol, *ports)
    for direction, offset, data, more in taken:
        check(soon(conversation.take, direction, offset, data, len(data) + more))
        assert held(conversation) < MAX_HELD


@EXAMPLES
@given(data=changed(STREAMS), ports=st.tuples(PORTS, PORTS))
def test_changed_streams(data: bytes, ports: tuple[int, int]) -> None:
    check(soon(Conversation(TCP, *ports).take, 0, 0, data, len(data)))


@EXAMPLES
@given(data=st.lists(changed(DATAGRAMS), min_size=1, max_size=4), port=PORTS)
def test_changed_datagrams(data: list[bytes], port: int) -> None:
    conversation = Conversation(UDP, 50_000, port)
    for each in data:
        check(soon(conversation.take, 0, 0, each, len(each)))


@EXAMPLES
@given(
    frames=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.builds(crypto, st.just(HELLO[5:]), st.integers(0, 400), st.integers(0, 520)),
            st.sampled_from((b"\0", b"\1", b"\2\0\0\0\0", b"\6\0\0", b"\6\x40\x80\0", b"\x1c")),
        ),
        max_size=12,
    ),
    version=st.sampled_from((V1, V2)),
)
def test_any_frames_inside_a_packet_that_can_be_opened(frames: list[bytes], version: int) -> None:
    data = initial(b"".join(frames), version=version, size=None)
    conversation = Conversation(UDP, 50_000, 443)
    finding = soon(conversation.take, 0, 0, data, len(data))
    check(finding)
    assert finding.application in ("quic", "doh", "doq")
    assert held(conversation) < MAX_HELD


@pytest.mark.parametrize("data", STREAMS)
def test_streams_cut_off_at_every_length(data: bytes) -> None:
    whole = facts(Conversation(TCP, 50_000, 40_001).take(0, 0, data, len(data)))
    for size in range(len(data)):
        cut = Conversation(TCP, 50_000, 40_001).take(0, 0, data[:size], size)
        check(cut)
        assert cut.malformed is None
        assert cut.application in (None, UNKNOWN, whole.application)
        assert cut.name in (None, whole.name) or cut.source != whole.source


@pytest.mark.parametrize("data", DATAGRAMS)
def test_datagrams_cut_off_at_every_length(data: bytes) -> None:
    for size in range(1, len(data)):
        for length in (size, len(data)):
            finding = Conversation(UDP, 50_000, 40_001).take(0, 0, data[:size], length)
            check(finding)
            assert finding.malformed is None or length == size


@EXAMPLES
@given(data=st.data(), stream=st.one_of(st.sampled_from(STREAMS), changed(STREAMS)))
def test_a_stream_in_pieces_says_what_it_says_as_a_whole(
    data: st.DataObject, stream: bytes
) -> None:
    ports = data.draw(st.tuples(PORTS, PORTS))
    expected = facts(Conversation(TCP, *ports).take(0, 0, stream, len(stream)))
    conversation, finding = Conversation(TCP, *ports), Finding(more=True)
    for start, end in data.draw(pieces(len(stream))) if stream else ():
        finding = soon(conversation.take, 0, start, stream[start:end], end - start)
        check(finding)
        assert held(conversation) < MAX_HELD
    assert facts(finding) == expected


@EXAMPLES
@given(data=st.data(), stream=st.binary(min_size=1, max_size=3000))
def test_pieces_of_any_stream_are_put_in_order(data: st.DataObject, stream: bytes) -> None:
    order, found = Stream(4096), b""
    for start, end in data.draw(pieces(len(stream))):
        found += order.feed(start, stream[start:end])
    assert found == stream
    assert held(order) < 1024  # nothing waits any more


def test_room_is_free_again_once_pieces_were_put_in_order() -> None:
    order = Stream(4096)
    for at in range(0, 100_000, 1000):
        order.feed(at + 500, bytes(500))
        assert len(order.feed(at, bytes(500))) == 1000


@EXAMPLES
@given(fed=st.lists(st.tuples(st.integers(0, 30_000), st.binary(max_size=1500)), max_size=80))
def test_what_waits_for_its_turn_is_bounded(fed: list[tuple[int, bytes]]) -> None:
    order = Stream(8192)
    for offset, data in fed:
        soon(order.feed, offset, data)
        assert held(order) < 8192 + 64 * 64 + 4096


@settings(max_examples=100, deadline=None)
@given(data=st.data(), order=st.permutations(range(8)))
def test_frames_in_any_order_over_packets_in_any_order(
    data: st.DataObject, order: list[int]
) -> None:
    message = LONG[5:]
    cuts = data.draw(
        st.lists(st.integers(1, len(message) - 1), min_size=7, max_size=7, unique=True)
    )
    edges = [0, *sorted(cuts), len(message)]
    frames = [crypto(message, edges[each], edges[each + 1]) for each in order]
    half = data.draw(st.integers(1, 7))
    conversation, finding = Conversation(UDP, 50_000, 443), Finding()
    for count, part in enumerate((frames[:half], frames[half:])):
        packet = initial(b"".join(part), count=count)
        finding = conversation.take(0, 0, packet, len(packet))
    assert finding == Finding("quic", "camera.vendor.example", "quic", encrypted_hello=True)


GREEDY = (
    [(0, at, b"\x9f" * 1400) for at in range(1, 60_000, 1401)],  # nothing joins
    [(way, at, bytes((at,)) * 1400) for at in range(1, 200) for way in (0, 1)],
    [(way, 0, b"\x9f" * 60_000) for way in (0, 1)],
    [(at % 2, at, b"\x16" * 1400) for at in range(1, 60_000, 1401)],
    [(0, 0, b"\x16\3\1\x40\0\1\0\x3f\0" + bytes(1400))]
    + [(way, at, bytes(1400)) for at in range(20_000, 4_000, -1400) for way in (0, 1)],
    [(way, at, b"GET /" + b"a" * 1395) for at in range(0, 20_000, 1400) for way in (0, 1)],
    [(way, at, b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200) for at in range(0, 90_000, 1217) for way in (0, 1)],
    [(0, at, bytes((0x16, 3, 1, 0x40, 0, 1, 0, 0x3F, 0xF0, at & 1)[at % 10 :][:1])) for at in range(9000)],
)  # fmt: skip


@pytest.mark.parametrize("taken", GREEDY)
def test_what_is_made_to_take_memory(taken: list[tuple[int, int, bytes]]) -> None:
    conversation = Conversation(TCP, 50_000, 443)
    for direction, offset, data in taken:
        check(soon(conversation.take, direction, offset, data, len(data)))
        assert held(conversation) < MAX_HELD


@pytest.mark.parametrize(
    "data",
    [
        in_records(LONG, 1),
        with_extension(HELLO, 0xFFA5, bytes(0))[:9] + bytes(16_000),
        b"\x16\3\1\x40\0\1\0\x3f\0\3\3" + bytes(32) + b"\0\0\2\0\0\1\0\x3e\xd5" + b"\xff\xa5\0\0" * 4020,
        b"220 " + b"FTP " * 2000,
        b"220 " + b"ESMTP " * 2000,
        b"{" + b'"method" ' * 1000,
        b"{" + b'"mining.' * 1000,
        b"NICK " + b"a" * 4000,
        b":" + b"a" * 4000,
        b"GET " + b"/" * 9000,
        b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 2000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"<friendlyName>" * 600,
        b"HTTP/1.1 200 OK\r\n\r\n<friendlyName>" + b"&#65;" * 600,
    ],
)  # fmt: skip
def test_what_is_made_to_take_long(data: bytes) -> None:
    soon(Conversation(TCP, 50_000, 443).take, 0, 0, data, len(data))
    conversation = Conversation(TCP, 50_000, 443)
    for at in range(len(data)):
        soon(conversation.take, 0, at, data[at : at + 1], 1)


@pytest.mark.parametrize(
    "frames",
    [
        b"\0\1" * 580,
        b"\6\0\0" * 380,
        b"".join(b"\6" + bytes((0x40 | at >> 8, at & 0xFF)) + b"\1x" for at in range(2, 400, 2)),
        b"\2\0\0\x44\0\0" + b"\0\0" * 560,
    ],
)
def test_packets_that_are_made_to_take_long(frames: bytes) -> None:
    conversation = Conversation(UDP, 50_000, 443)
    for _ in range(40):
        data = b"".join(initial(frames[at : at + 160], size=None) for at in range(0, 1160, 160))
        check(soon(conversation.take, 0, 0, data, len(data)))
    assert held(conversation) < MAX_HELD
