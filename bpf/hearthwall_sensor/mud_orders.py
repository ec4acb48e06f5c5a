"""What makers say of devices: files taken, fetched and taken away; on disk when it is answered."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from .habits import MudReport
from .kinds import KINDS, SEVERITIES
from .mud import fetching, reading, writing
from .mud.descriptions import MAX_DESCRIPTIONS, described
from .mud.unwanted import Unwanted
from .parts import Parts
from .policy.expectations import LOCAL, Expectation
from .protocol import SensorError, Severity
from .reports import Reports
from .requests import MAX_EVENTS, GetEvents, GetMud, RemoveMud, Request, SetMud
from .targets import parse_mac

_LOGGER = logging.getLogger(__name__)

#: Where a learnt file says that it is to be found, as RFC 8520 wants; nobody needs to look there.
_LEARNT_URL = "https://hearthwall.invalid/"
#: What events of less severity tell of may be an ordinary day.
_SEVERE: Final[Severity] = "medium"
#: Events that tell what a device does, rather than what was ordered or that it is there.
_DETECTED: Final = frozenset(
    name for name, kind in KINDS.items() if not kind.by_rules and name != "new_device"
)


class MudOrders:
    """Answers the requests that are about MUD files."""

    def __init__(self, parts: Parts, reports: Reports) -> None:
        """Take the parts."""
        self._parts = parts
        self._reports = reports
        # One order after the other: each is on disk before the next is looked at.
        self._orders = asyncio.Lock()
        self.answers: dict[type[Request], Callable[[Any], Awaitable[Any]]] = {
            GetMud: self._get,
            SetMud: self._set,
            RemoveMud: self._remove,
        }

    async def _get(self, request: GetMud) -> Any:
        """Answer with what is said of a device."""
        return (await self._report(self._known(request.mac))).to_wire()

    async def _set(self, order: SetMud) -> Any:
        """Hold a device against a file."""
        mac = self._known(order.mac)
        if order.document is not None:
            if order.url is not None:
                raise SensorError("invalid_message", "say either the document or its url")
            await self._hold(mac, order.document, "file", ordered=True)
        else:
            announced = self._announced(mac)
            url = order.url or announced
            if url is None:
                raise SensorError("not_found", f"{mac} does not say where it is described")
            document = await self._fetched(url, inside=order.url is not None)
            await self._hold(mac, document, url, ordered=True)
        return (await self._report(mac)).to_wire()

    async def _remove(self, order: RemoveMud) -> Any:
        """Hold a device against no file any more."""
        mac = self._known(order.mac)
        async with self._orders:
            await asyncio.to_thread(self._parts.store.describe, mac, None)
            if not self._parts.descriptions.remove(mac):
                raise SensorError("not_found", f"{mac} is not held against a MUD file")
            self._parts.policy.clear()
        return (await self._report(mac)).to_wire()

    async def follow_devices(self) -> None:
        """Fetch what a device has announced, where the policy allows that."""
        primary = self._parts.chosen.primary
        macs = dict.fromkeys(map(primary, self._parts.devices.accounts))
        due = self._parts.descriptions.due(macs, time.time())
        if due is None:
            return
        mac, url = due
        try:
            document = await self._fetched(url, inside=False)
            await self._hold(primary(mac), document, url, ordered=False)
        except SensorError as error:
            _LOGGER.warning("What %s is could not be learnt from its maker: %s", mac, error)

    async def _fetched(self, url: str, *, inside: bool) -> Any:
        """Return the JSON at an address, from inside the home only if it may be; raises SensorError."""
        return await fetching.fetched(url, inside=inside, home=self._parts.surroundings.subnets)

    async def _hold(self, mac: str, document: Any, source: str, *, ordered: bool) -> None:
        """Let a file hold for a device, in place of the user's only if it was ordered; raises SensorError."""
        says = reading.read(document)
        new = described(document, source, round(time.time(), 3), says, ordered=ordered)
        if not new.says.expected:
            raise SensorError(
                "invalid_mud",
                "the file allows nothing that could be understood: nothing was changed",
            )
        async with self._orders:
            descriptions = self._parts.descriptions
            held = descriptions.of(mac)
            if held is not None and held.ordered and not ordered:
                return
            if descriptions.is_full and held is None:
                raise SensorError(
                    "table_full", f"{MAX_DESCRIPTIONS} devices have a MUD file already"
                )
            await asyncio.to_thread(self._parts.store.describe, mac, new)
            descriptions.put(mac, new)
            self._parts.policy.clear()

    def _known(self, text: str) -> str:
        """Return the MAC that stands for a device that there is; raises SensorError."""
        mac = self._parts.chosen.primary(parse_mac(text))
        self._reports.device(mac)
        return mac

    def _announced(self, mac: str) -> str | None:
        """Return where a device says that it is described."""
        return self._parts.descriptions.announced(mac)

    async def _unwanted(self, mac: str) -> Unwanted:
        """Return whom a device was with that events tell of, of which nobody said that it is fine."""
        asked = GetEvents(devices=(mac,), severity=_SEVERE, limit=MAX_EVENTS, latest=True)
        events = await self._parts.journal.select(asked, self._parts.chosen.macs)
        accepted = self._parts.accepted
        return Unwanted(
            (each for each in events if not accepted.covers(each)), self._parts.surroundings.is_home
        )

    async def _slight(self, mac: str) -> int:
        """Return how many events of less severity there are of a device, of which nobody said that they are fine."""
        asked = GetEvents(devices=(mac,), limit=MAX_EVENTS, latest=True)
        events = await self._parts.journal.select(asked, self._parts.chosen.macs)
        least = SEVERITIES.index(_SEVERE)
        return sum(
            SEVERITIES.index(each.severity) < least
            and each.kind in _DETECTED
            and not self._parts.accepted.covers(each)
            for each in events
        )

    async def _report(self, mac: str) -> MudReport:
        """Return what is said and learnt of a device."""
        now, unwanted = time.time(), await self._unwanted(mac)
        profile = self._parts.profiles.of(mac, now)
        needs = {each: unwanted.event(each) for each in profile.needs()}
        learnt = [each for each, seq in needs.items() if seq is None]
        device = self._reports.device(mac)
        system = device.name or device.hostname or device.vendor or mac
        document = writing.write(
            learnt, system=system, url=_LEARNT_URL + mac.replace(":", ""), when=now
        )
        kept_out = [f"{sentence(each)} (event {seq})" for each, seq in needs.items() if seq]
        own = MudReport(
            mac=mac,
            announced=self._announced(mac),
            learnt=document,
            kept_out=tuple(kept_out),
            events=await self._slight(mac),
            since=profile.since,
            learning_until=profile.since + self._parts.policy.device(mac).learning,
        )
        held = self._parts.descriptions.of(mac)
        if held is None:
            return own
        return replace(
            own,
            source=held.source,
            url=held.says.url,
            system=held.says.system,
            time=held.time,
            expected=tuple(map(sentence, held.says.expected)),
            left_out=held.says.left_out,
            peers=tuple(dict.fromkeys(self._peers(held.says.expected))),
        )

    def _peers(self, expected: tuple[Expectation, ...]) -> Iterator[str]:
        """Yield whom a rule that allows only these must name."""
        for each in expected:
            if each.peer == LOCAL:
                yield from self._parts.surroundings.subnets
            else:
                yield each.peer


def sentence(expectation: Expectation) -> str:
    """Return what is expected, for people."""
    peer = "hosts of the home" if expectation.peer == LOCAL else expectation.peer
    ports = expectation.ports
    service = expectation.transport or "anything"
    if ports is not None:
        low, high = ports
        service += f" port {low}" if low == high else f" ports {low} to {high}"
    opened = {"device": "it may call", "peer": "it may be called by", None: "it may talk to"}
    return f"{opened[expectation.opened_by]} {peer}: {service}"
