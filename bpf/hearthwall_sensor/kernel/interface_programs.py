"""Which programs a sensor has put on interfaces, on disk, where no pins tell of them when it has gone."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from .. import files
from ..notation import boot_id

PROGRAMS_FILE: Final = "interface_programs.json"


def keep(state: Path, programs: Iterable[int]) -> None:
    """Write the programs' ids, or that there are none by leaving no file; raises OSError."""
    if ids := sorted(programs):
        files.write(state / PROGRAMS_FILE, json.dumps([boot_id(), ids]).encode())
    else:
        forget(state)


def kept(state: Path) -> frozenset[int]:
    """Return the ids that were written since this host was started, which gives none twice."""
    try:
        boot, programs = json.loads((state / PROGRAMS_FILE).read_bytes())
        if boot == boot_id():
            return frozenset(int(each) for each in programs)
    except (OSError, ValueError, TypeError):
        pass
    return frozenset()


def forget(state: Path) -> None:
    """Remove the file: nothing is on an interface any more."""
    path = state / PROGRAMS_FILE
    for each in (path, files.previous(path)):
        each.unlink(missing_ok=True)
