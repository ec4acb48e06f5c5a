"""The way back: takes all that a sensor left out of the kernel, without the sensor or Home Assistant."""

import shutil

from . import files
from .feeds.feeds import FEEDS_FOLDER
from .flows.keeping import FLOWS_FILE
from .kernel import pins
from .kernel.pins import Pins
from .network import topology
from .ports import take_out
from .protocol import SensorError
from .rules.rules import RULES_FILE


def unload(own: Pins, *, forget: bool) -> None:
    """Take out what a sensor left, and forget its rules and feeds if asked to."""
    pins.mount()
    state = own.state
    take_out(own, topology.read().interfaces)
    own.remove()
    if state is not None:
        (state / FLOWS_FILE).unlink(missing_ok=True)  # of flows that are no more
    if forget and state is not None:
        rules = state / RULES_FILE
        for each in (rules, files.previous(rules)):
            each.unlink(missing_ok=True)
        shutil.rmtree(state / FEEDS_FOLDER, ignore_errors=True)


def require_anything(own: Pins) -> None:
    """Raise SensorError `not_found` if nothing is loaded here, but something is by way of other sockets.

    Whoever is cut off must not be told that all is well.
    """
    others = pins.loaded()
    if others and not own.path.is_dir():
        raise SensorError(
            "not_found",
            f"nothing is loaded by way of {own.socket}, but by way of {', '.join(others)}:"
            " name one with --socket, or say --all",
        )
