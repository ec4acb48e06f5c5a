"""From where the owner of each token last talked: that host must stay reachable, also while it is silent."""

import json
import logging
from collections.abc import Collection
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from .. import files

_LOGGER = logging.getLogger(__name__)

WHEREABOUTS_FILE: Final = "remote_clients.json"
CALLERS_FILE: Final = "remote_callers.json"
#: Addresses that are remembered of one token, until it is clear where its owner stays.
MAX_ADDRESSES: Final = 4
#: Seconds between two times that callers are written.
_WRITTEN_EVERY: Final = 60.0


class Whereabouts:
    """Addresses for each token, kept on disk: a sensor that starts again must not cut its owner off."""

    def __init__(self, state: Path, file: str = WHEREABOUTS_FILE) -> None:
        """Take the state folder and read what is there."""
        self._path = state / file
        self._by_token = _read(self._path)

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses."""
        return frozenset(each for addresses in self._by_token.values() for each in addresses)

    def note(self, token: str, address: str) -> bool:
        """Remember where a token's owner is, and where it was still; return whether that is new."""
        before = self._by_token.get(token, ())
        if address in before:
            return False
        # The first is where it stayed, the newest where it is.
        kept = (*before[:1], *before[1:][-(MAX_ADDRESSES - 2) :], address)
        self._by_token[token] = kept
        self._write()
        return True

    def settle(self, token: str, addresses: Collection[str]) -> bool:
        """Forget where else a token's owner was: it stays there now; return whether there was more."""
        before = self._by_token.get(token, ())
        after = tuple(each for each in before if each in addresses)
        if after == before:
            return False
        self._by_token[token] = after
        self._write()
        return True

    def keep(self, tokens: frozenset[str]) -> bool:
        """Forget the owners of tokens that are not good any more; return whether there were some."""
        gone = self._by_token.keys() - tokens
        for each in gone:
            del self._by_token[each]
        if gone:
            self._write()
        return bool(gone)

    def _write(self) -> None:
        """Put it on disk: it is rarely written, and small."""
        try:
            files.write(self._path, json.dumps(self._by_token, indent=1).encode())
        except OSError as error:
            _LOGGER.warning("%s can't be written: %s", self._path, error.strerror)


class Callers(Whereabouts):
    """From where each token was last shown, whatever it is good for: who comes from there waits for no strangers.

    It protects nobody. Whoever has a token may come from many addresses, so it is not written each time.
    """

    def __init__(self, state: Path) -> None:
        """Take the state folder and read what is there."""
        super().__init__(state, CALLERS_FILE)
        self._is_written = True
        self._due = 0.0

    def _write(self) -> None:
        """Put it on disk later."""
        self._is_written = False

    def put_down(self, now: float) -> None:
        """Put what has changed on disk, now and then."""
        if not self._is_written and now >= self._due:
            self._is_written = True
            self._due = now + _WRITTEN_EVERY
            super()._write()


def _read(path: Path) -> dict[str, tuple[str, ...]]:
    """Return what a file says; nothing of one that is damaged, since each client says it anew."""
    try:
        wire = json.loads(path.read_text())
        return {
            str(token): tuple(str(ip_address(each)) for each in _several(said)[:MAX_ADDRESSES])
            for token, said in wire.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        _LOGGER.warning("%s can't be read: %s", path, error)
        return {}


def _several(said: Any) -> Any:
    """Return a token's addresses: once there was one only."""
    return [said] if isinstance(said, str) else said
