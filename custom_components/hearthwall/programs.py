"""How the gateway's own programs are named, and what is said where a sensor does not know of them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from .bpf.hearthwall_sensor.protocol import SensorError
from .bpf.hearthwall_sensor.requests import GetProcesses
from .hub import Hub

#: A program as events and policies name it: its executable, and the container that it is in.
_PROGRAM: Final = re.compile(r"(?:exe:)?(?P<path>.*?)(?P<container>@[0-9a-f]{12})?", re.DOTALL)

#: What an older sensor says of words that it does not know.
_MISUNDERSTOOD: Final = frozenset({"invalid_message", "invalid_target"})


def executable_paths(text: str) -> list[str]:
    """Return the paths that a person or an event may mean by a path, or `exe:` and a path, with or without a container.

    What looks like a container may be the end of the file's own name, which an intruder chooses: so that comes first.
    """
    program = _PROGRAM.fullmatch(text.strip())
    assert program is not None  # noqa: S101, all of it is optional
    path, container = program["path"], program["container"]
    return [path] if container is None else [path + container, path]


@asynccontextmanager
async def about_processes(hub: Hub) -> AsyncIterator[None]:
    """Raise `unknown_command` where a sensor that knows no processes says what it took the words for."""
    try:
        yield
    except SensorError as error:
        if error.code in _MISUNDERSTOOD:
            await hub.call(GetProcesses(limit=1))
        raise
