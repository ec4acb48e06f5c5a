"""The whole demo, from an empty machine to a dashboard that moves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from demo import dashboard, gateway, setup
from demo.api import Api
from demo.errors import DemoError
from demo.progress import Progress
from demo.relay import Relay
from demo.setup import LogIn
from demo.stage import Stage

#: Home Assistant's exit code where it was told to restart: whoever runs it starts it again.
RESTART: Final = 100

type Process = asyncio.subprocess.Process


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that runs."""

    url: str
    log_in: LogIn
    stage: Stage
    parts: Mapping[str, asyncio.Task[Any]]

    async def wait(self, seconds: float | None) -> None:
        """Return after this time; raises DemoError if a part ends before."""
        ended, _ = await asyncio.wait(
            self.parts.values(), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for name, part in self.parts.items():
            if part in ended:
                raise DemoError(f"{name} has ended unasked.")


async def _keep(process: Process, start_again: Callable[[], Awaitable[Process]]) -> None:
    """Return when Home Assistant ends, unless it was told to restart."""
    while await process.wait() == RESTART:
        process = await start_again()


@asynccontextmanager
async def running(
    stage: Stage, port: int, progress: Progress, log: BinaryIO
) -> AsyncIterator[Demo]:
    """Build everything, hand it out, and end the processes; what they leave is the stage's to clear."""
    progress.step("A home in network namespaces: gateway, six devices, an internet")
    stage.build()
    async with AsyncExitStack() as stack:

        async def start(*argv: str) -> Process:
            process = await gateway.start(argv, stage.folder, log)
            stack.push_async_callback(gateway.stop, process)
            return process

        def watch(end: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
            task = asyncio.create_task(end)
            stack.callback(task.cancel)
            return task

        progress.step("Home Assistant on the gateway")
        gateway.install(stage.config)
        relay = stack.enter_context(Relay(port, stage.lab.netns("gateway")))
        if relay.port != port:
            progress.say(f"port {port} is taken, so it listens on {relay.port}")
        api = await stack.enter_async_context(Api(f"http://localhost:{relay.port}"))
        command = stage.lab.argv("gateway", gateway.command(stage.config))
        hass = await start(*command)
        await gateway.wait_until_it_answers(api, hass)
        log_in = await setup.onboard(api)

        progress.step("Hearthwall: its sensor in the gateway's kernel")
        entry = await setup.add_hearthwall(api, stage.socket, stage.state)
        await setup.show_movement(api, entry)

        progress.step("Everyday traffic, names and a dashboard")
        traffic = await start(*stage.lab.command("traffic"))
        await setup.name_devices(api, entry)
        await setup.expose(api, entry)
        await dashboard.create(api)

        yield Demo(
            url=f"{api.url}/{dashboard.PATH}",
            log_in=log_in,
            stage=stage,
            parts={
                "Home Assistant": watch(_keep(hass, lambda: start(*command))),
                "The devices' traffic": watch(traffic.wait()),
            },
        )
