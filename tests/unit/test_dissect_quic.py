"""QUIC: the hello inside Initial packets, of every version, however it is spread over frames and packets."""

import random
import sys

import pytest
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import QuicProtocolVersion

from hearthwall_sensor.dissect import quic
from hearthwall_sensor.dissect.conversation import Conversation, Finding
from tests.unit.hellos import (
    CONNECTION,
    DRAFT,
    NAME,
    V1,
    V2,
    client_hello,
    crypto,
    initial,
    keys,
    long_packet,
    number,
    with_extension,
)

UPLOAD, DOWNLOAD = 0, 1
NAMED = Finding("quic", NAME.lower(), "quic")
SEEN = Finding("quic", more=True)
HELLO = with_extension(client_hello(protocols=("h3",)), 0xFFA5, bytes(1500))[5:]
SHORT = client_hello(protocols=("h3",))[5:]

#: RFC 9001, A.2, and RFC 9369, A.2: the client's CRYPTO frame is the same.
FRAME = bytes.fromhex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868"
    "04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578"
    "616d706c652e636f6dff01000100000a00080006001d00170018001000070005"
    "04616c706e000500050100000000003300260024001d00209370b2c9caa47fba"
    "baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
    "0d0010000e0403050306030203080408050806002d00020101001c0002400100"
    "3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000"
    "75300901100f088394c8f03e51570806048000ffff"
)


def taken(*datagrams: bytes, ports: tuple[int, int] = (50_000, 443)) -> Finding:
    """Return what is known after the client's datagrams."""
    conversation = Conversation(17, *ports)
    finding = Finding()
    for data in datagrams:
        finding = conversation.take(UPLOAD, 0, data, len(data))
    return finding


@pytest.mark.parametrize(
    ("version", "head", "tag"),
    [
        (V1, "c000000001088394c8f03e5157080000449e7b9aec34", "e221af44860018ab0856972e194cd934"),
        (V2, "d76b3343cf088394c8f03e5157080000449ea0c95e82", "a18b2faa745b6fe189cf772a9f84cbfc"),
    ],
)
def test_the_standards_own_packet(version: int, head: str, tag: str) -> None:
    packet = initial(FRAME, version=version, count=2)
    assert len(packet) == 1200
    # The tag is over all of the packet: where it is right, so is the rest
    assert (packet[:22].hex(), packet[-16:].hex()) == (head, tag)
    assert taken(packet) == Finding("quic", "example.com", "quic")


def test_the_standards_own_keys() -> None:
    assert [each.hex() for each in keys(V1, CONNECTION)] == [
        "1f369613dd76d5467730efcbe3b1a22d",
        "fa044b2f42a3fd3b46fb255c",
        "9f50449e04a0e810283a1e9933adedd2",
    ]


@pytest.mark.parametrize("version", [QuicProtocolVersion.VERSION_1, QuicProtocolVersion.VERSION_2])
def test_a_real_client(version: int) -> None:
    configuration = QuicConfiguration(
        is_client=True,
        server_name=NAME,
        alpn_protocols=["h3"],
        original_version=version,
        supported_versions=[version],
    )
    client = QuicConnection(configuration=configuration)
    client.connect(("192.0.2.1", 443), now=0.0)
    sent = [data for data, _ in client.datagrams_to_send(now=0.0)]
    assert taken(*sent) == NAMED


@pytest.mark.parametrize("version", [V1, V2, DRAFT])
def test_a_hello_over_two_packets_in_both_orders(version: int) -> None:
    first = initial(crypto(HELLO, 0, 1100), version=version)
    second = initial(crypto(HELLO, 1100), version=version, count=1)
    assert taken(first, second) == NAMED
    assert taken(second, first) == NAMED
    assert taken(second) == SEEN
    assert taken(second, second, second) == SEEN


def test_frames_in_any_order_between_others() -> None:
    between = [b"\0" * 7, b"\1", b"\1\0\1", b"\2\0\0\0\0", b"\2\4\0\1\0\1\1", b"\3\0\0\0\0\1\2\3"]
    cuts = sorted(random.Random(7).sample(range(1, len(SHORT)), 20))
    edges = zip([0, *cuts], [*cuts, len(SHORT)], strict=True)
    frames = [crypto(SHORT, start, end) for start, end in edges] + between
    for seed in range(50):
        random.Random(seed).shuffle(frames)
        assert taken(initial(b"".join(frames))) == NAMED


def test_frames_that_overlap() -> None:
    frames = [crypto(SHORT, at, at + 90) for at in range(0, len(SHORT), 60)]
    assert taken(initial(b"".join(reversed(frames)))) == NAMED


def test_packets_in_one_datagram() -> None:
    other = long_packet(0xD0, V1, CONNECTION, b"", number(60) + bytes(60))  # 0-RTT
    first = initial(crypto(SHORT, 0, 200), size=None)
    second = initial(crypto(SHORT, 200), size=None, count=1)
    assert taken(other + first + second) == NAMED
    assert taken(first + second + b"\x40" + bytes(80)) == NAMED
    assert taken(first + other + second) == NAMED


def test_later_packets_go_to_the_servers_choice_under_the_same_keys() -> None:
    first = initial(crypto(HELLO, 0, 1100))
    second = initial(crypto(HELLO, 1100), to=b"server's", keyed_by=CONNECTION, count=1)
    assert taken(first, second) == NAMED


