"""Writes a file that a command was asked for, into a folder that may be anybody's."""

import contextlib
import os
import tempfile
from pathlib import Path

from ..protocol import SensorError


def put(path: Path, text: bytes) -> None:
    """Replace a file by one that everybody may read; whoever reads it meanwhile gets the one or the other.

    A link in its place is replaced too: where it leads is not root's word. Raises SensorError `storage_failed`.
    """
    fresh = None
    try:
        # Of a name that nobody can have put a link or a file under
        descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        Path(fresh).replace(path)
    except OSError as error:
        if fresh is not None:
            with contextlib.suppress(OSError):
                Path(fresh).unlink()
        raise SensorError(
            "storage_failed", f"{path} can't be written: {error.strerror or error}"
        ) from error
