"""DHCP, both versions: who has which address, how a device calls itself and how it asks."""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from .written import MAX_NAME, address, name, text

_COOKIE: Final = b"\x63\x82\x53\x63"
_FIXED: Final = 236
_ETHERNET: Final = 1
_NOWHERE: Final = bytes(4)
_MAX_OPTIONS: Final = 256
_MAX_ADDRESSES: Final = 64
_MAX_RELAYS: Final = 8
_MAX_TEXT: Final = 255

_PAD: Final = 0
_HOSTNAME: Final = 12
_REQUESTED: Final = 50
_OVERLOAD: Final = 52
_KIND: Final = 53
_SERVER: Final = 54
_WISHES: Final = 55
_CLASS: Final = 60
_FULL_NAME: Final = 81
_MUD_URL: Final = 161
_END: Final = 255

_KINDS: Final = {
    1: "discover",
    2: "offer",
    3: "request",
    4: "decline",
    5: "ack",
    6: "nak",
    7: "release",
    8: "inform",
}

_V6_CLIENT: Final = 1
_V6_WISHES: Final = 6
_V6_RELAYED: Final = 9
_V6_CLASS: Final = 16
_V6_FULL_NAME: Final = 39
_V6_MUD_URL: Final = 112
#: Options that hold addresses, and how much stands before their own options.
_V6_CONTAINERS: Final = {3: 12, 4: 4}
_V6_ADDRESS: Final = struct.Struct("!16sII")
_V6_ADDRESS_OPTION: Final = 5
_V6_RELAYS: Final = (12, 13)
_V6_KINDS: Final = {
    1: "solicit",
    2: "advertise",
    3: "request",
    4: "confirm",
    5: "renew",
    6: "rebind",
    7: "reply",
    8: "release",
    9: "decline",
    10: "reconfigure",
    11: "information-request",
}

#: Messages whose addresses the client has, or takes in the next moment.
HELD: Final = frozenset(("request", "inform", "ack", "confirm", "renew", "rebind", "reply"))
#: What servers say; of DHCPv6 not every message tells whom it is about.
BY_SERVERS: Final = frozenset(("offer", "ack", "nak", "advertise", "reply", "reconfigure"))
#: Messages that give addresses up.
GIVEN_UP: Final = frozenset(("release", "decline"))


class Lease(NamedTuple):
    """What a message between a client and a server says of the client.

    Addresses have sixteen bytes. What is merely offered or wished for is left out.
    """

    kind: str
    """`discover`, `offer`, `request`, `decline`, `ack`, `nak`, `release`, `inform`; DHCPv6's likewise."""
    mac: bytes | None
    """The client's, six bytes. DHCPv6 tells it only in some identifiers, and may tell another port's."""
    addresses: tuple[bytes, ...]
    """What the client has or takes, by its own word or the server's."""
    given_up: tuple[bytes, ...]
    """What the client no longer has, or found in use by another."""
    hostname: str | None
    """What the client calls itself, or the server calls it; a full name where it gave one."""
    options: tuple[int, ...]
    """What the client wants to be told, in its order: option 55, DHCPv6's 6."""
    vendor_class: str | None
    """Option 60, DHCPv6's 16."""
    server: bytes | None
    """The DHCP server's address, where the message names it; DHCPv6 has identifiers instead."""
    mud_url: str | None = None
    """Where the client says that it is described: option 161, DHCPv6's 112 (RFC 8520)."""


def parse_v4(data: bytes) -> Lease | None:
    """Return what a DHCP message says, None for what is none; never raises."""
    if len(data) < _FIXED + 4 or data[0] not in (1, 2) or data[_FIXED : _FIXED + 4] != _COOKIE:
        return None
    found = _options(data)
    kind = _KINDS.get(found.get(_KIND, b"\0")[0]) if found else None
    if found is None or kind is None:
        return None
    is_ethernet = data[1] == _ETHERNET and data[2] == 6
    held = _v4_addresses(kind, data, found)
    return Lease(
        kind,
        data[28:34] if is_ethernet else None,
        held if kind in HELD else (),
        held if kind in GIVEN_UP else (),
        _hostname(found),
        tuple(found.get(_WISHES, b"")),
        text(found.get(_CLASS, b""), _MAX_TEXT),
        address(found[_SERVER]) if len(found.get(_SERVER, b"")) == 4 else None,
        text(found.get(_MUD_URL, b""), _MAX_TEXT),
    )


def _v4_addresses(kind: str, data: bytes, found: dict[int, bytes]) -> tuple[bytes, ...]:
    """Return the client's address: the one it has, the one it was given, or the one it asks for."""
    requested = found.get(_REQUESTED, b"")
    for each in (data[16:20] if kind == "ack" else b"", data[12:16], requested):
        if len(each) == 4 and each != _NOWHERE:
            return (address(each),)
    return ()


