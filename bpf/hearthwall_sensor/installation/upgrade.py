"""Puts another version in the place of the one in use, with a way back; the kernel guards all the while."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..protocol import SensorError
from ..trust import Trust
from . import checking, placing, unit
from .copying import copy, require_whole
from .places import COPIES, CURRENT, PROGRAM, Places
from .steps import Steps
from .systemd import Systemd


def upgrade(places: Places, source: Path, steps: Steps) -> None:
    """Put the version in source in place of the one in use; raises SensorError, and then the old one is in use."""
    before = _in_use(places)
    if source.resolve().is_relative_to(places.copies.resolve()):
        raise SensorError(
            "invalid_message",
            f"this is the installed {before}: run upgrade from the new version's folder, such as"
            " sudo bpf/hearthwall-sensor upgrade; `upgrade --back` goes back to the version before",
        )
    there = set(places.copies.iterdir())
    copied = copy(source, places.copies, Trust.of_caller())
    if copied.name == before:
        steps.did(f"{before} is in use already")
        return
    if copied not in there:
        steps.did(f"Copied the programs to {copied}", partial(shutil.rmtree, copied))
    if places.is_this_host:
        steps.did(f"Checked the copy: {checking.check(copied)}")
    kept = places.unit_of(copied.name)
    placing.file(kept, unit.text(COPIES / CURRENT / PROGRAM), 0o644)
    steps.undo_by(kept.unlink)
    _swap(places, before, copied.name, steps)
    steps.settle()
    _remove_others(places, {before, copied.name}, steps)
    steps.did(f"{copied.name} is in use; `{PROGRAM} upgrade --back` goes back to {before}")


def back(places: Places, steps: Steps) -> None:
    """Go back to the version before; raises SensorError, and then the one in use stays."""
    now = _in_use(places)
    if not places.previous.is_symlink():
        raise SensorError("not_found", f"no version before {now} is kept")
    before = places.previous.readlink().name
    require_whole(places.copies / before)
    _swap(places, now, before, steps)
    steps.settle()
    steps.did(f"{before} is in use again; `{PROGRAM} upgrade --back` returns to {now}")


def _in_use(places: Places) -> str:
    """Return the name of the copy in use; raises SensorError `not_found`."""
    if not places.current.is_symlink():
        raise SensorError(
            "not_found", f"no sensor is installed in {places.copies}: `install` does it"
        )
    return places.current.readlink().name


def _swap(places: Places, before: str, after: str, steps: Steps) -> None:
    """Use another copy with its unit, and the one before it again if the sensor does not come up."""
    systemd = Systemd(places)
    ran = systemd.runs and systemd.is_active
    if ran:
        steps.undo_by(systemd.restart)
    steps.undo_by(systemd.reload)
    steps.undo_by(_kept_link(places.previous))
    placing.link(places.previous, before)
    placing.link(places.current, after)
    steps.undo_by(partial(placing.link, places.current, before))
    kept, said = placing.content(places.unit_of(after)), placing.content(places.unit)
    if kept is not None and said is not None and kept != said:
        placing.file(places.unit, kept, 0o644)
        steps.undo_by(partial(placing.file, places.unit, said, 0o644))
    systemd.reload()
    steps.did(f"Put {after} in the place of {before}")
    if not systemd.runs:
        steps.did("systemd does not run here: what runs goes on as it was until you restart it")
    elif not ran:
        steps.did("The sensor was stopped, and stays so")
    else:
        _restart(systemd, before, after, steps)


def _restart(systemd: Systemd, before: str, after: str, steps: Steps) -> None:
    """Restart the sensor; if it does not come up, say that the version before is started again."""
    try:
        systemd.restart()
    except SensorError as error:
        raise SensorError(
            error.code,
            f"{after} did not come up, so {before} is in use again, and every rule stayed in force:"
            f" {error.message}",
        ) from error
    steps.did("Restarted the sensor; every rule stayed in force")


def _kept_link(path: Path) -> Callable[[], object]:
    """Return what puts a link back as it is now."""
    if path.is_symlink():
        return partial(placing.link, path, str(path.readlink()))
    return partial(path.unlink, missing_ok=True)


def _remove_others(places: Places, kept: set[str], steps: Steps) -> None:
    """Remove versions that nobody goes back to."""
    for each in places.copies.iterdir():
        if each.is_dir() and not each.is_symlink() and each.name not in kept:
            shutil.rmtree(each)
            places.unit_of(each.name).unlink(missing_ok=True)
            steps.did(f"Removed {each}")
