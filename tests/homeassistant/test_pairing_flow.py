"""A sensor on another host that is let in by a code, and one from which Home Assistant may only read."""

from typing import Any

import pytest
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.remote import certificate
from custom_components.hearthwall.bpf.hearthwall_sensor.remote.introduction import Introduction
from custom_components.hearthwall.const import CONF_FINGERPRINT, DOMAIN
from tests.devices import CAMERA
from tests.homeassistant.flows import Flow, submit
from tests.homeassistant.remote_peer import HOST, IDENTITY, RemotePeer, unused_port
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_remote_flow import (
    announcement,
    begin,
    choose,
    discover,
    far,
    relay,
    remote,
    suggested,
    unload,
)
from tests.homeassistant.test_services import call

__all__ = ["far", "remote", "unload"]
WRONG = "00000-00000"


def place(far: RemotePeer, code: str) -> dict[str, Any]:
    return {CONF_HOST: HOST, CONF_PORT: far.port, CONF_CODE: code}


async def test_a_code_is_all_that_is_typed(hass: HomeAssistant, far: RemotePeer) -> None:
    flow = await begin(hass, "code")
    assert flow["step_id"] == "code"
    assert flow["description_placeholders"]["code_command"] == "sudo hearthwall-sensor pair"
    code = await far.show_code()
    flow = await submit(hass, flow, place(far, f" {code.lower()} "))
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    entry = flow["result"]
    assert (entry.unique_id, entry.title) == (IDENTITY, f"Hearthwall ({HOST})")
    assert entry.data == far.data | {CONF_TOKEN: entry.data[CONF_TOKEN]}
    assert code not in str(entry.data)
    assert far.names() == [("first", "operate"), ("Home Assistant", "operate")]
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert far.news == ["paired"]


async def test_each_failure_has_its_sentence_and_a_way_on(
    hass: HomeAssistant, far: RemotePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = await submit(hass, await begin(hass, "code"), place(far, WRONG))
    assert flow["errors"] == {"base": "no_code"}
    flow = await submit(hass, flow, place(far, WRONG) | {CONF_HOST: "https://x"})
    assert flow["errors"] == {CONF_HOST: "invalid_address"}
    flow = await submit(hass, flow, place(far, WRONG) | {CONF_PORT: unused_port()})
    assert flow["errors"] == {"base": "unreachable"}
    await far.show_code()
    flow = await submit(hass, flow, place(far, "half"))
    assert flow["errors"] == {"base": "wrong_code"}
    assert far.news == [], "what can be no code is no try"
    for _ in range(5):
        flow = await submit(hass, flow, place(far, WRONG))
        assert flow["errors"] == {"base": "wrong_code"}
    flow = await submit(hass, flow, place(far, WRONG))
    assert flow["errors"] == {"base": "code_burnt"}
    assert far.news[-1] == "code_burnt"
    assert suggested(flow)[CONF_PORT] == far.port
    code = await far.show_code()
    with monkeypatch.context() as patch:
        # What answers has another certificate than the sensor that shows the code
        patch.setattr(
            far._listeners[0], "introduction", Introduction(far.offers, "ab" * 32, IDENTITY)
        )
        flow = await submit(hass, flow, place(far, code))
        assert flow["errors"] == {"base": "interfered"}
        assert far.news[-1] == "interfered"
    code = await far.show_code()
    flow = await submit(hass, flow, place(far, code))
    assert flow["type"] is FlowResultType.CREATE_ENTRY


async def test_what_was_given_is_not_lost_when_the_sensor_fails_then(
    hass: HomeAssistant, far: RemotePeer
) -> None:
    code = await far.show_code()
    far.errors["status"] = SensorError("internal")
    flow = await submit(hass, await begin(hass, "code"), place(far, code))
    assert flow["errors"] == {"base": "internal"}
    far.errors.clear()
    flow = await submit(hass, flow, place(far, code))
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert len(far.names()) == 2


async def test_of_a_sensor_that_was_found_only_the_code_is_asked(
    hass: HomeAssistant, far: RemotePeer
) -> None:
    flow = await discover(hass, announcement(far))
    assert flow["description_placeholders"]["place"] == f"{HOST}:{far.port}"
    flow = await choose(hass, flow, "code")
    assert [str(each) for each in flow["data_schema"].schema] == [CONF_CODE]
    code = await far.show_code(role="read", name="Tablet")
    flow = await submit(hass, flow, {CONF_CODE: code})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert far.names()[-1] == ("Tablet", "read")


@pytest.mark.parametrize("way", ["code", "token"])
async def test_who_passes_us_on_to_the_sensor_is_not_set_up(
    hass: HomeAssistant, far: RemotePeer, way: str
) -> None:
    """Code, certificate and token hold through it, and it could cut us off whenever it likes."""
    async with relay(far.port) as port:
        flow = await choose(hass, await discover(hass, announcement(far, port=port)), way)
        if way == "code":
            given = {CONF_CODE: await far.show_code()}
        else:
            given = {key: far.typed[key] for key in (CONF_TOKEN, CONF_FINGERPRINT)}
        flow = await submit(hass, flow, given)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "passed_on")
    assert flow["description_placeholders"] == {
        "place": f"{HOST}:{port}",
        "address": f"{HOST}:{far.port}",
    }
    assert hass.config_entries.async_entries(DOMAIN) == []


