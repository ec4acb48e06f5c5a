"""Takes an installed sensor away: out of the kernel, out of systemd, off the disk, and its group."""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

from ..protocol import SensorError
from . import accounts, placing
from .places import PACKAGED, Places
from .record import Record
from .steps import Steps
from .systemd import Systemd


def uninstall(
    places: Places, steps: Steps, unload: Callable[[], bool], *, keep_state: bool
) -> None:
    """Take everything away, step by step; what is not there is no error. Raises SensorError.

    `unload` takes it out of the kernel, and returns whether something was there.
    """
    if places.within(PACKAGED).is_dir() and not places.copies.is_dir():
        raise SensorError(
            "not_found",
            "the sensor here is Debian's package: apt-get purge hearthwall-sensor removes it",
        )
    record = Record.read(places.record)
    _stop(places, steps)
    if places.is_this_host and unload():
        steps.did("Nothing of the sensor is in the kernel any more")
    if places.command.is_symlink():
        places.command.unlink()
        steps.did(f"Removed {places.command}")
    _group(places, record, steps)
    _state(places, steps, keep_state=keep_state)
    if places.copies.is_dir():
        shutil.rmtree(places.copies)
        steps.did(f"Removed {places.copies}")
    for each in sorted(record.folders, key=len, reverse=True):
        placing.remove_if_empty(places.within(Path(each)))


def _stop(places: Places, steps: Steps) -> None:
    """Stop the sensor, and take its unit away."""
    systemd = Systemd(places)
    if not places.unit.exists():
        return
    if systemd.runs:
        systemd.stop()
        steps.did("Stopped the sensor")
    if systemd.is_there:
        systemd.disable()
    places.unit.unlink()
    shutil.rmtree(places.unit.with_name(f"{places.unit.name}.d"), ignore_errors=True)
    systemd.reload()
    steps.did(f"Removed {places.unit}")


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


def _state(places: Places, steps: Steps, *, keep_state: bool) -> None:
    """Remove what the sensor has made and learnt, unless it is to be kept."""
    for each in (*places.passing, *(() if keep_state else places.kept)):
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(each)
            steps.did(f"Removed {each}")
    for each in places.kept if keep_state else ():
        if each.is_dir():
            steps.did(f"{each} is kept for the next installation")
