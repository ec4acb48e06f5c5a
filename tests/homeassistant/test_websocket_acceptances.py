"""The websocket commands for what was accepted."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall.bpf.hearthwall_sensor.habits import Acceptance
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import RevokeAccepted
from tests.devices import CAMERA
from tests.homeassistant.live import Browser, browser
from tests.homeassistant.peer import Peer


@pytest.fixture
async def admin(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> Any:
    """The browser of an administrator."""
    made = await browser(hass, hass_ws_client)
    yield made
    await made.close()


def acceptance(number: int, seq: int) -> dict[str, Any]:
    return Acceptance(number, 0.0, seq, "beacon", CAMERA, None, "", "", {}).to_wire()


async def test_which_events_were_accepted(
    admin: Browser, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.answers["accepted"] = [acceptance(3, 39), acceptance(7, 40)]
    told = [{"entry_id": loaded.entry_id, "seq": seq} for seq in (39, 40)]
    for of in ({}, {"entry_id": loaded.entry_id}):
        assert await admin.result("accepted", **of) == {"accepted": told}
    peer.errors["accepted"] = SensorError("internal", "It is broken.")
    assert "It is broken." in (await admin.ask("accepted"))["error"]["message"]


@pytest.mark.parametrize(("which", "ids"), [({"acceptance": 3}, [3]), ({"seq": 40}, [7])])
async def test_what_was_accepted_is_taken_back(
    admin: Browser, loaded: MockConfigEntry, peer: Peer, which: dict[str, int], ids: list[int]
) -> None:
    peer.answers["accepted"] = [acceptance(3, 39), acceptance(7, 40)]
    peer.answers["revoke"] = acceptance(*ids, 40)
    answer = await admin.result("revoke", entry_id=loaded.entry_id, **which)
    assert [each["id"] for each in answer["revoked"]] == ids
    assert peer.orders(RevokeAccepted) == [RevokeAccepted(each) for each in ids]


@pytest.mark.parametrize("which", [{"seq": 41}, {}])
async def test_what_was_not_accepted_is_said_to_be_so(
    admin: Browser, loaded: MockConfigEntry, peer: Peer, which: dict[str, int]
) -> None:
    peer.answers["accepted"] = [acceptance(3, 39)]
    answer = await admin.ask("revoke", entry_id=loaded.entry_id, **which)
    assert answer["error"]["message"].endswith("This event is not accepted.")
    assert not peer.orders(RevokeAccepted)


async def test_only_an_administrator_may(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    peer: Peer,
) -> None:
    reader = await browser(hass, hass_ws_client, hass_read_only_access_token)
    answer = await reader.ask("revoke", entry_id=loaded.entry_id, acceptance=3)
    await reader.close()
    assert answer["error"]["code"] == "unauthorized"
    assert not peer.orders(RevokeAccepted)
