"""What is done by itself after an event, where the policy says so: rules, through the same guard as orders."""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from ..notation import boot_ns
from ..notice import Notice
from ..protocol import MAX_REASON, SensorError
from ..requests import AddBlock
from ..rules.rule import WHOLE, Rule
from ..targets import Target, parse_target
from .blame import Blame
from .policy import Response

_LOGGER = logging.getLogger(__name__)

#: More than this in a minute is a storm of events, not a home: somebody makes them up.
MOST_IN_A_MINUTE: Final = 10
_MINUTE: Final = 60.0
#: Rules that give way to a response: they stop nothing that it would stop.
_WEAK: Final = ("audit", "rate_limit")

Guard = Callable[[Target, AddBlock], None]


class Responder:
    """Carries out responses, one after the other."""

    def __init__(self, rules: Iterable[Rule], blame: Blame) -> None:
        """Take the rules in force, and who tells whom a response may cut off."""
        self._rules = rules
        self.blame = blame
        #: Gives an order that passes this guard beside the usual one; set when there is somebody to give it to.
        self.order: Callable[[AddBlock, Guard], Awaitable[object]] | None = None
        self._waiting: deque[AddBlock] = deque()
        self._recent: deque[float] = deque(maxlen=MOST_IN_A_MINUTE)
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
        if self._stands(target) or any(each.target == target.value for each in self._waiting):
            self.counted["standing"] += 1
            return
        now = time.monotonic()
        is_busy = len(self._waiting) >= MOST_IN_A_MINUTE
        is_full = len(self._recent) == MOST_IN_A_MINUTE and now - self._recent[0] < _MINUTE
        if is_busy or is_full:
            if not self.counted["suppressed"]:
                _LOGGER.warning("There are too many responses to events in a minute")
            self.counted["suppressed"] += 1
            return
        self._recent.append(now)
        self._waiting.append(
            AddBlock(target.value, duration=response.duration, reason=_reason(notice))
        )
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._carry_out())

    def _target(self, notice: Notice, response: Response) -> Target | None:
        """Return whom a response is about, None where that is nobody who may be cut off for it."""
        is_about_device = response.action == "quarantine"
        text = self.blame.culprit(notice) if is_about_device else self.blame.peer(notice)
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
        """Give the orders that wait."""
        while self._waiting:
            order = self._waiting[0]
            try:
                if self.order is not None:
                    await self.order(order, self._guard)
                    self.counted["done"] += 1
            except SensorError as error:
                self.counted["refused"] += 1
                _LOGGER.info("No response to %s: %s", order.reason, error.message)
            finally:
                self._waiting.popleft()

    def _refuse(self, notice: Notice, why: str) -> None:
        """Count and log a response that can't be."""
        self.counted["refused"] += 1
        _LOGGER.info("No response to %s: %s", _reason(notice), why)

    async def stop(self) -> None:
        """Wait for what is being done, and do nothing more."""
        self.order = None
        if self._task is not None:
            await self._task


def _reason(notice: Notice) -> str:
    """Return why a rule is put in force, for whoever looks at it later."""
    said = f"{notice.kind}: {notice.summary}"
    return "".join(each if each.isprintable() else "?" for each in said)[:MAX_REASON]
