"""Blueprints as users get them: fetched from their address, put into the configuration, made automations."""

import re
from pathlib import Path
from typing import Any

from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint.importer import fetch_blueprint_from_url
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "blueprints" / "automation" / "hearthwall"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
LINK = re.compile(
    r"https://my\.home-assistant\.io/redirect/blueprint_import/\?blueprint_url=([^)\s]+)"
)


def address(name: str) -> str:
    """Return where a blueprint is for everybody."""
    path = (FOLDER / f"{name}.yaml").relative_to(ROOT)
    return f"https://raw.githubusercontent.com/hearthwall/hearthwall/main/{path}"


async def import_blueprint(hass: HomeAssistant, web: AiohttpClientMocker, name: str) -> Any:
    """Import a blueprint as the button of Home Assistant does."""
    web.get(address(name), text=(FOLDER / f"{name}.yaml").read_text())
    imported = await fetch_blueprint_from_url(hass, address(name))
    path = f"{imported.suggested_filename}.yaml"
    blueprints = async_get_blueprints(hass)
    await blueprints.async_add_blueprint(imported.blueprint, path, allow_override=True)
    return imported


async def automate(hass: HomeAssistant, web: AiohttpClientMocker, name: str, **inputs: Any) -> str:
    """Make an automation of a blueprint, and return its entity id."""
    assert await async_setup_component(hass, "blueprint", {})
    imported = await import_blueprint(hass, web, name)
    used = {"path": f"{imported.suggested_filename}.yaml", "input": inputs}
    automation = {"id": name, "alias": name, "use_blueprint": used}
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await hass.async_block_till_done()
    entity_id = f"automation.{name}"
    found = hass.states.get(entity_id)
    assert found is not None
    assert found.state == "on", "Home Assistant does not take it"
    return entity_id
