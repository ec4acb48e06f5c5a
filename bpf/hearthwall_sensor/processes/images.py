"""The images that processes have: as the kernel numbers them, with what /proc tells of each."""

import dataclasses
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..bounded import make_room
from ..kernel.process_layouts import PATH_BYTES, Executed, Head
from ..program_paths import spaced
from . import looks, reading
from .image import MAX_ANCESTORS, Image
from .masking import command_line, printable
from .reading import Glance, Reading
from .units import Membership, membership

MAX_IMAGES: Final = 8192
#: Control groups whose unit and container are remembered, for processes that ended before they were read.
_MAX_GROUPS: Final = 1024
#: What the kernel's threads are called: longer than what a process can call itself.
_KERNEL: Final = "[kernel's own threads]"
#: A path's longest text.
_LONGEST_PATH: Final = 512
_INTERPRETED: Final = b"#!"
_LINE_BYTES: Final = 256
#: Paths that mean something else to each process.
_OWN: Final = (b"/proc/", b"/dev/fd/", b"/dev/stdin")


class Images:
    """All images that are known, the ones that were asked for last; the others give way."""

    def __init__(
        self,
        epoch: Callable[[int], float],
        current: Callable[[int], int | None],
        *,
        root: Path = looks.PROC,
        limit: int = MAX_IMAGES,
    ) -> None:
        """Take what turns the kernel's times into seconds since the epoch, and the kernel's image of a process now."""
        self._epoch = epoch
        self._current = current
        self._root = root
        self._limit = limit
        self._numbered: dict[int, Image] = {}
        self._unnumbered: dict[tuple[int, Glance], Image] = {}
        self._groups: dict[int, Membership] = {}
        #: Told of every image whose executable is known, with the executable's path as the kernel has it.
        self.on_resolved: Callable[[Image, bytes], None] = lambda _image, _path: None
        #: Gives the name of a cgroup by its number, None for one that is not found.
        self.find_group: Callable[[int], str | None] = lambda _: None
        #: Images that had ended before they could be read.
        self.unread = 0
        #: Images that gave way to others.
        self.evicted = 0

    def __len__(self) -> int:
        """Return how many are known."""
        return len(self._numbered) + len(self._unnumbered)

    def find(self, number: int) -> Image | None:
        """Return the image with the kernel's number, None where it is not known."""
        image = self._numbered.pop(number, None)
        if image is not None:
            self._numbered[number] = image  # it was asked for last
        return image

    def add(self, number: int, image: Image) -> None:
        """Take an image that the kernel knows by this number from now on."""
        self._numbered.pop(number, None)
        self._numbered[number] = image
        self.evicted += make_room(self._numbered, self._limit)

    def executed(self, record: Executed) -> Image:
        """Return what a process has become, by its record and what can still be read of it."""
        head = record.head
        parent = self.find(record.previous) if record.previous else None
        if parent is None:
            parent = self._of_process(head.parent, 1)
        found = self._read(head.pid, head.image)
        if found is not None and found.executable:
            self._groups[head.cgroup] = found.membership
            make_room(self._groups, _MAX_GROUPS)
            image, path = self._image(head.image, found, parent, record), found.executable
        else:
            self.unread += 1
            image, path = self._unread(record, parent)
        self.add(head.image, image)
        self.on_resolved(image, path)
        return image

    def of(self, number: int, pid: int, head: Head | None = None) -> Image:
        """Return the image with a number, or, where that is not known, what the process is now."""
        return self._of(number, pid, head, 0)

    def _of(self, number: int, pid: int, head: Head | None, depth: int) -> Image:
        """Return an image whose ancestors are looked for unless it is one itself, so far."""
        if number and (known := self.find(number)) is not None:
            return known
        glance = reading.glance(pid, self._root)
        if not number and glance is not None and (pid, glance) in self._unnumbered:
            return self._unnumbered[pid, glance]
        found = self._read(pid, number)
        if found is None:
            return self._gone(number, pid, head)
        parent = self._of_process(found.parent_pid, depth + 1)
        image = self._image(number, found, parent, None)
        if number:
            self.add(number, image)
        else:
            self._unnumbered[pid, Glance(found.started, found.link)] = image
            self.evicted += make_room(self._unnumbered, self._limit)
        if found.executable:
            self.on_resolved(image, found.executable)
        return image

    def _of_process(self, pid: int, depth: int) -> Image | None:
        """Return what a process is, that another one came from."""
        if pid <= 0 or depth > MAX_ANCESTORS or reading.glance(pid, self._root) is None:
            return None
        return self._of(self._current(pid) or 0, pid, None, depth)

    def _read(self, pid: int, number: int) -> Reading | None:
        """Read a process; None where it has gone, or is not this image (any more)."""
        found = reading.read(pid, self._root)
        return found if found is not None and (self._current(pid) or 0) == number else None

    def _image(
        self, number: int, found: Reading, parent: Image | None, record: Executed | None
    ) -> Image:
        """Return the image of a process that was read."""
        words, has_more = found.words, found.has_more
        if not words and record is not None:
            words, has_more = record.arguments, record.has_more
        executable = _path_text(found.executable) or _unknown(found.comm, found.is_kernel)
        return Image(
            number=number,
            pid=found.pid,
            parent_pid=found.parent_pid,
            uid=found.uid,
            executable=executable,
            file=executable if record is None else _path_text(record.path),
            command_line=command_line(words, has_more=has_more),
            comm=printable(found.comm),
            started=self._epoch(found.started if record is None else record.head.time),
            unit=found.membership.unit,
            container=found.membership.container,
            is_deleted=found.is_deleted,
            is_memfd=found.is_memfd,
            is_read=bool(found.executable) or found.is_kernel,
            parent=_cut(parent, MAX_ANCESTORS),
        )

    def _unread(self, record: Executed, parent: Image | None) -> tuple[Image, bytes]:
        """Return the image of a process that has gone, and its executable's path as far as it can be told."""
        head = record.head
        where = self._where(head.cgroup)
        if where is None:
            where = Membership() if parent is None else Membership(parent.unit, parent.container)
        # What the path leads to now is for rules only: it may have been changed since
        path = record.path if where.container else _resolved(record.path)
        image = Image(
            number=head.image,
            pid=head.pid,
            parent_pid=head.parent,
            uid=head.uid,
            executable=_path_text(record.path),
            file=_path_text(record.path),
            command_line=command_line(record.arguments, has_more=record.has_more),
            comm=_comm(head.comm),
            started=self._epoch(head.time),
            unit=where.unit,
            container=where.container,
            is_read=False,
            parent=_cut(parent, MAX_ANCESTORS),
        )
        return image, path

    def _where(self, cgroup: int) -> Membership | None:
        """Return what a cgroup belongs to, of a process that was not read."""
        known = self._groups.get(cgroup)
        name = self.find_group(cgroup) if known is None else None
        if name is not None:
            known = self._groups[cgroup] = membership(b"0::" + os.fsencode(name) + b"\n")
            make_room(self._groups, _MAX_GROUPS)
        return known

    def _gone(self, number: int, pid: int, head: Head | None) -> Image:
        """Return the image of a process that is not known and has gone: all that is left is what it called itself."""
        where = (self._where(head.cgroup) if head is not None else None) or Membership()
        name = _unknown(
            head.comm.partition(b"\0")[0] if head is not None else b"?", is_kernel=False
        )
        image = Image(
            number=number,
            pid=pid,
            parent_pid=head.parent if head is not None else 0,
            uid=head.uid if head is not None else 0,
            executable=name,
            file=name,
            command_line="",
            comm=_comm(head.comm) if head is not None else "",
            started=self._epoch(head.time if head is not None else 0),
            unit=where.unit,
            container=where.container,
            is_read=False,
        )
        self.unread += 1
        if number:
            self.add(number, image)
        return image


