"""What a flow can be said to be, and what its ports and its peer's name alone say of that."""

import re
from collections.abc import Sequence
from typing import Final

UNKNOWN: Final = "unknown"

#: Every label, and what it means.
APPLICATIONS: Final = {
    "bittorrent": "BitTorrent: peers, trackers and its distributed hash table",
    "coap": "Constrained Application Protocol, of small devices",
    "dhcp": "addresses for devices, DHCP and DHCPv6",
    "dns": "name look-ups that anybody on the way can read",
    "doh": "DNS over HTTPS, known by the name of a public resolver",
    "doq": "DNS over QUIC",
    "dot": "DNS over TLS",
    "dtls": "TLS over UDP, of calls and small devices",
    "ftp": "File Transfer Protocol, its commands",
    "gre": "a tunnel, GRE",
    "http": "the web without encryption",
    "icmp": "ping and messages of the network itself",
    "igmp": "who wants to receive which multicast",
    "imap": "reading mail",
    "ipsec": "a tunnel, IPsec",
    "irc": "Internet Relay Chat",
    "llmnr": "names on the local network, Windows' way",
    "mdns": "names and services on the local network",
    "mqtt": "messages of home automation",
    "netbios": "names and sessions of old Windows networks",
    "ntp": "the time",
    "openvpn": "a tunnel, OpenVPN",
    "pop3": "fetching mail",
    "quic": "the web over UDP, encrypted",
    "rdp": "Remote Desktop",
    "rtcp": "reports on streams of sound and pictures",
    "rtp": "streams of sound and pictures",
    "rtsp": "control of cameras and other streams",
    "sip": "telephone calls",
    "smb": "shared folders of Windows",
    "smtp": "sending mail",
    "snmp": "management of network devices",
    "socks": "a proxy",
    "ssdp": "UPnP: devices announce themselves",
    "ssh": "a remote shell, encrypted",
    "stratum": "mining of digital coins",
    "stun": "finding a way through NAT, for calls and games",
    "syslog": "logs sent to another host",
    "telnet": "a remote shell without encryption",
    "tls": "encrypted, and no more is known",
    "tor": "the Tor network",
    UNKNOWN: "nothing that is known",
    "vnc": "Remote desktop, VNC",
    "wireguard": "a tunnel, WireGuard",
}

_ICMP: Final = 1
_TCP: Final = 6
_UDP: Final = 17
_PROTOCOLS: Final = {_ICMP: "icmp", 2: "igmp", 47: "gre", 50: "ipsec", 51: "ipsec", 58: "icmp"}
#: Only ports on which hardly anything else is spoken.
_PORTS: Final = {
    (_TCP, 21): "ftp",
    (_TCP, 22): "ssh",
    (_TCP, 23): "telnet",
    (_TCP, 25): "smtp",
    (_TCP, 53): "dns",
    (_TCP, 80): "http",
    (_TCP, 110): "pop3",
    (_TCP, 139): "netbios",
    (_TCP, 143): "imap",
    (_TCP, 443): "tls",
    (_TCP, 445): "smb",
    (_TCP, 465): "tls",
    (_TCP, 554): "rtsp",
    (_TCP, 587): "smtp",
    (_TCP, 853): "dot",
    (_TCP, 993): "tls",
    (_TCP, 995): "tls",
    (_TCP, 1883): "mqtt",
    (_TCP, 3389): "rdp",
    (_TCP, 8883): "tls",
    (_UDP, 53): "dns",
    (_UDP, 67): "dhcp",
    (_UDP, 68): "dhcp",
    (_UDP, 123): "ntp",
    (_UDP, 137): "netbios",
    (_UDP, 138): "netbios",
    (_UDP, 161): "snmp",
    (_UDP, 162): "snmp",
    (_UDP, 443): "quic",
    (_UDP, 500): "ipsec",
    (_UDP, 514): "syslog",
    (_UDP, 546): "dhcp",
    (_UDP, 547): "dhcp",
    (_UDP, 853): "doq",
    (_UDP, 1900): "ssdp",
    (_UDP, 3478): "stun",
    (_UDP, 4500): "ipsec",
    (_UDP, 5353): "mdns",
    (_UDP, 5355): "llmnr",
    (_UDP, 5683): "coap",
    (_UDP, 51820): "wireguard",
}

