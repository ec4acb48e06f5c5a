"""Installs Hearthwall as a stranger would: an empty Home Assistant, the zip, the config flow, nothing else."""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from demo import gateway, setup
from demo.api import Api
from demo.errors import DemoError
from demo.household import CAMERA, TV
from demo.progress import Progress
from demo.reach import Witness, witness
from demo.relay import Relay
from demo.stage import Stage
from demo.stranger import add_by_clicks
from lab import LabError, tools

STEPS: Final = 5
#: Until a device that speaks has its entities.
DEVICE_SECONDS: Final = 60
POLL_SECONDS: Final = 0.2
SCRIPT: Final = "/hearthwall"
#: Where the sensor is by itself: a stranger changes nothing. On a host of their own, so that it is no other's.
OWN: Final = ("/run/hearthwall", "/var/lib/hearthwall")
OWN_HOST: Final = """
mkdir -p "$1" "$2"
mount -t tmpfs -o mode=755 hearthwall "$1"
mount -t tmpfs -o mode=755 hearthwall "$2"
mount -t bpf hearthwall /sys/fs/bpf
shift 2
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """What it took, and what is there then."""

    home_assistant: str
    #: From the first click to the created gateway.
    seconds: float | None
    clicks: int | None
    devices: int
    entities: int
    actions: int
    triggers: int
    conditions: int
    cards: int


@asynccontextmanager
async def empty(stage: Stage, port: int, log: BinaryIO) -> AsyncIterator[tuple[Api, setup.LogIn]]:
    """Start a Home Assistant on the gateway in which nothing is set up; the zip lies unpacked in it."""
    stage.build()
    gateway.install(stage.config)
    with Relay(port, stage.lab.netns("gateway")) as relay:
        async with Api(f"http://localhost:{relay.port}") as api:
            argv = stage.lab.argv("gateway", _on_a_host_of_its_own(gateway.command(stage.config)))
            hass = await gateway.start(argv, stage.folder, log)
            traffic = await gateway.start(stage.lab.command("traffic"), stage.folder, log)
            try:
                await gateway.wait_until_it_answers(api, hass)
                yield api, await setup.onboard(api)
            finally:
                await gateway.stop(traffic)
                await gateway.stop(hass)


async def install(
    stage: Stage, port: int, screenshots: Path | None, progress: Progress, log: BinaryIO
) -> Installation:
    """Install, use and remove; raises DemoError where something is not as a stranger may expect."""
    progress.step("An empty Home Assistant on the gateway, and the zip unpacked")
    async with empty(stage, port, log) as (api, log_in):
        progress.step("The config flow: run the sensor on this host")
        seconds, clicks = None, None
        if screenshots is None:
            entry = await setup.add_hearthwall(api, stage.socket, stage.state)
        else:
            clicked = await add_by_clicks(api, log_in, screenshots)
            seconds, clicks, entry = clicked.seconds, clicked.clicks, clicked.entry
            await api.renew()

        progress.step("Devices, entities, actions, triggers, cards")
        switch = await _switch_of(api, entry, CAMERA.mac)
        installation = Installation(
            home_assistant=(await api.get("/api/config"))["version"],
            seconds=seconds,
            clicks=clicks,
            devices=len(await _devices(api, entry)),
            entities=len(await _entities(api)),
            actions=await _actions(api),
            triggers=await _listed(api, stage.config, "triggers"),
            conditions=await _listed(api, stage.config, "conditions"),
            cards=await _cards(api, stage.config),
        )
        progress.say(json.dumps(asdict(installation)))

        progress.step("The camera is quarantined, and released")
        await _quarantine(api, stage, switch)

        progress.step("Hearthwall is removed")
        await api.delete(f"/api/config/config_entries/entry/{entry}")
        if left := await _entities(api):
            raise DemoError(f"Removed, and yet there are {', '.join(left)}.")
    return installation


def _on_a_host_of_its_own(argv: Sequence[str]) -> list[str]:
    """Return a command line that sees nothing of another sensor's files and pins, nor leaves any."""
    unshare = [tools.find("unshare"), "--mount", "--propagation", "private", "--"]
    return [*unshare, tools.find("sh"), "-ec", OWN_HOST, "sh", *OWN, *argv]


async def _entities(api: Api) -> list[str]:
    """Return the entities of ours that have a state."""
    listed = await api.command("config/entity_registry/list")
    ours = {each["entity_id"] for each in listed if each["platform"] == setup.DOMAIN}
    return sorted(ours & {each["entity_id"] for each in await api.get("/api/states")})


