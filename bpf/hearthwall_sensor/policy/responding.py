"""What is done by itself after an event, where the policy says so: rules, through the same guard as orders."""

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from ..kinds import KINDS
from ..notation import boot_ns
from ..notice import Notice
from ..protocol import MAX_REASON, SensorError
from ..rations import Rations
from ..requests import AddBlock
from ..rules.rule import WHOLE, Rule
from ..targets import Target, parse_target
from .blame import Blame
from .policy import Answer, Response

_LOGGER = logging.getLogger(__name__)

#: More than this in a minute is a storm of events, not a home: somebody makes them up. Devices that have been here for
#: long have as many for themselves, which whoever invents devices can't use up.
MOST_IN_A_MINUTE: Final = 10
_MINUTE: Final = 60.0
#: Rules by responses that stand at once: the others' room is the user's.
MOST_STANDING: Final = 256
#: A response that found no room on the disk is tried again after so many seconds, as long as it was to hold.
RETRY: Final = 10.0
#: Rules that give way to a response: they stop nothing that it would stop.
_WEAK: Final = ("audit", "rate_limit")

Guard = Callable[[Target, AddBlock], None]


#: What is done → whom to.
_WHOM: Final[Mapping[Answer, Callable[[Blame, Notice], str | None]]] = {
    "quarantine": lambda blame, notice: blame.culprit(notice),
    "block_peer": lambda blame, notice: blame.peer(notice),
    "block_process": lambda blame, notice: blame.program(notice),
}


class _Wanted(NamedTuple):
    """An order that waits."""

    order: AddBlock
    ends: float
    """When it is too late for it, by the clock that never jumps."""
    is_settled: bool
    """Whether the device has been here for long."""
    is_late: bool = False
    """Whether it found no room on the disk before."""


class Responder:
    """Carries out responses, one after the other."""

    def __init__(self, rules: Iterable[Rule], blame: Blame) -> None:
        """Take the rules in force, and who tells whom a response may cut off."""
        self._rules = rules
        self.blame = blame
        #: Gives an order that passes this guard beside the usual one; set when there is somebody to give it to.
        self.order: Callable[[AddBlock, Guard], Awaitable[object]] | None = None
        self._waiting: deque[_Wanted] = deque()
        #: Those that found no room on the disk.
        self._late: deque[_Wanted] = deque()
        self._more = asyncio.Event()
        self._recent = Rations(MOST_IN_A_MINUTE)
        self._warned = -_MINUTE
        self._unsaid = 0
        self._task: asyncio.Task[None] | None = None
        #: What became of responses: `done`, `standing`, `refused`, `suppressed`.
        self.counted: Counter[str] = Counter()

    def respond(self, notice: Notice, response: Response) -> None:
        """Do what the policy wants done about an event, soon."""
        if response.action == "none":
            return
        target = self._target(notice, response)
        if target is None:
            self._refuse(notice, "there is nobody who may be cut off for it")
            return
        waiting = [*self._waiting, *self._late]
        if self._stands(target) or any(each.order.target == target.value for each in waiting):
            self.counted["standing"] += 1
            return
        now = time.monotonic()
        is_settled = notice.mac is not None and self.blame.is_settled(notice.mac)
        is_busy = sum(each.is_settled == is_settled for each in waiting) >= MOST_IN_A_MINUTE
        standing = sum(map(_is_by_response, self._rules)) + len(waiting)
        if is_busy or standing >= MOST_STANDING or self._recent.are_used_up(is_settled, now):
            self._suppress(now)
            return
        self._recent.use(is_settled, now)
        order = AddBlock(
            target.value,
            duration=response.duration,
            reason=_reason(notice),
            children=target.kind == "pid",  # of a shell, it is what it starts that does harm
        )
        self._waiting.append(_Wanted(order, now + response.duration, is_settled))
        self._more.set()
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._carry_out())

    def _suppress(self, now: float) -> None:
        """Count a response that is one too many, and say so once in a minute."""
        self.counted["suppressed"] += 1
        self._unsaid += 1
        if now - self._warned >= _MINUTE:
            _LOGGER.warning("There are too many responses to events: %d not done", self._unsaid)
            self._warned, self._unsaid = now, 0

    def _target(self, notice: Notice, response: Response) -> Target | None:
        """Return whom a response is about, None where that is nobody who may be cut off for it."""
        text = _WHOM[response.action](self.blame, notice)
        try:
            return None if text is None else parse_target(text)
        except SensorError:
            return None

    def _stands(self, target: Target) -> bool:
        """Return whether a rule on all of a target's traffic is in force that a response must not replace."""
        now = boot_ns()
        return any(
            each.about == target
            and each.service == WHOLE
            and each.mode not in _WEAK
            and (each.ends is None or each.ends > now)
            for each in self._rules
        )

    def _guard(self, target: Target, _: AddBlock) -> None:
        """Raise SensorError for a target on which a rule stands since it was looked at."""
        if self._stands(target):
            raise SensorError("invalid_mode", f"there is a rule on {target.value}")

    async def _carry_out(self) -> None:
        """Give the orders that wait, and those again for which there was no room on the disk."""
        while self._waiting or self._late:
            self._more.clear()
            while self._waiting:
                try:
                    await self._give(self._waiting[0])
                finally:
                    self._waiting.popleft()
            if self._late:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._more.wait(), RETRY)
                self._waiting.extend(self._late)
                self._late.clear()

    async def _give(self, wanted: _Wanted) -> None:
        """Give an order for the time that is left of it."""
        if self.order is None:
            return
        order, left = wanted.order, wanted.ends - time.monotonic()
        try:
            if wanted.is_late:
                order = replace(order, duration=max(left, 1.0))
            await self.order(order, self._guard)
            self.counted["done"] += 1
        except SensorError as error:
            is_over = self.order is None or left <= RETRY
            if error.code == "storage_failed" and not is_over:
                if not wanted.is_late:
                    _LOGGER.warning("The response to %s waits: %s", order.reason, error.message)
                self._late.append(wanted._replace(is_late=True))
                return
            self.counted["refused"] += 1
            _LOGGER.info("No response to %s: %s", order.reason, error.message)

    def _refuse(self, notice: Notice, why: str) -> None:
        """Count and log a response that can't be."""
        self.counted["refused"] += 1
        _LOGGER.info("No response to %s: %s", _reason(notice), why)

    async def stop(self) -> None:
        """Wait for what is being done, and do nothing more."""
        self.order = None
        self._late.clear()
        self._more.set()
        if self._task is not None:
            await self._task


def _is_by_response(rule: Rule) -> bool:
    """Return whether a response put a rule in force, also before a restart; copies on other MACs are the same one."""
    kind, colon, _ = rule.reason.partition(": ")
    is_answer = bool(colon) and kind in KINDS and rule.expires is not None
    return is_answer and rule.copy_of is None


def _reason(notice: Notice) -> str:
    """Return why a rule is put in force, for whoever looks at it later."""
    said = f"{notice.kind}: {notice.summary}"
    return "".join(each if each.isprintable() else "?" for each in said)[:MAX_REASON]
