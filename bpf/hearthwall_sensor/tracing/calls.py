"""Records of system calls in the words that patterns know: which call, on which path, about whom."""

import posixpath
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from ..kernel.call_layouts import NAMES, Call, read_call
from ..kernel.process_layouts import Called
from ..processes import looks
from ..processes.looker import DELETED
from ..processes.looks import PROC
from ..processes.masking import printable
from . import descriptors

#: The words of observations.Called for calls that are traced by another name.
_WORDS: Final = {"open": "write"}
#: The calls that patterns may ask for, by those words, → their traced names.
WATCHED: Final = {
    _WORDS.get(name, name): name
    for name in ("open", "chmod", "memfd", "ptrace", "socket", "listen")
}
#: A path that is not whole begins in the process's own folder.
_HERE: Final = -100
_KINDS_OF_SOCKETS: Final = 15


class Told(NamedTuple):
    """A call, as observations.Called has it."""

    call: str
    path: str
    number: int
    detail: int


def told(record: Called, root: Path = PROC) -> Told | None:
    """Return what a record says; None for one that is damaged, or of a call that patterns don't know."""
    try:
        call = read_call(record.data)
    except struct.error:
        return None
    name = NAMES.get(record.head.call)
    reader = None if name is None else _READERS.get(name)
    if name is None or reader is None:
        return None
    return Told(_WORDS.get(name, name), *reader(record.head.pid, call, root))


def whole_path(pid: int, call: Call, root: Path = PROC) -> bytes:
    """Return the path of a file from the root on, as far as the process can still be asked where it began."""
    text = call.text or b""
    if text.startswith(b"/"):
        return posixpath.normpath(text)
    name = "folder" if call.fd == _HERE else "file"
    try:
        begins = looks.look(name, pid, call.fd, root).removesuffix(DELETED)
    except OSError:
        return text
    if not begins.startswith(b"/"):  # closed meanwhile, and a pipe's now
        return text
    return posixpath.normpath(posixpath.join(begins, text)) if text else begins


def _of_file(pid: int, call: Call, root: Path) -> tuple[str, int, int]:
    """Read a call on a file."""
    return printable(whole_path(pid, call, root)), 0, call.second


def _of_memfd(_pid: int, call: Call, _root: Path) -> tuple[str, int, int]:
    """Read a call that makes a file without a place."""
    return printable(call.text or b""), 0, call.second


def _of_ptrace(_pid: int, call: Call, _root: Path) -> tuple[str, int, int]:
    """Read a call on another process."""
    return "", call.first & 0xFFFFFFFF, call.second


def _of_socket(_pid: int, call: Call, _root: Path) -> tuple[str, int, int]:
    """Read a call that makes a socket."""
    return "", call.first, call.second & _KINDS_OF_SOCKETS


def _of_listen(pid: int, call: Call, _root: Path) -> tuple[str, int, int]:
    """Read a call that waits for others: the port, 0 where it is not known any more, and how many may wait."""
    ends = descriptors.ends(pid, call.fd)
    return "", 0 if ends is None else ends.port, call.second


_READERS: Final[dict[str, Callable[[int, Call, Path], tuple[str, int, int]]]] = {
    "open": _of_file,
    "chmod": _of_file,
    "memfd": _of_memfd,
    "ptrace": _of_ptrace,
    "socket": _of_socket,
    "listen": _of_listen,
}
