"""The dashboard's cards: one module, served to browsers and loaded by each."""

import hashlib
from pathlib import Path
from typing import Final

from homeassistant.components.frontend import DOMAIN as FRONTEND, add_extra_js_url
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant

BUNDLE: Final = Path(__file__).parent / "www" / "hearthwall.js"


async def async_setup_cards(hass: HomeAssistant) -> None:
    """Serve the cards' module, and have every browser load it where there is a frontend."""
    url = await hass.async_add_executor_job(_url)
    # Kept by browsers for a month: another version has another address.
    await hass.http.async_register_static_paths(
        [StaticPathConfig(url, str(BUNDLE), cache_headers=True)]
    )
    if FRONTEND in hass.config.components:
        add_extra_js_url(hass, url)


def _url() -> str:
    """Return where this version of the module is."""
    digest = hashlib.sha256(BUNDLE.read_bytes()).hexdigest()[:12]
    return f"/hearthwall/{digest}/{BUNDLE.name}"
