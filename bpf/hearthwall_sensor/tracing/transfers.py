"""What sockets sent and received since the last look, from the kernel's table of it."""

from typing import Final

from ..kernel.call_layouts import TRANSFER, TRANSFER_KEY, Transfer
from ..kernel.libbpf import Map
from .lines import Peer

_WANTED: Final = 29


class Transfers:
    """The kernel's table, and what of it was told."""

    def __init__(self, table: Map) -> None:
        """Take the table."""
        self._table = table
        self._told: dict[bytes, Transfer] = {}

    def since(self) -> list[tuple[int, Peer, Transfer]]:
        """Return by whom it is wanted, with whom, and what was moved since the last time; what rests is forgotten."""
        found, rests = [], []
        told, self._told = self._told, {}  # without those that gave way to others
        for key, value in self._table.items():
            now = Transfer._make(TRANSFER.unpack(value))
            before = told.get(key)
            if before is not None and before.calls == now.calls:
                rests.append(key)
                continue
            pid, fd, address, port, family, call, wanted, _ = TRANSFER_KEY.unpack(key)
            found.append((wanted, Peer(pid, fd, address, port, family, call), _less(now, before)))
            self._told[key] = now
        self._delete(rests)
        return found

    def forget(self, bit: int) -> None:
        """Forget what only one trace wanted."""
        self._delete([key for key, _ in self._table.items() if key[_WANTED] == bit])

    def _delete(self, keys: list[bytes]) -> None:
        """Forget these."""
        self._table.delete_all(keys)
        for key in keys:
            self._told.pop(key, None)


def _less(now: Transfer, before: Transfer | None) -> Transfer:
    """Return what was moved since; a count that is smaller than before began anew."""
    if before is None or now.calls < before.calls:
        return now
    return now._replace(
        calls=now.calls - before.calls,
        failed=now.failed - before.failed,
        size=now.size - before.size,
        duration=now.duration - before.duration,
    )
