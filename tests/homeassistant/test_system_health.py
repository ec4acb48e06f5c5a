"""System health tells how each gateway fares."""

import asyncio
import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info

import custom_components.hearthwall as integration
from custom_components.hearthwall import system_health
from custom_components.hearthwall.bpf.hearthwall_sensor import __version__
from custom_components.hearthwall.const import DOMAIN
from tests.homeassistant.peer import Peer
from tests.homeassistant.test_init import wait_for


async def told(hass: HomeAssistant) -> dict[str, Any]:
    """Return what the page says."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    async with asyncio.timeout(5):
        return dict(await get_system_health_info(hass, DOMAIN))


async def test_one_gateway(hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer) -> None:
    await peer.fare(lost={"samples_lost": 7, "events_lost": 0}, uptime_s=5400.0, rules=2)
    assert await told(hass) == {
        "integration_version": __version__,
        "connection": "ok",
        "sensor_version": __version__,
        "schema": "1",
        "interfaces": "camera (lan, off)",
        "uptime": "1.5 h",
        "devices": "1",
        "rules": "2",
        "lost": "samples_lost: 7",
        "memory": "30 MB",
    }


async def test_several_gateways(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    garden: tuple[MockConfigEntry, Peer],
) -> None:
    await garden[1].fare(rules=5)
    said = await told(hass)
    assert said["rules"] == "Home: 0; Garden: 5"
    assert said["connection"] == "Home: ok; Garden: ok"


async def test_a_gateway_that_is_away(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.stop()
    await wait_for(lambda: not loaded.runtime_data.available)
    said = await told(hass)
    assert said == {"integration_version": __version__, "connection": "lost"}


def test_every_line_has_a_label_in_every_language() -> None:
    for language in ("en", "ja"):
        file = Path(integration.__file__).parent / "translations" / f"{language}.json"
        labels = json.loads(file.read_text())["system_health"]["info"]
        assert set(labels) == {"integration_version", "connection", *system_health._TOLD}
