"""What clients are told: the status, the devices, the rules, everything, or what changed."""

import dataclasses
import os
import resource
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import __version__, privileges
from .devices import describe
from .parts import Parts
from .processes import looks
from .protocol import (
    MAX_SCHEMA,
    MAX_SHOWN_ADDRESSES,
    REMOTE_ACCESS,
    Block,
    Delta,
    Device,
    SensorError,
    Snapshot,
    Status,
)
from .rules.rule import Rule
from .verdicts import judged


class Reports:
    """The sensor's knowledge in the protocol's words."""

    def __init__(self, parts: Parts) -> None:
        """Take all that there is to tell of."""
        self._parts = parts
        self._started = time.monotonic()
        #: Of an earlier run: what was deleted then is not known any more.
        self._gone_before = parts.tables.statistics()["devices_created"] - len(
            parts.tables.devices()
        )

    def status(self) -> Status:
        """Return how the sensor fares."""
        parts = self._parts
        statistics = parts.tables.statistics()
        return Status(
            pid=os.getpid(),
            version=__version__,
            schema=MAX_SCHEMA,
            id=parts.server.identity,
            interfaces=parts.ports.report(),
            capabilities=(
                *parts.ports.ways,
                *(() if parts.own is None else parts.own.attribution.ways),
                *sorted(privileges.kept().values()),
                *(("sys_ptrace",) if looks.is_possible() else ()),
            ),
            rules=len(parts.rules),
            devices=len(self._primaries(parts.devices.accounts)),
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
                    - self._gone_before
                    - parts.devices.in_kernel
                    - parts.tables.devices_deleted,
                ),
                "devices_evicted": parts.devices.evicted,
                "identities_evicted": parts.identities.evicted,
                "places_unreadable": parts.places.unreadable,
                "clients_disconnected": parts.server.disconnected,
                "flows_evicted": parts.flows.evicted,
                "samples_lost": statistics["samples_lost"],
                "samples_limited": statistics["samples_limited"],
                "answers_lost": statistics["answers_lost"],
                "detectors_failed": parts.detection.failed.total(),
                "detectors_restarted": parts.detection.restarted,
                "detectors_dropped": parts.detection.dropped,
                "events_lost": parts.journal.lost,
                "flows_untold": parts.flows.untold,
                "events_suppressed": parts.journal.suppressed,
                "files_damaged": parts.rules.files_damaged
                + parts.store.was_damaged
                + parts.journal.was_damaged,
                "responses_suppressed": parts.responder.counted["suppressed"],
                **({} if parts.own is None else parts.own.lost),
            },
            protected=parts.surroundings.protection.report(),
            names=parts.domains.statistics,
            flows=parts.flows.present,
            malformed=dict(parts.observer.labels.malformed),
            policy_problem=parts.policy.problem,
            missing=parts.ports.lost()
            | ({} if parts.own is None else parts.own.attribution.lost())
            | _newer(parts.rules.newer)
            | _unreached(parts.server.unreachable),
            damaged=parts.damage.files(),
            time=time.time(),
            listening=parts.server.listening,
            turned_away=parts.server.turned_away,
            home_assistants=parts.server.home_assistants,
            sinks=() if parts.sinks is None else parts.sinks.states,
        )

    def devices(self) -> tuple[Device, ...]:
        """Return every device, the one that was seen first at the head."""
        devices = map(self._device, self._primaries(self._parts.devices.accounts))
        return tuple(sorted(devices, key=lambda each: (each.first_seen, each.mac)))

    def device(self, mac: str) -> Device:
        """Return a device by any of its MACs; raises SensorError `not_found`."""
        accounts = self._parts.devices.accounts
        if not any(each in accounts for each in self._parts.chosen.macs(mac)):
            raise SensorError("not_found", f"there is no device {mac}; `devices` lists them")
        return self._device(mac)

    def _primaries(self, macs: Iterable[str]) -> set[str]:
        """Return the MACs that stand for these."""
        return {self._parts.chosen.primary(mac) for mac in macs}

    def _device(self, mac: str) -> Device:
        """Return a device by any of its MACs, one of which has an account."""
        parts = self._parts
        macs = parts.chosen.macs(mac)
        accounts = [each for mac in macs if (each := parts.devices.accounts.get(mac)) is not None]
        latest = max(accounts, key=lambda each: each.last_seen)
        known = parts.identities.known(*macs)._replace(
            vendor=next(filter(None, map(parts.vendors.find, macs)), None),
            name=parts.chosen.name(mac),
        )
        interface = parts.ports.names().get(latest.interface or 0)
        return describe(accounts, known, interface, parts.rules.on_device(accounts[0].mac))

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
                for mac in self._primaries(
                    mac
                    for mac, account in self._parts.devices.accounts.items()
                    if account.revision > since
                )
            ),
            removed_devices=tuple(each for each in removed if isinstance(each, str)),
            blocks=tuple(each for each in self.blocks() if each.id in blocks) if blocks else (),
            removed_blocks=tuple(each for each in removed if isinstance(each, int)),
            feeds=tuple(self._parts.feeds.list()) if changes.feeds_since(since) else None,
            events=tuple(judged(self._parts, each) for each in changes.events_since(since)),
        )
        return None if delta == Delta(seq=0) else delta


def _newer(what: str | None) -> dict[str, str]:
    """Return what is missing where only a newer version understands all rules."""
    if what is None:
        return {}
    return {
        "rules": f"a newer version wrote {what}: that is not in force, and no rule can be changed,"
        " until that version is back"
    }


def _unreached(why: str | None) -> dict[str, str]:
    """Return what is missing where other hosts can't reach the sensor though they should."""
    return {} if why is None else {REMOTE_ACCESS: f"no other host reaches the sensor: {why}"}


def _resident_bytes() -> int:
    """Return this process's resident memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