def _path_text(path: bytes) -> str:
    """Return a path as text; a very long one is cut, and still told from all others."""
    text = spaced(printable(path))
    if len(text) <= _LONGEST_PATH:
        return text
    return f"{printable(path, _LONGEST_PATH)}{hashlib.sha256(path).hexdigest()[:16]}"


def _comm(comm: bytes) -> str:
    """Return what a process calls itself, as the kernel's records have it."""
    return printable(comm.partition(b"\0")[0])


def _unknown(comm: bytes, is_kernel: bool) -> str:
    """Return what stands for an executable that is not known: no path, so that nobody passes for one."""
    return _KERNEL if is_kernel else f"[{printable(comm)}]"


def _cut(image: Image | None, room: int) -> Image | None:
    """Return an image without its ancestors beyond so many generations, with itself."""
    kept: list[Image] = []
    while image is not None and len(kept) < room:
        kept.append(image)
        image = image.parent
    if image is None:
        return kept[0] if kept else None
    shorter: Image | None = None
    for each in reversed(kept):
        shorter = dataclasses.replace(each, parent=shorter)
    return shorter


def _resolved(path: bytes) -> bytes:
    """Return what runs when this host's file is executed: what links lead to, and the interpreter of a script."""
    # One that fills its place may have been cut by the kernel program
    if not path.startswith(b"/") or path.startswith(_OWN) or len(path) >= PATH_BYTES - 1:
        return path
    try:
        real = os.path.realpath(path, strict=True)
        line = _beginning(real)
        if line is None:
            return path
        if not line.startswith(_INTERPRETED):
            return real
        interpreter = line[len(_INTERPRETED) :].split(b"\n")[0].split()
        if interpreter and interpreter[0].startswith(b"/"):
            return os.path.realpath(interpreter[0], strict=True)
    except (OSError, ValueError):
        return path
    return real


def _beginning(path: bytes) -> bytes | None:
    """Return a regular file's first bytes; None for what is none, which is not even opened: that may do something."""
    place = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    try:
        if not stat.S_ISREG(os.fstat(place).st_mode):
            return None
        file = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK)
        try:
            return os.read(file, _LINE_BYTES)
        finally:
            os.close(file)
    finally:
        os.close(place)