async def test_a_code_lets_in_again_and_follows_a_new_certificate(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry
) -> None:
    far.new_token()
    await hass.config_entries.async_reload(remote.entry_id)
    (progress,) = hass.config_entries.flow.async_progress()
    assert progress["context"]["source"] == SOURCE_REAUTH
    flow = dict(await hass.config_entries.flow.async_configure(progress["flow_id"]))
    flow = await choose(hass, flow, "code")
    assert [str(each) for each in flow["data_schema"].schema] == [CONF_CODE]
    flow = await submit(hass, flow, {CONF_CODE: await far.show_code()})
    assert flow["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert remote.state is ConfigEntryState.LOADED

    before = remote.data[CONF_FINGERPRINT]
    await hass.config_entries.async_unload(remote.entry_id)
    await far.stop()
    (far.state / certificate.CERTIFICATE_FILE).unlink()
    await far.start()
    flow = await choose(hass, dict(await remote.start_reconfigure_flow(hass)), "code")
    assert suggested(flow) == {CONF_HOST: HOST, CONF_PORT: far.port}
    flow = await submit(hass, flow, place(far, await far.show_code()))
    assert flow["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert remote.data[CONF_FINGERPRINT] != before
    assert remote.state is ConfigEntryState.LOADED


# Reading only


@pytest.fixture
async def reading(hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry) -> MockConfigEntry:
    """A gateway that took orders, and for which Home Assistant has a token now that may only read."""
    assert _switches(hass, remote)
    await _pair_anew(hass, far, remote, "read")
    return remote


def _switches(hass: HomeAssistant, entry: MockConfigEntry) -> list[str]:
    registry = er.async_get(hass)
    entries = er.async_entries_for_config_entry(registry, entry.entry_id)
    return [each.entity_id for each in entries if each.domain == "switch"]


async def _pair_anew(
    hass: HomeAssistant, far: RemotePeer, entry: MockConfigEntry, role: str
) -> Flow:
    flow = await choose(hass, dict(await entry.start_reconfigure_flow(hass)), "code")
    code = await far.show_code(role=role)
    flow = await submit(hass, flow, place(far, code))
    assert flow["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    return flow


async def test_there_is_no_switch_that_could_only_fail(
    hass: HomeAssistant, far: RemotePeer, reading: MockConfigEntry
) -> None:
    assert reading.runtime_data.is_read_only
    assert _switches(hass, reading) == []
    assert hass.states.async_all("sensor"), "all else is there"
    await _pair_anew(hass, far, reading, "operate")
    assert not reading.runtime_data.is_read_only
    assert len(_switches(hass, reading)) == 2


async def test_cards_are_told(
    hass: HomeAssistant,
    reading: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    client = await hass_ws_client()
    await client.send_json_auto_id({"type": "hearthwall/subscribe_devices"})
    for _ in range(3):
        said = await client.receive_json()
        if said["type"] == "event":
            break
    assert said["event"]["role"] == "read"


async def test_an_order_says_how_it_would_be_taken(
    hass: HomeAssistant, far: RemotePeer, reading: MockConfigEntry
) -> None:
    for action, data in (
        ("quarantine", {"device_id": camera(hass, reading).id}),
        ("block", {"target": CAMERA, "config_entry_id": reading.entry_id}),
    ):
        with pytest.raises(ServiceValidationError) as failed:
            await call(hass, action, **data)
        assert failed.value.translation_key == "read_only"
    assert far.blocks == {}
    assert (await call(hass, "get_blocks", config_entry_id=reading.entry_id))["blocks"] == []
    assert len((await call(hass, "get_devices"))["devices"]) == 2
