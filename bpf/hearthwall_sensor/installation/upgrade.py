"""Puts another version in the place of the one in use, with a way back; the kernel guards all the while.

Whatever is interrupted, by a kill or a power cut, is brought to its end by the next `upgrade`: what is not done yet is
on disk before it begins.
"""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..protocol import SensorError
from ..trust import Trust
from . import checking, placing, unit
from .copying import copy, require_whole
from .places import PROGRAM, UNIT, Places
from .steps import Steps
from .systemd import Systemd

_PACKAGE = (
    "the sensor here is Debian's package: apt-get install ./hearthwall-sensor_VERSION_all.deb brings another"
    " version, and with --allow-downgrades an older one"
)


def upgrade(places: Places, source: Path, steps: Steps) -> None:
    """Put the version in source in place of the one in use; raises SensorError, and then the old one is in use."""
    now = _in_use(places)
    if source.resolve().is_relative_to(places.copies.resolve()):
        raise SensorError(
            "invalid_message",
            f"this is the installed {now}: run upgrade from the new version's folder, such as"
            " sudo bpf/hearthwall-sensor upgrade; `upgrade --back` goes back to the version before",
        )
    there = set(places.copies.iterdir())
    copied = copy(source, places.copies, Trust.of_caller())
    if copied.name == now:
        _finish(places, now, steps)
        return
    if copied not in there:
        remove = partial(shutil.rmtree, copied)
        steps.did(f"Copied the programs to {copied}", _unless_used(places, copied, remove))
    if places.is_this_host:
        steps.did(f"Checked the copy: {checking.check(copied, places.config)}")
    kept = places.unit_of(copied.name)
    steps.undo_by(_unless_used(places, copied, placing.restoring(kept)))
    placing.file(kept, unit.text_of(copied), 0o644)
    _swap(places, now, copied.name, steps)
    _remove_others(places, steps)
    steps.did(f"{copied.name} is in use; `{PROGRAM} upgrade --back` goes back to {now}")


def _unless_used(places: Places, copied: Path, undo: Callable[[], object]) -> Callable[[], object]:
    """Return what undoes something of a copy, unless that is in use, as going back from it has failed."""
    return partial(placing.unless_link_to, places.current, copied.name, undo)


def back(places: Places, steps: Steps) -> None:
    """Go back to the version before; raises SensorError, and then the one in use stays."""
    now = _in_use(places)
    before = _before(places)
    if before in {None, now}:
        raise SensorError("not_found", f"no version before {now} is kept")
    require_whole(places.copies / str(before))
    if places.is_this_host:
        checking.suits(places.copies / str(before), places.config)
    _swap(places, now, str(before), steps)
    steps.did(f"{before} is in use again; `{PROGRAM} upgrade --back` returns to {now}")


def _in_use(places: Places) -> str:
    """Return the name of the copy in use; raises SensorError `not_found`."""
    if places.current.is_symlink():
        return places.current.readlink().name
    if places.is_package:
        raise SensorError("not_found", _PACKAGE)
    raise SensorError("not_found", f"no sensor is installed in {places.copies}: `install` does it")


def _before(places: Places) -> str | None:
    """Return the name of the copy before it, None for none: what an upgrade that was interrupted says counts."""
    said = placing.content(places.unfinished)
    if said and (places.copies / said).is_dir():
        return said
    return places.previous.readlink().name if places.previous.is_symlink() else None


def _finish(places: Places, now: str, steps: Steps) -> None:
    """Bring to its end what was interrupted before this version ran, if anything was."""
    before = _before(places)
    if places.unfinished.exists() and before is not None and before != now:
        steps.did(f"The upgrade from {before} was interrupted: it goes on")
        _swap(places, before, now, steps)
        _remove_others(places, steps)
        return
    systemd = Systemd(places)
    if not places.unfinished.exists() and not _unit_of(places, now):
        steps.did(f"{now} is in use already")
        return
    steps.did(f"{now} is in use already, but not all of it was in place")
    systemd.reload()
    if systemd.runs and (systemd.is_active or systemd.has_failed):
        systemd.restart()
        steps.did("Restarted the sensor; every rule stayed in force")
    places.unfinished.unlink(missing_ok=True)


def _swap(places: Places, before: str, after: str, steps: Steps) -> None:
    """Use another copy with its unit, and the one before it again if the sensor does not come up."""
    systemd = Systemd(places)
    masked = places.unit.is_symlink()
    may_run = systemd.runs and not masked
    ran, failed = may_run and systemd.is_active, may_run and systemd.has_failed
    steps.undo_by(partial(_is_undone, places, before))
    placing.file(places.unfinished, before, 0o600)
    if ran:
        steps.undo_by(systemd.restart)
    steps.undo_by(systemd.reload)
    steps.undo_by(partial(placing.link, places.current, before))
    placing.link(places.current, after)
    steps.undo_by(placing.restoring(places.previous))
    placing.link(places.previous, before)
    steps.undo_by(partial(_unit_of, places, before))
    _unit_of(places, after)
    systemd.reload()
    steps.did(f"Put {after} in the place of {before}")
    if masked or not unit.is_ours(placing.content(places.unit)):
        steps.did(f"{places.unit} is masked, or somebody else's: it stays as it is")
    if masked:
        steps.did("What runs goes on as it was")
    elif not systemd.runs:
        steps.did("systemd does not run here: what runs goes on as it was until you restart it")
    elif ran or failed:
        _restart(systemd, before, after, steps, failed=failed)
    else:
        steps.did("The sensor was stopped, and stays so")
    places.unfinished.unlink()
    steps.settle()


def _is_undone(places: Places, before: str) -> None:
    """Forget the upgrade that was on its way, if the version before is in use again: else the next one ends it."""
    if placing.is_link_to(places.current, before):
        places.unfinished.unlink(missing_ok=True)


def _unit_of(places: Places, copy_: str) -> bool:
    """Put the unit of a version in place, unless what is there is not ours; return whether that changed anything."""
    kept, said = placing.content(places.unit_of(copy_)), placing.content(places.unit)
    is_others = places.unit.is_symlink() or not (said is None or unit.is_ours(said))
    if is_others or kept is None or kept == said:
        return False
    placing.file(places.unit, kept, 0o644)
    return True


def _restart(systemd: Systemd, before: str, after: str, steps: Steps, *, failed: bool) -> None:
    """Restart the sensor; if it does not come up, go back, and say whether the version before did."""
    try:
        systemd.restart()
    except SensorError as error:
        if left := steps.undo():
            fate = (
                f"and going back to {before} failed, too ({'; '.join(left)}). The kernel guards as it did;"
                f" systemctl status {UNIT} shows more. {after} said"
            )
        elif failed:
            fate = (
                f"so {before} is in use again, which had failed before; the kernel guards as it did"
            )
        else:
            fate = f"so {before} is in use again, and every rule stayed in force"
        raise SensorError(
            error.code, f"{after} did not come up, {fate}: {error.message}"
        ) from error
    steps.did(
        "The sensor had failed: started it"
        if failed
        else "Restarted the sensor; every rule stayed in force"
    )


def _remove_others(places: Places, steps: Steps) -> None:
    """Remove versions that nobody goes back to, and what a copying that was interrupted left."""
    links = (places.current, places.previous)
    kept = {each.readlink().name for each in links if each.is_symlink()}
    for each in places.copies.iterdir():
        if each.is_dir() and not each.is_symlink() and each.name not in kept:
            shutil.rmtree(each)
            places.unit_of(each.name).unlink(missing_ok=True)
            steps.did(f"Removed {each}")
