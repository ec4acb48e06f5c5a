"""From where the owner of each token last talked: that host must stay reachable, also while it is silent."""

import json
import logging
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from .. import files

_LOGGER = logging.getLogger(__name__)

WHEREABOUTS_FILE: Final = "remote_clients.json"


class Whereabouts:
    """An address for each token, kept on disk: a sensor that starts again must not cut its owner off."""

    def __init__(self, state: Path) -> None:
        """Take the state folder and read what is there."""
        self._path = state / WHEREABOUTS_FILE
        self._by_token = _read(self._path)

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses."""
        return frozenset(self._by_token.values())

    def note(self, token: str, address: str) -> bool:
        """Remember where a token's owner is; return whether that is new."""
        if self._by_token.get(token) == address:
            return False
        self._by_token[token] = address
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


def _read(path: Path) -> dict[str, str]:
    """Return what a file says; nothing of one that is damaged, since each client says it anew."""
    try:
        wire = json.loads(path.read_text())
        return {str(token): str(ip_address(address)) for token, address in wire.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        _LOGGER.warning("%s can't be read: %s", path, error)
        return {}
