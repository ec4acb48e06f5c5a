"""A log of lines, whole or not there: rotated by size, found again after a crash, and nobody else's to write."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .sink import SinkError

#: Groups below are the system's own (Ubuntu gives /var/log to the group of its syslog).
_FIRST_OF_PERSONS: Final = 1000
_FOLDER_MODE: Final = 0o750
_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class LogFile:
    """One file with the older ones beside it, `NAME.1` the newest of them. Its calls wait for the disk."""

    def __init__(self, path: Path, *, mode: int, most: int, keep: int, longest: int) -> None:
        """Take its path and mode, the bytes of a file, how many old files are kept, and a line's longest."""
        self._path = path
        self._name = path.name
        self._mode = mode
        self._most = most
        self._keep = keep
        self._longest = longest
        self._folder = -1
        self._file = -1

    def open(self) -> list[bytes]:
        """Make ready to write; return the last whole lines of what is there, the newest first.

        Behind those of this file are those of the newest old one. Raises OSError and SinkError.
        """
        self.close()
        self._folder = _folder(self._path.parent)
        return self._open() + self._of_rotated()

    def is_elsewhere(self) -> bool:
        """Return whether what is written to is not what has the name now: it was moved, by logrotate perhaps."""
        if self._file < 0:
            return True
        try:
            there = os.stat(self._name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return True
        return not os.path.samestat(there, os.fstat(self._file))

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines; raises SinkError with how many of them are in the file, none in part."""
        for done, text in enumerate(lines):
            try:
                self._append(text + b"\n")
            except OSError as error:
                raise SinkError(
                    f"{self._path} can't be written: {error.strerror}", delivered=done
                ) from error
            except SinkError as error:
                raise SinkError(str(error), delivered=done) from error

    def sync(self) -> None:
        """Return when all is on disk; raises OSError."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """Let go of the file."""
        for descriptor in (self._file, self._folder):
            if descriptor >= 0:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self._file = self._folder = -1

    def _open(self) -> list[bytes]:
        """Open the file and return its last lines; raises OSError and SinkError."""
        self._file = os.open(self._name, _FLAGS, self._mode, dir_fd=self._folder)
        try:
            return self._made_whole()
        except BaseException:  # it is not ours to write
            os.close(self._file)
            self._file = -1
            raise

    def _made_whole(self) -> list[bytes]:
        """Take the file for us alone, cut off what is torn, and return its last lines."""
        found = os.fstat(self._file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
            raise SinkError(f"{self._path} is no file of our own: move it away")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SinkError(f"another process writes {self._path}") from None
        os.fchmod(self._file, self._mode)
        tail = self._tail(self._file, found.st_size)
        _, newline, torn = tail.rpartition(b"\n")
        if torn and (newline or len(tail) == found.st_size):  # a crash cut it off: it comes again
            os.ftruncate(self._file, found.st_size - len(torn))
        return _lines(tail)

    def _tail(self, file: int, size: int) -> bytes:
        """Return the end of a file, with all of its last line and what may be torn after it."""
        length = min(size, 2 * self._longest + 2)
        return os.pread(file, length, size - length)

    def _of_rotated(self) -> list[bytes]:
        """Return the last lines of the newest old file, for a file that was begun and got none."""
        try:
            file = os.open(
                f"{self._name}.1",
                os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK,
                dir_fd=self._folder,
            )
        except OSError:
            return []
        try:
            tail = self._tail(file, os.fstat(file).st_size)
        except OSError:
            return []
        finally:
            os.close(file)
        return _lines(tail)

    def _append(self, text: bytes) -> None:
        """Write one line, in a new file if this one has no room; raises OSError and SinkError."""
        size = os.fstat(self._file).st_size  # others may have emptied it
        if size and size + len(text) > self._most:
            self._rotate()
            size = 0
        left = memoryview(text)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            with contextlib.suppress(OSError):  # no half line: others read while it is written
                os.ftruncate(self._file, size)
            raise

    def _rotate(self) -> None:
        """Begin a new file, and forget the oldest."""
        os.fsync(self._file)
        for number in range(self._keep - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._rename(f"{self._name}.{number}", f"{self._name}.{number + 1}")
        self._rename(self._name, f"{self._name}.1")
        os.close(self._file)
        self._file = -1
        self._open()
        os.fsync(self._folder)

    def _rename(self, old: str, new: str) -> None:
        """Give a file of the folder another name."""
        os.rename(old, new, src_dir_fd=self._folder, dst_dir_fd=self._folder)


def _lines(tail: bytes) -> list[bytes]:
    """Return the whole lines in the end of a file, the newest first; the oldest may lack its beginning."""
    return [each for each in reversed(tail.split(b"\n")[:-1]) if each]


def _folder(path: Path) -> int:
    """Open the folder of a log, making it if only it is missing; raises OSError and SinkError."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=_FOLDER_MODE)
    path = path.resolve(strict=True)
    for each in path.parents:
        if _is_anybodys(each.stat()):
            raise SinkError(f"someone else could move {path}, through {each}: choose another path")
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    said = os.fstat(folder)
    if said.st_uid not in (0, os.geteuid()) or said.st_mode & 0o022:
        os.close(folder)
        raise SinkError(f"someone else could change {path}: chown root {path} && chmod go-w {path}")
    return folder


def _is_anybodys(said: os.stat_result) -> bool:
    """Return whether somebody else can give the folders in a folder other names."""
    if said.st_uid not in (0, os.geteuid()):
        return True
    if said.st_mode & stat.S_ISVTX:
        return False
    by_group = said.st_mode & stat.S_IWGRP and said.st_gid >= _FIRST_OF_PERSONS
    return bool(by_group or said.st_mode & stat.S_IWOTH)
