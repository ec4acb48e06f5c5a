"""A small file that is written where it lies, by a process that may open none: in two copies, of which one is whole."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any, Final

from .. import files
from ..protocol import SensorError

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Held:
    """The file and the version before it, both open."""

    def __init__(self, path: Path) -> None:
        """Open them; raises SensorError `storage_failed`."""
        self._path = path
        previous = files.previous(path)
        try:
            self._file = os.open(path, _FLAGS, 0o600)
            self._previous = os.open(previous, _FLAGS, 0o600)
            if os.path.samestat(os.fstat(self._file), os.fstat(self._previous)):
                os.close(self._previous)  # of a power cut while the one became the other
                previous.unlink()
                self._previous = os.open(previous, _FLAGS | os.O_EXCL, 0o600)
            #: What the file holds, None while it is not whole: then the version before it is all that there is.
            self._content = _whole(os.pread(self._file, os.fstat(self._file).st_size, 0))
        except OSError as error:
            raise SensorError(
                "storage_failed", f"{path} can't be written: {error.strerror}"
            ) from error

    async def write_json(self, content: Any) -> None:
        """Replace the content, on disk when this returns; raises SensorError `storage_failed`."""
        try:
            await asyncio.to_thread(self._write, json.dumps(content, indent=1).encode())
        except OSError as error:
            raise SensorError(
                "storage_failed", f"{self._path} can't be written: {error.strerror}"
            ) from error

    def close(self) -> None:
        """Let go of them."""
        os.close(self._file)
        os.close(self._previous)

    def _write(self, content: bytes) -> None:
        """Write one after the other; raises OSError."""
        if self._content is not None:
            _put(self._previous, self._content)
        self._content = None
        _put(self._file, content)
        self._content = content


def _whole(content: bytes) -> bytes | None:
    """Return JSON, and None for what is none."""
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return None
    return content


def _put(file: int, content: bytes) -> None:
    """Write a file's content anew: what is cut off in between is no JSON. Raises OSError."""
    os.ftruncate(file, 0)
    left, at = memoryview(content), 0
    while left:
        written = os.pwrite(file, left, at)
        left, at = left[written:], at + written
    os.fsync(file)
