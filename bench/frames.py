"""Frames of 64 bytes, and the senders that rules are about: numbered, so that every tool gets the same ones."""

import ipaddress
import struct
from typing import Final

FRAME: Final = 64
#: The generator's end of the cable and the far one.
SENDER: Final = "02:00:5e:10:00:01"
RECEIVER: Final = "02:00:5e:10:00:02"
#: A network for measurements (RFC 2544), whose first half is the home's side; nothing of it leaves the namespaces.
INNOCENT: Final = "198.18.0.10"
NEAR: Final = "198.18.0.1"
FAR: Final = "198.19.0.10"
INNOCENT6: Final = "2001:2:0:1::10"
FAR6: Final = "2001:2:0:2::10"

#: The far end's.
PORT: Final = 9000


def mac(number: int) -> str:
    """Return the MAC that the rule of this number is about."""
    return f"02:00:5e:20:{number >> 8:02x}:{number & 255:02x}"


def ipv4(number: int) -> str:
    """Return the IPv4 address that the rule of this number is about."""
    return str(ipaddress.IPv4Address("10.32.0.0") + number)


def ipv6(number: int) -> str:
    """Return the IPv6 address that the rule of this number is about."""
    return str(ipaddress.IPv6Address("2001:2:0:20::") + number)


def ipv4_network(number: int) -> str:
    """Return the IPv4 prefix that the rule of this number is about, spread over all addresses as feeds are."""
    return f"{20 + (number >> 8)}.{number & 255}.64.0/20"


def ipv6_network(number: int) -> str:
    """Return the IPv6 prefix that the rule of this number is about."""
    return f"2a00:{number:x}:40::/48"


def hit(target: str) -> bytes:
    """Return a frame from the target of a rule."""
    if ":" in target and "::" not in target:
        return udp(sender=target)
    source = str(ipaddress.ip_network(target)[-1])
    return udp(source, FAR6 if ":" in source else FAR)


def _mac_bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def udp(source: str = INNOCENT, destination: str = FAR, *, sender: str = SENDER) -> bytes:
    """Return a frame of UDP between two addresses of one family; IPv6 carries no checksum, as nobody looks."""
    near, far = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    six = near.version == 6
    payload = FRAME - 14 - (40 if six else 20)
    if six:
        network = struct.pack(">IHBB", 6 << 28, payload, 17, 64)
    else:
        network = struct.pack(">BBHHHBBH", 0x45, 0, 20 + payload, 0, 0, 64, 17, 0)
    network += near.packed + far.packed
    if not six:
        network = network[:10] + _checksum(network) + network[12:]
    datagram = struct.pack(">HHHH", 4000, PORT, payload, 0).ljust(payload, b"\0")
    ethertype = b"\x86\xdd" if six else b"\x08\x00"
    return _mac_bytes(RECEIVER) + _mac_bytes(sender) + ethertype + network + datagram


def _checksum(header: bytes) -> bytes:
    """Return an IPv4 header's checksum."""
    total: int = sum(word for (word,) in struct.iter_unpack(">H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (total ^ 0xFFFF).to_bytes(2, "big")
