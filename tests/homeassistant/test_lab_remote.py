"""Home Assistant on the laptop, the sensor on the gateway: TLS, a token, and packets that prove it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_test_home_assistant

from custom_components.hearthwall import link
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import Device
from custom_components.hearthwall.const import CONF_FINGERPRINT, DOMAIN
from custom_components.hearthwall.devices import async_registered
from lab import DEVICES, Lab
from tests.gateway.inside import inside
from tests.gateway.sensor_process import SensorProcess
from tests.homeassistant.flows import Flow, submit
from tests.homeassistant.household import CAMERA, entity_id, known, reaches, until
from tests.homeassistant.test_init import state
from tests.homeassistant.test_remote_flow import begin, choose

pytestmark = pytest.mark.lab

HOST, MOVED = "192.168.10.1", "192.168.10.201"
PORT = 8447


@pytest.fixture(autouse=True)
def _the_home_may_be_reached(_unix_sockets_may_be_used: None) -> None:
    """Let Home Assistant reach the gateway."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", HOST, MOVED], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _connects_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again once a second, however often it failed."""
    monkeypatch.setattr(link, "FIRST_RETRY", 0.5)
    monkeypatch.setattr(link, "LAST_RETRY", 1.0)


@pytest.fixture
def sensor(lab: Lab, tmp_path: Path) -> Iterator[SensorProcess]:
    """A sensor that somebody runs on the gateway, and that listens."""
    sensor = SensorProcess(lab, tmp_path).start("--listen", f"{HOST}:{PORT}")
    yield sensor
    sensor.clean()


@pytest.fixture
def on_the_laptop(lab: Lab) -> Iterator[None]:
    """Be on the laptop."""
    with inside(lab, "laptop"):
        yield


def typed(made: dict[str, Any]) -> dict[str, Any]:
    """Return what the form asks for, of what the sensor's command printed."""
    return {
        CONF_HOST: made["addresses"][0],
        CONF_PORT: made["port"],
        CONF_TOKEN: made["token"],
        CONF_FINGERPRINT: made["fingerprint"],
    }


async def on_gateway(sensor: SensorProcess, *line: str) -> Any:
    """Run a command of the sensor's, while Home Assistant goes on."""
    return await asyncio.to_thread(sensor.call, *line)


async def set_up(hass: HomeAssistant, data: dict[str, Any]) -> Flow:
    return await submit(hass, await begin(hass), data)


async def shown(hass: HomeAssistant, progress: Mapping[str, Any]) -> Flow:
    """Return the step at which a flow that began by itself waits."""
    return dict(await hass.config_entries.flow.async_configure(progress["flow_id"]))


@pytest.fixture
async def far(
    hass: HomeAssistant, sensor: SensorProcess, on_the_laptop: None
) -> AsyncIterator[ConfigEntry]:
    """The gateway, set up through the config flow as a user does it."""
    flow = await set_up(hass, typed(await on_gateway(sensor, "token", "Home Assistant")))
    assert flow["type"] is FlowResultType.CREATE_ENTRY, flow
    await hass.async_block_till_done()
    entry: ConfigEntry = flow["result"]
    yield entry
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    with contextlib.suppress(OSError):
        assert (await on_gateway(sensor, "status"))["pid"] == sensor.pid, "it is not ours to end"


def connected(entry: ConfigEntry) -> bool:
    return entry.state is ConfigEntryState.LOADED and entry.runtime_data.available


async def test_the_switch_cuts_a_device_off_on_another_host(
    hass: HomeAssistant, far: ConfigEntry, sensor: SensorProcess, lab: Lab
) -> None:
    switch = await known(hass, far, lab)
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    assert state(hass, switch) == "on"
    assert not await reaches(lab, "camera")
    assert await reaches(lab, "tv")

    await asyncio.to_thread(sensor.kill)
    await until(lambda: not connected(far), 10)
    assert not await reaches(lab, "camera"), "the kernel goes on"
    await asyncio.to_thread(sensor.start, "--listen", f"{HOST}:{PORT}")
    await until(lambda: connected(far), 20)
    assert state(hass, switch) == "on"
    await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
    assert await reaches(lab, "camera")

    laptop = DEVICES["laptop"]
    for target in (str(laptop.ipv4), laptop.mac):
        with pytest.raises(HomeAssistantError) as refused:
            await hass.services.async_call(DOMAIN, "block", {"target": target}, blocking=True)
        assert refused.value.translation_key == "protected_target"


async def test_a_wrong_fingerprint_is_shown_beside_the_right_one(
    hass: HomeAssistant, sensor: SensorProcess, on_the_laptop: None
) -> None:
    right = typed(await on_gateway(sensor, "token", "Home Assistant"))
    flow = await set_up(hass, right | {CONF_FINGERPRINT: "ab" * 32})
    assert flow["errors"] == {"base": "wrong_certificate"}
    assert right[CONF_FINGERPRINT] in flow["description_placeholders"]["message"]
    flow = await submit(hass, flow, right)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await hass.config_entries.async_remove(flow["result"].entry_id)
    await hass.async_block_till_done()


async def test_a_revoked_token_asks_for_another(
    hass: HomeAssistant, far: ConfigEntry, sensor: SensorProcess
) -> None:
    await on_gateway(sensor, "token", "Home Assistant", "--revoke")
    await until(lambda: bool(hass.config_entries.flow.async_progress()), 10)
    (progress,) = hass.config_entries.flow.async_progress()
    assert progress["context"]["source"] == SOURCE_REAUTH
    assert not connected(far)
    made = typed(await on_gateway(sensor, "token", "Home Assistant"))
    flow = await choose(hass, await shown(hass, progress))
    secrets = {key: made[key] for key in (CONF_TOKEN, CONF_FINGERPRINT)}
    assert (await submit(hass, flow, secrets))["reason"] == "reauth_successful"
    await until(lambda: connected(far), 10)


