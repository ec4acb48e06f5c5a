"""What a device is called in metrics: by its MAC, or by a name that says nothing but that it is the same as before."""

import hmac
import logging
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from .. import files
from ..protocol import SensorError

_LOGGER = logging.getLogger(__name__)

#: The key of this sensor's pseudonyms, in its state folder: without it nobody can try all MACs that there are.
KEY_FILE: Final = "metrics_key"
_KEY: Final = re.compile(r"[0-9a-f]{64}")
#: Of 1,024 devices two have the same one with a chance of one in 500 million.
_DIGITS: Final = 12

Naming = Literal["off", "pseudonym", "mac"]


def naming(how: Naming, state: Path) -> Callable[[str], str] | None:
    """Return what names a device by its MAC, None where no device is told of; raises SensorError `storage_failed`."""
    if how == "off":
        return None
    if how == "mac":
        return lambda mac: mac
    key = _read_or_make(state / KEY_FILE)
    return lambda mac: hmac.digest(key, mac.encode(), "sha256").hex()[:_DIGITS]


def _read_or_make(path: Path) -> bytes:
    """Return the key, a new one where there is none."""
    try:
        if path.exists():
            said = path.read_text(errors="replace").strip()
            if _KEY.fullmatch(said):
                return bytes.fromhex(said)
            files.set_aside(path)
            _LOGGER.warning("%s was damaged: devices have new pseudonyms", path)
        key = secrets.token_bytes(32)
        files.write(path, key.hex().encode() + b"\n")
    except OSError as error:
        raise SensorError("storage_failed", f"{path} can't be written: {error.strerror}") from error
    return key
