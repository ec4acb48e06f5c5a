"""The websocket command for how a gateway's sensor fares."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from tests.homeassistant.live import browser
from tests.homeassistant.peer import Peer, feed, status


async def test_the_sensors_own_words(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    peer: Peer,
) -> None:
    peer.feeds["drop"] = feed("drop", packets=7)
    admin = await browser(hass, hass_ws_client)
    told = await admin.result("gateway", entry_id=loaded.entry_id)
    assert told["gateway"] == loaded.title
    assert told["interfaces"] == [
        {"name": each.name, "role": each.role, "xdp": each.xdp} for each in status().interfaces
    ]
    assert [(each["name"], each["packets"]) for each in told["feeds"]] == [("drop", 7)]
    peer.errors["feeds"] = SensorError("internal", "It is broken.")
    answer = await admin.ask("gateway", entry_id=loaded.entry_id)
    await admin.close()
    assert "It is broken." in answer["error"]["message"]


async def test_only_an_administrator_may(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    reader = await browser(hass, hass_ws_client, hass_read_only_access_token)
    answer = await reader.ask("gateway", entry_id=loaded.entry_id)
    await reader.close()
    assert answer["error"]["code"] == "unauthorized"
