"""The whole demo, from an empty machine to a dashboard that moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from demo import dashboard, gateway, setup
from demo.api import Api
from demo.errors import DemoError
from demo.progress import Progress
from demo.relay import Relay
from demo.setup import LogIn
from demo.stage import Stage


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that runs."""

    url: str
    log_in: LogIn
    stage: Stage
    processes: dict[str, asyncio.subprocess.Process]

    async def wait(self, seconds: float | None) -> None:
        """Return after this time; raises DemoError if a part ends before."""
        waits = {asyncio.create_task(each.wait()): name for name, each in self.processes.items()}
        ended, still = await asyncio.wait(
            waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in still:
            task.cancel()
        if ended:
            raise DemoError(f"{waits[ended.pop()]} has ended unasked.")


@asynccontextmanager
async def running(
    stage: Stage, port: int, progress: Progress, log: BinaryIO
) -> AsyncIterator[Demo]:
    """Build everything, hand it out, and end the processes; what they leave is the stage's to clear."""
    progress.step("A home in network namespaces: gateway, six devices, an internet")
    stage.build()
    async with AsyncExitStack() as stack:

        async def start(*argv: str) -> asyncio.subprocess.Process:
            process = await gateway.start(argv, stage.folder, log)
            stack.push_async_callback(gateway.stop, process)
            return process

        progress.step("Home Assistant on the gateway")
        gateway.install(stage.config)
        relay = stack.enter_context(Relay(port, stage.lab.netns("gateway")))
        if relay.port != port:
            progress.say(f"port {port} is taken, so it listens on {relay.port}")
        api = await stack.enter_async_context(Api(f"http://localhost:{relay.port}"))
        hass = await start(*stage.lab.argv("gateway", gateway.command(stage.config)))
        await gateway.wait_until_it_answers(api, hass)
        log_in = await setup.onboard(api)

        progress.step("Hearthwall: its sensor in the gateway's kernel")
        entry = await setup.add_hearthwall(api, stage.socket, stage.state)
        await setup.show_movement(api, entry)

        progress.step("Everyday traffic, names and a dashboard")
        traffic = await start(*stage.lab.command("traffic"))
        entities = await setup.name_devices(api, entry)
        await dashboard.create(api, entities)

        yield Demo(
            url=f"{api.url}/{dashboard.PATH}",
            log_in=log_in,
            stage=stage,
            processes={"Home Assistant": hass, "The devices' traffic": traffic},
        )
