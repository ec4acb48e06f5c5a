"""Where a sensor keeps its kernel objects: one folder of bpffs for each sensor, found by its socket's path.

    /sys/fs/bpf/hearthwall/<sensor>/<generation>/   programs and maps of one version of the sources
    /sys/fs/bpf/hearthwall/<sensor>/links/          attachments: <interface index>-<place>, and those on processes
    /sys/fs/bpf/hearthwall/<sensor>/socket, state   symbolic links: whose folder this is
    /sys/fs/bpf/hearthwall/<sensor>/<interface index>-<namespace>-qdisc   a symbolic link: clsact was made for filters

Enforcement lives here, not in a process: what is pinned goes on when the sensor is killed. Where there is no bpffs, the
same folders are below held.FOLDER, and enforcement lives on the interfaces (`interface_programs`).
"""

import contextlib
import ctypes
import errno
import hashlib
import os
import re
import shutil
import stat
from functools import cached_property
from pathlib import Path
from typing import Final

from .. import privileges
from ..protocol import SensorError
from . import held
from .attachment import detach

#: What it means that there is no bpffs: for `status` and `check`.
LOST: Final = (
    "interfaces stay guarded when the sensor ends, by the programs that are on them, but nothing is counted then;"
    " counts of rules begin anew at each start, and rules on processes hold only while the sensor runs"
)
BPFFS: Final = Path("/sys/fs/bpf")
#: What mounts it by hand, as `mount` does: nobody but root looks into it.
MOUNT: Final = f"mount -t bpf -o mode=700 bpf {BPFFS}"
_PINNED: Final = BPFFS / "hearthwall"
#: The folder of attachments among a sensor's generations.
LINKS: Final = "links"
#: A symbolic link that is in a generation's folder from when it is complete until it begins to be removed.
_WHOLE: Final = "whole"
#: What notes that a qdisc was made ends so.
_QDISC: Final = "qdisc"
_BPFFS_MAGIC: Final = 0xCAFE4A11
_STATFS_SIZE: Final = 120


def is_bpffs(path: Path) -> bool:
    """Return whether path lies on a BPF file system; Python's statvfs does not tell the type."""
    buffer = ctypes.create_string_buffer(_STATFS_SIZE)
    if ctypes.CDLL(None).statfs(os.fsencode(path), buffer) != 0:
        return False
    return int.from_bytes(buffer.raw[: ctypes.sizeof(ctypes.c_long)], "little") == _BPFFS_MAGIC


def mount() -> str | None:
    """Mount bpffs where the system has not; return why that can't be, as in a container, None where it is mounted."""
    if is_bpffs(BPFFS):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"bpf", os.fsencode(BPFFS), b"bpf", 0, b"mode=0700") == 0:
        return None
    reason = os.strerror(ctypes.get_errno())
    return f"bpffs is not mounted and can't be: {MOUNT} ({reason})"


def is_possible() -> bool:
    """Return whether bpffs is mounted, or this process may mount it, as in no container."""
    return is_bpffs(BPFFS) or (BPFFS.is_dir() and privileges.may_mount())


def root() -> Path:
    """Return where the folders of all sensors are."""
    return _PINNED if is_bpffs(BPFFS) else held.FOLDER


