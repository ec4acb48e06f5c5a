"""A person at the dashboard: a real Chromium that logs in, looks and clicks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Literal, get_args

from playwright.async_api import Error, Locator, Page, async_playwright, expect

from demo.errors import DemoError
from demo.household import CAMERA
from demo.setup import LogIn

CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
#: In milliseconds: a first page on a busy machine, and a click's effect.
PAGE_TIMEOUT: Final = 60_000
CLICK_TIMEOUT: Final = 10_000
#: How long graphs take to draw themselves.
SETTLE: Final = 1_500

WIDE: Final = (1440, 1200)
PHONE: Final = (412, 915)


type Picture = Literal[
    "home",
    "quarantine",
    "quarantine-dark",
    "quarantine-phone",
    "quarantine-phone-dark",
    "released",
    "failure",
]


class Dashboard:
    """The dashboard's page."""

    def __init__(self, page: Page, folder: Path) -> None:
        self._page = page
        self._folder = folder

    async def open(self, url: str, log_in: LogIn) -> None:
        """Log in through the form, and wait until the dashboard is drawn."""
        try:
            await self._page.goto(url)
            await self._page.get_by_label("Username").fill(log_in.username)
            await self._page.get_by_label("Password", exact=True).fill(log_in.password)
            await self._page.keyboard.press("Enter")
            await expect(self._row(CAMERA.name)).to_be_visible()
        except Error as error:
            raise await self._failed("The dashboard does not come up", error) from error

    async def set_quarantine(self, device: str, on: bool) -> None:
        """Switch in the devices card, answer its question, and wait until it shows what the kernel does."""
        switch = self._switch(device)
        try:
            await expect(switch).to_be_checked(checked=not on)
            await switch.click()
            answer = self._page.get_by_role("dialog").get_by_role(
                "button", name="Quarantine" if on else "Release", exact=True
            )
            await answer.click()
            await expect(switch).to_be_checked(checked=on, timeout=CLICK_TIMEOUT)
        except (Error, AssertionError) as error:
            raise await self._failed(
                f"The quarantine switch of {device} does not follow", error
            ) from error

    async def is_quarantined(self, device: str) -> bool:
        """Tell what the switch shows."""
        return await self._switch(device).is_checked()

    async def picture(
        self,
        name: Picture,
        size: tuple[int, int] = WIDE,
        scheme: Literal["light", "dark"] = "light",
    ) -> None:
        """Write a screenshot."""
        width, height = size
        await self._page.set_viewport_size({"width": width, "height": height})
        await self._page.emulate_media(color_scheme=scheme)
        await self._page.wait_for_timeout(SETTLE)
        await self._page.screenshot(path=self._folder / f"{name}.png")

    def _row(self, device: str) -> Locator:
        return self._page.locator("hearthwall-device-row").filter(
            has=self._page.get_by_text(device, exact=True)
        )

    def _switch(self, device: str) -> Locator:
        return self._row(device).get_by_role("switch")

    async def _failed(self, sentence: str, error: Exception) -> DemoError:
        """Return the error to raise, with a picture of what there was instead."""
        await self.picture("failure")
        first = str(error).partition("\n")[0]
        return DemoError(f"{sentence} ({first}); see {self._folder / 'failure.png'}")


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Dashboard]:
    """Start a Chromium without a window; its pictures go into the folder, in place of an earlier check's."""
    for name in get_args(Picture.__value__):
        (folder / f"{name}.png").unlink(missing_ok=True)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            width, height = WIDE
            page = await chromium.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(PAGE_TIMEOUT)
            expect.set_options(timeout=PAGE_TIMEOUT)
            yield Dashboard(page, folder)
        finally:
            await chromium.close()
