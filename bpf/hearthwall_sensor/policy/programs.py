"""How the policy names a program of this host: by its executable's path, and its container if it is in one."""

import re
from typing import Final

from ..learning.programs import container_of

#: A container is its id, or `*` for any.
_PROGRAM: Final = re.compile(r"/[^@\x00]*(?:@(?:[0-9a-f]{12}|\*))?", re.ASCII)
_MAX_PATH: Final = 1024


def checked_program(text: str) -> str:
    """Return a program's path, with its container if it names one; raises ValueError."""
    is_path = _PROGRAM.fullmatch(text) and text.isprintable() and len(text) <= _MAX_PATH
    if not is_path or text != text.strip() or "/../" in f"{text}/":
        raise ValueError(f'is the path of an executable such as "/usr/bin/curl", not {text[:40]!r}')
    return text


def written_as(path: str) -> tuple[str, ...]:
    """Return what names a program in the policy, the general first: one in a container also with `@*`."""
    plain, container = container_of(path)
    return (path,) if container is None else (f"{plain}@*", path)
