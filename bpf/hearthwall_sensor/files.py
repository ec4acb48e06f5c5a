"""Files that survive a crash or a power cut: written whole or not at all, the last good one kept; and locks."""

import asyncio
import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any, Final

from .protocol import SensorError
from .trust import Trust

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


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
    above = Trust.own().doubt_above(path)
    why = Trust(frozenset((os.geteuid(),))).doubt(path) or (
        above and f"{above[0]}, above it: {above[1]}"
    )
    if why:
        raise SensorError(
            "unsafe_files",
            f"someone else could change {path}: {why}; or choose another --state-dir",
        )


def hold(path: Path) -> int:
    """Return a descriptor that holds a lock, until it is closed; who holds it may remove it before.

    Raises BlockingIOError where another holds it, and OSError.
    """
    while True:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(opened), path.lstat()):
                return opened
        except FileNotFoundError:
            pass
        except OSError:
            os.close(opened)
            raise
        os.close(opened)  # whoever held it has removed it: it keeps nobody out


async def write_json(path: Path, content: Any) -> None:
    """Replace path's content, on disk when this returns; raises SensorError `storage_failed`.

    The writing happens in a thread: a memory card may take its time, and packets don't wait.
    """
    try:
        await asyncio.to_thread(write, path, json.dumps(content, indent=1).encode())
    except OSError as error:
        raise SensorError("storage_failed", f"{path} can't be written: {error.strerror}") from error


def write(path: Path, content: bytes) -> None:
    """Put a file in place that only its owner reads, and keep the one before it; raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        put(folder, path.name, content, kept=previous(path).name)
    finally:
        os.close(folder)


def put(  # noqa: PLR0913, each is another matter
    folder: int,
    name: str,
    content: bytes,
    mode: int = 0o600,
    *,
    kept: str | None = None,
    fresh: str | None = None,
) -> None:
    """Write a new file in an open folder, push it to disk, and put it in the old one's place; raises OSError.

    Then nothing is left of it. `kept` is the name that the old one has from then on, `fresh` that of the new one
    until it is whole: where two may write the same at once, each needs its own.
    """
    fresh = fresh or f"{name}.new"
    _remove(folder, fresh)  # of one that was killed; and no link is followed
    try:
        opened = os.open(fresh, _NEW, mode, dir_fd=folder)
        with os.fdopen(opened, "wb") as file:
            os.fchmod(opened, mode)
            file.write(content)
            file.flush()
            os.fsync(opened)
        if kept is not None:
            _keep(folder, name, kept)
        os.replace(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        _remove(folder, fresh)
        raise
    os.fsync(folder)


def _keep(folder: int, name: str, kept: str) -> None:
    """Give a file, if it is there, another name beside its own."""
    with contextlib.suppress(FileNotFoundError):
        os.stat(name, dir_fd=folder)
        _remove(folder, kept)
        os.link(name, kept, src_dir_fd=folder, dst_dir_fd=folder)


def _remove(folder: int, name: str) -> None:
    """Remove a file, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
