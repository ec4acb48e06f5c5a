"""Orders that come over MQTT: whoever may publish there may be hostile, so each is read strictly, and not too many."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from ..protocol import MAX_REASON, Block, SensorError
from ..requests import AddBlock, RemoveBlock
from ..targets import check_duration, parse_duration, parse_mac, parse_target
from ..wire import Message
from .broker import LONGEST_PAYLOAD
from .sink import Call

_LOGGER = logging.getLogger(__name__)

MAX_ID: Final = 64
#: So many orders at once, and so many a second after that.
BURST: Final = 10
PER_SECOND: Final = 1.0
REASON: Final = "Ordered over MQTT"


@dataclass(frozen=True, slots=True)
class Order(Message):
    """What an order's JSON holds."""

    id: str
    command: Literal["block", "unblock", "quarantine", "release"]
    target: str
    mode: Literal["isolate", "no_internet"] | None = None
    duration: float | str | None = None
    reason: str | None = None


def _block(order: Order, target: str) -> AddBlock:
    """Return the rule that an order asks for; never one that overrides the refusal of a protected target."""
    duration = parse_duration(order.duration) if isinstance(order.duration, str) else order.duration
    return AddBlock(
        target=target,
        mode=order.mode or "isolate",
        duration=None if duration is None else check_duration(duration),
        reason=order.reason or REASON,
    )


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a command does with its target."""

    makes: Callable[[Order, str], AddBlock | RemoveBlock]
    parses: Callable[[str], str]
    takes: tuple[str, ...] = ()
    """The fields beside the id, the command and the target that it may have."""


def _any(text: str) -> str:
    """Return a target of any kind, or a rule's number."""
    return text if text.isascii() and text.isdigit() else parse_target(text).value


_COMMANDS: Final[Mapping[str, _Meaning]] = {
    "block": _Meaning(
        _block, lambda text: parse_target(text).value, ("mode", "duration", "reason")
    ),
    "unblock": _Meaning(lambda _, target: RemoveBlock(target), _any),
    "quarantine": _Meaning(_block, parse_mac, ("duration", "reason")),
    "release": _Meaning(lambda _, target: RemoveBlock(target), parse_mac),
}
_COMMON: Final = ("id", "command", "target")


def read(payload: bytes) -> tuple[str, AddBlock | RemoveBlock]:
    """Return an order's id and what it asks of the sensor; raises SensorError."""
    wire = _parsed(payload)
    if unknown := set(wire) - {each.name for each in fields(Order)}:
        raise _invalid(f"an order has no {min(unknown)[:40]!r}")
    order = Order.from_wire(wire)
    if not 0 < len(order.id) <= MAX_ID:
        raise _invalid(f"an id is a text of 1 to {MAX_ID} letters")
    if len(order.reason or "") > MAX_REASON:
        raise _invalid(f"a reason has at most {MAX_REASON} letters")
    meaning = _COMMANDS[order.command]
    given = {name for name in wire if wire[name] is not None}
    if extra := given - {*_COMMON, *meaning.takes}:
        raise _invalid(f"{order.command} takes no {min(extra)}")
    return order.id, meaning.makes(order, meaning.parses(order.target))


def _parsed(payload: bytes) -> dict[str, Any]:
    """Return the object in a payload; raises SensorError."""
    if len(payload) > LONGEST_PAYLOAD:
        raise SensorError("message_too_large", f"an order has at most {LONGEST_PAYLOAD} bytes")
    try:
        wire = json.loads(payload)
    except (ValueError, RecursionError):
        wire = None
    if not isinstance(wire, dict):
        raise _invalid("an order is a JSON object with an id, a command and a target")
    return wire


def _invalid(sentence: str) -> SensorError:
    """Return the error of an order that makes no sense."""
    return SensorError("invalid_message", sentence)


def _id(payload: bytes) -> str | None:
    """Return the id of an order that is otherwise wrong, if it has one."""
    try:
        identity = _parsed(payload).get("id")
    except SensorError:
        return None
    return identity if isinstance(identity, str) and 0 < len(identity) <= MAX_ID else None


class Bucket:
    """How many orders are carried out: some at once, and then at a steady pace."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin full."""
        self._clock = clock
        self._left = float(BURST)
        self._then = clock()
        self._told = False

    def take(self) -> bool:
        """Return whether one more may be carried out."""
        now = self._clock()
        self._left = min(float(BURST), self._left + (now - self._then) * PER_SECOND)
        self._then = now
        if self._left < 1:
            return False
        self._left -= 1
        self._told = False
        return True

    def tells(self) -> bool:
        """Return whether it is to be said that there were too many: once, until there is room again."""
        told, self._told = self._told, True
        return not told


async def carried_out(payload: bytes, call: Call) -> dict[str, Any]:
    """Carry an order out and return its answer."""
    identity: str | None = None
    try:
        identity, request = read(payload)
        block = Block.from_wire(await call(request))
    except SensorError as error:
        return {"id": identity or _id(payload), "ok": False, "error": error.to_wire()}
    _LOGGER.warning("Over MQTT: %s %s", request.type, block.target)
    return {"id": identity, "ok": True, "rule": block.to_wire()}


def too_many(payload: bytes) -> dict[str, Any]:
    """Return the answer to an order that was one too many."""
    said = f"at most {BURST} orders at once and {PER_SECOND:g} a second: those beyond are left out"
    return {
        "id": _id(payload),
        "ok": False,
        "error": {"code": "too_many_orders", "message": said},
    }
