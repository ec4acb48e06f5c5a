"""Copies the programs to where only root can change them, and names the copy by what is in it.

Who may write to the source could swap a file while it is read. So nothing is followed by name: each file is opened
once, without following links, judged by its descriptor, and copied into a private folder; what is checked and run is
the copy.
"""

import ctypes
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .. import __version__
from ..protocol import SensorError
from ..trust import Trust
from .places import PROGRAM

#: Files and folders.
_MOST_ENTRIES: Final = 4000
_MAX_BYTES: Final = 64 * 1024 * 1024
_MAX_DEPTH: Final = 12
_TOO_MUCH: Final = "the folder holds much more than the sensor's programs"
_LEFT_OUT: Final = ("__pycache__",)
_DIGITS: Final = 12
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def copy(source: Path, copies: Path, trust: Trust) -> Path:
    """Copy the programs into a folder of their own among the copies; return it, named by version and hash.

    One that is there already is checked and taken. Raises SensorError `unsafe_files` or `storage_failed`.
    """
    trust.require_path(source)
    private = Path(tempfile.mkdtemp(prefix=".new-", dir=copies))
    try:
        _Copying(trust).folder(source, private)
        private.chmod(0o755)
        _to_disk(private)
        target = copies / f"{__version__}-{digest(private)[:_DIGITS]}"
        if target.is_dir():
            require_whole(target)
        else:
            private.rename(target)
    except OSError as error:
        raise SensorError(
            "storage_failed", f"{source} can't be copied to {copies}: {error}"
        ) from error
    finally:
        shutil.rmtree(private, ignore_errors=True)
    return target


def require_whole(copy_: Path) -> None:
    """Raise SensorError `unsafe_files` if a copy is not what its name says."""
    if not copy_.name.endswith(f"-{digest(copy_)[:_DIGITS]}"):
        raise SensorError(
            "unsafe_files", f"{copy_} is not what it was when it was copied: uninstall, and install"
        )


def digest(folder: Path) -> str:
    """Return the SHA-256 of a folder: of each file's name, whether it is run, and what is in it."""
    whole = hashlib.sha256()
    for path in sorted(_files(folder)):
        runs = "x" if path.stat().st_mode & stat.S_IXUSR else "-"
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        name = os.fsencode(path.relative_to(folder))  # which need not be UTF-8
        whole.update(name + f"\0{runs}\0{content}\n".encode())
    return whole.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a copy."""
    for each in folder.rglob("*"):
        if each.is_file() and not set(_LEFT_OUT) & set(each.parts):
            yield each


def _to_disk(folder: Path) -> None:
    """Push a copy to disk, all at once: a memory card takes its time for each single file."""
    opened = os.open(folder, _FOLDER)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(opened) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(opened)


class _Copying:
    """One copy in the making, within bounds."""

    def __init__(self, trust: Trust) -> None:
        """Take whose files are copied."""
        self._trust = trust
        self._seen = 0
        self._bytes = 0

    def folder(self, source: Path, target: Path) -> None:
        """Copy a folder into one that is there; raises SensorError or OSError."""
        opened = os.open(source, _FOLDER)
        try:
            self._trust.require(opened, source)
            self._entries(opened, source, target, 0)
        finally:
            os.close(opened)

    def _entries(self, opened: int, source: Path, target: Path, depth: int) -> None:
        """Copy what is in an open folder."""
        for name in sorted(os.listdir(opened)):
            if name.startswith(".") or name in _LEFT_OUT or name.endswith(".pyc"):
                continue
            self._entry(opened, name, source / name, target / name, depth)

    def _entry(self, folder: int, name: str, source: Path, target: Path, depth: int) -> None:
        """Copy one file, or a folder within."""
        self._seen += 1
        if self._seen > _MOST_ENTRIES:
            raise SensorError("unsafe_files", _TOO_MUCH)
        try:
            opened = os.open(name, _FILE, dir_fd=folder)
        except OSError as error:  # ELOOP of a link
            raise SensorError(
                "unsafe_files", f"{source} is no plain file or folder: {error.strerror}"
            ) from error
        try:
            said = os.fstat(opened)
            self._trust.require(opened, source)
            if stat.S_ISDIR(said.st_mode) and depth < _MAX_DEPTH:
                target.mkdir(mode=0o755)
                self._entries(opened, source, target, depth + 1)
                target.chmod(0o755)
            elif stat.S_ISREG(said.st_mode):
                self._file(opened, said, target)
            else:
                raise SensorError("unsafe_files", f"{source} is no plain file or folder")
        finally:
            os.close(opened)

    def _file(self, opened: int, said: os.stat_result, target: Path) -> None:
        """Copy one open file."""
        with os.fdopen(opened, "rb", closefd=False) as file:
            content = file.read(_MAX_BYTES - self._bytes + 1)
        self._bytes += len(content)
        if self._bytes > _MAX_BYTES:
            raise SensorError("unsafe_files", _TOO_MUCH)
        runs = said.st_mode & stat.S_IXUSR or target.name == PROGRAM  # a zip may not have kept it
        with target.open("xb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o755 if runs else 0o644)
