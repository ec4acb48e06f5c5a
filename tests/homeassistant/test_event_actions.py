"""The journal's actions: what is asked of it, what is answered, and what is fine from now on."""

from collections.abc import AsyncIterator
from pathlib import Path
from time import time
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr, label_registry as lr
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hearthwall.bpf.hearthwall_sensor.kinds import KINDS
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AcceptEvent, GetEvents
from custom_components.hearthwall.const import CONF_SOCKET, DOMAIN
from tests.devices import PHONE, TV
from tests.homeassistant.peer import Peer, device, event
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_services import call


async def listed(hass: HomeAssistant, **filters: Any) -> list[int]:
    return [each["seq"] for each in (await call(hass, "get_events", **filters))["events"]]


@pytest.fixture(autouse=True)
def events(loaded: MockConfigEntry, peer: Peer) -> None:
    """What happened: the camera did most of it."""
    now = time()
    peer.events = [
        event(1, kind="flood", mac=None, time=now - 9000),
        event(2, time=now - 8000),
        event(3, kind="port_scan", severity="low", mac=TV, time=now - 7000),
        event(4, kind="beacon", severity="critical", time=now - 6000),
        event(5, kind="beacon", severity="medium", time=now - 60),
    ]


async def test_the_newest_the_oldest_of_them_first(hass: HomeAssistant, peer: Peer) -> None:
    assert await listed(hass) == [1, 2, 3, 4, 5]
    assert await listed(hass, limit=2) == [4, 5]
    assert peer.orders(GetEvents) == [GetEvents(limit=limit, latest=True) for limit in (100, 2)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"since": 3}, [4, 5]),
        ({"since": "1", "limit": 2}, [2, 3]),
        ({"since": {"active_choice": "seq", "seq": 4}}, [5]),
        ({"since": 5}, []),
        ({"since": "10m"}, [5]),
        ({"since": "02:00:00"}, [3, 4, 5]),
        ({"since": {"active_choice": "ago", "ago": {"hours": 2}}}, [3, 4, 5]),
        ({"since": "2h", "limit": 1}, [5]),
        ({"kind": "beacon"}, [4, 5]),
        ({"kind": ["beacon", "flood"], "severity": "high"}, [1, 4]),
        ({"severity": "critical"}, [4]),
        ({"entity_id": "event.camera_security"}, [2, 4, 5]),
    ],
)
async def test_what_is_asked_for(
    hass: HomeAssistant, filters: dict[str, Any], expected: list[int]
) -> None:
    assert await listed(hass, **filters) == expected


async def test_a_moment_may_be_seconds_since_the_epoch(hass: HomeAssistant, peer: Peer) -> None:
    assert await listed(hass, since=peer.events[3].time) == [5]


@pytest.mark.parametrize("by", ["device_id", "label_id"])
async def test_events_of_targets(hass: HomeAssistant, loaded: MockConfigEntry, by: str) -> None:
    found = camera(hass, loaded)
    label = lr.async_get(hass).async_create("Cameras")
    dr.async_get(hass).async_update_device(found.id, labels={label.label_id})
    target = {"device_id": found.id, "label_id": label.label_id}[by]
    assert await listed(hass, **{by: target}) == [2, 4, 5]


async def test_an_event_is_answered_with_all_that_there_is_to_say(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    (found,) = (await call(hass, "get_events", since=4))["events"]
    assert found == peer.events[4].to_wire() | {
        "why": None,
        "advice": KINDS["beacon"].advice,
        "device_name": "camera",
        "device_id": camera(hass, loaded).id,
        "culprit_device_id": camera(hass, loaded).id,
        "sensor_summary": "number 5",
        "config_entry_id": loaded.entry_id,
        "gateway": "Home",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "unheard_of"},
        {"severity": "dreadful"},
        {"limit": 0},
        {"limit": 1001},
        {"since": []},
    ],
)
async def test_what_makes_no_sense_is_refused(hass: HomeAssistant, wrong: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        await listed(hass, **wrong)


async def test_no_time_is_refused(hass: HomeAssistant) -> None:
    with pytest.raises(ServiceValidationError, match="yesterday"):
        await listed(hass, since="yesterday")


@pytest.fixture
async def second(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[Peer]:
    """Another gateway, with a phone behind it."""
    peer = Peer(tmp_path / "second.sock")
    peer.devices = [device(PHONE, hostname="phone", addresses=("10.0.0.2",))]
    peer.events = [event(1, mac=PHONE, kind="beacon", time=time() - 100)]
    await peer.start()
    entry = MockConfigEntry(
        domain=DOMAIN, title="Garden", unique_id=peer.socket, data={CONF_SOCKET: peer.socket}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield peer
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    await peer.stop()


async def test_several_gateways_answer_in_one_order(hass: HomeAssistant, second: Peer) -> None:
    answer = (await call(hass, "get_events", kind="beacon", limit=2))["events"]
    assert [(each["device_name"], each["gateway"]) for each in answer] == [
        ("phone", "Garden"),
        ("camera", "Home"),
    ]


# Accepting


async def test_an_event_is_accepted_by_its_number(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    answer = await call(hass, "accept", seq=4)
    assert peer.orders(AcceptEvent) == [AcceptEvent(4)]
    ((seq, device_id, summary),) = (
        (each["seq"], each["device_id"], each["summary"]) for each in answer["accepted"]
    )
    assert (seq, device_id, summary) == (4, camera(hass, loaded).id, "number 4")


async def test_the_newest_of_a_kind_is_accepted_for_each_device(
    hass: HomeAssistant, peer: Peer
) -> None:
    entities = ["event.camera_security", "event.acme_53_13_security"]
    answer = await call(hass, "accept", entity_id=entities, kind="beacon")
    assert [each["seq"] for each in answer["accepted"]] == [5], "the TV has none"
    assert peer.orders(AcceptEvent) == [AcceptEvent(5)]


async def test_there_is_nothing_to_accept(hass: HomeAssistant, peer: Peer) -> None:
    with pytest.raises(ServiceValidationError, match="dns_tunnel"):
        await call(hass, "accept", entity_id="event.camera_security", kind="dns_tunnel")
    assert not peer.orders(AcceptEvent)


async def test_what_the_sensor_refuses_is_an_error(hass: HomeAssistant, peer: Peer) -> None:
    peer.errors["accept"] = SensorError("not_found", "there is no event 99")
    with pytest.raises(ServiceValidationError, match="no event 99"):
        await call(hass, "accept", seq=99)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"seq": 4, "kind": "beacon"},
        {"kind": "beacon"},
        {"entity_id": "event.camera_security"},
        {"seq": 4, "entity_id": "event.camera_security"},
        {"seq": -1},
    ],
)
async def test_it_must_be_said_what_is_accepted(
    hass: HomeAssistant, peer: Peer, wrong: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, "accept", **wrong)
    assert not peer.orders(AcceptEvent)


@pytest.mark.parametrize(("action", "said"), [("get_events", {}), ("accept", {"seq": 4})])
async def test_only_administrators_may(
    hass: HomeAssistant,
    peer: Peer,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
    action: str,
    said: dict[str, Any],
) -> None:
    async def ask(user: MockUser) -> Any:
        return await hass.services.async_call(
            DOMAIN, action, said, blocking=True, return_response=True, context=Context(user.id)
        )

    with pytest.raises(Unauthorized):
        await ask(hass_read_only_user)
    assert not peer.orders(GetEvents)
    assert not peer.orders(AcceptEvent)
    assert await ask(hass_admin_user)
