"""The memory that receivers can make the process take: it has so much, and ends at once where that is used up.

A process without memory neither works nor ends by itself: whatever fails for the lack of it ends it. It is started
again, and goes on from what is on disk.
"""

import asyncio
import os
import resource
import sys
import threading
from collections.abc import Awaitable
from typing import Any, Final

from .failures import lacks_memory

#: As much as it may take (bytes): with all libraries it needs a quarter of that.
MEMORY: Final = 256 * 1024 * 1024
#: A thread's stack (bytes), which counts in full: with the usual 8 MB sixteen brokers' threads would be too many.
STACK: Final = 512 * 1024
#: The exit status that says why.
EXIT_MEMORY: Final = 70


def set_up(loop: asyncio.AbstractEventLoop) -> None:
    """Bound the memory of this process, and end it wherever none is left."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    threading.stack_size(STACK)
    loop.set_exception_handler(_in_loop)
    threading.excepthook = _in_thread
    sys.unraisablehook = _unraisable


async def bounded(work: Awaitable[None]) -> None:
    """Do some work, in which memory may be used up."""
    try:
        await work
    except Exception as error:
        if lacks_memory(error):
            _end()
        raise


def _in_loop(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Look at what nobody caught in a callback or a task."""
    if lacks_memory(context.get("exception")):
        _end()
    loop.default_exception_handler(context)


def _in_thread(said: threading.ExceptHookArgs) -> None:
    """Look at what ended a thread."""
    if lacks_memory(said.exc_value):
        _end()
    threading.__excepthook__(said)


def _unraisable(said: Any) -> None:
    """Look at what nobody could catch."""
    if lacks_memory(said.exc_value):
        _end()
    sys.__unraisablehook__(said)


def _end() -> None:
    """End at once: there may not be the memory for anything else."""
    os.write(2, b"The process that delivers to the sinks has used up its memory and ends\n")
    os._exit(EXIT_MEMORY)
