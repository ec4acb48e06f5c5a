"""The way back: takes all that a sensor left out of the kernel, without the sensor or Home Assistant."""

from pathlib import Path
from typing import Any

from . import files
from .kernel import pins
from .kernel.pins import Pins
from .network import topology
from .ports import detach_classifiers
from .rules import RULES_FILE
from .settings import Settings


def unload(settings: Settings, *, forget: bool) -> dict[str, Any]:
    """Take all that a sensor left out of the kernel, without the sensor; return what was done."""
    own = Pins(settings.socket)
    pins.mount()
    filters = detach_classifiers(own, topology.read().interfaces)
    attachments = filters + own.remove()
    if forget:
        rules = Path(settings.state_dir) / RULES_FILE
        for path in (rules, files.previous(rules)):
            path.unlink(missing_ok=True)
    return {"attachments": attachments, "forgotten": forget}
