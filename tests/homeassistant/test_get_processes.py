"""The gateway's own programs: who they are, what they do on the network, and what is noticed of them."""

import typing
from time import time
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import Process
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import GetFlows, GetProcesses
from custom_components.hearthwall.const import DOMAIN
from custom_components.hearthwall.traffic_actions import Whose
from tests.devices import CAMERA
from tests.homeassistant.peer import Peer, event, flow, program
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_services import call

pytestmark = pytest.mark.usefixtures("loaded")

AGENT = "/opt/agent/bin/agent"
CURL = Process(
    pid=4711,
    parent_pid=4700,
    uid=1000,
    executable="/usr/bin/curl",
    command_line="curl --user=*** https://vendor.example",
    unit="agent.service",
    container=None,
    started=1_700_000_000.0,
    ancestors=("/usr/bin/bash",),
)


async def test_programs_are_told_with_all_that_is_known_of_them(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.programs = [program(AGENT, unit="agent.service", listens=("tcp/8080",))]
    (found,) = (await call(hass, "get_processes"))["processes"]
    assert peer.orders(GetProcesses) == [GetProcesses(100)]
    assert found == peer.programs[0].to_wire() | {
        "config_entry_id": loaded.entry_id,
        "gateway": "Home",
    }
    assert type(found) is dict


async def test_programs_of_several_gateways_those_that_moved_most_first(
    hass: HomeAssistant, peer: Peer, garden: tuple[MockConfigEntry, Peer]
) -> None:
    entry, second = garden
    second.programs = [program("/usr/sbin/named", upload_bytes=5_000, listens=("udp/53",))]
    peer.programs = [program("/usr/bin/rsync", upload_bytes=9_000), program("/usr/bin/curl")]

    async def listed(**said: Any) -> list[tuple[str, str]]:
        found = (await call(hass, "get_processes", **said))["processes"]
        return [(each["gateway"], each["executable"]) for each in found]

    assert await listed(limit=2) == [("Home", "/usr/bin/rsync"), ("Garden", "/usr/sbin/named")]
    assert len(await listed()) == 3
    asked = len(peer.orders(GetProcesses))
    assert await listed(config_entry_id=entry.entry_id) == [("Garden", "/usr/sbin/named")]
    assert len(peer.orders(GetProcesses)) == asked
    await second.stop()
    with pytest.raises(HomeAssistantError, match="not connected"):
        await listed(config_entry_id=entry.entry_id)


@pytest.mark.parametrize("limit", [0, 2001, "many"])
async def test_a_limit_that_makes_no_sense(hass: HomeAssistant, limit: Any) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, "get_processes", limit=limit)


@pytest.fixture
def flows(peer: Peer) -> None:
    """What the camera did, and what curl did on the gateway."""
    now = time()
    peer.flows = [
        flow(CAMERA, "203.0.113.20", last_seen=now - 10),
        flow(
            None,
            "203.0.113.20",
            last_seen=now - 5,
            process=CURL.executable,
            process_details=CURL,
        ),
        flow(None, "203.0.113.30", last_seen=now - 20, process=AGENT),
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, [CURL.executable, None, AGENT]),
        ({"of": "devices"}, [None]),
        ({"of": "processes"}, [CURL.executable, AGENT]),
        ({"process": AGENT}, [AGENT]),
        ({"process": f"{AGENT}@0123456789ab", "of": "processes"}, [AGENT]),
        ({"of": "processes", "peer": "203.0.113.20"}, [CURL.executable]),
    ],
)
async def test_whose_flows_are_asked_for(
    hass: HomeAssistant, flows: None, said: dict[str, Any], expected: list[str | None]
) -> None:
    found = (await call(hass, "get_flows", **said))["flows"]
    assert [each["process"] for each in found] == expected


async def test_a_flow_of_a_process_is_the_gateways_and_says_who_it_is(
    hass: HomeAssistant, loaded: MockConfigEntry, flows: None
) -> None:
    registry = dr.async_get(hass)
    gateway = registry.async_get_device_by_identifier((DOMAIN, loaded.entry_id), loaded.entry_id)
    assert gateway is not None
    for name in ("Hearthwall", "Router"):
        (found,) = (await call(hass, "get_flows", process=CURL.executable))["flows"]
        assert (found["device_name"], found["device_id"]) == (name, None)
        assert found["process_details"] == CURL.to_wire()
        registry.async_update_device(gateway.id, name_by_user="Router")


@pytest.mark.parametrize(
    "wrong",
    [
        {"of": "processes", "entity_id": "switch.camera_quarantine"},
        {"process": AGENT, "entity_id": "switch.camera_quarantine"},
        {"process": AGENT, "of": "devices"},
        {"of": "nobody"},
    ],
)
async def test_processes_are_not_asked_for_along_with_devices(
    hass: HomeAssistant, peer: Peer, wrong: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, "get_flows", **wrong)
    assert not peer.orders(GetFlows)


async def test_who_talked_to_a_peer_are_devices_only(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, flows: None
) -> None:
    found = (await call(hass, "get_devices", peer="203.0.113.20"))["devices"]
    assert [each["mac"] for each in found] == [CAMERA]
    assert peer.orders(GetFlows)[0].of == "devices"


async def test_an_event_of_a_process_is_the_gateways_own(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    of_camera = hass.states.get("event.camera_security")
    entities = set(hass.states.async_entity_ids())
    await peer.happen(event(1, kind="exec_and_connect", mac=None, address=None, process=AGENT))
    found = hass.states.get("event.hearthwall_security")
    assert found is not None
    said = found.attributes
    assert (said["event_type"], said["process"]) == ("exec_and_connect", AGENT)
    assert (said["mac"], said["device_id"]) == (None, None)
    assert hass.states.get("event.camera_security") is of_camera
    assert set(hass.states.async_entity_ids()) == entities, "no entity is a process's"
    await peer.happen(event(2, kind="flood", mac=None), event(3))
    first, second, third = (await call(hass, "get_events"))["events"]
    assert (first["process"], first["device_name"]) == (AGENT, "Hearthwall")
    assert (first["device_id"], second["device_name"]) == (None, None)
    assert third["device_id"] == camera(hass, loaded).id


async def test_what_programs_do_is_for_administrators(
    hass: HomeAssistant, peer: Peer, hass_read_only_user: MockUser, hass_admin_user: MockUser
) -> None:
    async def get(user: MockUser) -> Any:
        context = Context(user_id=user.id)
        return await hass.services.async_call(
            DOMAIN, "get_processes", blocking=True, return_response=True, context=context
        )

    with pytest.raises(Unauthorized):
        await get(hass_read_only_user)
    assert not peer.orders(GetProcesses)
    assert await get(hass_admin_user) == {"processes": []}


def test_whose_flows_there_are_is_the_sensors_word() -> None:
    assert typing.get_args(Whose.__value__) == typing.get_args(
        typing.get_type_hints(GetFlows)["of"]
    )
