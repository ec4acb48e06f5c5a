"""State on disk that a newer version wrote: it is never taken for damaged, and left alone."""

import logging
from pathlib import Path
from typing import Final

from . import database, journal_file, store
from .protocol import EXIT_SETTINGS, SensorError
from .rules import file as rules_file
from .rules.rules import RULES_FILE

_LOGGER = logging.getLogger(__name__)

DEVICES_FILE: Final = "devices.db"
EVENTS_FILE: Final = "events.db"


def newer(state: Path) -> str | None:
    """Return what of a state folder this version does not understand, in words; None where it may use all of it."""
    found = (
        rules_file.newer(state / RULES_FILE),
        database.newer(state / DEVICES_FILE, store.SCHEMA),
        database.newer(state / EVENTS_FILE, journal_file.SCHEMA),
    )
    return ", ".join(each for each in found if each is not None) or None


def look(state: Path, *, is_guarded: bool) -> None:
    """Raise SensorError `newer_state` where a newer version wrote what this one does not understand.

    That holds while programs of that version guard, which would have to go. Where none do, some rules are better
    than none: those that are understood are put in force, and all stays on disk as it is.
    """
    what = newer(state)
    if what is None:
        return
    said = f"a newer version wrote what is in {state}, which this one does not understand: {what}"
    if is_guarded:
        error = SensorError(
            "newer_state",
            f"{said}. Nothing was changed, and the kernel guards as it did. Use that version again, or move these"
            " files away and give the orders anew",
        )
        error.exit_status = EXIT_SETTINGS
        raise error
    _LOGGER.warning("%s. It is left alone; the rest is in force", said[0].upper() + said[1:])
