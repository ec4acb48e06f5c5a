"""The file that keeps the rules: they survive a crash, an upgrade and a reboot with the time that they had left."""

import dataclasses
import json
import logging
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from .. import files
from ..notation import boot_id, boot_ns
from ..protocol import SensorError
from .rule import Rule, read_rule

_LOGGER = logging.getLogger(__name__)

_FORMAT: Final = 2
#: Format 1 had one rule on each target; what it does not say is what rules were then.
_READABLE: Final = (1, _FORMAT)
_NANOSECONDS: Final = 1_000_000_000

#: What reading a file that something else wrote can end in.
_DAMAGE: Final = (
    OSError,
    ArithmeticError,
    AttributeError,
    KeyError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
    SensorError,
)


class Kept(NamedTuple):
    """What the file kept: the rules, the next one's id, and how many files were damaged."""

    rules: list[Rule]
    next_id: int
    damaged: int


def read(path: Path) -> Kept:
    """Return what the file kept; a damaged one is set aside and the one before it is used."""
    damaged = 0
    for each in (path, files.previous(path)):
        try:
            kept = json.loads(each.read_text())
            if kept["format"] not in _READABLE:
                raise ValueError(f"format {kept['format']}")
            rules = _current([read_rule(wire) for wire in kept["rules"]], kept)
            _check_unique(rules)
            following = max([int(kept["next_id"]), *(rule.id + 1 for rule in rules)])
        except FileNotFoundError:
            continue
        except _DAMAGE as error:
            _LOGGER.warning(
                "The rules in %s can't be read (%r); it was set aside", each.name, error
            )
            files.set_aside(each)
            damaged += 1
        else:
            return Kept(rules, following, damaged)
    return Kept([], 1, damaged)


async def write(path: Path, rules: list[Rule], next_id: int) -> None:
    """Write the rules to disk; raises SensorError `storage_failed`."""
    kept = {
        "format": _FORMAT,
        "boot_id": boot_id(),
        "saved": time.time(),
        "saved_since_boot": boot_ns(),
        "next_id": next_id,
        "rules": [dataclasses.asdict(rule) for rule in rules],
    }
    await files.write_json(path, kept)


def _check_unique(rules: list[Rule]) -> None:
    """Raise ValueError if two rules would be in each other's place."""
    slots = [(rule.on_process, rule.slot) for rule in rules if rule.slot is not None]
    subjects = {rule.about: rule.subject for rule in rules}
    if (
        len({rule.id for rule in rules}) < len(rules)
        or len({(rule.about, rule.service) for rule in rules}) < len(rules)
        or len(set(slots)) < len(slots)
        or any(subjects[rule.about] != rule.subject for rule in rules)
        or len(set(subjects.values())) < len(subjects)
    ):
        raise ValueError("two rules are in one place")


def _current(rules: list[Rule], kept: Any) -> list[Rule]:
    """Return the rules on this boot's clock, with the remaining time that they had.

    A clock that stands before the save (a board without a battery, before NTP) tells no time passed.
    """
    if kept["boot_id"] == boot_id():
        return rules
    away = max(0.0, time.time() - float(kept["saved"]))
    offset = boot_ns() - int(kept["saved_since_boot"]) - int(away * _NANOSECONDS)
    # A process does not survive a reboot, and its number is somebody else's.
    return [rule.moved(offset) for rule in rules if rule.kind != "pid"]
