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
    announced: Any = None
    while line := await reader.readline():
        if announced is not None:
            await announced.async_close()
        announced = await _announce(json.loads(line))
    # Nobody may be left who could end this process.
    signal.alarm(_GOODBYE_SECONDS)
    if announced is not None:
        await announced.async_unregister_all_services()
        await announced.async_close()


async def _announce(said: dict[str, Any]) -> Any:
    """Begin to announce one service, on the addresses' interfaces only; return what ends it."""
    from zeroconf import IPVersion, ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

    if not said["addresses"]:
        return None
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
    await announcer.async_register_service(service, allow_name_change=True)
    return announcer
