"""What devices have moved, summed: what is asked of the sensor, and what is answered."""

from time import time
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hearthwall.bpf.hearthwall_sensor.requests import GetUsage
from custom_components.hearthwall.bpf.hearthwall_sensor.usage import UsageReport, UsageRow
from custom_components.hearthwall.const import DOMAIN
from tests.devices import CAMERA, TV
from tests.homeassistant.peer import Peer
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_services import call


@pytest.fixture(autouse=True)
def moved(loaded: MockConfigEntry, peer: Peer) -> None:
    """The TV moved more than the camera, and what nobody knows of a little."""
    rows = (
        UsageRow(1, 2, 1, mac=CAMERA, domain="vendor.example"),
        UsageRow(10, 20, 3, mac=TV, domain="video.example"),
        UsageRow(1, 0, 1),
    )
    peer.answers["usage"] = UsageReport(rows, 12, 22, 5).to_wire()


async def test_what_moved_most_comes_first_and_totals_hold_all(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    answer = await call(hass, "get_usage", by=["mac", "domain"], limit=2, since="1h")
    (request,) = peer.orders(GetUsage)
    assert (request.by, request.limit, request.devices) == (("mac", "domain"), 2, ())
    assert abs(time() - 3600 - request.since) < 10
    of_gateway = {"config_entry_id": loaded.entry_id, "gateway": "Home"}
    first, second = answer.pop("usage")
    assert first["device_name"] == "Acme 53:13"
    assert second == of_gateway | {
        "mac": CAMERA,
        "domain": "vendor.example",
        "upload_bytes": 1,
        "download_bytes": 2,
        "flows": 1,
        "device_name": "camera",
        "device_id": camera(hass, loaded).id,
    }
    assert answer == {"upload_bytes": 12, "download_bytes": 22, "flows": 5}


async def test_of_targets_by_what_has_no_device(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    answer = await call(hass, "get_usage", by="domain", device_id=camera(hass, loaded).id)
    assert peer.orders(GetUsage) == [GetUsage(by=("domain",), devices=(CAMERA,))]
    assert [each["domain"] for each in answer["usage"]] == [
        "video.example",
        "vendor.example",
        None,
    ]
    assert "mac" not in answer["usage"][0]


async def test_a_sum_of_nobody_has_no_name(hass: HomeAssistant) -> None:
    last = (await call(hass, "get_usage"))["usage"][-1]
    assert (last["mac"], last["device_name"], last["device_id"]) == (None, None, None)


@pytest.mark.parametrize(
    "wrong", [{"by": []}, {"by": "colour"}, {"by": ["mac", "mac"]}, {"limit": 0}]
)
async def test_what_makes_no_sense_is_refused(hass: HomeAssistant, wrong: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, "get_usage", **wrong)


async def test_only_administrators_may(
    hass: HomeAssistant, peer: Peer, hass_read_only_user: MockUser
) -> None:
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "get_usage",
            {},
            blocking=True,
            return_response=True,
            context=Context(hass_read_only_user.id),
        )
    assert not peer.orders(GetUsage)
