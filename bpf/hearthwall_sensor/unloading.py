"""The way back: takes all that a sensor left out of the kernel, without the sensor or Home Assistant."""

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from . import files
from .feeds.feeds import FEEDS_FOLDER
from .flows.keeping import FLOWS_FILE
from .kernel import interface_programs, pins
from .kernel.ownership import all_programs
from .kernel.pins import Pins
from .names.keeping import NAMES_FILE
from .network import orphans, topology
from .network.occupied import programs_on_all
from .ports import take_out
from .protocol import DEFAULT_SOCKET, DEFAULT_STATE_DIR, SensorError
from .rules.rules import RULES_FILE


def state_of(own: Pins) -> Path | None:
    """Return the state folder of a sensor that left something in the kernel.

    Of one without bpffs no pins tell it when its container has gone: it is the usual one, where programs are noted.
    """
    usual = Path(DEFAULT_STATE_DIR)
    is_usual = own.socket == os.path.realpath(DEFAULT_SOCKET) and interface_programs.kept(usual)
    return own.state or (usual if is_usual else None)


def unload(own: Pins, *, forget: bool) -> list[str]:
    """Take out what a sensor left, and forget its rules and feeds if asked to.

    Return the interfaces where something was found by its number alone.
    """
    pins.mount()
    state = state_of(own)
    left = frozenset() if state is None else interface_programs.kept(state)
    interfaces = topology.read().interfaces
    found = [each.name for index, each in interfaces.items() if left & programs_on_all((index,))]
    take_out(own, interfaces, left)
    own.remove()
    with contextlib.suppress(OSError):  # another sensor's are in it, or there is none
        own.path.parent.rmdir()
    _forget(state, rules_too=forget)
    return sorted(found)


def _forget(state: Path | None, *, rules_too: bool) -> None:
    """Remove what tells of the kernel's tables, which are no more, and of the rules if that is asked for."""
    if state is not None:
        interface_programs.forget(state)
        names = state / NAMES_FILE
        for gone in (state / FLOWS_FILE, names, files.previous(names)):  # what is no more
            gone.unlink(missing_ok=True)
    if rules_too and state is not None:
        rules = state / RULES_FILE
        for each in (rules, files.previous(rules)):
            each.unlink(missing_ok=True)
        shutil.rmtree(state / FEEDS_FOLDER, ignore_errors=True)


def unload_orphans() -> list[str]:
    """Take out the programs of sensors that nobody knows any more; return the interfaces that they were on.

    Raises SensorError `interface_in_use` if a sensor that is not to be seen from here guards interfaces.
    """
    network = topology.read()
    found = orphans.find(network, all_programs())
    take_out(Pins(os.devnull), network.interfaces, found.programs)
    if found.elsewhere:
        raise SensorError(
            "interface_in_use",
            f"a sensor that runs elsewhere, as in a container, guards {_listed(found.elsewhere)}: stop it, and"
            " unload there; all else is out of the kernel",
        )
    return sorted(found.interfaces.values())


def _listed(interfaces: Mapping[int, str]) -> str:
    """Return interfaces' names."""
    return ", ".join(sorted(interfaces.values()))


def require_anything(own: Pins) -> None:
    """Raise SensorError `not_found` if nothing is loaded here, but something is by way of other sockets, or of none.

    Whoever is cut off must not be told that all is well.
    """
    if own.path.is_dir() or state_of(own) is not None:
        return
    found = orphans.find(topology.read(), all_programs())
    if interfaces := found.interfaces | found.elsewhere:
        raise SensorError(
            "not_found",
            f"nothing is loaded by way of {own.socket}, but programs of a sensor that is not known here are on"
            f" {_listed(interfaces)}: say --all",
        )
    if others := pins.loaded():
        raise SensorError(
            "not_found",
            f"nothing is loaded by way of {own.socket}, but by way of {', '.join(others)}:"
            " name one with --socket, or say --all",
        )
