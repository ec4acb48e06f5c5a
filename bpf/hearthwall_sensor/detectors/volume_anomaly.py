"""Volume anomalies: a device moves more data than it ever does at this hour of the week, or in a day."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..kinds import SEVERITIES, Severity
from ..learning.bands import Band, Expected
from ..notice import Notice
from ..observations import Began, Flow, Moved, Settled
from ..per_device import PerDevice
from .amounts import covers_amount, megabytes
from .detector import Detector, Handler, Home
from .evidence import MAX_FLOWS, Measured, about, evidence

#: An upload of so many times the top of the band is no photo album any more, unless the device's hours vary wildly.
_MUCH: Final = 5.0
#: A device with less than this in its usual and in its largest hour is constant: a sensor, a plug.
_CONSTANT: Final = 1e6
_CONSTANT_DAY: Final = 10e6
#: From a constant device so much, and so many times its largest hour, is nothing that it had to say.
_HIGH: Final = 100e6
_HIGH_OVER: Final = 20.0
_HIGH_DAY: Final = 500e6
#: Flows that are remembered of one device: the latest and the biggest. 16 kB, and 4 MB in all.
_FLOWS: Final = 16
_MAX_DEVICES: Final = 256
_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR


class _Hour:
    """One direction of one device in the hour that runs."""

    __slots__ = ("expected", "hour", "moved", "told", "told_day")

    def __init__(self) -> None:
        """Begin before any hour."""
        self.hour = -1
        self.moved = 0
        #: None while the device is learnt.
        self.expected: Expected | None = None
        #: How severe it was when it was told, -1 since the device was within its bounds.
        self.told = -1
        self.told_day = -1

    def turn(self, hour: int, moved: int) -> None:
        """Begin another hour, of which so much is known already."""
        if hour == self.hour:
            return
        if self.expected is not None:
            was_within = self.moved <= self.expected.top
            if was_within or hour != self.hour + 1:
                self.told = -1
            day_top = self.expected.day_top
            if day_top is not None and self.expected.day_before + self.moved <= day_top:
                self.told_day = -1
        self.hour, self.moved, self.expected = hour, moved, None


class _State:
    """Both directions of one device, and its flows."""

    __slots__ = ("flows", "hours")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.hours = {"upload": _Hour(), "download": _Hour()}
        #: The latest last; whether each has settled, which tells that its amounts are whole.
        self.flows: dict[bytes, tuple[Flow, bool]] = {}

    def keep(self, flow: Flow, *, settled: bool) -> None:
        """Remember a flow; of the older half the smallest goes."""
        known = flow.packed in self.flows
        is_full = len(self.flows) >= _FLOWS
        if is_full and settled and not known and _size(flow) < min(map(_size, self._all())):
            return
        self.flows[flow.packed] = flow, settled
        if len(self.flows) > _FLOWS:
            older = list(self.flows)[: _FLOWS // 2]
            del self.flows[min(older, key=lambda each: _size(self.flows[each][0]))]

    def _all(self) -> list[Flow]:
        """Return the flows."""
        return [flow for flow, _ in self.flows.values()]

    def biggest(self, direction: str, amount: float, since: float) -> list[Flow]:
        """Return the flows that may be behind an amount: those that show half of it, the running ones, the others."""

        def order(known: tuple[Flow, bool]) -> tuple[int, int]:
            flow, settled = known
            size = _way(flow, direction)
            return 2 if size >= amount / 2 else 0 if settled else 1, size

        recent = [
            (flow, settled)
            for flow, settled in self.flows.values()
            if flow.scope == "internet" and (not settled or flow.last >= since)
        ]
        return [flow for flow, _ in sorted(recent, key=order, reverse=True)][:MAX_FLOWS]


class VolumeAnomaly(Detector):
    """Judges the hour while it runs, uploads and downloads apart; told once until the device is within its band."""

    kind = "volume_anomaly"

    def __init__(self, home: Home) -> None:
        """Take whom to ask."""
        super().__init__(home)
        self._states = PerDevice(_State, _MAX_DEVICES)

    def handlers(self) -> Mapping[type, Handler]:
        """Return what to call for which observation."""
        return {Moved: self._moved, Began: self._flow, Settled: self._flow}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._states.forget(who)

    def _flow(self, observation: Began | Settled) -> Iterator[Notice]:
        """Remember a flow to the internet."""
        if observation.flow.scope == "internet":
            state = self._states.of(observation.who, observation.time)
            state.keep(observation.flow, settled=isinstance(observation, Settled))
        return iter(())

    def _moved(self, moved: Moved) -> Iterator[Notice]:
        """Judge what was moved."""
        if moved.who in self.home.own():
            return
        profile = self.home.profile(moved.who)
        state = self._states.of(moved.who, moved.time)
        bands = (("upload", profile.upload), ("download", profile.download))
        for (direction, band), amount in zip(bands, (moved.upload, moved.download), strict=True):
            hour, number = state.hours[direction], profile.hour(moved.time)
            # What the band has of a later hour is a clock's that was ahead
            hour.turn(number, band.so_far(number) if number >= band.hour else 0)
            self._expect(moved, hour, band)
            hour.moved += amount
            if hour.expected is not None and amount:
                yield from self._judge(moved, state, direction, hour.expected)

    def _expect(self, moved: Moved, hour: _Hour, band: Band) -> None:
        """Find what is expected of the hour, once for each."""
        policy, profile = self.home.policy(moved.who), self.home.profile(moved.who)
        if hour.expected is None and not profile.is_learning(moved.time, policy.learning):
            # The hour that the band has may be the one before: it is learnt after it was judged
            begin = max(profile.hours(profile.since), band.hour)
            end = min(profile.hours(moved.time), band.hour + 1)
            hour.expected = band.expect(hour.hour, policy.factor, (end - begin) * _HOUR)

    def _judge(
        self, moved: Moved, state: _State, direction: str, expected: Expected
    ) -> Iterator[Notice]:
        """Tell of an hour, or else of a day, that is beyond its band, and again when it is worse."""
        hour = state.hours[direction]
        is_constant = max(expected.usual, expected.largest) < _CONSTANT and not expected.varies
        least = max(_HIGH, _HIGH_OVER * expected.largest) if is_constant else None
        severity = _severity(direction, hour.moved, expected, (expected.top, least))
        if severity is not None:
            if SEVERITIES.index(severity) > hour.told:
                hour.told = SEVERITIES.index(severity)
                # With the hour its day is told
                hour.told_day = max(hour.told, hour.told_day)
                yield self._of_hour(moved, state, direction, severity)
            return
        day, top = expected.day_before + hour.moved, expected.day_top
        if top is None:
            return
        is_constant = expected.day_largest < _CONSTANT_DAY and not expected.varies
        least = max(_HIGH_DAY, _HIGH_OVER * expected.day_largest) if is_constant else None
        severity = _severity(direction, day, expected, (top, least))
        if severity is not None and SEVERITIES.index(severity) > max(hour.told, hour.told_day):
            hour.told_day = SEVERITIES.index(severity)
            yield self._of_day(moved, state, direction, severity)

    def _of_hour(self, moved: Moved, state: _State, direction: str, severity: Severity) -> Notice:
        """Return what to tell of an hour."""
        hour = state.hours[direction]
        expected, amount = hour.expected, hour.moved
        assert expected is not None  # noqa: S101, judged by it
        why = (
            f"Its usual hour is {megabytes(expected.usual)}, its largest so far"
            f" {megabytes(expected.largest)} ({_hours(expected.hours)} learnt)."
        )
        measured = _measured(self.kind, amount, (expected.usual, expected.top), _HOUR, why)
        return self._notice(moved, state, (direction, "this hour", direction), severity, measured)

    def _of_day(self, moved: Moved, state: _State, direction: str, severity: Severity) -> Notice:
        """Return what to tell of a day."""
        hour = state.hours[direction]
        expected = hour.expected
        assert expected is not None  # noqa: S101, judged by it
        why = f"Its usual day is {megabytes(expected.day_usual)}."
        measured = _measured(
            self.kind,
            expected.day_before + hour.moved,
            (expected.day_usual, expected.day_top or 0.0),
            _DAY,
            why,
        )
        told = (direction, "within a day", f"{direction} in a day")
        return self._notice(moved, state, told, severity, measured)

    def _notice(
        self,
        moved: Moved,
        state: _State,
        told: tuple[str, str, str],
        severity: Severity,
        measured: Measured,
    ) -> Notice:
        """Return what to tell; `told` is the direction, the time, and the subject."""
        direction, span, subject = told
        amount = float(measured.value) * 1e6
        flows = state.biggest(direction, amount, moved.time - measured.window)
        flow = flows[0] if flows else None
        does = "sent" if direction == "upload" else "received"
        way = "to" if direction == "upload" else "from"
        peer = "" if flow is None else f", lately {way} {flow.label.peer_name or flow.peer}"
        return Notice(
            self.kind,
            severity,
            f"{self.home.name(moved.who)} {does} {megabytes(amount)} {way} the internet {span}{peer}",
            evidence(measured, flows),
            **about(moved.who, flow),
            subject=subject,
            time=moved.time,
        )

    def covers(self, accepted: Mapping[str, Any], notice: Notice) -> bool:
        """Return whether it is not much more than what was accepted."""
        return covers_amount(accepted, notice)


def _hours(number: int) -> str:
    """Return how many whole hours were learnt, for a sentence."""
    return "1 hour was" if number == 1 else f"{number or 'no whole'} hours were"


def _measured(
    kind: str, amount: float, band: tuple[float, float], window: float, why: str
) -> Measured:
    """Return what was measured, in megabytes."""
    usual, top = (round(each / 1e6, 3) for each in band)
    return Measured(kind, round(amount / 1e6, 1), [usual, top], window, why)


def _severity(
    direction: str, amount: float, expected: Expected, bounds: tuple[float, float | None]
) -> Severity | None:
    """Return how severe an amount is, None within the band.

    The bounds are the band's top, and for a constant device what is more than it ever had to say.
    """
    top, least = bounds
    if amount <= top:
        return None
    if direction == "download":
        return "low"
    if least is not None:
        return "high" if amount > least else "medium"
    return "medium" if amount >= _MUCH * top and not expected.varies else "low"


def _size(flow: Flow) -> int:
    """Return what a flow moved."""
    return flow.counted.upload_bytes + flow.counted.download_bytes


def _way(flow: Flow, direction: str) -> int:
    """Return what a flow moved in a direction."""
    counted = flow.counted
    return counted.upload_bytes if direction == "upload" else counted.download_bytes
