"""Somebody at Home Assistant's pages: finds the cards on them, orders, and minds their complaints."""

import subprocess
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, expect

from tests.browser.standing import ROOT, Standing

#: In milliseconds: a first page on a machine that does much else.
PATIENCE: Final = 60_000
OURS: Final = "/hearthwall.js"

SCHEMES: Final[dict[str, Literal["light", "dark"]]] = {"light": "light", "dark": "dark"}
FRAMES: Final = """() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));
})"""

#: Our elements that Home Assistant places: everything else of ours is within them.
CARDS: Final = """() => {
  const found = [];
  const search = (root) => {
    for (const each of root.querySelectorAll("*")) {
      if (/^hearthwall-.*(card|badge|feature)$/.test(each.localName)) found.push(each);
      if (each.shadowRoot) search(each.shadowRoot);
    }
  };
  search(document);
  return found.filter((each) => each.getClientRects().length);
}"""
#: What is so grave that somebody cannot use a card; axe-core calls the rest moderate or minor.
FAULTS: Final = f"""async () => {{
  const faults = [];
  for (const card of ({CARDS})()) {{
    const {{ violations, passes }} = await axe.run(card, {{ resultTypes: ["violations"] }});
    if (!passes.length) faults.push(`${{card.localName}} was not looked at`);
    for (const {{ id, impact, nodes }} of violations) {{
      if (!["serious", "critical"].includes(impact)) continue;
      faults.push(...nodes.map((node) => `${{card.localName}}: ${{id}}: ${{node.html}} ${{node.failureSummary}}`));
    }}
  }}
  return faults;
}}"""
#: Whatever of our cards ends beyond the window's edge, and the page where it scrolls sideways.
WIDE: Final = f"""() => {{
  const wide = [];
  const search = (root, card) => {{
    for (const each of root.querySelectorAll("*")) {{
      const right = each.getBoundingClientRect().right;
      if (each.shadowRoot) search(each.shadowRoot, card);
      if (right > innerWidth + 1 && each.getClientRects().length)
        wide.push(`${{card.localName}} ${{each.localName}}.${{each.className}} ends at ${{right}}`);
    }}
  }};
  for (const card of ({CARDS})()) search(card.shadowRoot, card);
  if (document.documentElement.scrollWidth > innerWidth) wide.push("the page");
  return wide;
}}"""


class Visitor:
    """A page with somebody logged in."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        #: What the browser's console says of our module.
        self.complaints: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)

    def log_in(self, demo: Standing) -> None:
        """Log in through the form; the dashboard is the first page."""
        self.page.goto(self.url)
        self.page.get_by_label("Username").fill(demo.username)
        self.page.get_by_label("Password", exact=True).fill(demo.password)
        self.page.keyboard.press("Enter")
        expect(self.row("Camera")).to_be_visible()

    def open(self, path: str) -> None:
        """Load a page anew."""
        self.page.goto(f"{self.url}{path}")

    def command(self, **message: Any) -> Any:
        """Send a websocket command as the frontend does."""
        return self._hass("callWS(given)", message)

    def action(self, domain: str, action: str, *data: dict[str, Any]) -> None:
        """Call an action, with data and target."""
        self._hass("callService(...given)", [domain, action, *data])

    def release_all(self) -> None:
        """Switch off each quarantine that is on."""
        on: list[str] = self._hass(
            "states && Object.values(hass.states).filter((each) => each.state === 'on'"
            " && hass.entities[each.entity_id]?.translation_key === given)"
            ".map((each) => each.entity_id)",
            "quarantine",
        )
        if on:
            self.action("switch", "turn_off", {}, {"entity_id": on})

    def device_id(self, name: str) -> str:
        """Return the id of a device that its owner called so."""
        id_: str = self._hass(
            "devices && Object.values(hass.devices).find((each) => each.name_by_user === given).id",
            name,
        )
        return id_

    def entity_id(self, device: str, key: str) -> str:
        """Return the id of a device's entity."""
        given = [self.device_id(device), key]
        id_: str = self._hass(
            "entities && Object.values(hass.entities).find("
            "(each) => each.device_id === given[0] && each.translation_key === given[1]).entity_id",
            given,
        )
        return id_

    def set_language(self, language: str) -> None:
        """Choose a language in the user's profile, and load the page anew."""
        self.command(
            type="frontend/set_user_data",
            key="language",
            value={"language": language, "number_format": "language", "time_format": "language"},
        )
        self.page.reload()
        expect(self.page.locator(f"html[lang={language}]")).to_be_attached()

    def card(self, kind: str) -> Locator:
        """Return a card of ours."""
        return self.page.locator(f"hearthwall-{kind}")

    def row(self, device: str) -> Locator:
        """Return a device's row in the devices card."""
        named = self.page.get_by_role("button").and_(self.page.get_by_text(device, exact=True))
        return self.page.locator("hearthwall-device-row").filter(has=named)

    def switch(self, device: str) -> Locator:
        """Return the quarantine switch in a device's row."""
        return self.row(device).get_by_role("switch")

    def confirm(self, answer: str, choice: str | None = None) -> None:
        """Answer a card's question."""
        dialog = self.page.get_by_role("dialog").filter(visible=True)
        if choice is not None:
            dialog.get_by_label(choice).check()
        dialog.get_by_role("button", name=answer, exact=True).click()
        expect(dialog).to_have_count(0)

    def show(self, size: tuple[int, int], scheme: str) -> None:
        """Have a screen of this size, by day or by night."""
        width, height = size
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=SCHEMES[scheme])
        self.page.wait_for_function(
            "(dark) => document.querySelector('home-assistant').hass.themes.darkMode === dark",
            arg=scheme == "dark",
        )
        # What sizes itself has done so in the frame after
        self.page.evaluate(FRAMES)

    def picture(self, path: Path) -> None:
        """Write a picture of the whole page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path, full_page=True, animations="disabled")

    def faults(self) -> list[str]:
        """Return the serious and critical faults that axe-core finds in our cards."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.add_script_tag(path=_axe())
        found: list[str] = self.page.evaluate(FAULTS)
        return found

    def too_wide(self) -> list[str]:
        """Return what of our cards, or of the page, is beyond the window's edge."""
        found: list[str] = self.page.evaluate(WIDE)
        return found

    def _hass(self, expression: str, given: Any) -> Any:
        return self.page.evaluate(
            f"(given) => {{ const {{ hass }} = document.querySelector('home-assistant');"
            f" return hass.{expression}; }}",
            given,
        )

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and (
            OURS in message.text or OURS in message.location.get("url", "")
        ):
            self.complaints.append(message.text)

    def _on_error(self, error: Error) -> None:
        if OURS in (error.stack or ""):
            self.complaints.append(error.stack or str(error))


def _axe() -> Path:
    """Return axe-core as frontend/package-lock.json pins it."""
    argv = [ROOT / "scripts" / "frontend", "--modules"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return Path(done.stdout.splitlines()[-1]) / "axe-core" / "axe.min.js"
