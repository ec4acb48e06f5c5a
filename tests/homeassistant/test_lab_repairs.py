"""Repairs with a real sensor: raised by what is really wrong on the gateway, and mended by their flows."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component

from custom_components.hearthwall import health, problems
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock
from custom_components.hearthwall.const import CONF_STATE_DIR
from lab import Lab
from tests.homeassistant.household import CAMERA, reaches
from tests.homeassistant.test_feeds import issues
from tests.homeassistant.test_repairs import begin, go_on, look, raised, told

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("on_the_gateway")]


@pytest.fixture(autouse=True)
async def _repairs(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "OUTAGE_PATIENCE", 0.0)
    monkeypatch.setattr(health, "ASK_INTERVAL", 0.0)
    assert await async_setup_component(hass, "repairs", {})


def folder(entry: ConfigEntry) -> Path:
    return Path(entry.data[CONF_STATE_DIR])


async def looked(hass: HomeAssistant, key: str, text: str = "") -> None:
    """Wait until an issue is raised that says this."""
    async with asyncio.timeout(30):
        while not raised(hass, key) or text not in told(hass, key):
            await look(hass)
            await asyncio.sleep(0.2)


async def test_state_that_was_damaged_is_told_of_and_let_go(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    assert issues(hass) == {}
    await gateway.runtime_data.block(AddBlock(target=CAMERA))
    await gateway.runtime_data.block(AddBlock(target=CAMERA, mode="no_internet"))
    assert await hass.config_entries.async_unload(gateway.entry_id)
    names = ("devices.db", "rules.json")
    for name in names:
        path = folder(gateway) / name
        path.write_bytes(b"\0" * path.stat().st_size)
    assert await hass.config_entries.async_setup(gateway.entry_id)
    await hass.async_block_till_done()
    assert len(gateway.runtime_data.blocks) == 1, "the version before is in force"
    assert not await reaches(lab, "camera")
    assert ", ".join(names) in told(hass, "state_damaged")
    done = await go_on(hass, await begin(hass, "state_damaged"))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert not list(folder(gateway).glob("*.damaged*"))
    await look(hass)
    assert issues(hass) == {}


async def test_a_sensor_that_cannot_start_is_started_again_by_the_repair(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    hub = gateway.runtime_data
    assert hub.status is not None
    folder(gateway).chmod(0o777)
    os.kill(hub.status.pid, signal.SIGKILL)

    await looked(hass, "sensor_not_running", "someone else could change")
    flow = await go_on(hass, await begin(hass, "sensor_not_running"))
    assert flow["errors"] == {"base": "failed"}
    assert "someone else could change" in flow["description_placeholders"]["error"]
    folder(gateway).chmod(0o700)
    done = await go_on(hass, flow)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert gateway.state is ConfigEntryState.LOADED
    assert gateway.runtime_data.available
    assert issues(hass) == {}


async def test_a_policy_that_cannot_be_read_until_it_is_corrected(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab
) -> None:
    policy = folder(gateway) / "policy.toml"
    policy.write_text("no = [TOML")
    policy.chmod(0o600)
    await looked(hass, "policy_unreadable")
    assert "policy.toml" in told(hass, "policy_unreadable")
    policy.write_text("")
    for _ in range(40):
        if raised(hass, "policy_unreadable"):
            flow = await go_on(hass, await begin(hass, "policy_unreadable"))
            if flow["type"] is FlowResultType.CREATE_ENTRY:
                break
        await asyncio.sleep(0.5)
    assert issues(hass) == {}
