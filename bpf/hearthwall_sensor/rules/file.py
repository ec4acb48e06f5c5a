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
from .rule import Rule, read_rule, unknown_in

_LOGGER = logging.getLogger(__name__)

_FORMAT: Final = 2
#: Format 1 had one rule on each target; what it does not say is what rules were then.
_READABLE: Final = (1, _FORMAT)
#: What is not understood is named up to so often.
_MOST_TOLD: Final = 4
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


#: No format is so high: such a number is damage.
_MOST_FORMATS: Final = 1000


class Kept(NamedTuple):
    """What the file kept: the rules, the next one's id, and how many files were damaged.

    `newer` says what a newer version has written that this one does not understand: those rules are not among
    them, and the file must stay as it is.
    """

    rules: list[Rule]
    next_id: int
    damaged: int
    newer: str | None = None


def newer(path: Path) -> str | None:
    """Return what a newer version has written here that this one does not understand, in words; None for nothing."""
    try:
        what = _newer(json.loads(path.read_text()))
    except _DAMAGE:
        return None  # whoever reads it says so
    return None if what is None else f"{path.name} ({what})"


def read(path: Path) -> Kept:
    """Return what the file kept; a damaged one is set aside and the one before it is used."""
    damaged = 0
    for each in (path, files.previous(path)):
        try:
            kept = json.loads(each.read_text())
            what = _newer(kept)
            if kept["format"] in _READABLE:
                known = [wire for wire in kept["rules"] if unknown_in(wire) is None]
            elif what is not None:
                known = []
            else:
                raise ValueError(f"format {kept['format']}")
            rules = _current([read_rule(wire) for wire in known], kept) if known else []
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
            return Kept(rules, following, damaged, what)
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


def _newer(kept: Any) -> str | None:
    """Return what of a file only a newer version understands, in words; None for nothing."""
    said = kept["format"]
    if said not in _READABLE:
        is_newer = isinstance(said, int) and _FORMAT < said < _MOST_FORMATS
        return f"format {said}, not {_FORMAT}" if is_newer else None
    found = {what for wire in kept["rules"] if (what := unknown_in(wire)) is not None}
    return ", ".join(sorted(found)[:_MOST_TOLD]) or None


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