@pytest.mark.parametrize("version", [V1, V2])
def test_after_a_retry_there_are_new_keys(version: int) -> None:
    conversation = Conversation(17, 50_000, 443)

    def take(direction: int, data: bytes) -> Finding:
        return conversation.take(direction, 0, data, len(data))

    assert take(UPLOAD, initial(crypto(HELLO, 0, 900), version=version)) == Finding(
        "quic", NAME.lower(), "quic", more=True
    )
    kind = 0xF0 if version == V1 else 0xC0
    retry = long_packet(kind, version, b"", b"chosen by server", b"a token" + bytes(16))
    assert take(DOWNLOAD, retry).malformed is None
    for count, piece in ((1, crypto(HELLO, 0, 900)), (2, crypto(HELLO, 900))):
        sent = initial(
            piece, version=version, to=b"chosen by server", token=b"a token", count=count
        )
        finding = take(UPLOAD, sent)
    assert finding == NAMED


def test_the_servers_packets_say_nothing_and_do_no_harm() -> None:
    answer = initial(
        b"\2\0\0\0\0" + crypto(b"\2\0\0\x50" + bytes(80)),
        to=b"",
        sender=b"server's",
        keyed_by=CONNECTION,
        side="server in",
    )
    for before in (True, False):
        conversation = Conversation(17, 50_000, 443)
        steps = [(DOWNLOAD, answer), (UPLOAD, initial(crypto(HELLO, 0, 1100)))]
        for direction, data in steps if before else reversed(steps):
            assert conversation.take(direction, 0, data, len(data)).malformed is None
        data = initial(crypto(HELLO, 1100), to=b"server's", keyed_by=CONNECTION, count=1)
        assert conversation.take(UPLOAD, 0, data, len(data)) == NAMED


def test_encrypted_hello_is_said() -> None:
    hello = with_extension(client_hello(protocols=("h3",)), 0xFE0D, bytes(100))[5:]
    assert taken(initial(crypto(hello))) == NAMED._replace(encrypted_hello=True)


def test_what_was_sent_to_close_the_connection() -> None:
    assert taken(initial(b"\x1c\1\0\4oops")) == SEEN


def test_a_changed_packet_is_not_believed() -> None:
    packet = bytearray(initial(crypto(SHORT)))
    packet[700] ^= 1
    assert taken(bytes(packet)) == SEEN


@pytest.mark.parametrize(
    "data",
    [
        initial(crypto(SHORT))[:-1],
        long_packet(0xC0, V1, CONNECTION, bytes(21), bytes(1200)),
        long_packet(0xC0, V1, CONNECTION, b"", b"\xff" * 8),
        long_packet(0xC0, V1, CONNECTION, b"", b"\0\0\0\0"),
        long_packet(0xC0, V1, CONNECTION, b"", b""),
        initial(b"\x06\0\x7f\xff" + bytes(20)),  # a CRYPTO frame longer than the packet
        initial(b"\x08\0\0"),  # a STREAM, too early
        initial(b"\2\0\0\xbf\xff\xff\xff\0"),  # so many ranges
        initial(crypto(b"\2" + SHORT[1:])),  # the server's hello from the client
        initial(crypto(SHORT[:1] + b"\xff" + SHORT[2:])),
    ],
)
def test_what_contradicts_itself_is_malformed(data: bytes) -> None:
    assert taken(data).malformed == "quic"


def test_what_a_sample_cut_off_is_not_malformed() -> None:
    data = initial(crypto(SHORT))
    assert Conversation(17, 50_000, 443).take(UPLOAD, 0, data[:600], len(data)).malformed is None


@pytest.mark.parametrize(
    "data",
    [
        b"\xc0\0\0\0\2" + bytes(1200),  # no version
        b"\x40\0\0\0\1" + bytes(1200),
        b"\xc0\0\0\0\1\x15" + bytes(1200),
        b"\x80\0\0\0\1\x08" + bytes(1200),
    ],
)
def test_near_misses_are_unknown(data: bytes) -> None:
    assert taken(data) == Finding("unknown", more=True)


def test_other_versions_are_known_as_quic() -> None:
    assert taken(long_packet(0xC0, 0x1A2A3A4A, CONNECTION, b"", bytes(1200))).application == "quic"
    assert taken(long_packet(0xC0, 0xFF00001B, CONNECTION, b"", bytes(1200))).application == "quic"


def test_the_work_for_one_flow_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    decrypt = quic._decrypt
    monkeypatch.setattr(quic, "_decrypt", lambda *args: opened.append(0) or decrypt(*args))
    conversation = Conversation(17, 50_000, 443)
    for count in range(100):
        packets = [initial(b"\1", to=bytes((count, i)), keyed_by=b"-", size=None) for i in range(8)]
        data = b"".join(packets)
        finding = conversation.take(UPLOAD, 0, data, len(data))
    assert finding == Finding("quic")
    assert 4 < len(opened) <= 8  # no more keys are made
    other = Conversation(17, 50_000, 443)
    for _ in range(100):
        data = initial(b"\1", size=None) * 8
        other.take(UPLOAD, 0, data, len(data))
    assert len(opened) < 48


def test_without_cryptography_it_is_quic_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    packet = initial(FRAME, count=2)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    found = taken(packet)
    assert (found.application, found.name, found.malformed) == ("quic", None, None)
