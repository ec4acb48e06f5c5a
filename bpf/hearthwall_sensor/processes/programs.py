"""What each program of this host has exchanged, with whom, and where its processes listen."""

import heapq
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from ..bounded import make_room
from ..notation import address_text
from ..observations import TRANSPORTS
from ..protocol import MAX_PROGRAM_PEERS, DeviceRule, Program
from . import reading
from .connections import Amounts, Connection
from .image import Image

MAX_PROGRAMS: Final = 1024
_MAX_PEERS: Final = 256
_MAX_UIDS: Final = 16
_MAX_PIDS: Final = 64
_MAX_PORTS: Final = 256


@dataclass(slots=True)
class _Account:
    """One program's."""

    image: Image
    """The latest."""
    first: int
    last: int
    connections: int = 0
    amounts: Amounts = field(default_factory=Amounts)
    uids: dict[int, None] = field(default_factory=dict)
    peers: dict[bytes, int] = field(default_factory=dict)
    """Bytes by the peer's address."""
    ports: dict[tuple[int, int], int] = field(default_factory=dict)
    """The process that listens, by protocol and port."""


class Programs:
    """The accounts of all programs that had a connection or bound a port; the one that moved longest ago gives way."""

    def __init__(self, limit: int = MAX_PROGRAMS) -> None:
        """Keep at most so many."""
        self._limit = limit
        self._accounts: dict[str, _Account] = {}
        #: Programs that gave way.
        self.evicted = 0

    def count(self, connection: Connection, moved: Amounts, is_new: bool) -> None:
        """Count what a connection has moved since it was counted last."""
        socket = connection.socket
        account = self._account(connection.image, max(socket.first, socket.last))
        account.first = min(account.first, socket.first)
        account.connections += is_new
        account.uids[socket.uid] = None
        make_room(account.uids, _MAX_UIDS)
        if not any(moved):
            return
        account.amounts = Amounts(*map(operator.add, account.amounts, moved))
        peers = account.peers
        peers[socket.peer] = peers.get(socket.peer, 0) + moved.sent_bytes + moved.received_bytes
        if len(peers) > _MAX_PEERS:
            kept = heapq.nlargest(_MAX_PEERS // 2, peers.items(), key=operator.itemgetter(1))
            account.peers = dict(kept)

    def bound(self, image: Image, pid: int, protocol: int, port: int, time: int) -> None:
        """Note that a process has bound a port."""
        account = self._account(image, time)
        account.ports.pop((protocol, port), None)
        account.ports[protocol, port] = pid
        make_room(account.ports, _MAX_PORTS)

    def _account(self, image: Image, time: int) -> _Account:
        """Return a program's account, which moves now."""
        account = self._accounts.pop(image.program, None)
        if account is None:
            account = _Account(image, time, time)
        account.image = image
        account.last = max(account.last, time)
        self._accounts[image.program] = account
        self.evicted += make_room(self._accounts, self._limit)
        return account

    def list(
        self,
        open_connections: Iterable[Connection],
        limit: int,
        epoch: Callable[[int], float],
        name: Callable[[bytes], str | None],
        rule: Callable[[str], DeviceRule | None],
    ) -> list[Program]:
        """Return the programs that moved most at the head, at most so many."""
        pids: dict[str, dict[int, None]] = defaultdict(dict)
        for each in open_connections:
            pids[each.image.program][each.socket.pid] = None
        self._forget_ports()

        def told(program: str, account: _Account) -> Program:
            most = heapq.nlargest(
                MAX_PROGRAM_PEERS, account.peers.items(), key=operator.itemgetter(1)
            )
            return Program(
                executable=account.image.executable,
                container=account.image.container,
                unit=account.image.unit,
                pids=tuple(sorted({*pids[program], *account.ports.values()})[:_MAX_PIDS]),
                uids=tuple(sorted(account.uids)),
                upload_bytes=account.amounts.sent_bytes,
                download_bytes=account.amounts.received_bytes,
                upload_packets=account.amounts.sent_packets,
                download_packets=account.amounts.received_packets,
                connections=account.connections,
                first_seen=round(epoch(account.first), 6),
                last_seen=round(epoch(account.last), 6),
                listens=tuple(
                    f"{TRANSPORTS[protocol]}/{port}" for protocol, port in sorted(account.ports)
                ),
                peers=tuple(name(peer) or address_text(peer) for peer, _ in most),
                rule=rule(program),
            )

        most = heapq.nlargest(limit, self._accounts.items(), key=lambda each: _size(each[1]))
        return [told(*each) for each in most]

    def _forget_ports(self) -> None:
        """Forget the ports where nobody listens any more: their process has gone, or has closed them."""
        tables: dict[str, frozenset[tuple[int, int]]] = {}
        for account in self._accounts.values():
            for place, pid in list(account.ports.items()):
                network = reading.network(pid)
                if network is not None and network not in tables:
                    tables[network] = reading.listening(pid) or frozenset()
                if network is None or place not in tables[network]:
                    del account.ports[place]


def _size(account: _Account) -> tuple[int, int]:
    """Sort key: what a program has moved; of those that moved nothing, which was there last."""
    return account.amounts.sent_bytes + account.amounts.received_bytes, account.last
