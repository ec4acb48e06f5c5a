"""The profiles of all devices: learnt from observations, kept in bounds, changed by the user's word.

Memory: a device takes 4 kB, and 125 bytes for each value: 17 kB with a hundred, 250 of those 4.5 MB. All together hold
at most MAX_VALUES values, 5 MB, beyond which the device with the most loses its rarest. Programs of this host have
a quarter of that for themselves.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from zlib import crc32

from ..kinds import EventKind
from ..observations import Asked, Began, Flow, Look, Met, Moved, Observation, Settled
from ..per_device import MAX_DEVICES
from ..policy.policy import DevicePolicy
from .destinations import INTERNET, habits
from .model import Model
from .profile import Profile, unit_of
from .programs import GATEWAY, MAX_PROGRAMS, is_program, trait
from .window import WINDOW, Tally

#: Values of all facets of all devices: 250 devices with 130 each.
MAX_VALUES: Final = 32_768
#: Those of programs: they push out none of a device's.
MAX_PROGRAM_VALUES: Final = 8192
#: So many go at once.
_GOING: Final = 128
#: After so many seconds without a look nobody was watching.
_BLIND: Final = 900.0
#: Profiles younger than this (seconds) give way to newcomers first.
_YOUNG: Final = 86_400.0
#: What is so many seconds in the future was noted by a clock that was ahead.
_AHEAD: Final = 3600.0
_MEGABYTE: Final = 1e6
#: What models of behaviour count.
_COUNT: Final[Mapping[type[Any], Callable[[Tally, Any], None]]] = {
    Began: Tally.begin,
    Settled: Tally.settle,
    Asked: Tally.ask,
    Moved: Tally.move,
}


class Profiles:
    """What was learnt of all devices."""

    def __init__(
        self,
        known: Iterable[Profile],
        policy: Callable[[str], DevicePolicy],
        offset: Callable[[float], float] = lambda _: 0.0,
    ) -> None:
        """Take what was known before, and the policy.

        `offset` tells how many seconds the local time is ahead of UTC at a time; a capture has UTC.
        """
        self._policy = policy
        self._offset = offset
        self._profiles = {each.who: each for each in known}
        for each in self._profiles.values():
            each.offset = offset
            if each.model is not None:
                each.model.phase = _phase(each.who)
        #: How many values each profile had when they were counted last, and all together.
        self._sizes = {who: len(each) for who, each in self._profiles.items()}
        #: By whether they are programs'.
        self._values: Counter[bool] = Counter()
        for who, size in self._sizes.items():
            self._values[is_program(who)] += size
        #: Programs that gave way and may still be on disk.
        self._gone: set[str] = set()
        self._changed: set[str] = set()
        #: The last observation's time, and since when there was no break.
        self._now = self._watching = float("-inf")

    def of(self, who: str, now: float) -> Profile:
        """Return a device's profile, which begins now for a new device."""
        profile = self._profiles.get(who)
        if profile is None:
            self._make_room(programs=is_program(who))
            profile = self._profiles[who] = _begin(who, now, self._offset)
            self._changed.add(who)
        elif profile.since > now + _AHEAD:
            profile.since = profile.last = now
            self._changed.add(who)
        return profile

    def _make_room(self, *, programs: bool) -> None:
        """Let go of a sixteenth if there are too many: the latest first, then those that learnt nothing for long.

        Frozen ones, which learn nothing because the user wants it so, go last, and the gateway's own never.
        """
        limit = MAX_PROGRAMS if programs else MAX_DEVICES
        if len(self._profiles) < limit:
            return
        some = [each for who, each in self._profiles.items() if is_program(who) == programs]
        if len(some) < limit:
            return

        def order(profile: Profile) -> tuple[bool, bool, float]:
            is_young = profile.last - profile.since < _YOUNG
            return profile.frozen, not is_young, -profile.since if is_young else profile.last

        for each in sorted(some, key=order)[: limit // 16]:
            if each.who != GATEWAY:
                self.forget(each.who)
                self._gone.update((each.who,) if programs else ())

    def learn(self, observation: Observation) -> None:
        """Learn from an observation, after the detectors judged it."""
        is_set_back = observation.time < self._now - _AHEAD
        if is_set_back:
            self._now = observation.time
        if is_set_back or observation.time - self._now > _BLIND:
            self._watching = observation.time
        self._now = max(self._now, observation.time)
        if isinstance(observation, Met):
            self._learn_flow(observation.who, observation.flow, observation.time)
        elif isinstance(observation, Moved):
            self._learn_amounts(observation)
        elif isinstance(observation, Began) and observation.flow.is_outgoing:
            profile, learning = self._learner(observation.who, observation.time)
            if profile is not None:
                profile.pace.begin(observation.time, learning=learning)
        elif (found := trait(observation)) is not None:
            self._learn_trait(*found, observation.time)
        self._teach(observation)

    def _learn_trait(self, facet: str, value: str, now: float) -> None:
        """Learn what a program of this host did."""
        profile, learning = self._learner(GATEWAY, now)
        if profile is None:
            return
        unit = unit_of(self._policy(GATEWAY).learning)
        if profile.facets[facet].note(value, now, unit, learning=learning):
            self._changed.add(GATEWAY)
            self._count(profile)
            self._bound()

    def _teach(self, observation: Observation) -> None:
        """Let the models of behaviour learn: the device's own, or all of them from a look."""
        if isinstance(observation, Look):
            for each in self._profiles.values():
                if not is_program(each.who):  # of those no model is made
                    self._show(each, observation.time)
        elif (
            (count := _COUNT.get(type(observation))) is not None
            and observation.who is not None
            and not is_program(observation.who)
        ):
            profile = self.of(observation.who, observation.time)
            count(self._show(profile, observation.time).tally, observation)

    def _show(self, profile: Profile, now: float) -> Model:
        """Return a device's model, which has judged what is over, and learnt it unless the profile is frozen."""
        model = profile.model
        if model is None:
            model = profile.model = Model(_phase(profile.who))
        if model.is_over(now):
            young = profile.is_learning(now, self._policy(profile.who).learning)
            model.turn(now, learns=not profile.frozen, young=young, offset=profile.offset(now))
        return model

    def _learner(self, who: str, now: float) -> tuple[Profile | None, bool]:
        """Return a device's profile if it may learn, and whether all that it does is still taken for usual."""
        profile = self.of(who, now)
        if profile.frozen:
            return None, False
        profile.last = now
        return profile, profile.is_learning(now, self._policy(who).learning)

    def _learn_flow(self, who: str, flow: Flow, now: float) -> None:
        """Learn whom a device talks to."""
        profile, learning = self._learner(who, now)
        if profile is None:
            return
        unit = unit_of(self._policy(who).learning)
        changed = [
            profile.facets[name].note(value, now, unit, learning=learning)
            for name, value in habits(flow).items()
        ]
        if any(changed):
            self._changed.add(who)
            self._count(profile)
            self._bound()

    def _count(self, profile: Profile) -> None:
        """Count a profile's values anew."""
        size = len(profile)
        self._values[is_program(profile.who)] += size - self._sizes.get(profile.who, 0)
        self._sizes[profile.who] = size

    def _bound(self) -> None:
        """Take the rarest values from the device that has the most, if there are too many."""
        for programs, most in ((False, MAX_VALUES), (True, MAX_PROGRAM_VALUES)):
            while self._values[programs] > most:
                self._shrink(programs=programs)

    def _shrink(self, *, programs: bool) -> None:
        """Take the rarest values from the device, or the program, that has the most."""
        some = (each for who, each in self._profiles.items() if is_program(who) == programs)
        largest = max(some, key=len)
        max(largest.facets.values(), key=len).shrink(_GOING)
        self._changed.add(largest.who)
        self._count(largest)

    def _learn_amounts(self, moved: Moved) -> None:
        """Learn how much a device moves."""
        profile, learning = self._learner(moved.who, moved.time)
        if profile is None:
            return
        profile.be_there(moved.time, unit_of(self._policy(moved.who).learning))
        hour = profile.hour(moved.time)
        since = profile.hours(profile.since)
        watched = max(profile.hour(self._watching), math.floor(since))
        amounts = ((profile.upload, moved.upload), (profile.download, moved.download))
        for band, amount in amounts:
            if band.take(hour, amount, watched, learning=learning, since=since):
                self._changed.add(moved.who)

    def changed(self) -> list[Profile]:
        """Return the profiles that are worth saving since the last call: not each count is, but each hour."""
        changed, self._changed = self._changed, set()
        return [self._profiles[who] for who in changed if who in self._profiles]

    def gone(self) -> frozenset[str]:
        """Return the programs that gave way and have not come back, which are to go from the disk too."""
        return frozenset(self._gone - self._profiles.keys())

    def erased(self, gone: Iterable[str]) -> None:
        """Take note that programs are gone from the disk."""
        self._gone.difference_update(gone)

    def freeze(self, who: str, frozen: bool) -> None:
        """Let a profile learn nothing more, or again."""
        profile = self._profiles.get(who)
        if profile is not None:
            profile.frozen = frozen
            self._changed.add(who)

    def reset(self, who: str, now: float) -> None:
        """Begin a device's profile anew."""
        self.forget(who)
        self.of(who, now)

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._profiles.pop(who, None)
        self._values[is_program(who)] -= self._sizes.pop(who, 0)
        self._changed.discard(who)

    def merge(self, who: str, into: str) -> None:
        """Make what was learnt of a device part of another one's profile."""
        profile = self._profiles.get(who)
        if profile is None or who == into:
            return
        target = self.of(into, profile.since)
        target.join(profile)
        self._count(target)
        self.forget(who)
        self._changed.add(into)
        self._bound()

    def absorb(
        self, who: str, kind: EventKind, subject: str, evidence: Mapping[str, Any], now: float
    ) -> None:
        """Make an event that the user said is fine part of the profile, also of a frozen one."""
        profile = self.of(who, now)
        value = evidence.get("value")
        amount = float(value) if isinstance(value, int | float) else 0.0
        if kind == "unexpected_destination":
            _accept_destination(profile, subject, evidence, now)
        elif kind == "local_device_on_internet":
            profile.facets["outside"].accept(INTERNET, now)
        elif kind == "connection_burst":
            profile.pace.accept(amount, now)
        elif kind == "volume_anomaly":
            band = profile.upload if subject.startswith("upload") else profile.download
            band.accept(0.0 if subject.endswith("day") else amount * _MEGABYTE)
        elif kind == "behaviour_anomaly" and profile.model is not None:
            profile.model.accept(evidence)
        self._count(profile)
        self._changed.add(who)
        self._bound()

    def __iter__(self) -> Iterator[Profile]:
        """Yield all profiles."""
        return iter(tuple(self._profiles.values()))

    def __len__(self) -> int:
        """Return how many devices have a profile."""
        return len(self._profiles)


def _phase(who: str) -> float:
    """Return how many seconds after the quarter of an hour a device's windows begin."""
    return crc32(who.encode()) % WINDOW


def _begin(who: str, now: float, offset: Callable[[float], float]) -> Profile:
    """Return a new device's profile."""
    return Profile(who, now, last=now, offset=offset)


def _accept_destination(
    profile: Profile, subject: str, evidence: Mapping[str, Any], now: float
) -> None:
    """Make a destination's values known: those that the event names as new, and its subject."""
    found = evidence.get("new")
    new = dict(found) if isinstance(found, Mapping) else {}
    facet, _, value = subject.partition(" ")
    new.setdefault(facet, value)
    for name, each in new.items():
        if name in profile.facets and isinstance(each, str) and each:
            profile.facets[name].accept(each, now)
