"""The cards' module, served by a real Home Assistant."""

import re
from pathlib import Path

import pytest
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.hearthwall import cards
from custom_components.hearthwall.const import DOMAIN


@pytest.fixture
async def frontend(hass: HomeAssistant, tmp_path: Path) -> None:
    """A frontend whose own pages are not there."""
    (tmp_path / "hass_frontend").mkdir()
    config = {"frontend": {"development_repo": str(tmp_path)}}
    assert await async_setup_component(hass, "frontend", config)


def modules(hass: HomeAssistant) -> list[str]:
    """Return what of ours browsers load."""
    return [url for url in hass.data[DATA_EXTRA_MODULE_URL].urls if "hearthwall" in url]


@pytest.mark.usefixtures("frontend", "loaded", "garden")
async def test_browsers_load_the_module_once_however_many_gateways(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    (url,) = modules(hass)
    client = await hass_client_no_auth()
    response = await client.get(url)
    assert response.status == 200
    assert response.content_type == "text/javascript"
    assert await response.read() == cards.BUNDLE.read_bytes()
    kept = re.fullmatch(r"public, max-age=(\d+)", response.headers["Cache-Control"])
    assert kept is not None
    assert int(kept[1]) >= 86400


@pytest.mark.usefixtures("frontend")
async def test_another_module_has_another_address(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "hearthwall.js"
    bundle.write_text("export {};")
    monkeypatch.setattr(cards, "BUNDLE", bundle)
    await cards.async_setup_cards(hass)
    bundle.write_text("export { };")
    await cards.async_setup_cards(hass)
    assert len(modules(hass)) == 2


async def test_without_a_frontend_all_else_is_there(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    assert "frontend" not in hass.config.components
    assert hass.services.has_service(DOMAIN, "quarantine")
