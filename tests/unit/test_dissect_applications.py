"""Labels: by the first bytes where they are conclusive, with the ports' help where they aren't, and else unknown."""

import json
import struct
from typing import Any

import pytest
from dnslib import DNSRecord
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.ntp import NTP
from scapy.layers.snmp import SNMP, SNMPget

from hearthwall_sensor.dissect.applications import APPLICATIONS, UNKNOWN, better, guess
from hearthwall_sensor.dissect.conversation import Conversation, Finding
from hearthwall_sensor.dissect.signatures import _TCP, _UDP
from hearthwall_sensor.flows.flow import FlowKey, Sample
from hearthwall_sensor.flows.labels import Labels
from tests.unit.hellos import client_hello, crypto, initial

UPLOAD, DOWNLOAD = 0, 1
TCP, UDP = 6, 17
ANY = 40_001
STUN = b"\0\1\0\x08\x21\x12\xa4\x42" + bytes(12) + b"\x80\x22\0\4test"
QUERY = bytes(DNSRecord.question("a.example").pack())
NETBIOS = bytes(4) + b"\0\1" + bytes(6) + b"\x20" + b"CK" + b"A" * 30 + b"\0\0\x21\0\1"
IKE = b"initiatr" + bytes(8) + b"\x21\x20\x22\x08" + bytes(4) + struct.pack("!I", 60) + bytes(32)
DTLS = b"\x16\xfe\xfd\0\0" + bytes(6) + b"\0\x2f\1" + bytes(60)
RTCP = b"\x80\xc8\0\6" + bytes(24) + b"\x81\xca\0\2" + bytes(8)
SNMP2 = bytes(SNMP(community="public", PDU=SNMPget()))
SNMP3 = b"\x30\x3e\2\1\3\x30" + bytes(58)
NTP_CLIENT = bytes(NTP(version=4, mode=3))
DHCP_REQUEST = bytes(BOOTP() / DHCP(options=[("message-type", "request"), "end"]))


def rpc(method: str, *parameters: Any, **more: Any) -> bytes:
    return json.dumps({"id": 1, "method": method, "params": parameters, **more}).encode() + b"\n"


def label(
    data: bytes, protocol: int = TCP, peer_port: int = ANY, direction: int = UPLOAD
) -> str | None:
    """Return what the first bytes of a flow are said to be."""
    found = Conversation(protocol, 50_000, peer_port).take(direction, 0, data, len(data))
    return found.application


