"""Whether the kernel's tables have room for a rule, and which slot it gets where rules have one."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from ..kernel.layouts import LIMITS
from ..kernel.process_layouts import LIMITS as PROCESS_LIMITS
from ..modes import MAX_PEERS
from ..protocol import SensorError
from ..targets import PROCESS_KINDS, Target, TargetKind
from .joining import Held
from .nesting import check_nesting
from .rule import SLOTS, WHOLE, Rule

#: What rules take of the tables that they share. A rule that replaces another is there before that one
#: goes, and half of the table of peers is for addresses that are learnt.
_ROOM: Final[tuple[tuple[str, Callable[[Rule], int], int], ...]] = (
    ("services", lambda rule: rule.service != WHOLE, LIMITS["MAX_SERVICES"]),
    ("rate limits", lambda rule: rule.judged_as == "rate_limit", LIMITS["MAX_LIMITS"] - 1),
    (
        *("peers", lambda rule: 0 if rule.on_process else len(rule.peers)),
        LIMITS["MAX_PEERS"] // 2 - MAX_PEERS,
    ),
    (
        *("peers of processes", lambda rule: len(rule.peers) if rule.on_process else 0),
        PROCESS_LIMITS["MAX_PROCESS_PEERS"] - MAX_PEERS,
    ),
)


def sizes(targets: Iterable[Target]) -> Counter[TargetKind]:
    """Return how many targets there are of each kind."""
    return Counter(target.kind for target in targets)


def check_room(rules: Sequence[Rule], held: Held) -> None:
    """Raise SensorError if rules find no place in the kernel's tables beside those that it holds."""
    places = {(each.about, each.service) for each in rules}
    all_held = (each for on_target in held.values() for each in on_target.values())
    others = [each for each in all_held if (each.about, each.service) not in places]
    others += [e.instead_of for e in (*rules, *others) if e.instead_of is not None]
    new = {each.about for each in rules} - set(held)
    counted = sizes(held)
    counted.update(target.kind for target in new)
    for target in new:
        # One place stays free: before Linux 6.13 a full table of prefixes lets none of them be replaced.
        if counted[target.kind] >= LIMITS["MAX_RULES"]:
            raise SensorError("table_full")
        check_nesting(target, held)
    for what, takes, most in _ROOM:
        if any(map(takes, rules)) and sum(takes(each) for each in (*rules, *others)) > most:
            raise SensorError("table_full", f"all rules together have room for {most:,} {what}")


#: Kind of target → what its slots are for.
_SLOTTED: Final[Mapping[TargetKind, str]] = {
    "domain": "domains",
    **dict.fromkeys(PROCESS_KINDS, "processes"),
}


def slot_for(target: Target, held: Held) -> int | None:
    """Return a rule's place in the table of its kind, None for kinds without one; raises SensorError `table_full`."""
    slots = SLOTS.get(target.kind)
    if slots is None:
        return None
    if target in held:
        return held[target][WHOLE].slot
    all_held = (each for on_target in held.values() for each in on_target.values())
    used = {each.slot for each in all_held if SLOTS.get(each.kind) == slots}
    free = next((slot for slot in slots if slot not in used), None)
    if free is None:
        raise SensorError(
            "table_full", f"there are rules on {len(slots)} {_SLOTTED[target.kind]}: end one first"
        )
    return free
