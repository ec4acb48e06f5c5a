"""Has a child announce where the sensor is reached, where python3-zeroconf is installed."""

import asyncio
import contextlib
import importlib.util
import json
import logging
import socket
import sys
from typing import Final

from .. import __version__
from ..kernel.units import SOURCES

_LOGGER = logging.getLogger(__name__)

#: A label of DNS has no more bytes, and a part of it is for the identity.
_MAX_HOST: Final = 40
_GOODBYE: Final = 5.0


def is_possible() -> bool:
    """Return whether there is what speaks mDNS."""
    return importlib.util.find_spec("zeroconf") is not None


class Announcer:
    """The child, as long as there is one."""

    def __init__(self, identity: str, port: int) -> None:
        """Take what is announced."""
        host = socket.gethostname().partition(".")[0].encode()[:_MAX_HOST].decode(errors="ignore")
        self._said = {
            "id": identity,
            "version": __version__,
            "port": port,
            "name": f"{host} {identity[:6]}",
        }
        self._addresses: list[str] | None = None
        self._child: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the child, while the sensor is root enough for the child to become nobody."""
        self._child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(SOURCES / "hearthwall-sensor"),
            "announce",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )

    def follow(self, addresses: list[str]) -> None:
        """Announce these addresses, if they are not what is announced."""
        child = self._child
        if child is None or child.stdin is None or addresses == self._addresses:
            return
        if child.returncode is not None or child.stdin.is_closing():
            self._child = None
            _LOGGER.warning(
                "The announcement by mDNS ended (%s): Home Assistant does not find this sensor by"
                " itself until it is started again",
                child.returncode,
            )
            return
        self._addresses = addresses
        child.stdin.write(json.dumps(self._said | {"addresses": addresses}).encode() + b"\n")

    async def stop(self) -> None:
        """Let the child say goodbye, and wait for its end."""
        child, self._child = self._child, None
        if child is None or child.stdin is None:
            return
        child.stdin.close()
        try:
            async with asyncio.timeout(_GOODBYE):
                await child.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                child.kill()
