"""Names that a conversation's own bytes give: TLS and QUIC server names, HTTP hosts; as tshark reads them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from tests.capture_oracle.conversations import TCP, UDP, End, Key, Packet, Traffic
from tests.capture_oracle.tshark import BETWEEN, Tshark

#: What names a conversation best comes first.
STRONGEST: Final = (("tls", "quic"), ("http",))

_SNI: Final = "tls.handshake.extensions_server_name"
#: Frames that what is in this one begins with.
_PIECES: Final = ("tcp.segment", "tls.handshake.fragment")
_FIELDS: Final = ("frame.number", "frame.protocols", _SNI, "http.host", "quic.version", *_PIECES)
_QUIC_VERSIONS: Final = frozenset((0x00000001, 0x6B3343CF))
_CHOICE: Final = f"{_SNI} || (http.host && tcp) || (tcp.segment && tls.record.content_type == 22)"


@dataclass(slots=True)
class Said:
    """What one conversation's server was called: names by source, in their order; or that tshark can't tell."""

    names: dict[str, list[str]] = field(default_factory=dict)
    clients: set[End] = field(default_factory=set)
    """Who said so."""
    others: set[tuple[str, str]] = field(default_factory=set)
    """Sources and names that replay may find and need not."""
    is_unknown: bool = False

    def best(self) -> tuple[tuple[str, ...], list[str]]:
        """Return the strongest sources that there are, and what they say."""
        for sources in STRONGEST:
            if found := [name for source in sources for name in self.names.get(source, ())]:
                return sources, found
        return (), []


def normal(name: str, base: int = 8) -> str:
    r"""Return a name as it is compared: lower case, no dot at the end, a ? for what no host's name has.

    tshark writes some bytes as \ and three octal digits, replay as decimal ones.
    """

    def byte(match: re.Match[str]) -> str:
        number = int(match[1], base)
        return chr(number) if 33 <= number < 127 else "?"

    plain = re.sub(r"\\([0-7]{3})" if base == 8 else r"\\(\d{3})", byte, name)
    letters = "".join(each if "!" <= each <= "~" else "?" for each in plain)
    return re.sub(r"\?+", "?", letters).lower().rstrip(".")


def _host(text: str) -> str | None:
    """Return the name in a Host header, None for an address: that names nobody."""
    host = text.strip()
    if not host.startswith("["):
        host = host.partition(":")[0]
    with suppress(ValueError):
        ip_address(host.partition("]")[0].lstrip("["))
        return None
    return normal(host) or None


@dataclass(slots=True)
class Names:
    """All names of a capture; `left_out` are those that are none by the rules, by rule."""

    said: dict[Key, Said] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def read(
    tshark: Tshark,
    capture: Path,
    traffic: Traffic,
    decode_as: Iterable[str] = (),
    *,
    apart: bool = False,
) -> Names:
    """Return what each conversation that has a name was called."""
    found = Names()
    segments: dict[int, set[int]] = {}
    for number, protocols, server_names, hosts, versions, *pieces in tshark.streams(
        capture, _FIELDS, _CHOICE, decode_as, apart=apart
    ):
        packet = traffic.by_number.get(int(number))
        if packet is None:
            continue
        frames = {int(number), *(int(each) for piece in pieces for each in _split(piece))}
        segments[int(number)] = frames = frames.union(*(segments.get(each, ()) for each in frames))
        reason = _reason(traffic, packet, protocols.split(":"), versions, frames)
        for source, name in _said(packet.key.protocol, server_names, hosts):
            said = found.said.setdefault(packet.key, Said())
            said.clients.add(packet.source)
            if reason is None:
                said.names.setdefault(source, []).append(name)
            else:
                said.others.add((source, name))
                found.left_out[reason] += 1
    return found


def _reason(
    traffic: Traffic, packet: Packet, protocols: list[str], versions: str, frames: set[int]
) -> str | None:
    """Return why a packet's names are none of its conversation's, None if they are."""
    if packet.key.protocol == TCP:
        starts = traffic.starts.get((packet.key, packet.source), set())
        pieces = (traffic.by_number.get(each) for each in frames)
        begins = any(each is not None and each.sequence in starts for each in pieces)
        carried = protocols[protocols.index("tcp") + 1 :] if "tcp" in protocols else []
        if not begins or not carried or carried[0] not in ("tls", "http"):
            return "names that a connection does not begin with"
        return None
    if packet.key.protocol == UDP and "quic" in protocols:
        known = any(int(each, 0) in _QUIC_VERSIONS for each in _split(versions))
        return None if known else "names in QUIC of other versions than 1 and 2"
    return "names in something else than TCP and QUIC, or within a tunnel"


def _said(protocol: int, server_names: str, hosts: str) -> Iterator[tuple[str, str]]:
    """Yield source and name of what a packet says."""
    source = "tls" if protocol == TCP else "quic"
    yield from ((source, name) for each in _split(server_names) if (name := _host(each)))
    if protocol == TCP:
        yield from (("http", name) for each in _split(hosts) if (name := _host(each)))


def _split(text: str) -> list[str]:
    return text.split(BETWEEN) if text else []
