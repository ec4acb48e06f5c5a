"""Keeps two commands from changing one installation at once: each would remove what the other has just put there."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .. import files
from ..protocol import SensorError
from .places import Places

#: Where only root opens files, so that nobody else can keep root out.
_FOLDER: Final = Path("/run")


@contextlib.contextmanager
def alone(places: Places, name: str) -> Iterator[None]:
    """Be the only one who changes these places; raises SensorError `already_running`."""
    said = places.root.stat()
    which = "" if places.is_this_host else f"-{said.st_dev:x}-{said.st_ino:x}"
    path = _FOLDER / f"hearthwall-installation{which}.lock"
    try:
        held = files.hold(path)
    except BlockingIOError as error:
        raise SensorError(
            "already_running",
            f"another install, upgrade or uninstall is going on: {name} when it has ended",
        ) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(held)
