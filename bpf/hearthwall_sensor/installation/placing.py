"""Puts single files, links and folders of an installation in place, each so that it can be undone."""

import os
import stat
from pathlib import Path

from ..protocol import SensorError
from ..trust import Trust

_ROOT_ONLY = Trust()


def require_own(path: Path) -> None:
    """Raise SensorError `unsafe_files` if others than root could put something in a place of root's programs."""
    _ROOT_ONLY.require_path(next(each for each in (path, *path.parents) if each.exists()))


def folder(path: Path) -> list[Path]:
    """Make a folder with those above it; return those that were not there, the lowest first."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir()
        each.chmod(0o755)
    return missing


def link(path: Path, target: str) -> None:
    """Make a link, or put it in the place of the one that is there, which is never missing meanwhile.

    Raises SensorError `storage_failed` for what is no link: it is somebody else's.
    """
    if path.exists() and not path.is_symlink():
        raise SensorError("storage_failed", f"{path} is no link of Hearthwall's: move it away")
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(path)
    _to_disk(path.parent)


def file(path: Path, content: str, mode: int) -> None:
    """Write a file whole, in the place of the one that is there."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(opened, "w", encoding="utf-8") as written:
        os.fchmod(opened, mode)
        written.write(content)
        written.flush()
        os.fsync(opened)
    fresh.replace(path)
    _to_disk(path.parent)


def content(path: Path) -> str | None:
    """Return what is in a file, None where there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def remove_if_empty(path: Path) -> bool:
    """Remove a folder in which nothing is left; return whether it went."""
    try:
        if stat.S_ISDIR(path.lstat().st_mode):
            path.rmdir()
            return True
    except OSError:
        return False
    return False


def _to_disk(folder_: Path) -> None:
    """Push a folder's names to disk: a power cut must not leave half an upgrade."""
    opened = os.open(folder_, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
