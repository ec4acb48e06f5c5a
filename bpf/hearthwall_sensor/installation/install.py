"""Puts the sensor on this gateway: a copy of its own, a group, settings, a unit; or undoes what it had done by then."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..protocol import Role, SensorError
from ..trust import Trust
from . import accounts, checking, configuration, placing, unit
from .copying import copy
from .places import COPIES, CURRENT, PACKAGED, PROGRAM, UNIT, Places
from .record import Record
from .steps import Steps
from .systemd import Systemd


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked of an installation."""

    source: Path
    interfaces: Sequence[str] = ()
    wan: Sequence[str] = ()
    users: Sequence[str] = ()
    start: bool = True


def install(places: Places, wishes: Wishes, steps: Steps) -> None:
    """Install, step by step; what is there already stays. Raises SensorError."""
    _require_place(places, wishes)
    record = Record.read(places.record)
    record.folders += _folders(places, steps)
    if not places.record.exists():
        steps.undo_by(partial(places.record.unlink, missing_ok=True))
    _programs(places, wishes.source, steps)
    _group(places, wishes.users, record, steps)
    _settings(places, wishes, steps)
    _unit(places, steps)
    record.write(places.record)
    _start(places, wishes, steps)


def _require_place(places: Places, wishes: Wishes) -> None:
    """Raise SensorError where nothing may be installed, before anything is touched."""
    if places.within(PACKAGED).is_dir():
        raise SensorError(
            "storage_failed",
            "Debian's package hearthwall-sensor is installed here: apt-get installs, upgrades and removes it",
        )
    for each in (places.copies, places.command, places.unit, places.config, *places.passing):
        placing.require_own(each.parent)
    for user in wishes.users:
        accounts.require_user(places, user)


def _folders(places: Places, steps: Steps) -> list[str]:
    """Make the folders that are not there; return which."""
    made: list[str] = []
    parents = (places.copies, places.command.parent, places.config.parent, places.unit.parent)
    for each in parents:
        for path in reversed(placing.folder(each)):
            made.append(str(Path("/") / path.relative_to(places.root)))
            steps.undo_by(partial(placing.remove_if_empty, path))
    return made


def _programs(places: Places, source: Path, steps: Steps) -> None:
    """Copy, check and link the programs."""
    in_use = _in_use(places)
    there = set(places.copies.iterdir())
    copied = copy(source, places.copies, Trust.of_caller())
    if in_use is not None and in_use != copied.name:
        if copied not in there:
            shutil.rmtree(copied)
        raise SensorError(
            "storage_failed",
            f"{in_use} is installed here already: `upgrade` puts {copied.name} in its place",
        )
    if copied not in there:
        steps.did(f"Copied the programs to {copied}", partial(shutil.rmtree, copied))
    if places.is_this_host:
        steps.did(f"Checked the copy: {checking.check(copied)}")
    if in_use is None:
        placing.link(places.current, copied.name)
        steps.undo_by(places.current.unlink)
    if not places.command.is_symlink():
        placing.link(places.command, f"../lib/{COPIES.name}/{CURRENT}/{PROGRAM}")
        steps.did(f"Linked {places.command}", places.command.unlink)


def _in_use(places: Places) -> str | None:
    """Return the name of the copy in use, None for none."""
    return places.current.readlink().name if places.current.is_symlink() else None


def _group(places: Places, users: Sequence[str], record: Record, steps: Steps) -> None:
    """Make the group, and have users join it."""
    listed = accounts.members(places)
    if listed is None:
        accounts.make(places)
        record.group_made, listed = True, []
        steps.did("Made the group hearthwall", partial(accounts.remove, places))
        record.write(places.record)  # a power cut now would leave a group that is nobody's
    for user in users:
        if user in listed:
            continue
        accounts.join(places, user)
        record.members.append(user)
        steps.did(
            f"{user} is in the group hearthwall now: restart what runs as {user}, so that it knows",
            partial(accounts.leave, places, user),
        )


def _settings(places: Places, wishes: Wishes, steps: Steps) -> None:
    """Write the settings, if there are none yet."""
    if places.config.exists():
        steps.did(f"{places.config} is there already, and stays as it is")
        return
    interfaces = _interfaces(places, wishes)
    placing.file(places.config, configuration.text(interfaces, wishes.wan), 0o600)
    steps.did(f"Wrote {places.config}: {', '.join(interfaces)} is guarded", places.config.unlink)


def _interfaces(places: Places, wishes: Wishes) -> Sequence[str]:
    """Return what is to be guarded: what was said, else what leads to the home as far as can be told."""
    if not places.is_this_host and wishes.interfaces:
        return wishes.interfaces

    from ..network import topology
    from ..network.selection import select

    seen = topology.read()
    if not wishes.interfaces:
        found = topology.proposed(seen)
        if found is None:
            raise SensorError(
                "unknown_interface",
                "no interface leads to the home as far as can be told here: name it, such as"
                " install --interface br-lan; `check` lists what there is",
            )
        return (found.name,)
    roles: dict[str, Role] = dict.fromkeys(wishes.interfaces, "lan")
    selection = select(roles | dict.fromkeys(wishes.wan, "wan"), seen)
    for reason in selection.refused.values():
        raise SensorError("unknown_interface", reason)
    if selection.missing:
        known = ", ".join(sorted(each.name for each in seen.interfaces.values()))
        raise SensorError(
            "unknown_interface",
            f"there is no interface {min(selection.missing)!r}; there are {known}",
        )
    return wishes.interfaces


def _unit(places: Places, steps: Steps) -> None:
    """Write the unit, and have it started at boot."""
    text = unit.text(COPIES / CURRENT / PROGRAM)
    kept = places.unit_of(_in_use(places) or "")
    if not kept.exists():
        steps.undo_by(partial(kept.unlink, missing_ok=True))
    placing.file(kept, text, 0o644)
    before = placing.content(places.unit)
    systemd = Systemd(places)
    if before != text:
        placing.file(places.unit, text, 0o644)
        steps.undo_by(systemd.reload)
        undo = (
            places.unit.unlink
            if before is None
            else partial(placing.file, places.unit, before, 0o644)
        )
        steps.did(f"Wrote {places.unit}", undo)
        systemd.reload()
    if systemd.is_there:
        systemd.enable()
        if before is None:
            steps.undo_by(systemd.disable)


def _start(places: Places, wishes: Wishes, steps: Steps) -> None:
    """Start the sensor, or say how."""
    systemd = Systemd(places)
    how = f"systemctl start {UNIT.removesuffix('.service')}"
    if not systemd.runs:
        steps.did(
            f"systemd does not run here, so nothing was started; where it does: {how}; without it:"
            f" {PROGRAM} run --config {Path('/', places.config.relative_to(places.root))}"
        )
    elif not wishes.start:
        steps.did(f"Not started, as you said: {how}")
    elif systemd.is_active:
        steps.did("The sensor runs already")
    else:
        steps.undo_by(systemd.stop)
        systemd.restart()
        steps.did("Started the sensor; it is started at each boot")
