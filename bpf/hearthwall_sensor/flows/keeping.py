"""What is known of flows, kept from one run of the sensor to the next. The file is there only in between."""

import json
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from ..names.answered import Told
from ..notation import boot_id
from .labels import Label
from .observer import Observer

_LOGGER = logging.getLogger(__name__)

FLOWS_FILE: Final = "flows.jsonl"
#: More is not read: there can't be more flows and answers than that.
_MAX_LINES: Final = 200_000


def keep(path: Path, labels: Iterable[tuple[bytes, Label]], told: Iterable[Told]) -> None:
    """Write labels by packed key, and who was told which name; a disk that takes nothing only costs these names.

    A line is written at a time: all at once would double the sensor's memory.
    """
    try:
        path.unlink(missing_ok=True)
        with open(path, "x", opener=_private) as file:
            file.writelines(json.dumps(line) + "\n" for line in _lines(labels, told))
    except OSError as error:
        _LOGGER.warning("The names of flows can't be kept: %s", error)


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner may read."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _lines(labels: Iterable[tuple[bytes, Label]], told: Iterable[Told]) -> Iterator[list[Any]]:
    """Yield what is kept. Times count from the host's start, and so do flows."""
    yield ["boot", boot_id()]
    for packed, label in labels:
        yield ["flow", packed.hex(), *label]
    for each in told:
        yield ["told", each.who.hex(), each.address.hex(), each.time, each.name]


def take_back(path: Path, observer: Observer) -> None:
    """Read what was kept, and remove it; what another start of the host left is no use."""
    try:
        with path.open() as file:
            path.unlink()
            if json.loads(file.readline()) != ["boot", boot_id()]:
                return
            for line, _ in zip(file, range(_MAX_LINES), strict=False):
                _take(json.loads(line), observer)
    except FileNotFoundError:
        return
    except (OSError, ValueError, TypeError) as error:
        _LOGGER.warning("Not all names of flows were kept: %s", error)


def _take(line: list[Any], observer: Observer) -> None:
    """Take one line; raises ValueError or TypeError for what is none."""
    match line:
        case ["flow", str(packed), *label]:
            observer.labels.put(bytes.fromhex(packed), Label(*label))
        case ["told", str(who), str(address), int(time), str(name)]:
            told = bytes.fromhex(address)
            observer.answered.note(bytes.fromhex(who), name, (told,), time)
        case _:
            raise ValueError("a line of no known kind")
