"""Address conflicts: a device claims the gateway's address, another's that still has it, or many at once."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..bounded import make_room
from ..kinds import Severity
from ..notation import address_text
from ..notice import Notice
from ..observations import Claimed, Observation
from ..per_device import PerDevice
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence

#: Claims of a gateway's address within so many seconds: spoofers repeat theirs every second or two, as they must.
_GATEWAY_CLAIMS: Final = 2
_GATEWAY_WINDOW: Final = 30.0
#: An address went to and fro so often within so many seconds, A-B-A-B. Moving to another port and back is A-B-A, and
#: so is a device that sleeps while another answers for it.
_SWITCHES: Final = 3
_WINDOW: Final = 300.0
#: Both go on claiming: no longer is between a claim and the other's.
_BOTH: Final = 30.0
#: Addresses of others that a device claims within so many seconds.
_TAKEN: Final = 8
_TAKEN_WINDOW: Final = 60.0
#: The same is told again after so long, in seconds, for its count.
_AGAIN: Final = 60.0

_V4: Final = bytes(10) + b"\xff\xff"
#: Addresses that are followed, and how many of them one device may bring in a minute.
_MAX_ADDRESSES: Final = 4096
_MAX_BROUGHT: Final = 32
_MAX_TOLD: Final = 64


class _Address:
    """Who claims an address."""

    __slots__ = ("last", "switches", "untrue", "who")

    def __init__(self, who: str, now: float) -> None:
        """Begin with a claim."""
        self.who = who
        self.last = now
        #: When and by whom it was claimed after another: the latest.
        self.switches: deque[tuple[float, str]] = deque(maxlen=_SWITCHES)
        self.untrue = 0


class _Device:
    """What a device claims."""

    __slots__ = ("brought", "gateways", "since", "taken", "told", "untrue")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.since = 0.0
        self.brought = 0
        #: Claims of addresses of gateways, the latest.
        self.gateways: deque[tuple[float, bytes]] = deque(maxlen=16)
        self.untrue = 0
        #: Addresses of others, and when they were claimed.
        self.taken: dict[bytes, float] = {}
        self.told: dict[str, float] = {}

    def is_due(self, subject: str, now: float) -> bool:
        """Return whether something may be told now, and note that it is."""
        if now - self.told.get(subject, -_AGAIN) < _AGAIN:
            return False
        self.told.pop(subject, None)
        self.told[subject] = now
        make_room(self.told, _MAX_TOLD)
        return True


class _Conflict(NamedTuple):
    """What there is to tell."""

    severity: Severity
    subject: str
    summary: str
    why: str
    value: int
    threshold: float
    window: float


class AddressConflict(Detector):
    """Follows who claims which address, by ARP and by neighbour discovery."""

    kind = "address_conflict"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._devices = PerDevice(_Device)
        self._addresses: dict[bytes, _Address] = {}

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {Claimed: self._claimed}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._devices.forget(who)
        for address in [key for key, each in self._addresses.items() if each.who == who]:
            del self._addresses[address]

    def _claimed(self, claimed: Claimed) -> Iterator[Notice]:
        """Take a claim."""
        is_v4 = claimed.address.startswith(_V4)
        # A router answers for others. A question of IPv6 asks whether the address is free.
        if claimed.who in self.home.own() or not (is_v4 or claimed.is_reply):
            return
        device = self._devices.of(claimed.who, claimed.time)
        if claimed.address in self.home.own_addresses():
            yield from self._gateway(claimed, device)
            return
        entry = self._addresses.get(claimed.address)
        owners = {self.home.owner(claimed.address), entry and entry.who}
        if owners - {None, claimed.who} and is_v4 and claimed.is_reply:
            yield from self._take(claimed, device)
        if entry is not None:
            yield from self._switch(claimed, device, entry)
        else:
            self._bring(claimed, device)

    def _gateway(self, claimed: Claimed, device: _Device) -> Iterator[Notice]:
        """Judge a claim of a gateway's address."""
        now, address = claimed.time, claimed.address
        device.gateways.append((now, address))
        device.untrue += not claimed.is_true
        count = sum(each == address and now - at <= _GATEWAY_WINDOW for at, each in device.gateways)
        least = _GATEWAY_CLAIMS if claimed.is_true else 1
        text, name = address_text(address), self.home.name(claimed.who)
        subject = f"address {text}"
        if count >= least and device.is_due(subject, now):
            summary = f"{name} claims {text}, which is the gateway's address"
            why = (
                f"{text} belongs to the gateway. {name} said {count} times within {_GATEWAY_WINDOW:g} seconds that it"
                " is its own: traffic of others that was meant for the gateway goes to it, as spoofers want it."
            )
            yield self._notice(
                claimed,
                _Conflict("high", subject, summary, why, count, least, _GATEWAY_WINDOW),
                untrue=device.untrue,
            )

    def _bring(self, claimed: Claimed, device: _Device) -> None:
        """Begin to follow an address, unless the device brings too many."""
        if claimed.time - device.since >= _TAKEN_WINDOW:
            device.since, device.brought = claimed.time, 0
        device.brought += 1
        if device.brought <= _MAX_BROUGHT:
            self._addresses[claimed.address] = _Address(claimed.who, claimed.time)
            make_room(self._addresses, _MAX_ADDRESSES)

    def _take(self, claimed: Claimed, device: _Device) -> Iterator[Notice]:
        """Judge a claim of an address that another one has."""
        now, taken = claimed.time, device.taken
        taken.pop(claimed.address, None)
        taken[claimed.address] = now
        while now - next(iter(taken.values())) > _TAKEN_WINDOW or len(taken) > 2 * _MAX_BROUGHT:
            del taken[next(iter(taken))]
        least = _TAKEN * self.home.policy(claimed.who).factor
        if len(taken) > least and device.is_due("many addresses", now):
            name = self.home.name(claimed.who)
            why = (
                f"A device has an address or two; {name} claimed {len(taken)} within a minute that others have, and"
                f" more than {least:g} are no mistake: their traffic goes to it."
            )
            summary = f"{name} claims addresses of many other devices"
            count = len(taken)
            yield self._notice(
                claimed,
                _Conflict("high", "many addresses", summary, why, count, least, _TAKEN_WINDOW),
                addresses=[address_text(each) for each in reversed(taken)][:16],
            )

    def _switch(self, claimed: Claimed, device: _Device, entry: _Address) -> Iterator[Notice]:
        """Judge a claim after another's."""
        now, before, gap = claimed.time, entry.who, claimed.time - entry.last
        entry.last = now
        entry.untrue += not claimed.is_true
        if before == claimed.who:
            return
        entry.who = claimed.who
        if gap > _BOTH:
            entry.switches.clear()
            return
        entry.switches.append((now, before))
        pair = {before, claimed.who}
        recent = [who for at, who in entry.switches if now - at <= _WINDOW and who in pair]
        text = address_text(claimed.address)
        subject = f"address {text}"
        if len(recent) < _SWITCHES or not device.is_due(subject, now):
            return
        mine, other = self.home.name(claimed.who), self.home.name(before)
        why = (
            f"An address is one device's. {text} went to and fro between {mine} and {other} {len(recent)} times within"
            f" {_WINDOW / 60:g} minutes, and both go on claiming it: either one of them was given a fixed address that"
            " the other has, or it wants the other's traffic."
        )
        summary = f"{mine} and {other} both claim {text}"
        yield self._notice(
            claimed,
            _Conflict("medium", subject, summary, why, len(recent), _SWITCHES, _WINDOW),
            claimants=[claimed.who, before],
            untrue=entry.untrue,
            blame="unknown",
        )

    def _notice(self, claimed: Claimed, conflict: _Conflict, **more: Any) -> Notice:
        """Return an event."""
        _, subject, summary, why, value, threshold, window = conflict
        return Notice(
            "address_conflict",
            conflict.severity,
            summary,
            evidence(
                Measured("address_conflict", value, threshold, window, why),
                claimed=address_text(claimed.address),
                **more,
            ),
            **{**about(claimed.who), "address": address_text(claimed.address)},
            subject=subject,
            time=claimed.time,
        )
