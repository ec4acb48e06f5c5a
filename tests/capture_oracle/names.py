"""Names that a conversation's own bytes give: TLS and QUIC server names, HTTP hosts; as tshark reads them."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from tests.capture_oracle.conversations import End, Key, Traffic
from tests.capture_oracle.tshark import BETWEEN, Tshark

TCP: Final = 6
UDP: Final = 17
#: What names a conversation best comes first.
STRONGEST: Final = (("tls", "quic"), ("http",))

_SNI: Final = "tls.handshake.extensions_server_name"
_FIELDS: Final = ("frame.number", "frame.protocols", _SNI, "http.host")
_CHOICE: Final = f"{_SNI} || (http.host && tcp)"


@dataclass(slots=True)
class Said:
    """What one conversation was called: names by source, in their order, and by whom each was said."""

    names: dict[str, list[str]] = field(default_factory=dict)
    clients: set[End] = field(default_factory=set)

    def add(self, source: str, name: str, client: End) -> None:
        """Add a name."""
        self.names.setdefault(source, []).append(name)
        self.clients.add(client)

    def best(self) -> tuple[tuple[str, ...], list[str]]:
        """Return the strongest sources that there are, and what they say."""
        for sources in STRONGEST:
            if found := [name for source in sources for name in self.names.get(source, ())]:
                return sources, found
        return (), []


def normal(name: str, base: int = 8) -> str:
    r"""Return a name as it is compared: lower case, no dot at the end, a ? for each byte that no host's name has.

    tshark writes some bytes as \ and three octal digits, replay as decimal ones.
    """

    def byte(match: re.Match[str]) -> str:
        number = int(match[1], base)
        return chr(number) if 33 <= number < 127 else "?"

    plain = re.sub(r"\\([0-7]{3})" if base == 8 else r"\\(\d{3})", byte, name)
    letters = (
        each if "!" <= each <= "~" else "?" * (1 if each == "\ufffd" else len(each.encode()))
        for each in plain
    )
    return "".join(letters).lower().rstrip(".")


def _host(text: str) -> str | None:
    """Return the name in a Host header, None for an address: that names nobody."""
    host = text.strip()
    if not host.startswith("["):
        host = host.partition(":")[0]
    with suppress(ValueError):
        ip_address(host.partition("]")[0].lstrip("["))
        return None
    return normal(host) or None


def read(
    tshark: Tshark, capture: Path, traffic: Traffic, decode_as: Iterable[str] = ()
) -> dict[Key, Said]:
    """Return what each conversation that has a name was called."""
    found: dict[Key, Said] = {}
    for number, protocols, server_names, hosts in tshark.streams(
        capture, _FIELDS, _CHOICE, decode_as
    ):
        packet = traffic.by_number.get(int(number))
        if packet is None:
            continue
        for source, name in _said(packet.key.protocol, protocols, server_names, hosts):
            found.setdefault(packet.key, Said()).add(source, name, packet.source)
    return found


def _said(
    protocol: int, protocols: str, server_names: str, hosts: str
) -> Iterator[tuple[str, str]]:
    """Yield source and name of what a packet says of its own conversation, none for one within another."""
    if protocol == TCP:
        yield from (("tls", name) for each in _split(server_names) if (name := _host(each)))
        yield from (("http", name) for each in _split(hosts) if (name := _host(each)))
    elif protocol == UDP and "quic" in protocols.split(":"):
        yield from (("quic", name) for each in _split(server_names) if (name := _host(each)))


def _split(text: str) -> list[str]:
    return text.split(BETWEEN) if text else []
