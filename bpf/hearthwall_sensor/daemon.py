"""The sensor as a process: small, known to be ready, and gone with whoever supervises it."""

import asyncio
import ctypes
import faulthandler
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from . import privileges
from .sd_notify import Notices
from .sensor import Sensor
from .settings import Settings

_LOGGER = logging.getLogger(__name__)

_THREADS: Final = 2
#: From malloc.h.
_M_ARENA_MAX: Final = -8


async def main(settings: Settings, *, supervised: bool) -> int:
    """Run a sensor; when supervised, say READY on standard output and end when standard input does."""
    privileges.require_root("run")
    faulthandler.enable()  # systemd's watchdog aborts what hangs: the log then says where
    notices = Notices()
    notices.doing("Starting")
    _stay_small()
    sensor = Sensor(settings)
    sensor.on_second = lambda: notices.alive(sensor.standing)

    def ready() -> None:
        guarded = ", ".join(settings.guarded)
        _LOGGER.info("Guarding %s, listening on %s", guarded, settings.socket)
        notices.up(sensor.standing)
        if supervised:
            print("READY", flush=True)
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _end_with_input, sensor)

    return await sensor.run(ready)


def _stay_small() -> None:
    """Keep the threads that write and read beside the ticks few, and from taking heaps of their own."""
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))


def _end_with_input(sensor: Sensor) -> None:
    """End the sensor when whoever started it has gone."""
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        sensor.stop()
