"""Puts the sensor on this gateway: a copy of its own, a group, settings, a unit; or undoes what it had done by then."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..protocol import Role, SensorError
from ..trust import Trust
from . import accounts, checking, configuration, placing, unit
from .copying import copy
from .kernel import Kernel
from .places import COMMAND, CONFIG, GROUP, PROGRAM, UNIT, Places
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


def install(places: Places, wishes: Wishes, steps: Steps, kernel: Kernel) -> bool:
    """Install, step by step; what is there already stays. Return whether the sensor runs; raises SensorError."""
    _require_place(places)
    users = [accounts.name_of(places, each) for each in wishes.users]
    record = Record.read(places.record)
    if not places.record.exists() and places.kept_record.exists():
        kept = Record.read(places.kept_record)
        record = Record(group_made=kept.group_made, members=kept.members)
    is_new = not record.complete
    _folders(places, record, steps)
    _programs(places, wishes.source, steps)
    _settings(places, wishes, steps)
    _group(places, users, record, steps)
    _unit(places, steps, is_new=is_new)
    runs = _start(places, wishes, steps, kernel, is_new=is_new)
    record.complete = True
    record.write(places.record)
    places.kept_record.unlink(missing_ok=True)
    return runs


def _require_place(places: Places) -> None:
    """Raise SensorError where nothing may be installed, before anything is touched."""
    if places.is_package:
        raise SensorError(
            "storage_failed",
            "Debian's package hearthwall-sensor is installed here, and apt-get upgrades and removes it. Its"
            f" settings are in {CONFIG}; adduser NAME {GROUP} lets a user talk to the sensor",
        )
    for each in (
        places.copies,
        places.command,
        places.unit,
        places.config,
        places.cache,
        places.run,
    ):
        placing.require_own(each.parent)
    if _is_anothers(places.command):
        raise SensorError(
            "storage_failed",
            f"{places.command} is somebody else's: move it away, or remove its owner",
        )
    if places.unit.is_symlink():
        raise SensorError(
            "storage_failed",
            f"{places.unit} is a link to {places.unit.readlink()}: systemctl unmask {UNIT}, or move it away",
        )
    if places.unit.exists() and not unit.is_ours(placing.content(places.unit)):
        raise SensorError(
            "storage_failed", f"{places.unit} is somebody else's: move it away, or remove its owner"
        )


def _is_anothers(command: Path) -> bool:
    """Return whether something else is where the command belongs."""
    return os.path.lexists(command) and not placing.is_link_to(command, COMMAND)


def _folders(places: Places, record: Record, steps: Steps) -> None:
    """Make the folders that are not there; what is made is on record before, lest a power cut leave it for good."""
    first = placing.missing(places.copies)
    parents = (places.command.parent, places.config.parent, places.unit.parent)
    others = [each for parent in parents for each in placing.missing(parent) if each not in first]
    lacking = list(dict.fromkeys([*first, *others]))
    record.folders += [str(Path("/") / each.relative_to(places.root)) for each in lacking]
    for each in lacking[: len(first)]:
        _folder(each, steps)
    steps.undo_by(placing.restoring(places.record))
    record.write(places.record)
    for each in lacking[len(first) :]:
        _folder(each, steps)


def _folder(path: Path, steps: Steps) -> None:
    """Make one folder."""
    placing.folder(path)
    steps.undo_by(partial(placing.remove_if_empty, path))


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
        remove = partial(shutil.rmtree, copied)
        steps.did(
            f"Copied the programs to {copied}",
            partial(placing.unless_link_to, places.current, copied.name, remove),
        )
    if places.is_this_host:
        steps.did(f"Checked the copy: {checking.check(copied, places.config)}")
    if in_use is None:
        placing.link(places.current, copied.name)
        steps.undo_by(places.current.unlink)
    if not places.command.is_symlink():
        placing.link(places.command, COMMAND)
        steps.did(f"Linked {places.command}", places.command.unlink)


def _in_use(places: Places) -> str | None:
    """Return the name of the copy in use, None for none."""
    return places.current.readlink().name if places.current.is_symlink() else None


def _settings(places: Places, wishes: Wishes, steps: Steps) -> None:
    """Write the settings, if there are none yet."""
    if places.config.exists():
        _require_same(places.config, wishes)
        steps.did(f"{places.config} is there already, and stays as it is")
        return
    interfaces = _interfaces(places, wishes)
    steps.undo_by(placing.restoring(places.config))
    placing.file(places.config, configuration.text(interfaces, wishes.wan), 0o600)
    steps.did(f"Wrote {places.config}: {', '.join((*interfaces, *wishes.wan))} is guarded")


def _require_same(config: Path, wishes: Wishes) -> None:
    """Raise SensorError `invalid_message` for interfaces other than those that the settings name: they are yours."""
    if not wishes.interfaces and not wishes.wan:
        return

    from .. import settings

    chosen = settings.read(str(config), {})
    for name, wanted, said in (
        ("interfaces", wishes.interfaces, chosen.interfaces),
        ("wan", wishes.wan, chosen.wan),
    ):
        if wanted and set(wanted) != set(said):
            raise SensorError(
                "invalid_message",
                f"{config} is there already and says {name} = {json.dumps(said)}, not"
                f" {json.dumps(list(wanted))}: change it there, then systemctl restart {UNIT}",
            )


def _group(places: Places, users: Sequence[str], record: Record, steps: Steps) -> None:
    """Make the group, and have users join it."""
    listed = accounts.members(places)
    if listed is None:
        record.group_made, listed = True, []
        record.write(places.record)  # a power cut would leave a group that is nobody's
        accounts.make(places)
        steps.did("Made the group hearthwall", partial(accounts.remove, places))
    elif (others := sorted(set(listed) - {*users, *record.members})) and not record.group_made:
        steps.did(
            f"The group {GROUP} was there before: {', '.join(others)} may talk to the sensor, too"
        )
    for user in users:
        if user in listed:
            continue
        record.members.append(user)
        record.write(places.record)
        accounts.join(places, user)
        steps.did(
            f"{user} is in the group hearthwall now: restart what runs as {user}, so that it knows",
            partial(accounts.leave, places, user),
        )


def _interfaces(places: Places, wishes: Wishes) -> Sequence[str]:
    """Return what is to be guarded: what was said, else what leads to the home as far as can be told."""
    interfaces = wishes.interfaces or _proposed()
    if both := set(interfaces) & set(wishes.wan):
        raise SensorError(
            "invalid_message", f"{min(both)} is either the home's side or the internet's, not both"
        )
    for each in (*interfaces, *wishes.wan):
        if not _is_utf8(each):
            raise SensorError(
                "unknown_interface", f"{each!r} is not UTF-8, and can't stand in {CONFIG}"
            )
    if places.is_this_host:
        _require_there(interfaces, wishes.wan)
    return interfaces


def _is_utf8(name: str) -> bool:
    """Return whether a name of the command line was UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _proposed() -> Sequence[str]:
    """Return what leads to the home; raises SensorError `unknown_interface` where that can't be told."""
    from ..network import topology

    found = topology.proposed(topology.read())
    if found is None:
        raise SensorError(
            "unknown_interface",
            "no interface leads to the home as far as can be told here: name it, such as"
            " install --interface br-lan; `check` lists what there is",
        )
    return (found.name,)


