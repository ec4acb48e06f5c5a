"""What clients ask and order, carried out by the sensor's parts."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from .device_orders import DeviceOrders
from .mud_orders import MudOrders
from .network.redirection import check_redirection
from .notice import Notice
from .parts import Parts
from .policy.responding import Guard
from .policy_orders import PolicyOrders
from .processes.connections import merged
from .processes.processes import Processes
from .protocol import Block, SensorError
from .reports import Reports
from .requests import (
    AddBlock,
    AddFeed,
    Confirm,
    DiscardDamaged,
    GetBlocks,
    GetDevices,
    GetEvents,
    GetFeeds,
    GetFlows,
    GetJournal,
    GetProcesses,
    GetStatus,
    GetUsage,
    RefreshFeed,
    RemoveBlock,
    RemoveFeed,
    Request,
    TestSink,
    Unload,
)
from .rules.process_protection import ProcessProtection
from .rules.rule import Rule
from .rules.terms import check_place
from .targets import PROCESS_KINDS, Target, parse_target
from .verdicts import judged


class Orders:
    """Answers requests; each either does all that it says, or raises SensorError and does nothing."""

    def __init__(
        self,
        parts: Parts,
        reports: Reports,
        on_rules: Callable[[list[Block], Iterable[Rule]], None],
        leave: Callable[[bool], None],
    ) -> None:
        """Take the parts, and what to call: after rules changed, and to unload."""
        self._parts = parts
        self._reports = reports
        self._on_rules = on_rules
        self._leave = leave
        self.devices = DeviceOrders(parts, reports, self._tell_rules)
        self.devices.forget_flows = parts.flows.forget
        parts.responder.order = self._order_by_itself
        self.mud = MudOrders(parts, reports)
        self._listing = asyncio.Lock()
        self._processes = ProcessProtection(lambda: parts.server.subscribers)
        self._answers: dict[type[Request], Callable[[Any], Awaitable[Any]]] = {
            GetStatus: self._get_status,
            GetDevices: self._get_devices,
            GetFlows: self._get_flows,
            GetUsage: self._get_usage,
            GetProcesses: self._get_processes,
            GetBlocks: self._get_blocks,
            AddBlock: self._add_block,
            Confirm: self._confirm,
            RemoveBlock: self._remove_block,
            GetFeeds: self._get_feeds,
            AddFeed: self._add_feed,
            RemoveFeed: self._remove_feed,
            RefreshFeed: self._refresh_feed,
            GetEvents: self._get_events,
            GetJournal: self._get_journal,
            TestSink: self._test_sink,
            DiscardDamaged: self._discard_damaged,
            Unload: self._unload,
            **self.devices.answers,
            **PolicyOrders(parts, reports).answers,
            **self.mud.answers,
        }

    async def answer(self, request: Request) -> Any:
        """Carry out a client's request and return its result's JSON; raises SensorError."""
        return await self._answers[type(request)](request)

    async def _get_status(self, _: GetStatus) -> Any:
        """Answer how the sensor fares, with what the kernel has counted up to now."""
        self._parts.totals.read()
        return self._reports.status().to_wire()

    async def _get_devices(self, _: GetDevices) -> Any:
        """Answer with the devices as the kernel counts them now."""
        self._parts.totals.read()
        return [each.to_wire() for each in self._reports.devices()]

    async def _get_flows(self, request: GetFlows) -> Any:
        """Answer with the flows that are asked for, as the kernel counts them now."""
        async with (
            self._listing
        ):  # one after the other: each takes memory, and the time of all others
            of_processes = []
            if not request.devices and request.of != "devices" and (own := await self._looked()):
                of_processes = await own.flows(request)
            of_devices = []
            if request.process is None and request.of != "processes":
                of_devices = await self._parts.flows.select(request, self._parts.chosen.macs)
            return [each.to_wire() for each in merged(of_devices, of_processes, request.limit)]

    async def _get_usage(self, request: GetUsage) -> Any:
        """Answer with the sums of the devices' flows, as the kernel counts them now."""
        async with self._listing:
            report = await self._parts.flows.usage(request, self._parts.chosen.macs)
            return await asyncio.to_thread(report.to_wire)

    async def _get_processes(self, request: GetProcesses) -> Any:
        """Answer with the programs of this host, as the kernel counts them now."""
        async with self._listing:
            own = await self._looked()
            return [] if own is None else [each.to_wire() for each in own.programs(request)]

    async def _looked(self) -> Processes | None:
        """Return what is known of this host's processes as of now; None where they are not watched."""
        own = self._parts.own
        return None if own is None else await own.look()

    async def _get_blocks(self, _: GetBlocks) -> Any:
        """Answer with the rules as the kernel counts them now."""
        return [each.to_wire() for each in self._reports.blocks()]

    async def _add_block(self, order: AddBlock) -> Any:
        """Put a rule in force."""
        rule = await self._parts.rules.add(order, await self._guard_of(order))
        self._tell_rules((), self._parts.rules.alike(rule), forced=order.force)
        return self._reports.block(rule).to_wire()

    async def _order_by_itself(self, order: AddBlock, guard: Guard) -> None:
        """Put a rule in force that the policy wants, unless this guard or the usual one is against it."""
        usual = await self._guard_of(order)

        def both(target: Target, order: AddBlock) -> None:
            guard(target, order)
            usual(target, order)

        rule = await self._parts.rules.add(order, both, for_a_while=True)
        self._tell_rules((), self._parts.rules.alike(rule))

    def _tell_rules(
        self, taken_back: Iterable[Block], made: Iterable[Rule], *, forced: bool = False
    ) -> None:
        """Tell of rules that were taken back and of those that are in force now."""
        taken_back, made = list(taken_back), list(made)
        for block in taken_back:
            self._parts.journal.note(ended(block, "was taken back"))
        for rule in made:
            self._parts.journal.note(ordered(self._parts.rules.block(rule), forced=forced))
        self._on_rules(taken_back, made)

    async def _confirm(self, request: Confirm) -> Any:
        """Keep a rule."""
        rule = await self._parts.rules.confirm(request)
        self._on_rules([], self._parts.rules.alike(rule))
        return self._reports.block(rule).to_wire()

    async def _remove_block(self, request: RemoveBlock) -> Any:
        """End a rule."""
        blocks = await self._parts.rules.remove(request)
        self._tell_rules(blocks, self._parts.rules.come_back(blocks))
        return blocks[0].to_wire()

    async def _guard_of(self, order: AddBlock) -> Guard:
        """Return what an order's targets must pass; for a process, it knows what runs here."""
        if parse_target(order.target).kind not in PROCESS_KINDS:
            return self._guard
        seen = await asyncio.to_thread(self._processes.look)

        def guard(target: Target, order: AddBlock) -> None:
            self._processes.check(target, seen, children=order.children, force=order.force)

        return guard

    def _guard(self, target: Target, order: AddBlock) -> None:
        """Raise SensorError if an order would cut off what must stay reachable, or makes no sense."""
        around = self._parts.surroundings
        around.protection.check(target, force=order.force)
        check_place(order, target, around.is_home)
        if order.redirect_to is not None:
            check_redirection(order.redirect_to, around.network, set(self._parts.ports.names()))

    async def _get_feeds(self, _: GetFeeds) -> Any:
        """Answer with the feeds."""
        return [each.to_wire() for each in self._parts.feeds.list()]

    async def _add_feed(self, order: AddFeed) -> Any:
        """Subscribe to a list."""
        return (await self._parts.feeds.add(order)).to_wire()

    async def _remove_feed(self, request: RemoveFeed) -> Any:
        """End a feed."""
        return (await self._parts.feeds.remove(request.name)).to_wire()

    async def _refresh_feed(self, request: RefreshFeed) -> Any:
        """Read a feed anew."""
        await self._parts.feeds.refresh(request.name)
        return self._parts.feeds.feed(request.name).to_wire()

    async def _get_events(self, request: GetEvents) -> Any:
        """Answer with what happened."""
        events = await self._parts.journal.select(request, self._parts.chosen.macs)
        return [judged(self._parts, each).to_wire() for each in events]

    async def _get_journal(self, request: GetJournal) -> Any:
        """Answer with which journal it is, and how much of a part of it was erased."""
        journal = self._parts.journal
        erased = await journal.erased(request.since, request.last)
        return {"id": journal.identity, "last": journal.last, "erased": erased}

    async def _test_sink(self, request: TestSink) -> Any:
        """Answer with what became of a message that is only a test."""
        if self._parts.sinks is None:
            raise SensorError("not_found", "there is no sink: [[sink]] in the settings names one")
        return {"error": await self._parts.sinks.test(request.name)}

    async def _discard_damaged(self, _: DiscardDamaged) -> Any:
        """Remove the damaged files that were set aside."""
        gone = await asyncio.to_thread(self._parts.damage.discard)
        self._parts.changes.status()
        return {"files": list(gone)}

    async def _unload(self, request: Unload) -> Any:
        """End the sensor and leave nothing in the kernel."""
        self._leave(request.forget)
        return {}


