"""Render SOURCE/*.svg to PNGs in TARGET: for light and dark themes, and each at twice the size."""

import re
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

HEIGHT: Final = 256
#: Which colours change on a dark background: the letters are those of the fire's hearth on a light one.
DARK: Final = {'stroke="#6b3a2e"': 'stroke="#f3e3d8"'}
#: An icon brings its own background along.
WITHOUT_DARK: Final = {"icon"}


def render(page: Page, svg: str, target: Path, scale: int) -> None:
    """Write one picture; what nothing is painted on stays transparent."""
    box = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', svg)
    if box is None:
        raise ValueError(f"{target.stem} has no viewBox")
    height = HEIGHT * scale
    width = round(height * float(box[1]) / float(box[2]))
    page.set_viewport_size({"width": width, "height": height})
    sized = svg.replace("<svg ", f'<svg width="{width}" height="{height}" ', 1)
    page.set_content(
        f'<body style="margin:0">{sized.replace("<svg ", "<svg style=display:block ", 1)}</body>'
    )
    page.screenshot(path=target, omit_background=True)


def main(source: Path, target: Path) -> None:
    """Render everything."""
    target.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = chromium.new_page()
        for path in sorted(source.glob("*.svg")):
            light = path.read_text()
            dark = light
            for old, new in DARK.items():
                dark = dark.replace(old, new)
            for scale, suffix in ((1, ""), (2, "@2x")):
                render(page, light, target / f"{path.stem}{suffix}.png", scale)
                if path.stem not in WITHOUT_DARK:
                    render(page, dark, target / f"dark_{path.stem}{suffix}.png", scale)
        chromium.close()


main(Path(sys.argv[1]), Path(sys.argv[-1]))
