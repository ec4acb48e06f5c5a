"""What the announcing child does: says in the home by mDNS where the sensor is reached, and nothing else.

Its input is a line of JSON for each change. What others say by mDNS is read here only: not beside the programs'
maps and the rules, but in a process that is nobody's, has little memory, and ends with the sensor.
"""

import asyncio
import json
import os
import resource
import signal
import sys
from typing import Any, Final

SERVICE: Final = "_hearthwall._tcp.local."

_MEMORY: Final = 128 * 1024 * 1024
_NOBODY: Final = 65534
_GOODBYE_SECONDS: Final = 3
#: Seconds until what failed is tried again.
RETRY: Final = 30.0
#: Seconds that it may take: it takes one or two.
_PATIENCE: Final = 20.0
#: Letters of an error that are told.
_LONGEST: Final = 200


def run() -> None:
    """Announce what standard input says until it ends."""
    from zeroconf.asyncio import AsyncZeroconf  # noqa: F401, read while root may read all

    _become_nobody()
    asyncio.run(_follow())


def _become_nobody() -> None:
    """Give up all that root can do, and much of what anybody can."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)


async def _follow() -> None:
    """Announce anew whenever a line comes."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    announcement = Announcement()
    reading = asyncio.ensure_future(reader.readline())
    while True:
        pause = RETRY if announcement.failed else None
        await asyncio.wait({reading}, timeout=pause)
        if reading.done():
            line = reading.result()
            if not line:
                break
            reading = asyncio.ensure_future(reader.readline())
            await announcement.say(json.loads(line))
        else:
            await announcement.repeat()
    # Nobody may be left who could end this process.
    signal.alarm(_GOODBYE_SECONDS)
    await announcement.end()


class Announcement:
    """What is announced now; what failed is tried again, since an address may come a little later."""

    def __init__(self) -> None:
        """Announce nothing yet."""
        self._said: dict[str, Any] = {"addresses": []}
        self._announced: Any = None
        self._told = False
        self.failed = False

    async def say(self, said: dict[str, Any]) -> None:
        """Announce this from now on."""
        self._said = said
        await self.repeat()

    async def repeat(self) -> None:
        """Announce anew, or note that it failed."""
        before, self._announced = self._announced, None
        try:
            async with asyncio.timeout(_PATIENCE):
                if before is not None:
                    await before.async_close()
                self._announced = await _announce(self._said)
        except Exception as error:  # noqa: BLE001, of zeroconf's many: it is tried again
            self.failed = True
            if not self._told:
                self._told = True
                what = f"{type(error).__name__}: {error}"[:_LONGEST]
                print(
                    f"The announcement by mDNS failed, and is tried again: {what}", file=sys.stderr
                )
        else:
            self.failed = self._told = False

    async def end(self) -> None:
        """Say goodbye."""
        if self._announced is not None:
            await self._announced.async_unregister_all_services()
            await self._announced.async_close()


async def _announce(said: dict[str, Any]) -> Any:
    """Begin to announce one service, on the addresses' interfaces only; return what ends it."""
    if not said["addresses"]:
        return None

    from zeroconf import IPVersion, ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

    announcer = AsyncZeroconf(
        interfaces=said["addresses"],
        ip_version=IPVersion.V6Only if ":" in said["addresses"][0] else IPVersion.V4Only,
    )
    service = ServiceInfo(
        SERVICE,
        f"{said['name']}.{SERVICE}",
        port=said["port"],
        properties={"id": said["id"], "version": said["version"]},
        server=f"hearthwall-{said['id'][:12]}.local.",
        parsed_addresses=said["addresses"],
    )
    try:
        await announcer.async_register_service(service, allow_name_change=True)
    except BaseException:
        await announcer.async_close()
        raise
    return announcer
