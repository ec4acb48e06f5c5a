"""The demo's check of itself: a quarantine through the page, proved with packets."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from demo.browser import PHONE, Dashboard, browser
from demo.errors import DemoError
from demo.household import CAMERA, TV
from demo.progress import Progress
from demo.reach import Witness, witness
from demo.running import Demo

#: Until a rate, a mean over ten seconds, shows what the quarantine did.
RATE_SECONDS: Final = 12
#: After a release TCP tries again when its patience says so, which doubles with each failure.
RELEASE_SECONDS: Final = 40


async def check(demo: Demo, folder: Path, progress: Progress) -> None:
    """Quarantine the camera and release it, through the page; raises DemoError if packets tell otherwise."""
    with ExitStack() as stack:
        camera, tv = (
            stack.enter_context(witness(demo.stage.lab, member.host, demo.stage.folder))
            for member in (CAMERA, TV)
        )
        async with browser(folder) as dashboard:
            progress.step("Log-in in Chromium; the camera and the TV reach the internet")
            await dashboard.open(demo.url, demo.log_in)
            await _expect(progress, camera, tv, camera_cut_off=False)
            await dashboard.picture("home")

            progress.step("The camera's quarantine is switched on in the page")
            await dashboard.set_quarantine(CAMERA.name, on=True)
            await _expect(progress, camera, tv, camera_cut_off=True)
            if not await dashboard.is_quarantined(CAMERA.name):
                raise DemoError("The camera is cut off, but its switch has bounced back.")
            await asyncio.sleep(RATE_SECONDS)
            await _take_pictures(dashboard)

            progress.step("And off again")
            await dashboard.set_quarantine(CAMERA.name, on=False)
            await _wait_for_transfer(camera)
            await _expect(progress, camera, tv, camera_cut_off=False)
            await dashboard.picture("released")


async def _expect(
    progress: Progress, camera: Witness, tv: Witness, *, camera_cut_off: bool
) -> None:
    """Look at both; raises DemoError if the camera, or the TV, is not as it should be."""
    of_camera, of_tv = await asyncio.gather(camera.look(), tv.look())
    progress.say(f"camera: {of_camera}")
    progress.say(f"TV:     {of_tv}")
    if camera_cut_off and not of_camera.cut_off:
        raise DemoError(f"The camera is in quarantine, and yet: {of_camera}.")
    if not camera_cut_off and not of_camera.connected:
        raise DemoError(f"The camera is not in quarantine, and yet: {of_camera}.")
    if not of_tv.connected:
        raise DemoError(f"The TV is not in quarantine, and yet: {of_tv}.")


async def _wait_for_transfer(camera: Witness) -> None:
    """Return when the transfer that was open all the time goes on."""
    before = camera.transferred
    for _ in range(RELEASE_SECONDS * 10):
        if camera.transferred > before:
            return
        await asyncio.sleep(0.1)
    raise DemoError(f"The camera's open transfer has not come back within {RELEASE_SECONDS} s.")


async def _take_pictures(dashboard: Dashboard) -> None:
    """Show the quarantine by day and by night, on a desk and on a phone."""
    await dashboard.picture("quarantine")
    await dashboard.picture("quarantine-dark", scheme="dark")
    await dashboard.picture("quarantine-phone-dark", size=PHONE, scheme="dark")
    await dashboard.picture("quarantine-phone", size=PHONE)
