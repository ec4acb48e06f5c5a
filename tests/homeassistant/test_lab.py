"""From a packet to an entity and from an action to a dropped packet: real kernel, sensor and Home Assistant."""

import asyncio
import json
import os
import signal

import pytest
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.hearthwall.const import (
    CONF_INTERFACES,
    CONF_SOCKET,
    CONF_STATE_DIR,
    DOMAIN,
)
from lab import DEVICES, Lab
from tests.homeassistant.flows import submit, through_progress
from tests.homeassistant.household import CAMERA, WEB, entity_id, known, on, reaches, until
from tests.homeassistant.test_init import state

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("on_the_gateway")]


async def test_bytes_that_were_moved_are_shown(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    await known(hass, gateway, lab, "laptop")
    hass.config_entries.async_update_entry(gateway, options={"write_interval": 1})
    mac = DEVICES["laptop"].mac
    total = entity_id(hass, gateway, mac, "download_total")
    assert total is not None

    def interface_bytes() -> int:
        out = lab.run("laptop", ["ip", "-s", "-json", "link", "show", "eth0"], check=True).stdout
        return int(json.loads(out)[0]["stats64"]["rx"]["bytes"])

    # With offloads the interface counts one header for many packets.
    lab.set_offload("laptop", False)
    await asyncio.sleep(2.5)
    before, shown_before = interface_bytes(), float(state(hass, total)) * 1e6
    done = await on(lab, "laptop", "curl", "-so", "/dev/null", f"http://{WEB}/bytes/20000000")
    assert done.returncode == 0
    await asyncio.sleep(3)
    lab.set_offload("laptop", True)
    moved = interface_bytes() - before
    shown = float(state(hass, total)) * 1e6 - shown_before
    assert moved > 20_000_000
    assert abs(shown - moved) / moved < 0.01, (shown, moved)


async def test_packet_to_state_on_an_idle_device(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    await known(hass, gateway, lab)
    upload = entity_id(hass, gateway, CAMERA, "upload_total")
    assert upload is not None
    hass.config_entries.async_update_entry(gateway, options={"write_interval": 1})
    await asyncio.sleep(2.5)
    before = state(hass, upload)
    assert await reaches(lab, "camera")
    await until(lambda: state(hass, upload) != before, 5)


async def test_switch_drops_both_directions_and_release_brings_back(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    switch = await known(hass, gateway, lab)
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    assert state(hass, switch) == "on"
    assert not await reaches(lab, "camera")
    assert not await reaches(lab, "laptop", DEVICES["camera"].addresses[0])
    assert await reaches(lab, "tv")
    await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
    assert state(hass, switch) == "off"
    assert await reaches(lab, "camera")


async def test_a_protected_target_is_an_error_and_nothing_changes(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            DOMAIN, "block", {"target": "00:00:5e:00:53:01"}, blocking=True
        )
    assert raised.value.translation_key == "protected_target"
    assert state(hass, "sensor.hearthwall_active_blocks") == "0"


async def test_expiry_is_shown_and_real(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    switch = await known(hass, gateway, lab)
    await hass.services.async_call(
        DOMAIN, "quarantine", {"entity_id": switch, "duration": "3s"}, blocking=True
    )
    assert not await reaches(lab, "camera")
    assert await until(lambda: state(hass, switch) == "off", 6) > 0
    assert await reaches(lab, "camera")


async def test_switch_stalls_an_open_connection_and_release_lets_it_go_on(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    switch = await known(hass, gateway, lab)
    url = f"http://{WEB}/pace?rate=200000&seconds=5"
    curl = asyncio.create_task(
        on(lab, "camera", "curl", "-so", "/dev/null", "-w", "%{size_download}", url)
    )
    devices = gateway.runtime_data.devices
    await until(lambda: devices[CAMERA].download_bytes > 400_000)
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    await asyncio.sleep(2)  # what was counted before the order is told by now
    cut_off = devices[CAMERA].download_bytes
    await asyncio.sleep(2)
    assert devices[CAMERA].download_bytes - cut_off < 10_000
    await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
    assert (await curl).stdout == "1000000"


async def test_a_killed_sensor_leaks_nothing_and_is_started_again(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    """1,000 numbered packets a second, counted at the far end: through a kill, the restart and a reload."""
    switch = await known(hass, gateway, lab)
    connection = "binary_sensor.hearthwall_sensor_connection"
    send = lab.command("send", "--from", "camera", "--rate", "1000", "--seconds", "60")
    stream = await asyncio.create_subprocess_exec(*send, stdout=asyncio.subprocess.DEVNULL)
    try:
        await asyncio.sleep(0.5)
        lab.reset_sink()
        await asyncio.sleep(0.5)
        assert sum(each["count"] for each in lab.sink()["streams"]) > 200
        await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
        await asyncio.sleep(0.2)  # what was on its way arrives
        lab.reset_sink()

        pid = gateway.runtime_data.status.pid
        os.kill(pid, signal.SIGKILL)
        await until(lambda: state(hass, connection) == "off")
        assert state(hass, switch) == "unavailable"
        await until(lambda: state(hass, connection) == "on", 20)
        assert gateway.runtime_data.status.pid != pid
        assert state(hass, switch) == "on"
        assert await hass.config_entries.async_reload(gateway.entry_id)
        await hass.async_block_till_done()
        assert state(hass, switch) == "on"

        assert lab.sink()["streams"] == []
        assert stream.returncode is None, "the stream ended before the test did"
        (block,) = gateway.runtime_data.blocks
        assert block.packets > 500
        await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
        await until(lambda: sum(each["count"] for each in lab.sink()["streams"]) > 100)
    finally:
        stream.terminate()
        await stream.wait()


async def test_a_restart_of_home_assistant_changes_nothing(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    """What moves while Home Assistant is away is counted, and what is cut off stays cut off."""
    switch = await known(hass, gateway, lab)
    await known(hass, gateway, lab, "laptop")
    laptop = DEVICES["laptop"].mac
    total = entity_id(hass, gateway, laptop, "download_total")
    assert total is not None
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    before = gateway.runtime_data.devices[laptop].download_bytes
    await hass.config_entries.async_unload(gateway.entry_id)
    assert not await reaches(lab, "camera")
    done = await on(lab, "laptop", "curl", "-so", "/dev/null", f"http://{WEB}/bytes/3000000")
    assert done.returncode == 0
    assert await hass.config_entries.async_setup(gateway.entry_id)
    await hass.async_block_till_done()
    assert state(hass, switch) == "on"
    assert float(state(hass, total)) * 1e6 > before + 3_000_000


async def test_stop_of_home_assistant_ends_the_sensor_and_not_the_quarantine(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    switch = await known(hass, gateway, lab)
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    pid = gateway.runtime_data.status.pid
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await until(lambda: not os.path.exists(f"/proc/{pid}"))  # noqa: PTH110
    assert not await reaches(lab, "camera")


async def test_removal_takes_everything_out_of_the_kernel(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    switch = await known(hass, gateway, lab)
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    assert not await reaches(lab, "camera")
    await hass.config_entries.async_remove(gateway.entry_id)
    await hass.async_block_till_done()
    assert await reaches(lab, "camera")


async def test_reconfigure_to_a_single_port(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": gateway.entry_id}
    )
    flow = await through_progress(hass, result)
    paths = {key: gateway.data[key] for key in (CONF_SOCKET, CONF_STATE_DIR)}
    flow = await submit(hass, flow, {CONF_INTERFACES: ["camera"], "paths": paths})
    assert flow.get("reason") == "reconfigure_successful", flow
    await hass.async_block_till_done()
    assert [each.name for each in gateway.runtime_data.status.interfaces] == ["camera"]


async def test_live_view_sees_a_packet_at_once(
    hass: HomeAssistant,
    gateway: ConfigEntry,
    lab: Lab,
    hass_ws_client: WebSocketGenerator,
) -> None:
    await known(hass, gateway, lab)
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "hearthwall/subscribe_devices", "interval": 0.02})
    assert (await client.receive_json())["success"]
    event = (await client.receive_json())["event"]
    row = next(each for each in event["devices"] if each["mac"] == CAMERA)
    ping = asyncio.create_task(on(lab, "camera", "ping", "-c", "3", "-i", "0.3", WEB))
    async with asyncio.timeout(5):
        while True:
            event = (await client.receive_json())["event"]
            moved = [each for each in event["devices"] if each["mac"] == CAMERA]
            if moved and moved[0]["upload_bytes"] > row["upload_bytes"]:
                break
    await ping
    await client.close()
