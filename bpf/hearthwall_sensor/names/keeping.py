"""The addresses that names led to, on disk: without bpffs the kernel's tables of them end with the sensor's process."""

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Final

from .. import files
from ..notation import boot_id
from .domains import Domains, Held

_LOGGER = logging.getLogger(__name__)

NAMES_FILE: Final = "names.json"
#: So many addresses are written in a second at most, on the whole: memory cards wear out.
_A_SECOND: Final = 1000


class Keeping:
    """Writes what changes, soon; a device that was told an address a moment before a crash may know it on."""

    def __init__(self, path: Path, domains: Domains) -> None:
        """Take the file, and what is kept there."""
        self._path = path
        self._domains = domains
        self._written = -1
        self._not_before = 0.0

    @property
    def is_due(self) -> bool:
        """Whether there is something to write, and it is time."""
        return self._written != self._domains.changes and time.monotonic() >= self._not_before

    async def write(self) -> None:
        """Write it; a disk that takes nothing only costs what a crash would forget."""
        changes, held = self._domains.changes, self._domains.held()
        wire = [boot_id(), *({key.hex(): value.hex() for key, value in each} for each in held)]
        try:
            await asyncio.to_thread(files.write, self._path, json.dumps(wire).encode())
        except OSError as error:
            _LOGGER.warning("The addresses of names can't be kept: %s", error)
        self._written = changes
        self._not_before = time.monotonic() + max(1.0, sum(map(len, held)) / _A_SECOND)

    def take_back(self) -> None:
        """Put what was kept in force; what another start of the host left is no use."""
        try:
            boot, *tables = json.loads(self._path.read_bytes())
            if boot != boot_id():
                return
            resolved, peers = (
                [(bytes.fromhex(key), bytes.fromhex(value)) for key, value in each.items()]
                for each in tables
            )
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, AttributeError) as error:
            _LOGGER.warning("The addresses of names were not kept: %s", error)
            return
        self._domains.take_back(Held(resolved, peers))