@pytest.fixture
async def elsewhere() -> AsyncIterator[HomeAssistant]:
    """Another Home Assistant, as that of somebody who may only look."""
    async with async_test_home_assistant() as other:
        del other.data[DATA_CUSTOM_COMPONENTS]
        yield other
        await other.async_stop(force=True)


@pytest.fixture
async def reading(
    elsewhere: HomeAssistant, far: ConfigEntry, sensor: SensorProcess
) -> AsyncIterator[ConfigEntry]:
    """The same gateway, set up there with a token that may only read."""
    made = await on_gateway(sensor, "token", "Reader", "--role", "read")
    entry: ConfigEntry = (await set_up(elsewhere, typed(made)))["result"]
    await elsewhere.async_block_till_done()
    yield entry
    await elsewhere.config_entries.async_remove(entry.entry_id)
    await elsewhere.async_block_till_done()


async def sees(entry: ConfigEntry, lab: Lab, host: str) -> None:
    """Let a device speak, and wait until an entry's Home Assistant is told."""
    devices: Mapping[str, Device] = entry.runtime_data.devices
    before = devices.get(DEVICES[host].mac)
    assert await reaches(lab, host)
    await until(lambda: devices.get(DEVICES[host].mac) != before)


async def refused(hass: HomeAssistant, action: str, **data: Any) -> None:
    """Give an order that the sensor refuses, in the words of the user's language."""
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)
    assert error.value.translation_key == "read_only"
    assert str(error.value).startswith("Home Assistant may only read from this gateway"), action


@pytest.mark.parametrize("revoked", ["Reader", "Home Assistant"])
async def test_two_home_assistants_have_one_sensor(
    hass: HomeAssistant,
    elsewhere: HomeAssistant,
    far: ConfigEntry,
    reading: ConfigEntry,
    sensor: SensorProcess,
    lab: Lab,
    revoked: str,
) -> None:
    """One of them may operate, the other only read; to revoke one's token is nothing to the other."""
    switch = await known(hass, far, lab)
    # Who may only read could be anybody of that name
    assert (await on_gateway(sensor, "status"))["home_assistants"] == 1
    await until(lambda: entity_id(elsewhere, reading, CAMERA, "presence") is not None)
    await elsewhere.async_block_till_done()
    assert entity_id(elsewhere, reading, CAMERA, "quarantine") is None
    for each in (far, reading):
        await sees(each, lab, "camera")

    device = async_registered(elsewhere, reading, CAMERA)
    assert device is not None
    await refused(elsewhere, "quarantine", device_id=device.id)
    await refused(elsewhere, "block", target=CAMERA)
    assert await on_gateway(sensor, "blocks") == []
    assert await reaches(lab, "camera")

    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    assert not await reaches(lab, "camera")
    await until(lambda: len(reading.runtime_data.blocks.on(CAMERA)) == 1)
    await refused(elsewhere, "release", device_id=device.id)
    await refused(elsewhere, "unblock", target=CAMERA)
    assert not await reaches(lab, "camera")

    await on_gateway(sensor, "token", revoked, "--revoke")
    gone, left = (reading, far) if revoked == "Reader" else (far, reading)
    await until(lambda: not connected(gone))
    await sees(left, lab, "tv")
    assert connected(left)
    if left is far:
        await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
        assert await reaches(lab, "camera")
    else:
        await refused(elsewhere, "release", device_id=device.id)
        assert not await reaches(lab, "camera"), "who gave the order is gone, the rule is not"


async def test_a_sensor_is_found_and_followed_by_its_announcement(
    hass: HomeAssistant, sensor: SensorProcess, lab: Lab, on_the_laptop: None
) -> None:
    """Home Assistant's own zeroconf hears it, also when it has moved to another address."""
    assert await async_setup_component(hass, "zeroconf", {})
    await hass.async_block_till_done()
    await until(lambda: bool(hass.config_entries.flow.async_progress()), 20)
    (progress,) = hass.config_entries.flow.async_progress()
    assert progress["context"]["source"] == SOURCE_ZEROCONF
    made = typed(await on_gateway(sensor, "token", "Home Assistant"))
    flow = await shown(hass, progress)
    assert flow["description_placeholders"]["place"] == f"{HOST}:{PORT}"
    flow = await choose(hass, flow)
    flow = await submit(hass, flow, {key: made[key] for key in (CONF_TOKEN, CONF_FINGERPRINT)})
    entry: ConfigEntry = flow["result"]
    await hass.async_block_till_done()
    assert connected(entry)

    await asyncio.to_thread(sensor.stop)
    lab.run("gateway", ["ip", "address", "add", f"{MOVED}/24", "dev", "br-lan"])
    try:
        await asyncio.to_thread(sensor.start, "--listen", f"{MOVED}:{PORT}")
        await until(lambda: entry.data[CONF_HOST] == MOVED and connected(entry), 60)
        assert not hass.config_entries.flow.async_progress()
    finally:
        await hass.config_entries.async_remove(entry.entry_id)
        await hass.async_block_till_done()
        lab.run("gateway", ["ip", "address", "del", f"{MOVED}/24", "dev", "br-lan"])
