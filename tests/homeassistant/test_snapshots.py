"""Every entity of every platform as Home Assistant has it: registry and state, with a sensor that said all it can."""

from collections.abc import Iterator
from importlib import import_module
from unittest.mock import PropertyMock, patch

import pytest
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry, snapshot_platform
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

import custom_components.hearthwall as integration
from custom_components.hearthwall import hub
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SCOPES, Traffic
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock
from tests.devices import CAMERA, PHONE
from tests.homeassistant import peer as peer_module
from tests.homeassistant.peer import Peer, device, feed
from tests.homeassistant.test_init import state, wait_for

#: The clock that the gateway and its sensor go by.
NOW = 1_800_000_000.0

#: What is true also without a sensor.
STAYING = {"connection", "security"}


@pytest.fixture
def entry_of_a_platform(hass: HomeAssistant, peer: Peer) -> MockConfigEntry:
    """An entry that is called the same each time."""
    entry = MockConfigEntry(
        domain="hearthwall",
        title="Home",
        entry_id="01J00000000000000000000000",
        unique_id=peer.socket,
        data={"socket": peer.socket},
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Write entities as Home Assistant's own tests do."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def all_enabled() -> Iterator[None]:
    """Have Home Assistant enable what is disabled by default."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
        PropertyMock(return_value=True),
    ):
        yield


@pytest.fixture
def said(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a sensor that says something of all that it can."""
    for module in (hub, peer_module):
        monkeypatch.setattr(module, "time", lambda: NOW)
    by_scope = {scope: Traffic(1_000_000 * n, 2_000_000 * n) for n, scope in enumerate(SCOPES, 1)}
    peer.devices = [
        device(
            CAMERA,
            hostname="camera",
            vendor="Acme",
            addresses=("192.168.20.21", "2001:db8::21"),
            last_seen=NOW - 5,
            upload_bytes=6_000_000,
            download_bytes=12_000_000,
            upload_rate=1_500.0,
            download_rate=250_000.0,
            by_scope=by_scope,
        ),
        device(PHONE, randomised=True, addresses=(), upload_packets=20, last_seen=NOW - 3600),
    ]
    peer.feeds = {"drop": feed("drop", updated=NOW, checked=NOW, packets=42)}
    peer._block(AddBlock(target=CAMERA, duration=3600.0))


@pytest.mark.usefixtures("all_enabled", "said")
@pytest.mark.parametrize("platform", integration.PLATFORMS)
async def test_platform(
    hass: HomeAssistant,
    entry_of_a_platform: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    peer: Peer,
    snapshot: SnapshotAssertion,
    platform: Platform,
) -> None:
    entry = entry_of_a_platform
    with patch.object(integration, "PLATFORMS", [platform]):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)
        assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()


@pytest.mark.usefixtures("all_enabled", "said")
async def test_without_a_sensor_nothing_is_pretended(
    hass: HomeAssistant, entry_of_a_platform: MockConfigEntry, peer: Peer
) -> None:
    """All are unavailable but what says that there is no connection, and what happened before."""
    entry = entry_of_a_platform
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    await peer.stop()
    await wait_for(lambda: not entry.runtime_data.available)
    await hass.async_block_till_done()
    stays = {each.entity_id for each in registered if each.translation_key in STAYING}
    shown = {each.entity_id: state(hass, each.entity_id) for each in registered}
    gone = {entity_id for entity_id, each in shown.items() if each == STATE_UNAVAILABLE}
    assert gone == set(shown) - stays
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.mark.usefixtures("all_enabled", "said")
async def test_what_the_sensor_does_not_say_is_unknown(
    hass: HomeAssistant, entry_of_a_platform: MockConfigEntry, peer: Peer
) -> None:
    entry = entry_of_a_platform
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    for scope in SCOPES:
        for way in ("download", "upload"):
            entity_id = er.async_get(hass).async_get_entity_id(
                "sensor", "hearthwall", f"{entry.entry_id}_{PHONE}_{scope}_{way}_total"
            )
            assert entity_id is not None
            assert state(hass, entity_id) == STATE_UNKNOWN, "it has never said so"
    unending = er.async_get(hass).async_get_entity_id(
        "sensor", "hearthwall", f"{entry.entry_id}_{PHONE}_rule_ends"
    )
    assert state(hass, unending or "") == STATE_UNKNOWN
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.mark.parametrize("platform", integration.PLATFORMS)
def test_updates_wait_for_nothing(platform: Platform) -> None:
    """Everything is pushed, so there is nothing to hold apart."""
    module = import_module(f"{integration.__name__}.{platform}")
    assert module.PARALLEL_UPDATES == 0
