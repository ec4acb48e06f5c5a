"""The first bytes by which applications are known; TLS, QUIC and HTTP have files of their own."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, NamedTuple

#: What is looked at of a stream or a datagram.
MAX_HEAD: Final = 1024

Role = Literal["client", "server"]
OTHER_ROLE: Final[Mapping[Role, Role]] = {"client": "server", "server": "client"}


class Signature(NamedTuple):
    """One way in which an application's conversations begin."""

    application: str
    firsts: bytes
    """The first byte is one of these; empty for any."""
    matches: Callable[[bytes], object]
    """Says, of the bytes so far, whether they are it; it must not change its mind when more come."""
    ports: frozenset[int] = frozenset()
    """Where these bytes could be something else, the ports that say they aren't."""
    role: Role | None = None
    """On other ports the bytes count too, if they are this side's and the other side's are the answer."""


def _starts(*beginnings: bytes) -> Callable[[bytes], bool]:
    """Return what says whether bytes start with one of these."""
    return lambda data: data.startswith(beginnings)


def _on(*ports: int) -> frozenset[int]:
    """Return ports."""
    return frozenset(ports)


def _looks(pattern: bytes) -> Callable[[bytes], object]:
    """Return what says whether bytes start with a pattern, which must take bounded time."""
    return re.compile(pattern).match


# TCP

_OPTIONS: Final = rb"\xff[\xfb-\xfe][\x00-\x27]"
#: What old machines say before they ask who is there, without a word of Telnet's own.
_PROMPT: Final = rb"(?i)[\r\n\t\x1b -~]{0,200}?(?:login|user ?name|password): ?"
_USER: Final = rb"USER [^\s]{1,128}\r?\n"
_PROXIES: Final = frozenset((1080, 9050, 9150))
_GREETING: Final = rb"220[ -][^\n]{0,500}\n"
_MINING: Final = re.compile(
    rb'"(?:mining\.(?:subscribe|authorize|configure|notify|submit|hello|extranonce\.subscribe|'
    rb"set_difficulty|set_extranonce|set_target|suggest_difficulty|suggest_target)|"
    rb'eth_(?:submitLogin|getWork|submitWork|submitHashrate))"'
)
_LOGIN: Final = re.compile(rb'"method"\s{0,8}:\s{0,8}"login"')
_JOB: Final = re.compile(rb'"method"\s{0,8}:\s{0,8}"job"')


def _is_stratum(data: bytes) -> bool:
    """Return whether a line of JSON is a miner's or a pool's: `method` alone is in every JSON-RPC."""
    if _MINING.search(data):
        return True
    if _LOGIN.search(data):
        return b'"agent"' in data or b'"algo"' in data
    is_job = (
        _JOB.search(data) is not None or b'"job_id"' in data
    )  # told of, or the answer to a login
    return is_job and b'"blob"' in data


def _is_mqtt(data: bytes) -> bool:
    """Return whether this is MQTT's CONNECT: the protocol's name stands behind a length of varying size."""
    at = 1
    while at < min(len(data), 4) and data[at] & 0x80:
        at += 1
    return data.startswith((b"\0\4MQTT", b"\0\6MQIsdp"), at + 1)


def _is_smb(data: bytes) -> bool:
    """Return whether this is SMB over TCP, of any version."""
    return data[4:8] in (b"\xffSMB", b"\xfeSMB", b"\xfdSMB")


def _is_rdp(data: bytes) -> bool:
    """Return whether this is a connection request of Remote Desktop, or its answer."""
    size = int.from_bytes(data[2:4], "big")
    if data[1:2] != b"\0" or not 19 <= size <= len(data) or data[4] != size - 5:
        return False
    negotiates = data[size - 8] in (1, 2, 3) and data[size - 6 : size - 4] == b"\x08\0"
    if data[5] == 0xE0:
        return negotiates or data.startswith(b"Cookie: mstshash=", 11)
    return data[5] == 0xD0 and size == 19 and negotiates


_SOCKS_METHODS: Final = frozenset((*range(10), *range(0x80, 0xFF)))


def _greets_socks5(data: bytes) -> bool:
    """Return whether a client offers ways to log in to a SOCKS 5 proxy."""
    offered = data[2 : 2 + data[1]] if len(data) > 2 else b""
    return (
        0 < len(offered) == data[1] <= 8
        and len(set(offered)) == len(offered)
        and _SOCKS_METHODS.issuperset(offered)
    )


