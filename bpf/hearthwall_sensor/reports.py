"""What clients are told: the status, the devices, the rules, everything, or what changed."""

import dataclasses
import os
import resource
import time
from collections.abc import Mapping
from pathlib import Path

from . import __version__, privileges
from .devices import describe
from .parts import Parts
from .protocol import (
    MAX_SCHEMA,
    MAX_SHOWN_ADDRESSES,
    Block,
    Delta,
    Device,
    Snapshot,
    Status,
)
from .rules.rule import Rule


class Reports:
    """The sensor's knowledge in the protocol's words."""

    def __init__(self, parts: Parts) -> None:
        """Take all that there is to tell of."""
        self._parts = parts
        self._started = time.monotonic()

    def status(self) -> Status:
        """Return how the sensor fares."""
        parts = self._parts
        statistics = parts.tables.statistics()
        return Status(
            pid=os.getpid(),
            version=__version__,
            schema=MAX_SCHEMA,
            interfaces=parts.ports.report(),
            capabilities=(*parts.ports.ways, *sorted(privileges.KEPT.values())),
            rules=len(parts.rules),
            devices=len(parts.devices.accounts),
            clients=parts.server.clients,
            uptime_s=round(time.monotonic() - self._started, 3),
            resident_bytes=_resident_bytes(),
            dropped={
                name: count
                for name, count in statistics.items()
                if name.startswith("dropped_") or name == "redirected"
            },
            lost={
                "devices_refused": statistics["devices_refused"],
                # Made by the kernel programs and no longer there: pushed out by others.
                "devices_overwritten": max(
                    0,
                    statistics["devices_created"]
                    - parts.devices.in_kernel
                    - parts.tables.devices_deleted,
                ),
                "devices_evicted": parts.devices.evicted,
                "clients_disconnected": parts.server.disconnected,
                "samples_lost": statistics["samples_lost"],
                "events_lost": parts.journal.lost,
                "events_suppressed": parts.journal.suppressed,
            },
            protected=parts.surroundings.protection.report(),
            names=parts.domains.statistics,
        )

    def devices(self) -> tuple[Device, ...]:
        """Return every device, the one that was seen first at the head."""
        accounts = sorted(
            self._parts.devices.accounts.values(), key=lambda each: (each.first_seen, each.mac)
        )
        return tuple(self._device(each.mac) for each in accounts)

    def _device(self, mac: str) -> Device:
        """Return one device."""
        parts = self._parts
        account = parts.devices.accounts[mac]
        interface = parts.ports.names().get(account.interface or 0)
        addresses = parts.surroundings.addresses.get(mac, ())
        return describe(account, addresses, interface, parts.rules.on_device(mac))

    def block(self, rule: Rule) -> Block:
        """Return one rule."""
        return self._with_addresses(self._parts.rules.block(rule), self._parts.rules.domain_slots())

    def blocks(self) -> tuple[Block, ...]:
        """Return every rule, with fresh counters."""
        slots = self._parts.rules.domain_slots()
        return tuple(self._with_addresses(each, slots) for each in self._parts.rules.blocks())

    def _with_addresses(self, block: Block, slots: Mapping[str, int]) -> Block:
        """Return a rule on a domain with the addresses that it resolves to."""
        slot = slots.get(block.target)
        if slot is None:
            return block
        addresses = tuple(self._parts.domains.addresses(slot)[:MAX_SHOWN_ADDRESSES])
        return dataclasses.replace(block, addresses=addresses)

    def snapshot(self) -> Snapshot:
        """Return everything."""
        parts = self._parts
        return Snapshot(
            0,
            self.status(),
            self.devices(),
            self.blocks(),
            tuple(parts.feeds.list()),
            parts.journal.last,
        )

    def delta(self, since: int) -> Delta | None:
        """Return what changed after a revision, None for nothing.

        Raises SensorError if what has gone since then is not remembered any more.
        """
        changes = self._parts.changes
        removed = changes.removed_since(since)
        blocks = changes.blocks_since(since)
        delta = Delta(
            seq=0,
            status=self.status() if changes.status_since(since) else None,
            devices=tuple(
                self._device(mac)
                for mac, account in self._parts.devices.accounts.items()
                if account.revision > since
            ),
            removed_devices=tuple(each for each in removed if isinstance(each, str)),
            blocks=tuple(each for each in self.blocks() if each.id in blocks) if blocks else (),
            removed_blocks=tuple(each for each in removed if isinstance(each, int)),
            feeds=tuple(self._parts.feeds.list()) if changes.feeds_since(since) else None,
            events=changes.events_since(since),
        )
        return None if delta == Delta(seq=0) else delta


def _resident_bytes() -> int:
    """Return this process's resident memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
