"""How the gateway's own programs are named, and what is said where a sensor does not know of them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from .bpf.hearthwall_sensor.protocol import SensorError
from .bpf.hearthwall_sensor.requests import GetProcesses
from .hub import Hub

#: A program as events name it: its executable, and the container that it is in.
_PROGRAM: Final = re.compile(r"exe:(?P<path>.*?)(?:@[0-9a-f]{12})?", re.DOTALL)

#: What an older sensor says of words that it does not know.
_MISUNDERSTOOD: Final = frozenset({"invalid_message", "invalid_target"})


def executable_path(text: str) -> str:
    """Return the path in what a person wrote or an event says: the path, or `exe:` and the path."""
    stripped = text.strip()
    program = _PROGRAM.fullmatch(stripped)
    return program["path"] if program else stripped


@asynccontextmanager
async def about_processes(hub: Hub) -> AsyncIterator[None]:
    """Raise `unknown_command` where a sensor that knows no processes says what it took the words for."""
    try:
        yield
    except SensorError as error:
        if error.code in _MISUNDERSTOOD:
            await hub.call(GetProcesses(limit=1))
        raise
