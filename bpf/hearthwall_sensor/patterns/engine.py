"""Follows patterns through what processes do: O(1) for each observation, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

from ..bounded import make_room
from ..detectors.detector import Home
from ..learning.programs import GATEWAY, name_of, trait
from ..observations import Called, Executed
from .pattern import Bond, Pattern, Step
from .standard_input import Input
from .telling import subject
from .words import Seen

#: Patterns that have begun and wait for their next step. Where there are more, the oldest go of the process that has
#: most; a process has so many at least, beside others that have more.
MAX_WAITING: Final = 8192
FAIR_SHARE: Final = 64
#: So large a part goes at once: it is looked for who has most, and for what has waited too long.
_PART: Final = 16
#: Processes whose standard input is looked at a moment later, and how much later (seconds): a process is executed
#: first, say, and gets the connection then.
_MAX_ASKED: Final = 256
_MOMENT: Final = 1.0
#: What was told is told again after so long (seconds), for its count.
_AGAIN: Final = 60.0
_MAX_TOLD: Final = 1024
#: To a sensor that sees processes for so short (seconds) everything is new.
_SETTLING: Final = 3600.0

_Key = tuple[Any, ...]


class Found(NamedTuple):
    """A pattern that came to its end."""

    pattern: Pattern
    seen: Seen
    stdin: Input | None = None
    """The connection that is standard input, if the pattern asks for one."""


class _Begun(NamedTuple):
    """A pattern that waits for its next step."""

    since: float
    seen: Seen
    until: float
    owner: int
    """The image whose share of the memory it takes."""


class _Asked(NamedTuple):
    """A first step that was one but for its standard input."""

    due: float
    pattern: Pattern
    seen: Any


class Engine:
    """What has begun."""

    def __init__(self, patterns: tuple[Pattern, ...], home: Home) -> None:
        """Take the patterns, and whom to ask."""
        self._home = home
        self._first: dict[type[Any], list[Pattern]] = {}
        self._later: dict[type[Any], list[tuple[Pattern, int]]] = {}
        for pattern in patterns:
            for number, step in enumerate(pattern.steps):
                if number:
                    self._later.setdefault(step.sees, []).append((pattern, number))
                else:
                    self._first.setdefault(step.sees, []).append(pattern)
        self._waiting: dict[_Key, _Begun] = {}
        #: The keys that each image's share has, the oldest first.
        self._shares: dict[int, dict[_Key, None]] = {}
        self._asked: deque[_Asked] = deque(maxlen=_MAX_ASKED)
        self._told: dict[_Key, float] = {}
        #: The sockets of which was told that they are somebody's standard input.
        self._inputs: dict[int, None] = {}
        #: How many that had begun found no room.
        self.dropped = 0

    def take(self, seen: Any) -> Iterator[Found]:
        """Yield the patterns that come to their end with an observation."""
        yield from self.look(seen.time)
        for pattern, number in self._later.get(type(seen), ()):
            step = pattern.steps[number]
            if step.fits(seen):
                yield from self._go_on(pattern, number, step, seen)
        for pattern in self._first.get(type(seen), ()):
            step = pattern.steps[0]
            if not step.fits(seen):
                continue
            stdin = self._home.standard_input(_pid(seen)) if step.stdin else None
            if not step.stdin or stdin is not None:
                yield from self._advance(pattern, (seen,), stdin)
            else:
                self.dropped += len(self._asked) == _MAX_ASKED
                self._asked.append(_Asked(seen.time + _MOMENT, pattern, seen))

    def look(self, now: float) -> Iterator[Found]:
        """Yield the patterns of processes whose standard input is a connection by now."""
        while self._asked and self._asked[0].due <= now:
            _, pattern, seen = self._asked.popleft()
            stdin = self._home.standard_input(_pid(seen))
            if stdin is not None:
                yield from self._advance(pattern, (seen,), stdin)

    def _go_on(self, pattern: Pattern, number: int, step: Step, seen: Any) -> Iterator[Found]:
        """Take a later step of a pattern, if the earlier ones were taken."""
        assert step.bond is not None  # noqa: S101, only the first has none
        for asked in _ASKS[step.bond.kind](seen):
            key = (pattern.name, number, *asked)
            begun = self._waiting.get(key)
            if begun is None:
                continue
            if not 0 <= seen.time - begun.since <= pattern.within:
                self._forget(key)
                continue
            if number + 1 == len(pattern.steps):
                self._forget(key)
            yield from self._advance(pattern, (*begun.seen, seen))
            return

    def _advance(self, pattern: Pattern, seen: Seen, stdin: Input | None = None) -> Iterator[Found]:
        """Let a pattern wait for its next step, or yield it if that was the last one."""
        for excuse in pattern.unless:
            if excuse.step < len(seen) and all(test(seen[excuse.step]) for test in excuse.tests):
                return
        if len(seen) < len(pattern.steps):
            bond = pattern.steps[len(seen)].bond
            assert bond is not None  # noqa: S101, only the first has none
            self._wait(pattern, seen, bond)
        elif (
            self._is_new(pattern, seen)
            and self._is_first(pattern, seen, stdin)
            and self._is_due(pattern, seen)
        ):
            yield Found(pattern, seen, stdin)

    def _wait(self, pattern: Pattern, seen: Seen, bond: Bond) -> None:
        """Remember what has begun, under what its next step will be asked for by."""
        owner = seen[-1].image.number
        since = seen[0].time
        begun = _Begun(since, seen, since + pattern.within, owner)
        for asked in _WAITS[bond.kind](seen[bond.step]):
            key = (pattern.name, len(seen), *asked)
            self._forget(key)
            self._waiting[key] = begun
            self._shares.setdefault(owner, {})[key] = None
        if len(self._waiting) > MAX_WAITING:
            self._make_room(seen[-1].time)

    def _make_room(self, now: float) -> None:
        """Forget what has waited too long, which is no loss, and then what those have begun who have begun most."""
        for key in [key for key, begun in self._waiting.items() if begun.until < now]:
            self._forget(key)
        most = MAX_WAITING - MAX_WAITING // _PART
        while (excess := len(self._waiting) - most) > 0:
            share = max(self._shares.values(), key=len)
            spare = len(share) - FAIR_SHARE
            oldest = share if spare > 0 else self._waiting
            for key in list(islice(oldest, min(excess, spare) if spare > 0 else excess)):
                self._forget(key)
                self.dropped += 1

    def _forget(self, key: _Key) -> None:
        """Forget what has begun."""
        begun = self._waiting.pop(key, None)
        if begun is None:
            return
        share = self._shares[begun.owner]
        del share[key]
        if not share:
            del self._shares[begun.owner]

    def _is_new(self, pattern: Pattern, seen: Seen) -> bool:
        """Return whether what a pattern's last step tells of was never seen here, if it asks for that."""
        if pattern.learns is None:
            return True
        found, now = trait(seen[-1]), seen[-1].time
        if found is None or found[0] != pattern.learns:
            return False
        profile = self._home.profile(GATEWAY)
        learning = self._home.policy(GATEWAY).learning
        if pattern.silent == "settling":
            if self._home.is_settling(now):
                return False
            learning = min(learning, _SETTLING)
        return not profile.is_learning(now, learning) and not profile.facets[found[0]].has(found[1])

    def _is_first(self, pattern: Pattern, seen: Seen, stdin: Input | None) -> bool:
        """Return whether nothing was told yet of a connection that is standard input: children inherit it."""
        if stdin is None:
            return True
        if self._home.policy(seen[-1].who).patterns.get(pattern.name) == "off":
            return False
        is_first = stdin.inode not in self._inputs
        self._inputs.pop(stdin.inode, None)
        self._inputs[stdin.inode] = None
        make_room(self._inputs, _MAX_TOLD)
        return is_first

    def _is_due(self, pattern: Pattern, seen: Seen) -> bool:
        """Return whether it is time to tell something of a program: at first, and then once in a while."""
        last = seen[-1]
        key, now = (pattern.name, last.who, subject(pattern, seen)), last.time
        if -_AGAIN < now - self._told.get(key, float("-inf")) < _AGAIN:
            return False
        self._told.pop(key, None)
        self._told[key] = now
        make_room(self._told, _MAX_TOLD)
        return True

    def forget(self, who: str) -> None:
        """Forget a program."""
        for key in [key for key, each in self._waiting.items() if each.seen[-1].who == who]:
            self._forget(key)
        for key in [key for key in self._told if key[1] == who]:
            del self._told[key]

    def __len__(self) -> int:
        """Return how many patterns wait for their next step, under how many names."""
        return len(self._waiting)


