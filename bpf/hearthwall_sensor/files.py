"""Files that survive a crash or a power cut: written whole or not at all, the last good one kept."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from .protocol import SensorError


def previous(path: Path) -> Path:
    """Return where the version before path's is kept."""
    return path.with_name(path.name + ".previous")


def damaged(path: Path) -> Path:
    """Return where path is put when it is damaged."""
    return path.with_name(path.name + ".damaged")


def set_aside(path: Path) -> None:
    """Move a damaged file out of the way, for a person to look at."""
    path.replace(damaged(path))


def private_folder(path: Path) -> None:
    """Make a folder that only its owner may change; raises SensorError `storage_failed` or `unsafe_files`."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SensorError(
            "storage_failed", f"the state folder {path} can't be made: {error.strerror}"
        ) from error
    said = path.stat()
    if said.st_uid != os.geteuid() or said.st_mode & 0o022:
        raise SensorError(
            "unsafe_files", f"someone else could change {path}: choose another --state-dir"
        )


async def write_json(path: Path, content: Any) -> None:
    """Replace path's content, on disk when this returns; raises SensorError `storage_failed`.

    The writing happens in a thread: a memory card may take its time, and packets don't wait.
    """
    try:
        await asyncio.to_thread(write, path, json.dumps(content, indent=1).encode())
    except OSError as error:
        raise SensorError("storage_failed", f"{path} can't be written: {error.strerror}") from error


def write(path: Path, content: bytes) -> None:
    """Write to a new file, push it to disk, and put it in the old one's place; raises OSError."""
    fresh = path.with_name(path.name + ".new")
    with open(fresh, "wb", opener=_private) as file:
        os.fchmod(file.fileno(), 0o600)  # one that was left half written may have had another
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        kept = previous(path)
        kept.unlink(missing_ok=True)
        os.link(path, kept)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner may read, and never the one that a link leads to."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