class Pins:
    """One sensor's folder in bpffs."""

    def __init__(self, socket_path: str) -> None:
        """Take the path of the sensor's socket, which names the sensor on this host."""
        real = os.path.realpath(socket_path)
        # bpffs takes no dots; the digest keeps two paths apart that read alike.
        readable = re.sub(r"[^A-Za-z0-9]+", "-", real).strip("-")[-40:]
        self._name = f"{readable}-{hashlib.sha256(real.encode()).hexdigest()[:8]}"
        self.socket = real

    @cached_property
    def path(self) -> Path:
        """The folder: where it is, is known once bpffs was to be mounted."""
        return root() / self._name

    @property
    def links(self) -> Path:
        """The folder of attachments."""
        return self.path / LINKS

    @property
    def are_held(self) -> bool:
        """Whether nothing is pinned, for want of bpffs, but held by the sensor's process."""
        return held.is_held(self.path)

    def make(self, state: Path) -> None:
        """Make the folder, which only root may look into, and note which socket and state belong to it."""
        if self.are_held:  # files of a process that has gone, and of nothing else
            shutil.rmtree(self.path, ignore_errors=True)
            held.FOLDER.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        for folder in (self.path.parent, self.path, self.links):
            folder.mkdir(mode=0o700, exist_ok=True)
            _require_own(folder)
        for left in self.path.glob("*-partial"):  # by a loader that was killed
            self.remove_generation(left)
        for name, target in (("socket", Path(self.socket)), ("state", state.absolute())):
            link = self.path / name
            link.unlink(missing_ok=True)
            link.symlink_to(target)

    def note_qdisc(self, interface: int) -> None:
        """Note that an interface had no clsact qdisc before this sensor's filters."""
        with contextlib.suppress(FileExistsError):
            (self.path / link_name(interface, _QDISC)).symlink_to(_QDISC)

    def has_made_qdisc(self, interface: int) -> bool:
        """Return whether an interface has its clsact qdisc for this sensor's filters."""
        return (self.path / link_name(interface, _QDISC)).is_symlink()

    @property
    def state(self) -> Path | None:
        """The state folder of the sensor that made this folder."""
        link = self.path / "state"
        if not link.is_symlink():
            return None
        for folder in (self.path.parent, self.path):
            _require_own(folder)
        return link.readlink()

    def is_complete(self, folder: Path) -> bool:
        """Return whether a generation is there, whole; what is left of one that was half removed goes."""
        if not folder.is_dir():
            return False
        if (folder / _WHOLE).is_symlink():
            return True
        self.remove_generation(folder)
        return False

    def generation(self, name: str) -> Path:
        """Return the folder of one generation of programs and maps."""
        return self.path / name

    def generations(self) -> list[Path]:
        """Return the complete generations, the one that was loaded last at the end."""
        if not self.path.is_dir():
            return []
        found = [
            each
            for each in self.path.iterdir()
            if each != self.links and not each.is_symlink() and not each.name.endswith("-partial")
        ]
        return sorted(found, key=lambda each: each.stat().st_mtime_ns)

    def remove_generation(self, folder: Path) -> None:
        """Unpin one generation; programs that are attached stay until their links go."""
        (folder / _WHOLE).unlink(missing_ok=True)
        for name in folder.iterdir():
            name.unlink()
        folder.rmdir()
        held.forget()

    def remove(self) -> int:
        """Unpin everything, links first so that no program judges by an emptied table; return how many links went."""
        if not self.path.is_dir():
            return 0
        links = list(self.links.iterdir()) if self.links.is_dir() else []
        for each in links:
            detach(each)
        for each in self.path.iterdir():
            if each.is_symlink():
                each.unlink()
            else:
                self.remove_generation(each)
        self.path.rmdir()
        return len(links)


def _require_own(folder: Path) -> None:
    """Raise SensorError `unsafe_files` for a folder that someone else made: bpffs may be mounted for all to write."""
    said = folder.lstat()
    if not stat.S_ISDIR(said.st_mode) or said.st_uid != os.geteuid() or said.st_mode & 0o022:
        raise SensorError(
            "unsafe_files", f"{folder} is not this sensor's: look who made it, and remove it"
        )


def publish(partial: Path, folder: Path) -> None:
    """Make a folder of pins a generation, complete at once; if another process was first, its own stays."""
    complete(partial)
    try:
        partial.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        for each in partial.iterdir():
            each.unlink()
        partial.rmdir()


def complete(folder: Path) -> None:
    """Say that a folder holds all of its generation."""
    (folder / _WHOLE).symlink_to(folder.name)


def link_name(interface: int, place: str) -> str:
    """Return a link's name: index in its network namespace, namespace, place."""
    return f"{interface}-{network_namespace()}-{place}"


def network_namespace() -> int:
    """Return the number of this process's network namespace."""
    return Path("/proc/self/ns/net").stat().st_ino


def loaded() -> list[str]:
    """Return the sockets of all sensors that have left something in the kernel."""
    folder = root()
    return sorted(map(socket_of, folder.iterdir())) if folder.is_dir() else []


def socket_of(folder: Path) -> str:
    """Return the socket that a sensor's folder belongs to."""
    link = folder / "socket"
    return str(link.readlink()) if link.is_symlink() else folder.name
