"""Diagnostics can be handed to strangers."""

import json

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock
from custom_components.hearthwall.diagnostics import async_get_config_entry_diagnostics
from tests.devices import CAMERA
from tests.homeassistant.peer import Peer, device, feed


async def test_diagnostics_name_nobody(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(
        devices=[
            device(
                CAMERA,
                name="Anna's camera",
                hostname="annas-camera",
                other_macs=("02:00:5e:00:53:77",),
                upload_bytes=4711,
            )
        ]
    )
    await loaded.runtime_data.block(
        AddBlock(target=CAMERA, reason="Anna is watched", peers=("anna.example",))
    )
    await peer.tell(
        feeds=[
            feed(
                "own",
                source="https://anna.example/?key=1",
                subtracted_examples=("192.168.20.0/24",),
                last_error="anna.example says 404",
                packets=815,
            )
        ]
    )
    told = await async_get_config_entry_diagnostics(hass, loaded)
    text = json.dumps(told).lower()
    for private in (CAMERA, "02:00:5e", "192.168.", "anna"):
        assert private not in text
    assert told["connected"] is True
    assert told["supervised"] is False
    assert told["status"]["version"] == "0.1.0"
    assert "4711" in text
    assert "815" in text