def _options(data: bytes) -> dict[int, bytes] | None:
    """Return all options, parts of one put together (RFC 3396); None where one is cut off."""
    found: dict[int, bytes] = {}
    if not _read_options(data[_FIXED + 4 :], found):
        return None
    overload = found.get(_OVERLOAD, b"\0")[:1]
    if overload in (b"\1", b"\3") and not _read_options(data[108:236], found):
        return None
    if overload in (b"\2", b"\3") and not _read_options(data[44:108], found):
        return None
    return {code: value for code, value in found.items() if value}


def _read_options(data: bytes, found: dict[int, bytes]) -> bool:
    """Add the options of one field; return whether all of them are whole."""
    at = 0
    for _ in range(_MAX_OPTIONS):
        while at < len(data) and data[at] == _PAD:
            at += 1
        if at >= len(data) or data[at] == _END:
            return True
        end = at + 2 + data[at + 1] if at + 1 < len(data) else len(data) + 1
        if end > len(data):
            return False
        found[data[at]] = found.get(data[at], b"") + data[at + 2 : end]
        at = end
    return False


def _hostname(found: dict[int, bytes]) -> str | None:
    """Return the full name (option 81) if there is one, else the name (option 12)."""
    full = found.get(_FULL_NAME, b"")
    if len(full) > 3:
        in_wire_format = full[0] & 4
        written = _wire_name(full[3:]) if in_wire_format else _plain_name(full[3:])
        if written:
            return written
    return _plain_name(found.get(_HOSTNAME, b""))


def _plain_name(raw: bytes) -> str | None:
    """Return a name as devices send it: some end it with a zero, some with a dot."""
    return text(raw.rstrip(b"\0").rstrip(b"."), MAX_NAME)


def _wire_name(raw: bytes) -> str | None:
    """Return a name in DNS's format, which may lack its end where it isn't a full one."""
    labels, at = [], 0
    while at < len(raw) and 0 < raw[at] < 64 and at + 1 + raw[at] <= len(raw):
        labels.append(raw[at + 1 : at + 1 + raw[at]])
        at += 1 + raw[at]
    return name(labels)[:MAX_NAME] or None


def parse_v6(data: bytes) -> Lease | None:
    """Return what a DHCPv6 message says, also inside what relays made of it, None for what is none; never raises."""
    for _ in range(_MAX_RELAYS):
        if not data or data[0] not in _V6_RELAYS:
            break
        inner = [value for code, value in _v6_options(data, 34) or () if code == _V6_RELAYED]
        data = inner[0] if inner else b""
    kind = _V6_KINDS.get(data[0]) if data else None
    options = _v6_options(data, 4)
    if kind is None or options is None:
        return None
    found = dict(reversed(options))
    held = tuple(_v6_addresses(options, granted=kind == "reply"))[:_MAX_ADDRESSES]
    wishes = found.get(_V6_WISHES, b"")
    full = found.get(_V6_FULL_NAME, b"")
    return Lease(
        kind,
        _mac_of(found.get(_V6_CLIENT, b"")),
        held if kind in HELD else (),
        held if kind in GIVEN_UP else (),
        _wire_name(full[1:]),
        tuple(code for (code,) in struct.iter_unpack("!H", wishes[: len(wishes) & ~1])),
        text(found.get(_V6_CLASS, b"")[6:], _MAX_TEXT),
        None,
        text(found.get(_V6_MUD_URL, b""), _MAX_TEXT),
    )


def _v6_options(data: bytes, at: int) -> list[tuple[int, bytes]] | None:
    """Return the options from there on, None where one is cut off."""
    found: list[tuple[int, bytes]] = []
    while at < len(data) and len(found) < _MAX_OPTIONS:
        if at + 4 > len(data):
            return None
        code, size = struct.unpack_from("!HH", data, at)
        at += 4 + size
        if at > len(data):
            return None
        found.append((code, data[at - size : at]))
    return found if at == len(data) else None


def _v6_addresses(options: list[tuple[int, bytes]], *, granted: bool) -> Iterator[bytes]:
    """Yield the addresses in all associations; what a server grants for no time is not the client's any more."""
    for code, value in options:
        before = _V6_CONTAINERS.get(code)
        if before is None:
            continue
        for inner, held in _v6_options(value, before) or ():
            if inner == _V6_ADDRESS_OPTION and len(held) >= _V6_ADDRESS.size:
                each, _, lifetime = _V6_ADDRESS.unpack_from(held)
                if lifetime or not granted:
                    yield each


def _mac_of(identifier: bytes) -> bytes | None:
    """Return the MAC that a DHCP unique identifier was made of, None for the other kinds of them."""
    if identifier[:4] == b"\0\1\0\1" and len(identifier) == 14:
        return identifier[8:]
    if identifier[:4] == b"\0\3\0\1" and len(identifier) == 10:
        return identifier[4:]
    return None
