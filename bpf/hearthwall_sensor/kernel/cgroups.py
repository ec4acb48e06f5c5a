"""Cgroups of the second version: where they are mounted, and a sensor's programs on one of them."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ..protocol import SensorError
from .attachment import detach
from .libbpf import Handle, Program, call
from .pins import Pins
from .process_programs import CGROUP_HOOKS

#: How the names of links on cgroups begin, in the folder of links.
_PREFIX: Final = "cgroup"
#: A search for one of them ends after so many.
_MOST_LOOKED_AT: Final = 2048


def root() -> Path | None:
    """Return where cgroups of the second version are mounted, None where they are not."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split(" ")
        if kind == "cgroup2":
            return Path(place.replace("\\040", " "))
    return None


def chosen(setting: str | None) -> "Cgroup | None":
    """Return the cgroup whose processes are watched, None for none.

    The setting is a path, `none`, or None for all. Raises SensorError `missing_capability` for one that is not there.
    """
    if setting == "none":
        return None
    top = root()
    if setting is None:
        return None if top is None else Cgroup(top, top)
    path = Path(setting)
    if top is None or not (path / "cgroup.procs").is_file() or not path.is_relative_to(top):
        raise SensorError(
            "missing_capability",
            f"{setting} is no cgroup of the second version: choose a folder below {top or '/sys/fs/cgroup'},"
            " or `none` to watch no processes",
        )
    return Cgroup(path.resolve(), top)


class Cgroup:
    """One cgroup."""

    def __init__(self, path: Path, top: Path) -> None:
        """Take its folder, and that of the highest one."""
        self.path: Final = path
        #: How far below the highest it is, and the kernel's number of it, 0 for the highest: that is for all processes.
        self.level: Final = len(path.relative_to(top).parts)
        self.number: Final = path.stat().st_ino if self.level else 0
        #: What its processes' lines in /proc/PID/cgroup begin with.
        self.name: Final = "/" + str(path.relative_to(top)) if self.level else "/"
        self.top: Final = top

    def find(self, number: int) -> str | None:
        """Return the name of the cgroup with this number, None for one that is not there, or too far down."""
        places = [self.path]
        for place in places:
            try:
                found = [
                    Path(each.path)
                    for each in os.scandir(place)
                    if each.is_dir(follow_symlinks=False)
                ]
                if place.stat().st_ino == number:
                    return "/" + str(place.relative_to(self.top))
            except OSError:
                continue
            places += found[: _MOST_LOOKED_AT - len(places)]
        return None

    def holds(self, name: str) -> bool:
        """Return whether a process is in it, by its line in /proc/PID/cgroup."""
        return not self.level or name == self.name or name.startswith(self.name + "/")


class CgroupHooks:
    """A sensor's programs on a cgroup, pinned, so that rules hold when the sensor has ended."""

    def __init__(self, pins: Pins, cgroup: Cgroup) -> None:
        """Take where links are pinned, and the cgroup."""
        self._links = pins.links
        self._cgroup = cgroup

    def attach(
        self, programs: Mapping[str, Program], wanted: Callable[[str], bool]
    ) -> dict[str, str]:
        """Have those programs on the cgroup that are wanted; return why others can't be, by the program's name."""
        failed = {}
        for name, program in programs.items():
            path = self._path(name)
            try:
                if not wanted(name):
                    detach(path)
                elif not self._replace(path, program):
                    self._make(path, name, program)
            except OSError as error:
                failed[name] = os.strerror(error.errno or 0)
        self._clear_others()
        return failed

    def _path(self, name: str) -> Path:
        """Return where a program's link is pinned."""
        return self._links / f"{_PREFIX}-{self._cgroup.number}-{name}"

    @staticmethod
    def _replace(path: Path, program: Program) -> bool:
        """Put a program in the place of the one that is there; return whether there was one."""
        try:
            link: Handle = Handle.pinned(str(path))
        except FileNotFoundError:
            return False
        try:
            call("bpf_link_update", link.fd, program.fd, None)
        except OSError:  # of a cgroup that was removed: its number has come back
            path.unlink()
            return False
        finally:
            link.close()
        return True

    def _make(self, path: Path, name: str, program: Program) -> None:
        """Attach a program and pin its link."""
        folder = os.open(self._cgroup.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            link = Handle(
                call(
                    "bpf_link_create",
                    program.fd,
                    folder,
                    CGROUP_HOOKS[name].attach_type,
                    None,
                )
            )
        finally:
            os.close(folder)
        try:
            link.pin(str(path))
        finally:
            link.close()

    def _clear_others(self) -> None:
        """Take programs off a cgroup that was watched before."""
        for path in self._links.glob(f"{_PREFIX}-*"):
            if not path.name.startswith(f"{_PREFIX}-{self._cgroup.number}-"):
                detach(path)


def clear(pins: Pins) -> None:
    """Take a sensor's programs off every cgroup."""
    for path in pins.links.glob(f"{_PREFIX}-*"):
        detach(path)
