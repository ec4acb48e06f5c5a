"""Keeps two commands from changing one installation at once: each would remove what the other has just put there."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

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
    held = _hold(path)
    if held is None:
        raise SensorError(
            "already_running",
            f"another install, upgrade or uninstall is going on: {name} when it has ended",
        )
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(held)


def _hold(path: Path) -> int | None:
    """Return a descriptor that holds a lock, None if it is held."""
    while True:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(opened), path.lstat()):
                return opened
        except BlockingIOError:
            os.close(opened)
            return None
        except FileNotFoundError:
            pass
        os.close(opened)  # whoever held it has removed it: it keeps nobody out