def _pid(seen: Any) -> int:
    """Return the process that did something."""
    return int(seen.image.pid if isinstance(seen, Executed) else seen.pid)


def _written(called: Called) -> Iterator[_Key]:
    """Yield what a written file may be executed as: by its path, or by its name where a path is a relative one."""
    path, container = called.path, called.image.container
    if path.startswith("/"):
        yield "path", path, container
        yield "name", name_of(path), container
    elif path:
        yield "relative", name_of(path), container


def _run(executed: Executed) -> Iterator[_Key]:
    """Yield what an executed file may have been written as."""
    image = executed.image
    for path in dict.fromkeys((image.executable, image.file)):
        if path.startswith("/"):
            yield "path", path, image.container
        elif path:
            yield "name", name_of(path), image.container
        yield "relative", name_of(path), image.container


def _itself(seen: Any) -> Iterator[_Key]:
    """Yield what a process is known by to those that come from it."""
    yield "image", seen.image.number or -_pid(seen)


def _lineage(seen: Any) -> Iterator[_Key]:
    """Yield the process, and those that it comes from."""
    yield from _itself(seen)
    for each in seen.image.lineage():
        if each.number:
            yield "image", each.number


#: What a pattern waits under, and is asked for by, for each of the bonds.
_WAITS: Final[dict[str, Callable[[Any], Iterator[_Key]]]] = {
    "file_of": _written,
    "process_of": _itself,
}
_ASKS: Final[dict[str, Callable[[Any], Iterator[_Key]]]] = {
    "file_of": _run,
    "process_of": _lineage,
}
