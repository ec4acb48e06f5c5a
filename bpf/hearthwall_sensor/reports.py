"""What clients are told: the status, the devices, everything, or what changed."""

import os
import resource
import time
from pathlib import Path

from . import __version__, privileges
from .changes import Changes
from .devices import Devices, describe
from .kernel.tables import Tables
from .network.surroundings import Surroundings
from .ports import Ports
from .protocol import MAX_SCHEMA, Delta, Device, Snapshot, Status
from .rules import Rules
from .server import Server


class Reports:
    """The sensor's knowledge in the protocol's words."""

    def __init__(  # noqa: PLR0913, PLR0917, all that there is to tell comes together here
        self,
        tables: Tables,
        devices: Devices,
        rules: Rules,
        ports: Ports,
        surroundings: Surroundings,
        changes: Changes,
        server: Server,
    ) -> None:
        """Take all that there is to tell."""
        self._tables = tables
        self._devices = devices
        self._rules = rules
        self._ports = ports
        self._surroundings = surroundings
        self._changes = changes
        self._server = server
        self._started = time.monotonic()

    def status(self) -> Status:
        """Return how the sensor fares."""
        statistics = self._tables.statistics()
        return Status(
            pid=os.getpid(),
            version=__version__,
            schema=MAX_SCHEMA,
            interfaces=self._ports.report(),
            capabilities=(self._ports.way, *sorted(privileges.KEPT.values())),
            rules=len(self._rules),
            devices=len(self._devices.accounts),
            clients=self._server.clients,
            uptime_s=round(time.monotonic() - self._started, 3),
            resident_bytes=_resident_bytes(),
            dropped={
                name: count for name, count in statistics.items() if name.startswith("dropped_")
            },
            lost={
                "devices_refused": statistics["devices_refused"],
                # Made by the kernel programs and no longer there: pushed out by others.
                "devices_overwritten": max(
                    0,
                    statistics["devices_created"]
                    - self._devices.in_kernel
                    - self._tables.devices_deleted,
                ),
                "devices_evicted": self._devices.evicted,
                "clients_disconnected": self._server.disconnected,
            },
            protected=self._surroundings.protection.report(),
        )

    def devices(self) -> tuple[Device, ...]:
        """Return every device, the one that was seen first at the head."""
        accounts = sorted(
            self._devices.accounts.values(), key=lambda each: (each.first_seen, each.mac)
        )
        return tuple(self._device(each.mac) for each in accounts)

    def _device(self, mac: str) -> Device:
        """Return one device."""
        account = self._devices.accounts[mac]
        interface = self._ports.names().get(account.interface or 0)
        addresses = self._surroundings.addresses.get(mac, ())
        return describe(account, addresses, interface, self._rules.on_device(mac))

    def snapshot(self) -> Snapshot:
        """Return everything."""
        return Snapshot(0, self.status(), self.devices(), tuple(self._rules.blocks()))

    def delta(self, since: int) -> Delta | None:
        """Return what changed after a revision, None for nothing.

        Raises SensorError if what has gone since then is not remembered any more.
        """
        removed = self._changes.removed_since(since)
        blocks = self._changes.blocks_since(since)
        delta = Delta(
            seq=0,
            status=self.status() if self._changes.status_since(since) else None,
            devices=tuple(
                self._device(mac)
                for mac, account in self._devices.accounts.items()
                if account.revision > since
            ),
            removed_devices=tuple(each for each in removed if isinstance(each, str)),
            blocks=tuple(each for each in self._rules.blocks() if each.id in blocks)
            if blocks
            else (),
            removed_blocks=tuple(each for each in removed if isinstance(each, int)),
        )
        return None if delta == Delta(seq=0) else delta


def _resident_bytes() -> int:
    """Return this process's resident memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
