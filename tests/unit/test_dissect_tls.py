"""TLS: the name in the ClientHello, however it is cut; what is hostile is malformed and nothing is raised."""

import random

import pytest

from hearthwall_sensor.dissect.conversation import Conversation, Finding
from hearthwall_sensor.dissect.tls import MAX_HELLO, Hello
from tests.unit.hellos import NAME, client_hello, in_records, with_extension

UPLOAD, DOWNLOAD = 0, 1
NAMED = Finding("tls", NAME.lower(), "tls")
SERVER_HELLO = bytes.fromhex("160303007a020000760303") + bytes(100)


def taken(*pieces: tuple[int, bytes], ports: tuple[int, int] = (50_000, 443)) -> Finding:
    """Return what is known after pieces of the client's stream."""
    conversation = Conversation(6, *ports)
    finding = Finding()
    for offset, data in pieces:
        finding = conversation.take(UPLOAD, offset, data, len(data))
    return finding


def test_name_of_a_real_hello() -> None:
    assert taken((0, client_hello())) == NAMED


def test_hello_without_a_name_is_tls_all_the_same() -> None:
    assert taken((0, client_hello(None))) == Finding("tls")


@pytest.mark.parametrize("name", ["192.0.2.7", "2001:db8::7"])
def test_an_address_is_no_name(name: str) -> None:
    hello = client_hello("x" * len(name)).replace(b"x" * len(name), name.encode())
    assert taken((0, hello)) == Finding("tls")


def test_names_are_written_as_those_of_dns() -> None:
    hello = client_hello("aaaaaaaaaaaa.example").replace(b"aaaaaaaaaaaa", b"a\xff\\bB cc\0ddd")
    assert taken((0, hello)).name == "a\\255\\092bb\\032cc\\000ddd.example"


@pytest.mark.parametrize("size", [1, 3, 4, 5, 40, 200, 1400])
def test_a_hello_in_several_records(size: int) -> None:
    hello = with_extension(client_hello(), 0xFFA5, bytes(1800))
    assert taken((0, in_records(hello, size))) == NAMED


def test_a_hello_in_two_segments_and_two_records_in_any_order() -> None:
    data = in_records(with_extension(client_hello(), 0xFFA5, bytes(1800)), 700)
    pieces = [(at, data[at : at + 500]) for at in range(0, len(data), 450)]  # they overlap
    for seed in range(50):
        random.Random(seed).shuffle(pieces)
        assert taken(*pieces, *pieces[:2]) == NAMED
    assert taken(*pieces[:-1]).more or taken(*pieces[:-1]) == NAMED


def test_a_hello_in_single_bytes() -> None:
    data = client_hello()
    assert taken(*((at, data[at : at + 1]) for at in range(len(data)))) == NAMED


def test_the_name_is_known_before_the_rest_has_come() -> None:
    data = with_extension(client_hello(), 0xFFA5, bytes(3000))
    finding = taken((0, data[:1400]))
    assert (finding.name, finding.more) == (NAME.lower(), True)


def test_what_was_taken_first_stands() -> None:
    data = client_hello()
    other = data.replace(b"Camera", b"Secret")
    assert taken((0, data[:300]), (0, other)).name == NAME.lower()
    assert taken((0, other[:300]), (0, data)).name == "secret.vendor.example"


def test_encrypted_hello_is_said() -> None:
    finding = taken((0, with_extension(client_hello("public.example"), 0xFE0D, bytes(200))))
    assert finding == Finding("tls", "public.example", "tls", encrypted_hello=True)


def test_the_servers_hello_is_tls_and_the_clients_still_counts() -> None:
    conversation = Conversation(6, 50_000, 443)
    finding = conversation.take(DOWNLOAD, 0, SERVER_HELLO, len(SERVER_HELLO))
    assert finding == Finding("tls", more=True)
    hello = client_hello()
    assert conversation.take(UPLOAD, 0, hello, len(hello)) == NAMED


def test_a_server_among_the_devices() -> None:
    hello = client_hello()
    assert Conversation(6, 443, 50_000).take(DOWNLOAD, 0, hello, len(hello)) == NAMED


def test_data_of_a_connection_begun_unseen() -> None:
    assert taken((0, b"\x17\3\3\0\x40" + bytes(64))) == Finding("tls", more=True)


@pytest.mark.parametrize("data", [b"\x17\3\3\0\1\0", b"\x16\3\1\2\0\3" + bytes(64), b"\x16\3\1"])
def test_near_misses_are_unknown(data: bytes) -> None:
    assert taken((0, data)) == Finding("unknown", more=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:6] + b"\0\xff\xff" + data[9:],  # longer than any hello
        lambda data: data[:6] + b"\0\0\7" + data[9:],  # too short to be one
        lambda data: data[:8] + bytes((data[8] + 9,)) + data[9:] + bytes(300),
        lambda data: data.replace(b"\0\x15Camera", b"\xff\x15Camera"),
        lambda data: data[:43] + b"\xff" + data[44:],
        lambda data: data.replace(b"\x02h2", b"\x7fh2"),
        lambda data: in_records(data, 100)[:105] + b"\x15\3\3\0\2\2\x28" + data,
        lambda data: in_records(data, 100)[:105] + b"\x16\3\1\0\0",
    ],
)
def test_what_contradicts_itself_is_malformed(change: object) -> None:
    assert callable(change)
    finding = taken((0, change(client_hello())))
    assert finding.malformed == "tls"
    assert finding.application == "tls"
    assert not finding.more


def test_malformed_is_said_once() -> None:
    conversation = Conversation(6, 50_000, 443)
    data = client_hello()[:6] + b"\0\xff\xff"
    assert conversation.take(UPLOAD, 0, data, len(data)).malformed == "tls"
    assert conversation.take(UPLOAD, len(data), data, len(data)).malformed is None


def test_an_old_hello_without_extensions() -> None:
    body = b"\3\1" + bytes(32) + b"\0" + b"\0\2\0\x2f" + b"\1\0"
    hello = Hello()
    hello.feed(b"\1" + len(body).to_bytes(3, "big") + body)
    assert hello.complete
    assert not hello.malformed


def test_what_a_client_offers_to_speak() -> None:
    hello = Hello()
    hello.feed(client_hello(protocols=("h2", "dot"))[5:])
    assert hello.protocols == (b"h2", b"dot")


def test_a_hello_as_long_as_is_read() -> None:
    hello = Hello()
    grown = with_extension(client_hello(), 0xFFA5, bytes(MAX_HELLO - len(client_hello()) + 5 - 4))
    hello.feed(grown[5:])
    assert hello.complete
    assert hello.name == NAME.lower()
