"""The live view for cards."""

import asyncio
from time import monotonic
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall import websocket_api
from tests.devices import CAMERA
from tests.homeassistant.peer import Peer, device

COMMAND = "hearthwall/subscribe_devices"


async def subscribe(client: Any, **fields: Any) -> int:
    await client.send_json_auto_id({"type": COMMAND, **fields})
    answer = await client.receive_json()
    assert answer["success"], answer
    return int(answer["id"])


async def test_snapshot_deltas_and_an_end(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, loaded: MockConfigEntry, peer: Peer
) -> None:
    client = await hass_ws_client(hass)
    identity = await subscribe(client, interval=0.02, entry_id=loaded.entry_id)
    event = (await client.receive_json())["event"]
    assert event["type"] == "snapshot"
    assert {each["mac"] for each in event["devices"]} == {each.mac for each in peer.devices}
    assert peer.intervals == [1.0, 0.02]

    began = monotonic()
    await peer.tell(devices=[device(CAMERA, upload_bytes=7, upload_rate=0.7)])
    event = (await client.receive_json())["event"]
    assert monotonic() - began < 0.5
    assert event["type"] == "delta"
    assert event["devices"][0]["upload_bytes"] == 7
    assert event["devices"][0]["rule"] is None
    await peer.tell(removed_devices=[CAMERA])
    assert (await client.receive_json())["event"]["removed"] == [CAMERA]

    await client.send_json_auto_id({"type": "unsubscribe_events", "subscription": identity})
    assert (await client.receive_json())["success"]
    async with asyncio.timeout(5):
        while peer.clients > 1:
            await asyncio.sleep(0.02)


async def test_a_loss_is_told_and_healed(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket_api, "RETRY", 0.05)
    client = await hass_ws_client(hass)
    await subscribe(client)
    assert (await client.receive_json())["event"]["type"] == "snapshot"
    await peer.stop()
    assert (await client.receive_json())["event"] == {"type": "lost"}
    await peer.start()
    assert (await client.receive_json())["event"]["type"] == "snapshot"
    await client.close()


@pytest.mark.parametrize("fields", [{"interval": 0}, {"interval": 61}, {"interval": "fast"}])
async def test_intervals_have_bounds(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    fields: dict[str, Any],
) -> None:
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": COMMAND, **fields})
    answer = await client.receive_json()
    assert not answer["success"]
    assert answer["error"]["code"] == "invalid_format"


async def test_the_number_of_views_is_bounded(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket_api, "MAX_SUBSCRIPTIONS", 1)
    client = await hass_ws_client(hass)
    await subscribe(client)
    await client.receive_json()
    await client.send_json_auto_id({"type": COMMAND})
    answer = await client.receive_json()
    assert answer["error"]["translation_key"] == "too_many_live_views"
    await client.close()


async def test_an_unknown_gateway(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, loaded: MockConfigEntry
) -> None:
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": COMMAND, "entry_id": "nobody"})
    assert not (await client.receive_json())["success"]
