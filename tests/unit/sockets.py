"""Processes whose sockets the kernel programs tell of, without a kernel."""

import asyncio
import ipaddress
import struct
from typing import Any

from hearthwall_sensor.kernel.process_layouts import (
    BEGAN,
    ENDED,
    EXCHANGE,
    Bound,
    Head,
    Socket,
    Talked,
)
from hearthwall_sensor.network.places import Place
from hearthwall_sensor.notation import boot_ns, mapped
from hearthwall_sensor.observations import Observation
from hearthwall_sensor.processes.image import Image
from hearthwall_sensor.processes.processes import Processes

CURL, DNS, SSHD = 0x100, 0x200, 0x300
PATHS = {CURL: "/usr/bin/curl", DNS: "/usr/sbin/unbound", SSHD: "/usr/sbin/sshd"}
#: No process has these numbers.
PIDS = {CURL: 2**22 + 1, DNS: 2**22 + 2, SSHD: 2**22 + 3}
EPHEMERAL = range(32768, 61000)
Table = list[tuple[bytes, Socket]]


def packed(text: str) -> bytes:
    """Return sixteen bytes of an address."""
    return mapped(ipaddress.ip_address(text))


LOCAL, PEER, LAN = packed("192.168.20.1"), packed("203.0.113.9"), packed("192.168.20.21")


def image(number: int, **fields: Any) -> Image:
    """Return one of the programs."""
    said: dict[str, Any] = {
        "file": PATHS[number],
        "command_line": PATHS[number],
        "comm": "x",
        "started": 1_700_000_000.0,
    }
    return Image(number, PIDS[number], 1, 0, PATHS[number], **(said | fields))


def sock(number: int, first: int, **fields: Any) -> Socket:
    """Return a connection that curl has opened, without packets yet."""
    said: dict[str, Any] = {
        "image": number,
        "pid": PIDS[number],
        "uid": 0,
        "cgroup": 1,
        "first": first,
        "last": 0,
        "sent_bytes": 0,
        "received_bytes": 0,
        "sent_packets": 0,
        "received_packets": 0,
        "local": LOCAL,
        "peer": PEER,
        "port": 40000,
        "peer_port": 443,
        "protocol": 6,
        "accepted": 0,
        "unconnected": 0,
    }
    return Socket(**(said | fields))


def key(cookie: int) -> bytes:
    """Return the key of a socket."""
    return struct.pack("<Q", cookie)


def exchange(cookie: int, socket: Socket) -> tuple[bytes, Socket]:
    """Return an entry of the table of exchanges."""
    return EXCHANGE.pack(cookie, socket.peer, socket.peer_port), socket


def head(kind: int, number: int) -> Head:
    """Return who did something, now."""
    return Head(kind, 0, 0, PIDS[number], boot_ns(), number, 1, 1, 0, b"comm".ljust(16, b"\0"))


class Host:
    """A host's processes, and what is told of them."""

    def __init__(self, **given: Any) -> None:
        self.told: list[Observation] = []
        self.processes = Processes(
            tell=self.told.append,
            scope=lambda peer: "lan" if peer.startswith(packed("192.168.0.0")[:14]) else "internet",
            place=lambda _: Place("DE", 64500, "Example"),
            epoch=lambda ns: 1_700_000_000.0 + (ns - boot_ns()) / 1e9,
            current=lambda _: None,
            ephemeral=EPHEMERAL,
            **given,
        )
        for each in PATHS:
            self.processes.images.add(each, image(each))

    def began(self, cookie: int, socket: Socket) -> None:
        self.processes.take(Talked(head(BEGAN, socket.image), cookie, socket))

    def ended(self, cookie: int, socket: Socket) -> None:
        self.processes.take(Talked(head(ENDED, socket.image), cookie, socket))

    def bound(self, number: int, port: int, protocol: int = 6) -> None:
        self.processes.take(Bound(head(4, number), 1, bytes(16), port, protocol))

    def look(self, sockets: Table = [], exchanges: Table = []) -> None:  # noqa: B006, nobody changes them
        asyncio.run(self.processes.look(sockets, exchanges))

    def of[Kind](self, kind: type[Kind]) -> list[Kind]:
        return [each for each in self.told if isinstance(each, kind)]