@pytest.mark.parametrize(
    ("application", "data"),
    [
        ("ssh", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        ("ssh", b"SSH-1.99-dropbear\r\n"),
        ("telnet", b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27"),
        ("smb", b"\0\0\0\x54\xfeSMB\x40\0" + bytes(70)),
        ("smb", b"\0\0\0\x54\xffSMB\x72" + bytes(70)),
        ("netbios", b"\x81\0\0\x44\x20" + b"CA" * 16 + b"\0\x20" + b"CA" * 16 + b"\0"),
        ("mqtt", b"\x10\x10\0\4MQTT\4\2\0\x3c\0\4abcd"),
        ("mqtt", b"\x10\x90\1\0\6MQIsdp\3\2\0\x3c" + bytes(130)),
        ("bittorrent", b"\x13BitTorrent protocol" + bytes(48)),
        ("rdp", bytes.fromhex("030000130ee000000000000100080003000000")),
        ("rdp", b"\3\0\0\x2a\x25\xe0\0\0\0\0\0Cookie: mstshash=anna\r\n\1\0\x08\0\3\0\0\0"),
        ("rdp", bytes.fromhex("030000130ed000001234000209080002000000")),
        ("vnc", b"RFB 003.008\n"),
        ("ftp", b"220 ProFTPD Server (camera) [192.168.7.20]\r\n"),
        ("smtp", b"220 mail.example ESMTP Postfix\r\n"),
        ("smtp", b"EHLO [192.168.7.20]\r\n"),
        ("pop3", b"+OK Dovecot POP3 ready.\r\n"),
        ("imap", b"* OK [CAPABILITY IMAP4rev1 SASL-IR] Dovecot ready.\r\n"),
        ("irc", b"CAP LS 302\r\nNICK anna\r\n"),
        ("irc", b"NICK bot17\r\nUSER bot 8 * :bot\r\n"),
        ("irc", b"PASS x\r\nNICK bot17\r\n"),
        ("irc", b"USER guest 0 * :Ronnie Reagan\r\n"),
        ("irc", b":irc.example NOTICE * :*** Looking up your hostname\r\n"),
        ("irc", b"NOTICE AUTH :*** Looking up your hostname\r\n"),
        ("socks", b"\5\1\0\5\1\0\3\x0eexample.invalid\1\xbb"),
        ("stun", STUN),
        ("tls", client_hello()),
        ("http", b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        ("rtsp", b"OPTIONS rtsp://camera.local/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
        ("stratum", rpc("mining.subscribe", "cpuminer/2.5")),
        ("stratum", b'{"id": 1, "method": "mining.subscribe", "params": []}'),
        ("stratum", b'{"method":"mining.configure","params":[["version-rolling"],{}]}'),
        ("stratum", rpc("mining.authorize", "user.worker", "x")),
        ("stratum", b'{"id":null,"method":"mining.set_difficulty","params":[512]}\n'),
        ("stratum", b'{"id":1,"result":[[["mining.notify","ae68"]],"08000002",4],"error":null}\n'),
        ("stratum", rpc("login", login="4A…", agent="XMRig/6.21", algo=["rx/0"])),
        ("stratum", b'{"method":"login","params":{"login":"x","pass":"x","agent":"xmr-stak"}}'),
        ("stratum", b'{"jsonrpc":"2.0","method":"job","params":{"blob":"0707","job_id":"1"}}'),
        (
            "stratum",
            b'{"id":1,"result":{"id":"x","job":{"blob":"0707","job_id":"1","target":"b8"}}}',
        ),
        ("stratum", rpc("mining.submit", "user.worker", "job", "00", "5f", "00")),
        ("stratum", b'{"id":2,"method":"mining.extranonce.subscribe","params":[]}'),
        ("stratum", b'{"id":0,"method":"mining.hello","params":{"proto":"EthereumStratum/2.0.0"}}'),
        ("stratum", b'{"id":null,"method":"mining.set_target","params":["0007"]}'),
        ("stratum", rpc("eth_submitHashrate", "0x500000", "0x1")),
        ("stratum", rpc("eth_submitLogin", "0xabc", worker="rig")),
        ("stratum", b'{"id":0,"jsonrpc":"2.0","method":"eth_getWork","params":[]}\n'),
    ],
)
def test_streams_that_say_what_they_are(application: str, data: bytes) -> None:
    assert label(data) == application
    assert label(data, direction=DOWNLOAD) == application


@pytest.mark.parametrize(
    ("application", "port", "data"),
    [
        ("telnet", 23, b"\xff\xfb\1login: "),
        ("telnet", 23, b"\r\nDD-WRT v3.0\r\nDD-WRT login: "),
        ("telnet", 2323, b"Username: "),
        ("netbios", 139, b"\x82\0\0\0"),
        ("mqtt", 1883, b"\x20\2\0\0"),
        ("ftp", 21, b"220 Welcome\r\n"),
        ("ftp", 21, b"USER anonymous\r\n"),
        ("smtp", 25, b"220 mail.example ready\r\n"),
        ("pop3", 110, b"+OK ready\r\n"),
        ("pop3", 110, b"USER anna\r\n"),
        ("imap", 143, b"* OK ready\r\n"),
        ("socks", 1080, b"\5\2\0\2"),
        ("socks", 9050, b"\5\0"),
        ("socks", 1080, b"\4\1\1\xbb\xcb\0\x71\5anna\0"),
        ("socks", 1080, b"\0\x5a" + bytes(6)),
        ("openvpn", 1194, b"\0\x0e\x38" + bytes(13)),
        ("syslog", 514, b"<34>Oct 11 22:14:15 host su: failed"),
        ("dns", 53, struct.pack("!H", len(QUERY)) + QUERY),
    ],
)
def test_streams_that_need_the_ports_word(application: str, port: int, data: bytes) -> None:
    assert label(data, peer_port=port) == application
    assert label(data) == UNKNOWN


@pytest.mark.parametrize(
    ("application", "client", "server"),
    [
        ("socks", b"\5\2\0\2", b"\5\2"),
        ("ftp", b"USER anonymous\r\n", b"220 Welcome\r\n"),
        ("pop3", b"USER anna\r\n", b"+OK ready\r\n"),
    ],
)
def test_both_sides_together_say_what_neither_says_alone(
    application: str, client: bytes, server: bytes
) -> None:
    for pieces in ([(UPLOAD, client), (DOWNLOAD, server)], [(DOWNLOAD, server), (UPLOAD, client)]):
        conversation = Conversation(TCP, 50_000, ANY)
        found = [conversation.take(way, 0, data, len(data)) for way, data in pieces]
        assert found == [Finding(UNKNOWN, more=True), Finding(application)]


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"SSH",
        b"SSH:2.0",
        b"\xff\xfb",
        b"\xff\xfb\x90\x64" + bytes(400),  # MP3
        b"\xff\xfe1\0,\0",  # a text in UTF-16
        b"\0\0\0\x54\xfeSMC",
        b"\x10\x10\0\4MQTX\4\2",
        b"\x10\xff\xff\xff\xff\xff\0\4MQTT",
        b"\x13BitTorrent protocoX",
        b"\3\0\0\x16\x11\xe0\0\0\0\1\0\xc1\2\1\0\xc2\2\1\2\xc0\1\x0a",  # Siemens S7
        b"RFB 3.8\n",
        b"220 Welcome\r\n",
        b"* OK ready\r\n",
        b"+OK\r\n",  # Redis
        b"USER anna\r\n",
        b"NICKNAME anna\r\n",
        b"\5\0\x0b\3\x10\0\0\0" + bytes(64),  # DCE/RPC
        b"\5\1\x0a",
        b"\5\1\0\5\4\0\3",
        b"\0\1\0\x08\x21\x12\xa4\x43" + bytes(12),
        rpc("status"),
        rpc("eth_blockNumber"),
        rpc("login", user="anna"),
        rpc("subscribe", "mining"),
        b'{"method":"Session.login","agent":"browser"}',
        b'{"worker":"a","blob":"b","id":1}',
        b'{"text":"they said mining.subscribe is a method"}',
        b'{"method":"job","id":1}',
        b'{"job_id":"1","id":1}',
        b'{"method":"mining.status"}',
        b"[" + rpc("mining.subscribe") + b"]",
        struct.pack("!H", len(QUERY)) + QUERY,
    ],
)
def test_streams_that_look_like_something_and_are_not(data: bytes) -> None:
    assert label(data) == UNKNOWN


@pytest.mark.parametrize("port", [22, 53, 80, 443, 853, 1883, 3333, 9001])
def test_a_port_alone_makes_no_label_of_bytes(port: int) -> None:
    assert label(b"\x9f\x01\xfe\x7fsomething else altogether", peer_port=port) == UNKNOWN


@pytest.mark.parametrize(
    ("application", "data"),
    [
        ("stun", STUN),
        ("dhcp", DHCP_REQUEST),
        ("ssdp", b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n"),
        ("sip", b"REGISTER sip:example.org SIP/2.0\r\n\r\n"),
        ("sip", b"SIP/2.0 200 OK\r\n\r\n"),
        ("bittorrent", b"d1:ad2:id20:abcdefghij01234567899:info_hash20:x"),
        ("bittorrent", b"d1:rd2:id20:mnopqrstuvwxyz1234565:token8:"),
        ("bittorrent", bytes.fromhex("0000041727101980") + bytes(8)),
        ("bittorrent", b"BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\n\r\n"),
        ("dtls", DTLS),
        ("wireguard", b"\1\0\0\0" + b"k" * 144),
        ("wireguard", b"\2\0\0\0" + b"k" * 88),
        ("openvpn", b"\x38" + b"session." + bytes(5)),
        ("rtcp", RTCP),
        ("snmp", SNMP2),
        ("ipsec", IKE),
        ("ipsec", bytes(4) + IKE),
        ("quic", initial(crypto(client_hello()[5:]))),
    ],
)
def test_datagrams_that_say_what_they_are(application: str, data: bytes) -> None:
    assert label(data, UDP) == application
    assert label(data, UDP, direction=DOWNLOAD) == application


@pytest.mark.parametrize(
    ("application", "port", "data"),
    [
        ("ssdp", 1900, b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n"),
        ("wireguard", 51820, b"\4\0\0\0" + b"k" * 92),
        ("openvpn", 1194, b"\x40" + bytes(60)),
        ("snmp", 161, SNMP3),
        ("netbios", 137, NETBIOS),
        ("netbios", 138, b"\x11" + bytes(80)),
        ("dns", 53, QUERY),
        ("mdns", 5353, QUERY),
        ("llmnr", 5355, QUERY),
        ("ntp", 123, NTP_CLIENT),
        ("coap", 5683, b"\x40\1\x7d\x34\xb4temp"),
        ("dhcp", 547, b"\1\0\0\1\0\1\0\x0a" + bytes(10)),
        ("syslog", 514, b"<191>Oct 11 22:14:15 host su: failed"),
    ],
)
def test_datagrams_that_need_the_ports_word(application: str, port: int, data: bytes) -> None:
    assert label(data, UDP, port) == application
    assert label(data, UDP) == UNKNOWN


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        STUN[:4] + b"\x21\x12\xa4\x43" + STUN[8:],
        DHCP_REQUEST.replace(b"\x63\x82\x53\x63", b"\x63\x82\x53\x64"),
        b"GET * HTTP/1.1\r\n\r\n",
        b"REGISTER sip:example.org HTTP/2.0\r\n",
        b"d2:xy3:id20:",
        DTLS.replace(b"\xfe\xfd", b"\xfe\xfc"),
        b"\1\0\0\0" + b"k" * 145,
        b"\x38" + b"session." + bytes(6),
        RTCP + b"\0\0\0\0",
        RTCP[:-1],
        SNMP2[:5] + b"\x05" + SNMP2[6:],
        IKE + b"\0",
        b"\x80\x60\0\1" + bytes(160),  # RTP, but only one
        b"<192>no syslog",
    ],
)
@pytest.mark.parametrize("port", [ANY, 514])
def test_datagrams_that_look_like_something_and_are_not(data: bytes, port: int) -> None:
    assert label(data, UDP, port) == UNKNOWN


def rtp(sequence: int, source: int = 77, kind: int = 96) -> bytes:
    return struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, sequence * 160, source) + bytes(160)


@pytest.mark.parametrize(
    ("datagrams", "application"),
    [
        ([rtp(1), rtp(2)], "rtp"),
        ([rtp(0xFFFF), rtp(0x10000)], "rtp"),
        ([rtp(1), rtp(9)], "rtp"),
        ([rtp(1), rtp(1)], UNKNOWN),
        ([rtp(2), rtp(1)], UNKNOWN),
        ([rtp(1), rtp(2000)], UNKNOWN),
        ([rtp(1), rtp(2, source=78)], UNKNOWN),
        ([rtp(1), rtp(2, kind=97)], UNKNOWN),
        ([rtp(1, kind=72), rtp(2, kind=72)], UNKNOWN),
        ([rtp(1), b"\x8f\x60\0\2" + rtp(1)[4:30]], UNKNOWN),
    ],
)
def test_rtp_is_known_by_two_packets_in_a_row(datagrams: list[bytes], application: str) -> None:
    conversation = Conversation(UDP, 50_000, ANY)
    first, last = (conversation.take(UPLOAD, 0, data, len(data)) for data in datagrams)
    assert first == Finding(UNKNOWN, more=True)
    assert last.application == application


def test_rtp_of_the_other_direction_is_another_stream() -> None:
    conversation = Conversation(UDP, 50_000, ANY)
    conversation.take(UPLOAD, 0, rtp(1), 172)
    assert conversation.take(DOWNLOAD, 0, rtp(2), 172).application == UNKNOWN


TOR = "www.q5j3yzlbm7n2w.com"


@pytest.mark.parametrize(
    ("name", "protocols", "port", "application"),
    [
        ("a.example", ("dot",), ANY, "dot"),
        ("a.example", (), 853, "dot"),
        ("dns.google", ("h2",), 443, "doh"),
        ("abc123.dns.nextdns.io", ("h2",), 443, "doh"),
        ("mail.google", ("h2",), 443, "tls"),
        ("notdns.google.example", ("h2",), 443, "tls"),
        ("a.example", ("doq",), ANY, "doq"),
        (TOR, (), 9001, "tor"),
        (TOR, (), 9030, "tor"),
        (TOR, (), 443, "tls"),
        (TOR, ("h2",), 9001, "tls"),
        ("www.example.org", (), 9001, "tls"),
        ("www.ab.com", (), 9001, "tls"),
        ("q5j3yzlbm7n2w.com", (), 9001, "tls"),
        (None, (), 9001, "tls"),
    ],
)
def test_what_is_inside_tls_where_that_is_sure(
    name: str | None, protocols: tuple[str, ...], port: int, application: str
) -> None:
    assert label(client_hello(name, protocols), peer_port=port) == application


@pytest.mark.parametrize(
    ("name", "protocols", "port", "application"),
    [
        ("a.example", ("doq",), ANY, "doq"),
        ("a.example", ("h3",), 853, "doq"),
        ("a.example", ("h3",), 784, "doq"),
        ("cloudflare-dns.com", ("h3",), 443, "doh"),
        (TOR, (), 9001, "quic"),
        ("a.example", ("h3",), 443, "quic"),
    ],
)
def test_what_is_inside_quic_where_that_is_sure(
    name: str, protocols: tuple[str, ...], port: int, application: str
) -> None:
    hello = client_hello(name, protocols)[5:]
    assert label(initial(crypto(hello)), UDP, port) == application


@pytest.mark.parametrize(
    ("known", "found", "application"),
    [
        (None, None, None),
        (None, UNKNOWN, UNKNOWN),
        (UNKNOWN, "ssh", "ssh"),
        ("ssh", UNKNOWN, "ssh"),
        ("ssh", None, "ssh"),
        ("ssh", "http", "http"),
        ("tls", "doh", "doh"),
        ("doh", "tls", "doh"),
        ("http", "tls", "tls"),
        ("doq", "tls", "tls"),
    ],
)
def test_which_of_two_labels_says_more(
    known: str | None, found: str | None, application: str | None
) -> None:
    assert better(known, found) == application


SERVER_HELLO = bytes.fromhex("160303007a020000760303") + bytes(100)


@pytest.mark.parametrize(
    ("protocol", "client", "server", "application"),
    [
        (TCP, client_hello("dns.google"), SERVER_HELLO, "doh"),
        (TCP, client_hello("a.example", ("dot",)), SERVER_HELLO, "dot"),
        (
            UDP,
            initial(crypto(client_hello("a.example", ("doq",))[5:])),
            initial(b"\2\0\0\0\0", to=b"", keyed_by=b"\1", side="server in"),
            "doq",
        ),
    ],
)
def test_the_servers_answer_does_not_take_back_what_the_client_said(
    protocol: int, client: bytes, server: bytes, application: str
) -> None:
    labels = Labels()
    key = FlowKey(b"\2" * 6, 50_000, 443, protocol, 0, b"\1" * 16, b"\2" * 16)
    for way, data in ((UPLOAD, client), (DOWNLOAD, server)):
        labels.take(Sample(0, key.pack(), 1, 0, len(data), way, 0, b"\2" * 6, data), key)
    assert labels.of(key.pack()).application == application


def test_tor_is_not_said_before_all_of_the_hello_was_read() -> None:
    data = client_hello(TOR, ())
    conversation = Conversation(TCP, 50_000, 9001)
    assert conversation.take(UPLOAD, 0, data[:300], 300) == Finding("tls", TOR, "tls", more=True)
    rest = data[300:]
    assert conversation.take(UPLOAD, 300, rest, len(rest)).application == "tor"


@pytest.mark.parametrize(
    ("protocol", "port", "peer_port", "name", "application"),
    [
        (1, 8, 0, None, "icmp"),
        (58, 128, 129, None, "icmp"),
        (2, 0, 0, None, "igmp"),
        (47, 0, 0, None, "gre"),
        (50, 0, 0, None, "ipsec"),
        (6, 50_000, 22, None, "ssh"),
        (6, 22, 50_000, None, "ssh"),
        (17, 22, 50_000, None, UNKNOWN),
        (17, 50_000, 53, None, "dns"),
        (17, 5353, 5353, None, "mdns"),
        (6, 50_000, 443, None, "tls"),
        (6, 50_000, 443, "dns.quad9.net", "doh"),
        (17, 50_000, 443, "dns.google", "doh"),
        (6, 50_000, 8443, "dns.google", UNKNOWN),
        (6, 50_000, 80, "dns.google", "http"),
        (6, 50_000, 3333, None, UNKNOWN),
        (6, 50_000, 8080, None, UNKNOWN),
        (132, 50_000, 443, None, UNKNOWN),
    ],
)
def test_what_ports_alone_say(
    protocol: int, port: int, peer_port: int, name: str | None, application: str
) -> None:
    assert guess(protocol, port, peer_port, name) == application


def test_every_label_is_in_the_table() -> None:
    said = {each.application for each in (*_TCP, *_UDP)}
    assert said <= APPLICATIONS.keys()
    for protocol in range(256):
        assert guess(protocol, 0, 0, None) in APPLICATIONS
    for port in range(65_536):
        assert guess(TCP, ANY, port, None) in APPLICATIONS
        assert guess(UDP, ANY, port, None) in APPLICATIONS


def test_the_same_bytes_in_pieces_say_the_same() -> None:
    whole = b"NICK bot17\r\nUSER bot 8 * :bot\r\n"
    conversation = Conversation(TCP, 50_000, ANY)
    found = [conversation.take(UPLOAD, at, whole[at : at + 1], 1) for at in range(len(whole))]
    assert found[0] == Finding(UNKNOWN, more=True)
    assert found[-1] == Finding("irc")


def test_memory_for_what_is_unknown_is_bounded() -> None:
    conversation = Conversation(TCP, 50_000, ANY)
    for at in range(0, 100_000, 1000):
        found = conversation.take(UPLOAD, at, b"\x9f" * 1000, 1000)
        found = conversation.take(DOWNLOAD, at, b"\x9f" * 1000, 1000)
    assert found == Finding(UNKNOWN)