async def _devices(api: Api, entry: str) -> list[dict[str, Any]]:
    listed = await api.command("config/device_registry/list")
    return [each for each in listed if entry in each["config_entries"]]


async def _switch_of(api: Api, entry: str, mac: str) -> str:
    """Wait for the device with this MAC, and return its quarantine switch."""
    async with asyncio.timeout(DEVICE_SECONDS):
        while True:
            devices = {
                each["id"]
                for each in await _devices(api, entry)
                if ["mac", mac] in each["connections"]
            }
            for each in await api.command("config/entity_registry/list"):
                if each["device_id"] in devices and each["translation_key"] == "quarantine":
                    switch: str = each["entity_id"]
                    return switch
            await asyncio.sleep(POLL_SECONDS)


async def _actions(api: Api) -> int:
    """Count the actions, and have one answer."""
    listed = next(each for each in await api.get("/api/services") if each["domain"] == setup.DOMAIN)
    answer = await api.post(f"/api/services/{setup.DOMAIN}/get_devices?return_response", {})
    if not answer["service_response"]["devices"]:
        raise DemoError("The action get_devices knows no device.")
    return len(listed["services"])


async def _listed(api: Api, config: Path, kind: str) -> int:
    """Count the purpose-specific triggers or conditions that Home Assistant offers; all have to be there."""
    described = config / "custom_components" / setup.DOMAIN / f"{kind}.yaml"
    if not described.exists():
        return 0
    # What begins a line, but the anchors that others refer to
    lines = described.read_text().splitlines()
    wanted = {
        f"{setup.DOMAIN}.{line.partition(':')[0]}"
        for line in lines
        if line[:1].isalpha() and line.rstrip().partition(":")[1]
    }
    async with api.events(f"{kind.removesuffix('s')}_platforms/subscribe") as events:
        async with asyncio.timeout(DEVICE_SECONDS):
            offered: set[str] = set()
            async for each in events:
                offered |= each.keys()
                if wanted <= offered:
                    break
    return len(wanted)


async def _cards(api: Api, config: Path) -> int:
    """Count the modules of ours that the frontend loads, and fetch each."""
    www = config / "custom_components" / setup.DOMAIN / "www"
    page = await api.text("/")
    ours = [each for each in page.split('"') if each.startswith(SCRIPT)]
    if www.exists() and not ours:
        raise DemoError("The frontend does not load the cards.")
    for each in ours:
        if "customElements" not in await api.text(each):
            raise DemoError(f"{each} holds no cards.")
    return len(ours)


async def _quarantine(api: Api, stage: Stage, switch: str) -> None:
    """Prove with packets that the switch cuts the camera off, the TV not, and lets it back."""
    with (
        witness(stage.lab, CAMERA.host, stage.folder) as camera,
        witness(stage.lab, TV.host, stage.folder) as tv,
    ):
        await _expect(camera, tv, connected=True)
        await api.post("/api/services/switch/turn_on", {"entity_id": switch})
        await _expect(camera, tv, connected=False)
        await api.post("/api/services/switch/turn_off", {"entity_id": switch})
    with (
        witness(stage.lab, CAMERA.host, stage.folder) as camera,
        witness(stage.lab, TV.host, stage.folder) as tv,
    ):
        await _expect(camera, tv, connected=True)


async def _expect(camera: Witness, tv: Witness, *, connected: bool) -> None:
    await asyncio.sleep(1)
    of_camera, of_tv = await asyncio.gather(camera.look(), tv.look())
    if not of_tv.connected:
        raise DemoError(f"The TV is not in quarantine, and yet: {of_tv}.")
    if not (of_camera.connected if connected else of_camera.cut_off):
        raise DemoError(f"The camera should be {'' if connected else 'un'}connected: {of_camera}.")


def main() -> int:
    """Install once."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--screenshots", type=Path, help="click in Chromium; pictures go here")
    parser.add_argument("--result", type=Path, required=True, help="what it took, as JSON")
    parser.add_argument("--log", type=Path, required=True)
    options = parser.parse_args()
    # Nobody but root may change what root runs
    os.umask(0o022)
    stage = Stage(options.name)
    if options.screenshots is not None:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    with options.log.open("wb", buffering=0) as log:
        try:
            stage.claim()
            if stage.is_left():
                stage.clear(log)
            try:
                progress = Progress(0, STEPS, time.time())
                work = install(stage, options.port, options.screenshots, progress, log)
                installation = asyncio.run(work)
            finally:
                stage.clear(log)
        except (DemoError, LabError, TimeoutError) as error:
            sys.stderr.write(f"\n{error or 'It took too long.'} Details are in {options.log}\n")
            return 1
    options.result.write_text(json.dumps(asdict(installation)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
