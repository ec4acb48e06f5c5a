"""Takes an installed sensor away: out of the kernel, out of systemd, off the disk, and its group.

What can't be removed keeps nothing else from being removed; what is somebody else's stays, and is named. The record,
the programs and the command go last, so that whatever stopped half-way can be said once more.
"""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from ..protocol import DEFAULT_SOCKET, SensorError
from . import accounts, placing, unit
from .kernel import Kernel
from .places import COMMAND, Places
from .record import Record
from .steps import Steps
from .systemd import Systemd

#: What a sensor leaves in its socket's folder, where other sensors' sockets may be.
_PASSING: Final = (Path(DEFAULT_SOCKET).name, f"{Path(DEFAULT_SOCKET).name}.lock")
_UNPINNED: Final = "unpinned"
#: How many of somebody else's files are named.
_NAMED: Final = 5


def uninstall(places: Places, steps: Steps, kernel: Kernel, *, keep_state: bool) -> bool:
    """Take everything away, step by step; where nothing was installed, nothing is touched. Raises SensorError.

    Return whether something was installed.
    """
    if not places.is_installed and not _has_unit(places):
        if places.is_package:
            raise SensorError(
                "not_found",
                "the sensor here is Debian's package: apt-get purge hearthwall-sensor removes it",
            )
        placing.remove_if_empty(places.copies)
        # All that is left where a power cut came at the last moment
        was_there = _command(places, steps)
        for each in (places.config.parent, *places.state):
            if each.exists():
                steps.did(
                    f"{each} is there, of an earlier installation or another sensor, and stays"
                )
        return was_there
    record = Record.read(places.record)
    _stop(places, steps, keep_settings=keep_state or places.is_package)
    if places.is_this_host and kernel.unload():
        steps.did("Nothing of the sensor is in the kernel any more")
    removing = _Removing(steps)
    if places.is_package:
        steps.did("Debian's package is installed too: settings, state and the group stay for it")
    else:
        _state(places, removing, keep_state=keep_state)
        group = _keep_group if keep_state else _group
        removing.attempt(places.root, partial(group, places, record, steps))
    removing.require_all()
    removing.all_of(places.copies)
    _command(places, steps)
    removing.require_all()
    for made in sorted(record.folders, key=len, reverse=True):
        placing.remove_if_empty(places.entry(Path(made)))
    return True


class _Removing:
    """What is removed, one thing after the other, though one of them can't be."""

    def __init__(self, steps: Steps) -> None:
        """Take whom to tell."""
        self._steps = steps
        self._left: list[str] = []

    def all_of(self, path: Path) -> None:
        """Remove a folder with all that is in it; of a link itself only, and of a disk's what is on it."""
        if path.is_symlink():
            where = path.readlink()
            self.attempt(path, path.unlink)
            self._steps.did(f"Removed {path}, a link; what is in {where} is left to you")
        elif path.is_mount():
            for each in list(path.iterdir()):
                self.attempt(each, partial(_remove, each))
            self._steps.did(f"Emptied {path}, where something is mounted")
        elif path.is_dir() and self.attempt(path, partial(shutil.rmtree, path)):
            self._steps.did(f"Removed {path}")

    def only(self, path: Path) -> None:
        """Remove a file, and its folder if nothing of anybody else is in it."""
        placing.fresh(path).unlink(missing_ok=True)
        if path.exists() and self.attempt(path, path.unlink):
            self._steps.did(f"Removed {path}")
        if path.parent.is_dir() and not placing.remove_if_empty(path.parent):
            others = sorted(each.name for each in path.parent.iterdir())
            named = ", ".join(others[:_NAMED]) + (", …" if len(others) > _NAMED else "")
            if named:
                self._steps.did(f"{path.parent} stays, with what is yours: {named}")

    def kept(self, *paths: Path) -> None:
        """Tell what is not removed."""
        for each in paths:
            if each.exists():
                self._steps.did(f"{each} is kept for the next installation")

    def attempt(self, path: Path, remove: Callable[[], object]) -> bool:
        """Remove something, or note why that can't be; return whether it went."""
        try:
            remove()
        except OSError as error:
            self._left.append(f"{error.filename or path} ({error.strerror})")
        except SensorError as error:
            self._left.append(error.message)
        else:
            return True
        return False

    def require_all(self) -> None:
        """Raise SensorError `storage_failed` if something could not be removed."""
        if self._left:
            raise SensorError(
                "storage_failed",
                f"this could not be removed: {', '.join(self._left)}. Look why, and say uninstall once more",
            )


def _remove(path: Path) -> None:
    """Remove a file or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _has_unit(places: Places) -> bool:
    """Return whether the unit is there that runs what is installed, though that be gone."""
    return not places.unit.is_symlink() and unit.is_ours(placing.content(places.unit))


def _command(places: Places, steps: Steps) -> bool:
    """Remove the command; return whether it was there."""
    placing.fresh(places.command).unlink(missing_ok=True)
    if not placing.is_link_to(places.command, COMMAND):
        return False
    places.command.unlink()
    steps.did(f"Removed {places.command}")
    return True


def _stop(places: Places, steps: Steps, *, keep_settings: bool) -> None:
    """Stop the sensor, and take its unit away."""
    placing.fresh(places.unit).unlink(missing_ok=True)
    if not _has_unit(places):
        if os.path.lexists(places.unit):
            steps.did(f"{places.unit} is not what was installed: it stays")
        return
    systemd = Systemd(places)
    if systemd.runs:
        systemd.stop()
        steps.did("Stopped the sensor")
    if systemd.is_there:
        systemd.disable()
    places.unit.unlink()
    steps.did(f"Removed {places.unit}")
    own = places.unit.with_name(f"{places.unit.name}.d")
    if keep_settings and own.is_dir():
        steps.did(f"{own} is kept: what you have set there holds for Debian's package, too")
    else:
        shutil.rmtree(own, ignore_errors=True)
    systemd.reload()


def _group(places: Places, record: Record, steps: Steps) -> None:
    """Remove the group if it was made here, else only who was put into it."""
    listed = accounts.members(places)
    if listed is None:
        return
    if record.group_made:
        accounts.remove(places)
        steps.did("Removed the group hearthwall")
        return
    for user in set(record.members) & set(listed):
        accounts.leave(places, user)
        steps.did(f"{user} has left the group hearthwall, which was there before")
    if not places.record.exists():
        steps.did("The group hearthwall stays: nothing tells any more whether it was made here")


def _keep_group(places: Places, record: Record, steps: Steps) -> None:
    """Keep the group for the next installation, and on record whose it is: Home Assistant's user stays in it."""
    if not record.group_made and not record.members:
        return
    state = places.kept_record.parent
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    Record(group_made=record.group_made, members=record.members).write(places.kept_record)
    steps.did("The group hearthwall is kept for the next installation, with who is in it")


def _state(places: Places, removing: _Removing, *, keep_state: bool) -> None:
    """Remove what the sensor has made and learnt, unless it is to be kept."""
    removing.all_of(places.cache)
    for name in _PASSING:
        (places.run / name).unlink(missing_ok=True)
    for folder in (places.run / _UNPINNED, places.run):
        placing.remove_if_empty(folder)
    if keep_state:
        removing.kept(places.config, *places.state)
        return
    for each in places.state:
        removing.all_of(each)
    removing.only(places.config)