def _asks_socks5(data: bytes) -> bool:
    """Return whether a client's greeting is followed by its wish, without waiting for a login."""
    rest = data[2 + data[1] :] if _greets_socks5(data) else b""
    return (
        len(rest) >= 7
        and rest[0] == 5
        and rest[1] in (1, 2, 3)
        and not rest[2]
        and rest[3] in (1, 3, 4)
    )


def _answers_socks5(data: bytes) -> bool:
    """Return whether a proxy chose a way to log in."""
    return len(data) >= 2 and data[1] in _SOCKS_METHODS


def _is_dns_stream(data: bytes) -> bool:
    """Return whether this is a DNS message behind its length."""
    return int.from_bytes(data[:2], "big") >= 12 and _is_dns(data[2:])


# UDP


def _is_dns(data: bytes) -> bool:
    """Return whether this could be a DNS message: its header is nothing special, so ports must say it too."""
    if len(data) < 12:
        return False
    asked, answered, authorities, more = (
        int.from_bytes(data[at : at + 2], "big") for at in (4, 6, 8, 10)
    )
    return (
        data[2] >> 3 & 0xF in (0, 2, 4, 5)
        and asked <= 64
        and max(answered, authorities, more) <= 512
        and (asked + answered > 0 or data[2] & 0x80 > 0)
        and not (len(data) > 12 and 64 <= data[12] < 0xC0)
    )


def _is_stun(data: bytes) -> bool:
    """Return whether this is STUN with its magic cookie; other attributes may follow in a stream."""
    size = int.from_bytes(data[2:4], "big")
    return data[4:8] == b"\x21\x12\xa4\x42" and size % 4 == 0 and len(data) >= 20


def _is_dhcp(data: bytes) -> bool:
    """Return whether this has DHCP's magic cookie."""
    return data[236:240] == b"\x63\x82\x53\x63"


def _is_ntp(data: bytes) -> bool:
    """Return whether this could be a question for the time, or its answer."""
    return len(data) >= 48 and 1 <= data[0] >> 3 & 7 <= 4 and 1 <= data[0] & 7 <= 5


def _is_dtls(data: bytes) -> bool:
    """Return whether this is the beginning of DTLS's handshake."""
    return (
        len(data) >= 14
        and data[1:5] in (b"\xfe\xff\0\0", b"\xfe\xfd\0\0")
        and data[13] in (1, 2, 3)
    )


def _is_wireguard(data: bytes) -> bool:
    """Return whether this is WireGuard's handshake, whose messages have two lengths."""
    return data[1:4] == bytes(3) and len(data) == (148 if data[0] == 1 else 92)


def _is_in_wireguard(data: bytes) -> bool:
    """Return whether this could be a packet in WireGuard's tunnel."""
    return data[1:4] == bytes(3) and len(data) >= 32 and len(data) % 16 == 0


def _is_openvpn(data: bytes) -> bool:
    """Return whether this is OpenVPN's first packet, without the additions that hide it."""
    return len(data) == 14 and data[9:] == bytes(5)


def _is_rtcp(data: bytes) -> bool:
    """Return whether these are RTCP's reports, whose lengths add up."""
    if data[1:2] not in (b"\xc8", b"\xc9"):
        return False
    at = 0
    while at + 4 <= len(data) and data[at] >> 6 == 2 and 200 <= data[at + 1] <= 207:
        at += 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
    return at == len(data) and at >= 8


def _is_snmp(data: bytes) -> bool:
    """Return whether this is SNMP 1 or 2: a version, a community and a request, or its answer."""
    at = 2 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0)
    if data[at : at + 2] != b"\2\1" or data[at + 2 : at + 4] not in (b"\0\4", b"\1\4"):
        return False
    request = at + 5 + data[at + 4] if len(data) > at + 4 else len(data)
    return request < len(data) and 0xA0 <= data[request] <= 0xA8


def _is_snmp3(data: bytes) -> bool:
    """Return whether this could be SNMP 3."""
    at = 2 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0)
    return data[at : at + 4] == b"\2\1\3\x30"


_NETBIOS_NAME: Final = re.compile(rb"(?s).{4}.{8}\x20[A-P]{32}[\0-\x3f]")
_NETBIOS_DATAGRAM: Final = re.compile(rb"(?s)[\x10-\x12].{13}")


