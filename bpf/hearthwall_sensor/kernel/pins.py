"""Where a sensor keeps its kernel objects: one folder of bpffs for each sensor, found by its socket's path.

    /sys/fs/bpf/hearthwall/<sensor>/<generation>/   programs and maps of one version of the sources
    /sys/fs/bpf/hearthwall/<sensor>/links/          attachments: <interface index>-<place>, and those on processes
    /sys/fs/bpf/hearthwall/<sensor>/socket, state   symbolic links: whose folder this is

Enforcement lives here, not in a process: what is pinned goes on when the sensor is killed.
"""

import ctypes
import errno
import hashlib
import os
import re
from pathlib import Path
from typing import Final

from ..protocol import SensorError
from .attachment import detach

BPFFS: Final = Path("/sys/fs/bpf")
ROOT: Final = BPFFS / "hearthwall"
#: The folder of attachments among a sensor's generations.
LINKS: Final = "links"
#: A symbolic link that is in a generation's folder from when it is complete until it begins to be removed.
_WHOLE: Final = "whole"
_BPFFS_MAGIC: Final = 0xCAFE4A11
_STATFS_SIZE: Final = 120


def is_bpffs(path: Path) -> bool:
    """Return whether path lies on a BPF file system; Python's statvfs does not tell the type."""
    buffer = ctypes.create_string_buffer(_STATFS_SIZE)
    if ctypes.CDLL(None).statfs(os.fsencode(path), buffer) != 0:
        return False
    return int.from_bytes(buffer.raw[: ctypes.sizeof(ctypes.c_long)], "little") == _BPFFS_MAGIC


def mount() -> None:
    """Mount bpffs where the system has not; raises SensorError `missing_capability`."""
    if is_bpffs(BPFFS):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"bpf", os.fsencode(BPFFS), b"bpf", 0, b"mode=0700") != 0:
        reason = os.strerror(ctypes.get_errno())
        raise SensorError(
            "missing_capability",
            f"bpffs is not mounted and can't be: mount -t bpf bpf {BPFFS} ({reason})",
        )


class Pins:
    """One sensor's folder in bpffs."""

    def __init__(self, socket_path: str) -> None:
        """Take the path of the sensor's socket, which names the sensor on this host."""
        real = os.path.realpath(socket_path)
        # bpffs takes no dots; the digest keeps two paths apart that read alike.
        readable = re.sub(r"[^A-Za-z0-9]+", "-", real).strip("-")[-40:]
        self.path = ROOT / f"{readable}-{hashlib.sha256(real.encode()).hexdigest()[:8]}"
        self.links = self.path / LINKS
        self.socket = real

    def make(self, state: Path) -> None:
        """Make the folder, which only root may look into, and note which socket and state belong to it."""
        for folder in (ROOT, self.path, self.links):
            folder.mkdir(mode=0o700, exist_ok=True)
        for left in self.path.glob("*-partial"):  # by a loader that was killed
            self.remove_generation(left)
        for name, target in (("socket", Path(self.socket)), ("state", state.absolute())):
            link = self.path / name
            link.unlink(missing_ok=True)
            link.symlink_to(target)

    @property
    def state(self) -> Path | None:
        """The state folder of the sensor that made this folder."""
        link = self.path / "state"
        return link.readlink() if link.is_symlink() else None

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


def publish(partial: Path, folder: Path) -> None:
    """Make a folder of pins a generation, complete at once; if another process was first, its own stays."""
    (partial / _WHOLE).symlink_to(folder.name)
    try:
        partial.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        for each in partial.iterdir():
            each.unlink()
        partial.rmdir()


def link_name(interface: int, place: str) -> str:
    """Return a link's name: index in its network namespace, namespace, place."""
    return f"{interface}-{network_namespace()}-{place}"


def network_namespace() -> int:
    """Return the number of this process's network namespace."""
    return Path("/proc/self/ns/net").stat().st_ino


def loaded() -> list[str]:
    """Return the sockets of all sensors that have left something in the kernel."""
    return sorted(socket_of(folder) for folder in ROOT.iterdir()) if ROOT.is_dir() else []


def socket_of(folder: Path) -> str:
    """Return the socket that a sensor's folder belongs to."""
    link = folder / "socket"
    return str(link.readlink()) if link.is_symlink() else folder.name
