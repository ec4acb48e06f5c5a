"""Reads a secret from a file of its own, which nobody else may read or write."""

import os
from pathlib import Path
from typing import Final

from .sink import SinkError

_LONGEST: Final = 4096


def read_secret(path: Path) -> str:
    """Return a file's first line; raises SinkError where others could read or change it, or it is empty."""
    try:
        with path.open("rb") as file:
            said = os.fstat(file.fileno())
            if said.st_uid not in (0, os.geteuid()) or said.st_mode & 0o077:
                raise SinkError(f"others may read or change {path}: chown root, chmod 600")
            content = file.read(_LONGEST + 1)
        text = content.decode()
    except UnicodeDecodeError:
        raise SinkError(f"{path} holds no text") from None
    except OSError as error:
        raise SinkError(f"{path} can't be read: {error.strerror}") from error
    line = text.partition("\n")[0].strip("\r")
    if not line or len(content) > _LONGEST:
        raise SinkError(f"{path} has to hold one line, the secret")
    return line