def _about(block: Block) -> dict[str, Any]:
    """Return an event's fields that say whom a rule is about."""
    return {
        "mac": block.target if block.kind == "mac" else None,
        "peer_address": block.target if block.kind in ("ipv4", "ipv6") else None,
        "peer_name": block.target if block.kind == "domain" else None,
        "process": block.target.partition(":")[2]
        if block.kind in ("exe", "dir")
        else block.program,
    }


def _described(block: Block) -> str:
    """Return a rule's target with its service."""
    service = "/".join(str(each) for each in (block.transport, block.port) if each is not None)
    return f"{block.target} {service}".strip()


def _called(block: Block) -> str:
    """Return what people call a rule's mode."""
    if block.mode == "isolate":
        return "quarantine" if block.kind == "mac" else "block"
    return block.mode.replace("_", " ")


def ordered(block: Block, *, forced: bool) -> Notice:
    """Return the event of a rule that was put in force."""
    why = f" ({block.reason})" if block.reason else ""
    return Notice(
        kind="blocked",
        severity="info",
        summary=f"{_described(block)}: {_called(block)}{why}",
        evidence={
            "detector": "rules",
            "rule": block.id,
            "mode": block.mode,
            "expires": block.expires,
            "forced": forced,
        },
        **_about(block),
    )


def ended(block: Block, how: str) -> Notice:
    """Return the event of a rule that ended, and how."""
    return Notice(
        kind="unblocked",
        severity="info",
        summary=f"{_described(block)}: {_called(block)} {how}",
        evidence={
            "detector": "rules",
            "rule": block.id,
            "mode": block.mode,
            "packets": block.packets,
            "bytes": block.bytes,
        },
        **_about(block),
    )
