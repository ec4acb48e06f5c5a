"""What the tests on the lab share: hosts that do something, and waiting until it shows."""

import asyncio
import subprocess
from time import monotonic
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from custom_components.hearthwall.const import DOMAIN
from lab import DEVICES, Lab

CAMERA = DEVICES["camera"].mac
WEB = "203.0.113.10"


async def on(lab: Lab, host: str, *command: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(lab.run, host, list(command))


async def reaches(lab: Lab, host: str, address: str = WEB) -> bool:
    return (await on(lab, host, "ping", "-c", "1", "-W", "1", address)).returncode == 0


async def until(condition: Any, seconds: float = 10) -> float:
    """Wait for a condition and return how long it took."""
    began = monotonic()
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
    return monotonic() - began


def entity_id(hass: HomeAssistant, entry: ConfigEntry, mac: str, key: str) -> str | None:
    domain = {"quarantine": "switch", "presence": "device_tracker"}.get(key, "sensor")
    unique_id = f"{entry.entry_id}_{mac}_{key}"
    return er.async_get(hass).async_get_entity_id(domain, DOMAIN, unique_id)


async def known(hass: HomeAssistant, entry: ConfigEntry, lab: Lab, host: str = "camera") -> str:
    """Let a device speak and return its switch."""
    assert await reaches(lab, host)
    mac = DEVICES[host].mac
    await until(lambda: entity_id(hass, entry, mac, "quarantine") is not None)
    await hass.async_block_till_done()
    found = entity_id(hass, entry, mac, "quarantine")
    assert found is not None
    await until(lambda: hass.states.get(found) is not None)
    return found
