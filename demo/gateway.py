"""Home Assistant as it runs on a user's gateway: in its network, as root, with Hearthwall as HACS installs it."""

import asyncio
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from demo.api import Api
from demo.errors import DemoError
from lab import tools

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = ROOT / "scripts" / "package"

#: On a machine that is very busy; usually it is a tenth.
START_SECONDS: Final = 120
POLL_SECONDS: Final = 0.2
STOP_SECONDS: Final = 10

CONFIGURATION: Final = """\
automation: !include automations.yaml
script: !include scripts.yaml
scene: !include scenes.yaml
assist_pipeline:
conversation:
frontend:
history:
logbook:
recorder:
  commit_interval: 1
logger:
  default: warning
  logs:
    custom_components.hearthwall: info
    # Complain of what nobody installs for a demo without cameras: ffmpeg and turbojpeg
    haffmpeg: critical
    homeassistant.components.camera.img_util: critical
"""

#: What is made in the frontend is written there, and it must be there before.
INCLUDED: Final = {"automations.yaml": "[]\n", "scripts.yaml": "{}\n", "scenes.yaml": "[]\n"}

#: Only a step of Home Assistant's onboarding that sets up weather, radio and speech from the internet
ONBOARDED: Final = {"version": 4, "key": "onboarding", "data": {"done": ["core_config"]}}


def install(config: Path) -> None:
    """Write the configuration, and unpack the very zip that a release has: its files are root's own."""
    (config / ".storage").mkdir(parents=True)
    (config / ".storage" / "onboarding").write_text(json.dumps(ONBOARDED))
    (config / "configuration.yaml").write_text(CONFIGURATION)
    for name, content in INCLUDED.items():
        (config / name).write_text(content)
    package = config / "hearthwall.zip"
    done = subprocess.run(
        [tools.PYTHON, "-I", str(PACKAGE), "--output", str(package)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoError(f"Hearthwall cannot be packed: {done.stderr.strip()}")
    with zipfile.ZipFile(package) as archive:
        archive.extractall(config / "custom_components" / "hearthwall")
    package.unlink()


def bound(argv: Sequence[str]) -> list[str]:
    """Return the command line of a process that not even SIGKILL of this one leaves behind."""
    return [tools.find("setpriv"), "--pdeathsig", "KILL", "--", *argv]


def command(config: Path) -> list[str]:
    """Return Home Assistant's command line. It installs nothing: what it needs is in this venv."""
    hass = Path(sys.executable).with_name("hass")
    return [str(hass), "--config", str(config), "--skip-pip", "--log-no-color"]


async def start(argv: Sequence[str], home: Path, log: BinaryIO) -> asyncio.subprocess.Process:
    """Start a process of the demo's, with nothing of this one's environment but where programs are."""
    return await asyncio.create_subprocess_exec(
        *bound(argv),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        env={"PATH": ":".join(tools.FOLDERS), "HOME": str(home), "LANG": "C.UTF-8"},
        # A Ctrl-C is for the demo, which ends its processes in their order.
        start_new_session=True,
    )


async def wait_until_it_answers(api: Api, process: asyncio.subprocess.Process) -> None:
    """Return when Home Assistant serves its frontend."""
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await api.answers():
                if process.returncode is not None:
                    raise DemoError(
                        f"Home Assistant ended at once (exit code {process.returncode})."
                    )
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise DemoError(f"Home Assistant was not ready within {START_SECONDS} s.") from None


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a process politely if it lets us."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