def _is_ike(data: bytes) -> bool:
    """Return whether this is IPsec's key exchange, which says its own length."""
    return (
        len(data) >= 28
        and any(data[:8])
        and data[17] in (0x10, 0x20)
        and int.from_bytes(data[24:28], "big") == len(data)
    )


def _is_ike_behind_nat(data: bytes) -> bool:
    """Return whether this is IPsec's key exchange behind the mark that tells it from packets of the tunnel."""
    return data[:4] == bytes(4) and _is_ike(data[4:])


def _is_coap(data: bytes) -> bool:
    """Return whether this could be CoAP: a version, a token, and a method or an answer."""
    return len(data) >= 4 and data[0] & 0xF <= 8 and data[1] >> 5 in (0, 2, 4, 5)


def _is_dhcpv6(data: bytes) -> bool:
    """Return whether this could be DHCPv6."""
    return len(data) >= 8


def _is_other_quic(data: bytes) -> bool:
    """Return whether this is the first packet of a draft of QUIC, or of a version that is made up to be refused."""
    version = int.from_bytes(data[1:5], "big")
    is_known = version >> 8 == 0xFF0000 or version & 0x0F0F0F0F == 0x0A0A0A0A
    return is_known and len(data) >= 1200 and 8 <= data[5] <= 20 and data[6 + data[5]] <= 20


_SYSLOG: Final = rb"<(?:[0-9]{1,2}|1[0-8][0-9]|19[01])>"

_TCP: Final = (
    Signature("ssh", b"S", _looks(rb"SSH-[12]\.")),
    Signature("telnet", b"\xff", _looks(_OPTIONS * 2)),
    Signature("telnet", b"\xff", _looks(_OPTIONS), _on(23, 2323)),
    Signature("telnet", b"", _looks(_PROMPT), _on(23, 2323)),
    Signature("smb", b"\0", _is_smb),
    Signature("netbios", b"\x81", _looks(rb"\x81\0\0\x44\x20[A-P]{32}\0\x20")),
    Signature("netbios", b"\x82", _looks(rb"\x82\0\0\0"), _on(139)),
    Signature("mqtt", b"\x10", _is_mqtt),
    Signature(
        "mqtt", b"\x20", _looks(rb"\x20(?:\x02[\0\x01][\0-\x05]|[\x03-\x7f][\0\x01])"), _on(1883)
    ),
    Signature("bittorrent", b"\x13", _starts(b"\x13BitTorrent protocol")),
    Signature("stratum", b"{", _is_stratum),
    Signature("rdp", b"\3", _is_rdp),
    Signature("vnc", b"R", _looks(rb"RFB [0-9]{3}\.[0-9]{3}\n")),
    Signature("smtp", b"2", _looks(rb"220[ -][^\n]{0,250}?\bE?SMTP\b[^\n]{0,250}\n")),
    Signature("ftp", b"2", _looks(rb"(?i)220[ -][^\n]{0,250}?FTP[^\n]{0,250}\n")),
    Signature("ftp", b"2", _looks(_GREETING), _on(21), "server"),
    Signature("smtp", b"2", _looks(_GREETING), _on(25, 587)),
    Signature("smtp", b"EHeh", _looks(rb"(?i:EHLO|HELO) [^\s]{1,255}\r?\n")),
    Signature("ftp", b"AU", _looks(rb"AUTH TLS\r?\n|" + _USER), _on(21), "client"),
    Signature("pop3", b"ACU", _looks(rb"CAPA\r?\n|APOP |" + _USER), _on(110), "client"),
    Signature("pop3", b"+", _looks(rb"\+OK[^\n]{0,250}?\bPOP3?\b[^\n]{0,250}\n")),
    Signature("pop3", b"+", _looks(rb"\+OK[^\n]{0,500}\n"), _on(110), "server"),
    Signature("imap", b"*", _looks(rb"\* OK[^\n]{0,250}?\bIMAP[^\n]{0,250}\n")),
    Signature("imap", b"*", _looks(rb"\* (?:OK|PREAUTH)[^\n]{0,500}\n"), _on(143)),
    Signature("irc", b"C", _looks(rb"CAP (?:LS|REQ|END)[ \r\n]")),
    Signature("irc", b"NP", _looks(rb"(?:PASS [^\s]{1,128}\r?\n)?NICK [^\s]{1,64}\r?\n")),
    Signature("irc", b"U", _looks(rb"USER [^\s]{1,64} [^\s]{1,64} [^\s]{1,64} :")),
    Signature("irc", b":", _looks(rb":[^\s]{1,128} (?:NOTICE|00[1-4]|CAP|433|451) ")),
    Signature("irc", b"N", _starts(b"NOTICE AUTH :")),
    Signature("socks", b"\5", _asks_socks5),
    Signature("socks", b"\5", _greets_socks5, _PROXIES, "client"),
    Signature("socks", b"\5", _answers_socks5, _PROXIES, "server"),
    Signature("socks", b"\4", _looks(rb"(?s)\x04[\x01\x02].{6}[^\0]{0,255}\0"), _PROXIES, "client"),
    Signature("socks", b"\0", _looks(rb"(?s)\0[\x5a-\x5d].{6}"), _PROXIES, "server"),
    Signature("stun", b"\0\1", _is_stun),
    Signature("openvpn", b"\0", _looks(rb"\0[\x0e-\xff]\x38"), _on(1194)),
    Signature("syslog", b"<", _looks(_SYSLOG), _on(514, 601)),
    Signature("dns", b"", _is_dns_stream, _on(53)),
)

