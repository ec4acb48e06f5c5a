"""Puts single files, links and folders of an installation in place, each so that it can be undone."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, TypedDict

from .. import files
from ..protocol import SensorError
from ..trust import Trust


class _Encoding(TypedDict):
    """How text is read and written."""

    encoding: str
    errors: str


_ROOT_ONLY = Trust(lone_groups=True)
#: What is somebody else's need not be UTF-8.
_ANY: Final = _Encoding(encoding="utf-8", errors="surrogateescape")


def require_own(path: Path) -> None:
    """Raise SensorError `unsafe_files` if others than root could put something in a place of root's programs."""
    _ROOT_ONLY.require_path(next(each for each in (path, *path.parents) if each.exists()))


def missing(path: Path) -> list[Path]:
    """Return which folders are not there, of one and those above it, the highest first."""
    return [each for each in reversed((path, *path.parents)) if not each.exists()]


def folder(path: Path) -> None:
    """Make one folder."""
    path.mkdir()
    path.chmod(0o755)


def fresh(path: Path) -> Path:
    """Return where something lies until it is put in its place: no tool takes it for what it will be."""
    return path.with_name(f".{path.name}.new")


def link(path: Path, target: str) -> None:
    """Make a link, or put it in the place of the one that is there, which is never missing meanwhile.

    Raises SensorError `storage_failed` for what is no link: it is somebody else's.
    """
    if path.exists() and not path.is_symlink():
        raise SensorError("storage_failed", f"{path} is no link of Hearthwall's: move it away")
    new = fresh(path)
    new.unlink(missing_ok=True)
    try:
        new.symlink_to(target)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    with _opened(path.parent) as within:
        os.fsync(within)


def is_link_to(path: Path, target: str) -> bool:
    """Return whether this is a link that leads there."""
    return path.is_symlink() and str(path.readlink()) == target


def unless_link_to(path: Path, target: str, undo: Callable[[], object]) -> None:
    """Undo something, unless this link leads there still: what is in use stays, though going back has failed."""
    if not is_link_to(path, target):
        undo()


def file(path: Path, content: str, mode: int) -> None:
    """Write a file whole, in the place of the one that is there."""
    with _opened(path.parent) as within:
        files.put(within, path.name, content.encode(**_ANY), mode, fresh=fresh(path).name)


def restoring(path: Path) -> Callable[[], object]:
    """Return what puts a file or a link back as it is now, or takes away what is not there yet."""
    if path.is_symlink():
        return partial(link, path, str(path.readlink()))
    if path.exists():
        return partial(file, path, path.read_text(**_ANY), stat.S_IMODE(path.stat().st_mode))
    return partial(path.unlink, missing_ok=True)


def content(path: Path) -> str | None:
    """Return what is in a file, None where there is none."""
    try:
        return path.read_text(**_ANY)
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


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a folder."""
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield opened
    finally:
        os.close(opened)