def _require_there(interfaces: Sequence[str], wan: Sequence[str]) -> None:
    """Raise SensorError `unknown_interface` for one that there is not, or that can't be guarded."""
    from ..network import topology
    from ..network.selection import select

    seen = topology.read()
    roles: dict[str, Role] = dict.fromkeys(interfaces, "lan")
    selection = select(roles | dict.fromkeys(wan, "wan"), seen)
    for reason in selection.refused.values():
        raise SensorError("unknown_interface", reason)
    if selection.missing:
        known = ", ".join(sorted(each.name for each in seen.interfaces.values()))
        raise SensorError(
            "unknown_interface",
            f"there is no interface {min(selection.missing)!r}; there are {known}",
        )


def _unit(places: Places, steps: Steps, *, is_new: bool) -> None:
    """Write the unit, and have it started at boot unless somebody has decided on that since."""
    in_use = str(_in_use(places))
    text = unit.text_of(places.copies / in_use)
    kept = places.unit_of(in_use)
    steps.undo_by(placing.restoring(kept))
    placing.file(kept, text, 0o644)
    systemd = Systemd(places)
    if placing.content(places.unit) != text:
        steps.undo_by(systemd.reload)
        steps.undo_by(placing.restoring(places.unit))
        placing.file(places.unit, text, 0o644)
        steps.did(f"Wrote {places.unit}")
        systemd.reload()
    if systemd.is_there and is_new:
        steps.undo_by(systemd.disable)
        systemd.enable()


def _start(places: Places, wishes: Wishes, steps: Steps, kernel: Kernel, *, is_new: bool) -> bool:
    """Start the sensor, or say how; return whether it runs."""
    systemd = Systemd(places)
    how = f"systemctl start {UNIT.removesuffix('.service')}"
    if not systemd.runs:
        steps.did(
            f"systemd does not run here, so nothing was started; where it does: {how}; without it:"
            f" {PROGRAM} run --config {CONFIG}"
        )
    elif systemd.is_active:
        steps.did("The sensor runs already")
        return True
    elif not wishes.start:
        steps.did(f"Not started, as you said: {how}")
    elif not is_new and not systemd.has_failed:
        steps.did(f"The sensor was stopped, and stays so: {how}")
    elif not is_new:
        systemd.restart()
        steps.did("The sensor had failed: started it")
        return True
    else:
        for each in (*places.state, places.cache):
            if not os.path.lexists(each):
                steps.undo_by(partial(shutil.rmtree, each, ignore_errors=True))
        steps.undo_by(partial(placing.remove_if_empty, places.run))
        if not kernel.guards:  # what guarded before is not this one's to take out
            steps.undo_by(kernel.unload)
        steps.undo_by(systemd.stop)
        systemd.restart()
        steps.did("Started the sensor; it is started at each boot")
        return True
    return False
