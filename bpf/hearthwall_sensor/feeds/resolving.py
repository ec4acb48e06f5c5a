"""Connections to addresses only that were looked at: a name that leads to another one as well leads nowhere."""

import socket
from collections.abc import Callable
from typing import Any

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

from ..protocol import SensorError


class _Resolver(AbstractResolver):
    """Resolves names, and refuses those that lead to what may not be reached."""

    def __init__(self, may_reach: Callable[[str], bool]) -> None:
        """Take what says whether an address may be reached."""
        self._may_reach = may_reach
        self._resolver = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[Any]:
        """Return a name's addresses, which are connected to; raises SensorError `feed_failed`."""
        found: list[Any] = await self._resolver.resolve(host, port, family)
        for each in found:
            if not self._may_reach(each["host"]):
                raise SensorError(
                    "feed_failed", f"{host} leads to {each['host']}, which is refused"
                )
        return found

    async def close(self) -> None:
        """Let go of the resolver."""
        await self._resolver.close()


def connector(may_reach: Callable[[str], bool]) -> TCPConnector:
    """Return what connects; called where a loop runs."""
    return TCPConnector(resolver=_Resolver(may_reach), use_dns_cache=False)
