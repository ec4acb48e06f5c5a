"""A stranger at a page that they have never seen: adds Hearthwall by clicks, which are counted and timed."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from playwright.async_api import Error, Locator, Page, async_playwright, expect

from demo.api import Api
from demo.browser import CHROMIUM, FLAGS, PAGE_TIMEOUT, WIDE
from demo.errors import DemoError
from demo.setup import DOMAIN, LogIn

#: In milliseconds: until the kernel programs were compiled twice on a busy machine.
FLOW_TIMEOUT: Final = 120_000
#: They come from the internet, which is not there: requests for them would fill all connections until they time out.
OTHERS_BRANDS: Final = re.compile(r"/api/brands/integration/(?!hearthwall/)")


@dataclass(frozen=True, slots=True)
class Clicked:
    """What it took, and the entry that there is now."""

    seconds: float
    clicks: int
    entry: str


@dataclass(slots=True)
class _Hand:
    """Clicks, counts, and takes a picture before each click."""

    page: Page
    folder: Path
    clicks: int = 0
    began: float = field(default=0.0)

    async def click(self, target: Locator, patience: float = PAGE_TIMEOUT) -> None:
        await expect(target).to_be_visible(timeout=patience)
        if self.clicks == 0:
            self.began = time.monotonic()
        self.clicks += 1
        await self.page.screenshot(path=self.folder / f"install-{self.clicks}.png")
        await target.click()


async def add_by_clicks(api: Api, log_in: LogIn, folder: Path) -> Clicked:
    """Log in, and go from the first page to a created gateway with what is proposed."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            width, height = WIDE
            # The frontend's service worker loads the page anew when it is there for the first time
            page = await chromium.new_page(
                viewport={"width": width, "height": height}, service_workers="block"
            )
            page.set_default_timeout(PAGE_TIMEOUT)
            expect.set_options(timeout=PAGE_TIMEOUT)
            await page.route(OTHERS_BRANDS, lambda route: route.abort())
            hand = _Hand(page, folder)
            try:
                await _log_in(page, api.url, log_in)
                await _add(hand)
                seconds = time.monotonic() - hand.began
            except (Error, AssertionError) as error:
                await page.screenshot(path=folder / "install-failure.png")
                raise DemoError(f"Not to be installed by clicks: {error}") from error
        finally:
            await chromium.close()
    entries = await api.get(f"/api/config/config_entries/entry?domain={DOMAIN}")
    return Clicked(seconds, hand.clicks, entries[0]["entry_id"])


async def _log_in(page: Page, url: str, log_in: LogIn) -> None:
    """Log in by keyboard alone: the form's fields are made otherwise in each version."""
    await page.goto(url)
    await expect(page.locator("input:focus")).to_be_visible()
    await page.keyboard.type(log_in.username)
    await page.keyboard.press("Tab")
    await page.keyboard.type(log_in.password)
    await page.keyboard.press("Enter")
    await expect(page.locator("ha-sidebar")).to_be_visible()
    # Who has an empty Home Assistant has seen its first page
    await page.wait_for_load_state("networkidle")


async def _add(hand: _Hand) -> None:
    """Click what anybody would click who takes what is proposed."""
    page = hand.page
    await hand.click(page.locator("ha-sidebar").get_by_text("Settings", exact=True))
    await hand.click(page.get_by_text("Devices & services", exact=True))
    await hand.click(page.get_by_role("button", name="Add integration").last)
    await expect(
        page.get_by_placeholder("Search for a brand name").locator(":scope:focus")
    ).to_be_visible()
    await page.keyboard.type("hearthwall")
    await hand.click(page.get_by_text("Hearthwall", exact=True).last)
    await hand.click(page.get_by_text("Run the sensor on this host"))
    await hand.click(page.get_by_role("button", name="Submit"), FLOW_TIMEOUT)
    await hand.click(
        page.get_by_role("button", name="Finish").or_(
            page.get_by_role("button", name="Skip and finish")
        ),
        FLOW_TIMEOUT,
    )
    await expect(page.locator("ha-dialog[open], ha-wa-dialog[open]")).to_have_count(0)
