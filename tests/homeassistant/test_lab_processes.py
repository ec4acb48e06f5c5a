"""The gateway's own programs in Home Assistant: seen, and cut off by actions and automations; all of it is real."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from lab import Lab
from tests.gateway.cgroup import TestCgroup, compiled
from tests.gateway.talking import SERVER, TALKER
from tests.homeassistant.household import until
from tests.homeassistant.test_services import call

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("on_the_gateway")]

REFUSED = "Operation not permitted"
SECURITY = "event.hearthwall_security"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that talks."""
    return compiled(TALKER, tmp_path_factory.mktemp("talker") / "talker")


@pytest.fixture
def talker(built: Path, tmp_path: Path) -> Path:
    """The program that talks, under a path of this test's own."""
    return Path(shutil.copy(built, tmp_path / "talker"))


async def said(lab: Lab, cgroup: TestCgroup, *line: str) -> str:
    """Run a program on the gateway; return what it said."""
    argv = cgroup.argv(line)
    done: subprocess.CompletedProcess[str] = await asyncio.to_thread(lab.run, "gateway", argv)
    return done.stdout


async def test_a_program_is_seen_and_cut_off(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, cgroup: TestCgroup, talker: Path
) -> None:
    line = (str(talker), "connect", SERVER, "80", "3")
    assert (await said(lab, cgroup, *line)).count("ok") == 3
    found = (await call(hass, "get_processes"))["processes"]
    (mine,) = [each for each in found if each["executable"] == str(talker)]
    assert mine["connections"] == 3
    assert mine["upload_bytes"] > 0
    flows = (await call(hass, "get_flows", process=str(talker)))["flows"]
    assert [each["peer_address"] for each in flows] == [SERVER] * 3
    (block,) = (await call(hass, "block_process", executable=str(talker)))["blocks"]
    assert (await said(lab, cgroup, *line)).count(REFUSED) == 3
    (held,) = (await call(hass, "get_blocks"))["blocks"]
    assert (held["id"], held["packets"]) == (block["id"], 3)
    await call(hass, "unblock", target=f"exe:{talker}")
    assert (await said(lab, cgroup, *line)).count("ok") == 3


async def test_an_automation_cuts_a_program_off_that_was_dropped(
    hass: HomeAssistant, gateway: ConfigEntry, lab: Lab, cgroup: TestCgroup, talker: Path
) -> None:
    """The documented one: the event's process is what the action takes."""
    action: dict[str, Any] = {
        "action": "hearthwall.block_process",
        "data": {
            "executable": "{{ trigger.to_state.attributes.process }}",
            "duration": "01:00:00",
        },
    }
    trigger = {
        "trigger": "event.received",
        "target": {"entity_id": SECURITY},
        "options": {"event_type": ["exec_and_connect", "unexpected_process"]},
    }
    automation = {"alias": "Test", "triggers": [trigger], "actions": [action]}
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await hass.async_block_till_done()
    load = talker.with_name("load")
    script = f"cp {talker} {load}; chmod +x {load}; {load} connect {SERVER} 80 1"
    assert "ok" in await said(lab, cgroup, "sh", "-c", script)
    await until(lambda: len(gateway.runtime_data.blocks) == 1, 15)
    assert REFUSED in await said(lab, cgroup, str(load), "connect", SERVER, "80", "1")
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)