_UDP: Final = (
    Signature("stun", b"\0\1", _is_stun),
    Signature("dhcp", b"\1\2", _is_dhcp),
    Signature("ssdp", b"MNH", _looks(rb"(?:M-SEARCH|NOTIFY) \* HTTP/1\.[01]\r?\n")),
    Signature("ssdp", b"H", _looks(rb"HTTP/1\.[01] 200 "), _on(1900)),
    Signature("sip", b"", _looks(rb"[A-Z]{3,10} sips?:[!-~]{1,255} SIP/2\.0\r?\n|SIP/2\.0 [1-6]")),
    Signature("bittorrent", b"d", _looks(rb"d1:[are]d2:id20:|d2:ip[46]|d1:eli[0-9]{3}e")),
    Signature("bittorrent", b"\0", _starts(b"\0\0\4\x17\x27\x10\x19\x80\0\0\0\0")),
    Signature("bittorrent", b"B", _starts(b"BT-SEARCH * HTTP/1.1\r\n")),
    Signature("dtls", b"\x16", _is_dtls),
    Signature("wireguard", b"\1\2", _is_wireguard),
    Signature("wireguard", b"\4", _is_in_wireguard, _on(51820)),
    Signature("openvpn", b"\x38", _is_openvpn),
    Signature("openvpn", b"\x38\x40\x50", lambda data: len(data) >= 14, _on(1194)),
    Signature("rtcp", bytes(range(0x80, 0xC0)), _is_rtcp),
    Signature("snmp", b"\x30", _is_snmp),
    Signature("snmp", b"\x30", _is_snmp3, _on(161, 162)),
    Signature("netbios", b"", _NETBIOS_NAME.match, _on(137)),
    Signature("netbios", b"\x10\x11\x12", _NETBIOS_DATAGRAM.match, _on(138)),
    Signature("ipsec", b"", _is_ike),
    Signature("ipsec", b"\0", _is_ike_behind_nat),
    Signature("quic", bytes(range(0xC0, 0x100)), _is_other_quic),
    Signature("dns", b"", _is_dns, _on(53)),
    Signature("mdns", b"", _is_dns, _on(5353)),
    Signature("llmnr", b"", _is_dns, _on(5355)),
    Signature("ntp", b"", _is_ntp, _on(123)),
    Signature("coap", bytes(range(0x40, 0x80)), _is_coap, _on(5683)),
    Signature("dhcp", bytes(range(1, 14)), _is_dhcpv6, _on(546, 547)),
    Signature("syslog", b"<", _looks(_SYSLOG), _on(514)),
)


def _by_first(signatures: Iterable[Signature]) -> Mapping[int, tuple[Signature, ...]]:
    """Return the signatures to be tried by the first byte, so that nearly none are."""
    found: defaultdict[int, list[Signature]] = defaultdict(list)
    for each in signatures:
        for first in each.firsts or range(256):
            found[first].append(each)
    return {first: tuple(these) for first, these in found.items()}


TCP: Final = _by_first(_TCP)
UDP: Final = _by_first(_UDP)
