"""The feeds on disk: what was ordered and how it went, not what the lists say."""

import dataclasses
import json
import logging
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .. import files
from ..kernel.layouts import FEED_SLOTS
from ..protocol import SensorError
from .domains_file import KEY_BYTES
from .subscription import Subscription

_LOGGER = logging.getLogger(__name__)

STATE_FILE: Final = "feeds.json"
_FORMAT: Final = 1
#: What reading a file that something else wrote can end in.
_DAMAGE: Final = (OSError, KeyError, RecursionError, TypeError, ValueError, SensorError)


@dataclass(slots=True)
class State:
    """All feeds by name, the key of the names' hashes, and the number that the next feed gets."""

    feeds: dict[str, Subscription] = field(default_factory=dict)
    key: bytes = field(default_factory=lambda: secrets.token_bytes(KEY_BYTES))
    next_id: int = 1


def read(folder: Path) -> State:
    """Read the state; a damaged file is set aside and the one before it is used."""
    path = folder / STATE_FILE
    for each in (path, files.previous(path)):
        try:
            return _read(each)
        except FileNotFoundError:
            continue
        except _DAMAGE as error:
            _LOGGER.warning(
                "The feeds in %s can't be read (%r); it was set aside", each.name, error
            )
            files.set_aside(each)
    return State()


def _read(path: Path) -> State:
    """Read one file; raises what `_DAMAGE` names."""
    kept = json.loads(path.read_text())
    feeds = [Subscription.from_wire(each) for each in kept["feeds"]]
    state = State(
        {each.name: each for each in feeds}, bytes.fromhex(kept["key"]), int(kept["next_id"])
    )
    places = {each.slot for each in feeds}
    if (
        kept["format"] != _FORMAT
        or len(state.key) != KEY_BYTES
        or not len(places) == len(state.feeds) == len(feeds)
        or not places <= set(range(FEED_SLOTS))
        or not all(0 < each.id < state.next_id < 2**32 for each in feeds)
    ):
        raise ValueError("it contradicts itself")
    for each in feeds:
        each.check()
    return state


async def write(folder: Path, state: State) -> None:
    """Write the state; raises SensorError `storage_failed`."""
    kept = {
        "format": _FORMAT,
        "key": state.key.hex(),
        "next_id": state.next_id,
        "feeds": [dataclasses.asdict(each) for each in state.feeds.values()],
    }
    await files.write_json(folder / STATE_FILE, kept)
