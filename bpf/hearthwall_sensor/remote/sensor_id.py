"""Who a sensor is, wherever it is reached: a random number in its state folder."""

import logging
import re
import secrets
from pathlib import Path
from typing import Final

from .. import files
from ..protocol import SensorError

_LOGGER = logging.getLogger(__name__)

ID_FILE: Final = "sensor_id"
_ID: Final = re.compile(r"[0-9a-f]{32}")


def read_or_make(state: Path) -> str:
    """Return the sensor's identity, a new one where there is none; raises SensorError `storage_failed`."""
    path = state / ID_FILE
    try:
        if path.exists():
            said = path.read_text(errors="replace").strip()
            if _ID.fullmatch(said):
                return said
            files.set_aside(path)
            _LOGGER.warning("%s was damaged: this sensor has a new identity", path)
        identity = secrets.token_hex(16)
        files.write(path, identity.encode() + b"\n")
    except OSError as error:
        raise SensorError("storage_failed", f"{path} can't be written: {error.strerror}") from error
    return identity
