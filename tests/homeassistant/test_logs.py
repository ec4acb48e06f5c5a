"""What the log says of a gateway that is away: once why it went, once that it is back, nothing per try."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall import link
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.const import (
    CONF_INTERFACES,
    CONF_SOCKET,
    CONF_STATE_DIR,
    DOMAIN,
)
from tests.homeassistant.peer import Peer
from tests.homeassistant.test_init import wait_for


@pytest.fixture(autouse=True)
def _tries_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FIRST_RETRY", 0.02)
    monkeypatch.setattr(link, "LAST_RETRY", 0.02)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what a user sees in the log, of ours."""
    return [
        each.getMessage()
        for each in caplog.records
        if each.name.startswith("custom_components.hearthwall") and each.levelno >= logging.INFO
    ]


async def test_a_loss_with_its_reason_and_the_return_are_one_line_each(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.clear()
    peer.errors["initialize"] = SensorError("not_permitted")
    await peer.say("nonsense")
    await wait_for(lambda: len([each for each in peer.received if each.type == "initialize"]) > 8)
    lines = said(caplog)
    assert lines.count("Disconnected from the sensor") == 1
    assert len([each for each in lines if "this user may not talk to the sensor" in each]) == 1
    reasons = [each for each in lines if each.startswith("No connection to the sensor: ")]
    assert len(reasons) == len(set(reasons)) == len(lines) - 1, "each reason once, and nothing else"
    before = len(lines)
    peer.errors.clear()
    await wait_for(lambda: loaded.runtime_data.available)
    assert said(caplog)[before:] == ["Connected to the sensor again"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the sensor")
async def test_a_sensor_of_ours_that_keeps_failing_is_told_of_once(
    hass: HomeAssistant,
    peer: Peer,
    tmp_path: Path,
    program: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries = tmp_path / "tries"
    program("import sys\nprint('READY', flush=True)\nsys.stdin.read()\n")
    data = {
        CONF_SOCKET: peer.socket,
        CONF_INTERFACES: ["br-lan"],
        CONF_STATE_DIR: str(tmp_path / "state"),
    }
    entry = MockConfigEntry(domain=DOMAIN, title="Home", unique_id=peer.socket, data=data)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    caplog.clear()
    program(
        f"open({str(tries)!r}, 'a').write('x')\n"
        'print(\'{"error": {"code": "storage_failed", "message": "no room"}}\')\n'
    )
    process = entry.runtime_data._link.process
    assert process is not None
    assert process._process is not None
    process._process.kill()
    await peer.stop()
    await wait_for(lambda: tries.exists() and len(tries.read_text()) > 5)
    lines = said(caplog)
    assert lines.count("Disconnected from the sensor") == 1
    assert lines.count("No connection to the sensor: no room") == 1
    assert len([each for each in lines if "ended unexpectedly" in each]) == 1
    assert len(lines) == 3
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
