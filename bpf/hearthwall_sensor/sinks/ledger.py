"""How far each sink has come: kept on disk, so that a receiver that was away for a day gets that day's events."""

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from .. import files
from ..protocol import SensorError
from .held import Held
from .kinds import Where
from .presence import Presence

_LOGGER = logging.getLogger(__name__)

#: Each process has its own.
_FILES: Final[Mapping[Where, str]] = {"elsewhere": "sinks.json", "here": "sinks_here.json"}
_LONGEST: Final = 64 * 1024


@dataclass(slots=True)
class Account:
    """One sink's: the number of the last event that is done with, and counts since the sink was first named."""

    cursor: int
    delivered: int = 0
    refused: int = 0
    """Events that the receiver will never take."""
    lost: int = 0
    """Events that the journal had forgotten before they were delivered."""
    newest: int = 0
    """The number of the newest event that was there."""

    def begin_anew(self) -> None:
        """Begin with the first event of another journal: what was still to come from the one before is lost."""
        self.lost += max(self.newest - self.cursor, 0)
        self.cursor = self.newest = 0


@dataclass(slots=True)
class Ledger:
    """All accounts, by the sinks' names."""

    path: Path
    accounts: dict[str, Account] = field(default_factory=dict)
    presence: Presence = field(default_factory=Presence)
    """When a Home Assistant was there, as long as a sink wants to know."""
    journal: str = ""
    """Which journal the numbers are of."""
    _written: dict[str, Any] = field(default_factory=dict)
    _held: Held | None = None

    @classmethod
    def read(cls, state: Path, where: Where = "elsewhere") -> "Ledger":
        """Return what is kept in a state folder; what is damaged begins anew, and is said."""
        ledger = cls(state / _FILES[where])
        for path in (ledger.path, files.previous(ledger.path)):
            try:
                with path.open("rb") as file:
                    wire = json.loads(file.read(_LONGEST))
                ledger.accounts = _accounts(wire)
                ledger.presence = Presence(_times(wire))
                ledger.journal = str(wire.get("journal", ""))
            except FileNotFoundError:
                continue
            except (OSError, ValueError, TypeError, RecursionError) as error:
                _LOGGER.warning("%s can't be read: %s", path, error)
                continue
            break
        return ledger

    def follow(self, journal: str) -> None:
        """Take the journal that there is now: in one that began anew, nothing was delivered yet."""
        if not journal:  # nobody knows
            return
        if self.journal not in ("", journal):
            _LOGGER.warning("The journal began anew, and so do the sinks")
            for each in self.accounts.values():
                each.begin_anew()
        self.journal = journal

    def account(self, name: str, last: int) -> Account:
        """Return a sink's account; a new sink begins after the newest event, and so does one that is ahead of it."""
        account = self.accounts.get(name)
        if account is None:
            account = self.accounts[name] = Account(last)
        elif account.cursor > last:  # the journal was damaged and began anew
            account.begin_anew()
        return account

    def keep(self, names: Iterable[str]) -> None:
        """Forget the sinks that there are no more."""
        wanted = set(names)
        self.accounts = {name: each for name, each in self.accounts.items() if name in wanted}

    def hold(self) -> None:
        """Open its file, for a process that may open none later; raises SensorError `storage_failed`."""
        self._held = Held(self.path)

    async def write(self) -> None:
        """Put on disk what has changed; where that fails, an event may come twice after a restart."""
        sinks = {name: asdict(each) for name, each in self.accounts.items()}
        wire = {
            "sinks": sinks,
            "home_assistant": self.presence.kept,
            "journal": self.journal,
        }
        if wire == self._written:
            return
        try:
            if self._held is None:
                await files.write_json(self.path, wire)
            else:
                await self._held.write_json(wire)
        except SensorError as error:
            _LOGGER.warning("%s", error.message)
        else:
            self._written = wire


def _accounts(wire: object) -> dict[str, Account]:
    """Return the accounts in a file; raises ValueError or TypeError."""
    if not isinstance(wire, Mapping) or not isinstance(wire.get("sinks"), Mapping):
        raise TypeError("it has no sinks")
    names = [each.name for each in fields(Account)]
    return {
        str(name): Account(**{key: _count(each[key]) for key in names if key in each})
        for name, each in wire["sinks"].items()
    }


def _times(wire: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return when a Home Assistant was there, as a file has it; raises ValueError or TypeError."""
    return [(float(began), float(ended)) for began, ended in wire.get("home_assistant", ())]


def _count(value: object) -> int:
    """Return a count; raises ValueError."""
    if not isinstance(value, int) or not 0 <= value < 2**62:
        raise ValueError("a count is no number")
    return value


async def write_regularly(ledger: Ledger, interval: float) -> None:
    """Write every so many seconds what has changed."""
    while True:
        await asyncio.sleep(interval)
        await ledger.write()
