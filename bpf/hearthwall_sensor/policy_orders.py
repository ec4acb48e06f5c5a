"""The user's word on what was learnt and told: the policy, profiles, accepted events; on disk when it is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from .habits import Acceptance, PolicyReport
from .learning.kept import packed
from .learning.needs import told_needs
from .learning.profile import Profile
from .learning.programs import is_program
from .learning.reporting import report
from .notice import whose
from .parts import Parts
from .policy import writing
from .policy.reading import checked_label
from .protocol import Event, SensorError
from .reports import Reports
from .requests import (
    AcceptEvent,
    GetAccepted,
    GetEvent,
    GetPolicy,
    GetProfile,
    Hint,
    Request,
    RevokeAccepted,
    SetHints,
    SetPolicy,
    SetProfile,
)
from .targets import parse_mac
from .verdicts import blockable, judged

#: Devices that there may be hints on, and labels of one.
MAX_HINTS: Final = 1024
MAX_LABELS: Final = 64
#: Refusals that are told, and characters of each.
_MOST_SHOWN: Final = 200
#: Events of flows that their device opened: accepted, these are what it needs.
_OF_DESTINATIONS: Final = ("unexpected_destination", "local_device_on_internet")


class PolicyOrders:
    """Answers the requests that are about what is usual and what is wanted."""

    def __init__(self, parts: Parts, reports: Reports) -> None:
        """Take the parts."""
        self._parts = parts
        self._reports = reports
        # One order after the other: each is on disk before the next is looked at.
        self._orders = asyncio.Lock()
        self.answers: dict[type[Request], Callable[[Any], Awaitable[Any]]] = {
            GetEvent: self._get_event,
            AcceptEvent: self._accept,
            GetAccepted: self._get_accepted,
            RevokeAccepted: self._revoke,
            GetProfile: self._get_profile,
            SetProfile: self._set_profile,
            GetPolicy: self._get_policy,
            SetPolicy: self._set_policy,
            SetHints: self._set_hints,
        }

    # Events

    async def _get_event(self, request: GetEvent) -> Any:
        """Answer with one event, and whom an order may cut off for it."""
        event, blame = await self._event(request.seq), self._parts.responder.blame
        return judged(self._parts, event).to_wire() | {
            "blockable_peer": blockable(self._parts, blame.peer(event)),
            "has_ended": blame.has_ended(event),
        }

    async def _event(self, seq: int) -> Event:
        """Return an event; raises SensorError `not_found`."""
        event = await self._parts.journal.event(seq)
        if event is None:
            raise SensorError("not_found", f"there is no event {seq}; `events` lists them")
        return event

    async def _accept(self, order: AcceptEvent) -> Any:
        """Let what an event tells of be fine from now on."""
        parts = self._parts
        async with self._orders, parts.totals.saving:
            event, now = await self._event(order.seq), time.time()
            mac = None if event.mac is None else parts.chosen.primary(event.mac)
            if parts.accepted.of_event(event.seq) is None:
                parts.accepted.check(event)
                new = _acceptance(event, mac, now)
                parts.accepted.add(await asyncio.to_thread(parts.store.accept, new))
            # Also if it was accepted before: the sensor may have ended before the profile was on disk.
            who = whose(mac, event.process, event.address)
            kind: Any = event.kind
            parts.profiles.absorb(who, kind, event.subject, event.evidence, now)
            if event.kind in _OF_DESTINATIONS:
                self._need(who, event.evidence, now, is_fine=True)
            await self._keep_profile(who, now)
            return judged(self._parts, event).to_wire()

    async def _keep_profile(self, who: str, now: float) -> None:
        """Write a device's profile to disk."""
        profile = packed(self._parts.profiles.of(who, now))
        await asyncio.to_thread(self._parts.store.keep_profile, who, profile)

    def _need(self, who: str, evidence: Mapping[str, Any], now: float, *, is_fine: bool) -> None:
        """Count what an event tells of as needed, or no more so than what was never seen before."""
        needs = self._parts.profiles.of(who, now).facets["need"]
        for each in told_needs(evidence, self._parts.surroundings.is_home):
            if is_fine:
                needs.accept(each, now)
            else:
                needs.doubt(each)

    async def _get_accepted(self, _: GetAccepted) -> Any:
        """Answer with what was accepted."""
        return [each.to_wire() for each in self._parts.accepted.list()]

    async def _revoke(self, order: RevokeAccepted) -> Any:
        """Take an acceptance back."""
        parts, now = self._parts, time.time()
        async with self._orders, parts.totals.saving:
            acceptance = parts.accepted.get(order.acceptance)
            await asyncio.to_thread(parts.store.revoke, acceptance.id)
            parts.accepted.remove(acceptance)
            parts.journal.tell_again(acceptance)
            if who := whose(acceptance.mac, acceptance.process, acceptance.address):
                self._need(who, acceptance.evidence, now, is_fine=False)
                await self._keep_profile(who, now)
            return acceptance.to_wire()

    # Profiles

    async def _get_profile(self, request: GetProfile) -> Any:
        """Answer with what was learnt of a device."""
        return self._profile(self._known(request.mac))

    async def _set_profile(self, order: SetProfile) -> Any:
        """Freeze a profile, let it learn, or begin it anew."""
        parts, mac, now = self._parts, self._known(order.mac), time.time()
        async with self._orders, parts.totals.saving:
            is_new, is_frozen = order.action == "reset", order.action == "freeze"
            profile = Profile(mac, now) if is_new else parts.profiles.of(mac, now)
            wanted = packed(replace(profile, frozen=is_frozen))
            await asyncio.to_thread(parts.store.keep_profile, mac, wanted)
            if is_new:
                parts.profiles.reset(mac, now)
            else:
                parts.profiles.freeze(mac, is_frozen)
            return self._profile(mac)

    def _profile(self, mac: str) -> Any:
        """Return what was learnt of a device, and what the user said is fine."""
        parts, now = self._parts, time.time()
        told = report(parts.profiles.of(mac, now), now, parts.policy.device(mac))
        held = parts.descriptions.of(mac)
        mud = None if held is None else {"source": held.source, "system": held.says.system}
        return replace(told, accepted=parts.accepted.of_device(mac), mud=mud).to_wire()

    def _known(self, text: str) -> str:
        """Return the MAC that stands for a device that there is, or a program that is learnt; raises SensorError."""
        if is_program(text):
            if all(each.who != text for each in self._parts.profiles):
                raise SensorError("not_found", f"nothing was learnt of {text[:200]!r}")
            return text
        mac = self._parts.chosen.primary(parse_mac(text))
        self._reports.device(mac)
        return mac

    # The policy

    async def _get_policy(self, _: GetPolicy) -> Any:
        """Answer with the policy."""
        policy = self._parts.policy
        policy.follow()
        return PolicyReport(
            str(policy.path),
            policy.exists,
            policy.raw,
            policy.problem,
            policy.given_labels,
            self._parts.places.has_files,
        ).to_wire()

    async def _set_policy(self, order: SetPolicy) -> Any:
        """Change the policy's file."""
        section = writing.parse_section(order.section)
        async with self._orders:
            await asyncio.to_thread(writing.change, self._parts.policy.path, section, order.values)
        return await self._get_policy(GetPolicy())

    async def _set_hints(self, order: SetHints) -> Any:
        """Take hints in place of those that there were; what makes no sense in them keeps out none of the others."""
        hints: dict[str, Hint] = {}
        refused: dict[str, str] = {}
        for who, hint in order.hints.items():
            try:
                mac = parse_mac(who)
                if len(hints) >= MAX_HINTS:
                    raise ValueError(f"there are hints on {MAX_HINTS} devices at most")  # noqa: TRY301
                hints[mac], wrong = _checked(hint)
            except (SensorError, ValueError) as error:
                wrong = [str(error)]
            if wrong:
                refused[who[:_MOST_SHOWN]] = "; ".join(wrong)[:_MOST_SHOWN]
        async with self._orders:
            if hints != self._parts.policy.hints:
                await asyncio.to_thread(self._parts.store.set_hints, hints)
                self._parts.policy.set_hints(hints)
        return {"refused": dict(islice(refused.items(), _MOST_SHOWN))}


def _acceptance(event: Event, mac: str | None, now: float) -> Acceptance:
    """Return the user's word that an event is fine."""
    return Acceptance(
        id=0,
        time=round(now, 3),
        seq=event.seq,
        kind=event.kind,
        mac=mac,
        address=event.address,
        subject=event.subject,
        summary=event.summary,
        evidence=event.evidence,
        process=event.process,
    )


def _checked(hint: Hint) -> tuple[Hint, list[str]]:
    """Return as much of a hint as may be given, and why the rest may not."""
    labels: list[str] = []
    wrong: list[str] = []
    for each in dict.fromkeys(hint.labels):
        try:
            labels.append(checked_label(each))
        except ValueError as error:
            wrong.append(f"labels {error}")
    if len(labels) > MAX_LABELS:
        wrong.append(f"a device has at most {MAX_LABELS} labels")
    return Hint(hint.local, tuple(labels[:MAX_LABELS])), wrong