#: Public resolvers that speak DNS over HTTPS; the names below these are theirs too.
_RESOLVERS: Final = frozenset(
    (
        "adguard-dns.com",
        "anycast.dns.nextdns.io",
        "chrome.cloudflare-dns.com",
        "cloudflare-dns.com",
        "dns.adguard.com",
        "dns.alidns.com",
        "dns.controld.com",
        "dns.google",
        "dns.mullvad.net",
        "dns.nextdns.io",
        "dns.quad9.net",
        "dns.sb",
        "dns0.eu",
        "dns10.quad9.net",
        "dns11.quad9.net",
        "dns9.quad9.net",
        "doh.applied-privacy.net",
        "doh.cleanbrowsing.org",
        "doh.dns.sb",
        "doh.familyshield.opendns.com",
        "doh.libredns.gr",
        "doh.opendns.com",
        "doh.pub",
        "doh.xfinity.com",
        "freedns.controld.com",
        "mozilla.cloudflare-dns.com",
        "one.one.one.one",
        "ordns.he.net",
        "public.dns.iij.jp",
    )
)
_BY_PROTOCOL_NAME: Final = {b"dot": "dot", b"doq": "doq"}
#: What encrypted connections were found to be: the server's answer is just TLS or QUIC again.
_INSIDE: Final = {"tls": ("doh", "dot", "tor"), "quic": ("doh", "doq")}
_DNS_PORTS: Final = frozenset((784, 853))

#: Tor's relays say a made-up name in base 32 and offer no protocol. That alone could be any client of
#: an odd server, so it counts only on the ports that relays are set up with.
_TOR_NAME: Final = re.compile(r"www\.[a-z2-7]{8,20}\.(?:com|net)")
_TOR_PORTS: Final = frozenset((9001, 9030))


def guess(protocol: int, port: int, peer_port: int, name: str | None) -> str:
    """Return what the ports, and the peer's name where it is known, alone say; `unknown` where that is not enough."""
    found = (
        _PROTOCOLS.get(protocol)
        or _PORTS.get((protocol, peer_port))
        or _PORTS.get((protocol, port), UNKNOWN)
    )
    if found in ("tls", "quic") and 443 in (port, peer_port) and is_resolver(name):
        return "doh"
    return found


def encrypted(
    application: str, ports: tuple[int, int], name: str | None, protocols: Sequence[bytes] | None
) -> str:
    """Return what a TLS or QUIC connection is: by what the client offers to speak, its ports and the server's name.

    What it offers is None until all of its hello was read.
    """
    for each in protocols or ():
        if each in _BY_PROTOCOL_NAME:
            return _BY_PROTOCOL_NAME[each]
    if not _DNS_PORTS.isdisjoint(ports):
        if application == "quic":
            return "doq"
        if 853 in ports:
            return "dot"
    if is_resolver(name):
        return "doh"
    if application == "tls" and _is_tor(ports, name, protocols):
        return "tor"
    return application


def better(known: str | None, found: str | None) -> str | None:
    """Return the one of two labels of a flow that says more; the later one where both say something."""
    if found in (None, UNKNOWN) or known in _INSIDE.get(found or "", ()):
        return known or found
    return found


def is_resolver(name: str | None) -> bool:
    """Return whether a name is a public resolver's."""
    while name:
        if name in _RESOLVERS:
            return True
        name = name.partition(".")[2]
    return False


def _is_tor(ports: tuple[int, int], name: str | None, protocols: Sequence[bytes] | None) -> bool:
    """Return whether a hello looks like one to a relay of the Tor network, all signs together."""
    return (
        protocols is not None
        and not protocols
        and name is not None
        and not _TOR_PORTS.isdisjoint(ports)
        and _TOR_NAME.fullmatch(name) is not None
    )
