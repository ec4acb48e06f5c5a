"""Triggers and conditions of our own: in real automations, once, and not for what only looks like it."""

import importlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import yaml
from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import (
    area_registry as ar,
    condition as condition_helper,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
    trigger as trigger_helper,
)
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from custom_components.hearthwall.bpf.hearthwall_sensor.kinds import KINDS, SEVERITIES
from custom_components.hearthwall.bpf.hearthwall_sensor.modes import MODES
from custom_components.hearthwall.condition import CONDITIONS
from custom_components.hearthwall.const import CONF_SOCKET, DOMAIN
from custom_components.hearthwall.devices import gateway_identifier
from custom_components.hearthwall.trigger import TRIGGERS
from tests.devices import CAMERA, TV
from tests.homeassistant.peer import Peer, device, event
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_init import state, wait_for
from tests.homeassistant.test_services import call
from tests.homeassistant.test_translations import FOLDER, ICONS, WORDS

TOLD = {
    "severity": "{{ trigger.severity }}",
    "kind": "{{ trigger.kind }}",
    "summary": "{{ trigger.summary }}",
    "device_id": "{{ trigger.device_id }}",
    "device_name": "{{ trigger.device_name }}",
    "seq": "{{ trigger.seq }}",
    "peer": "{{ trigger.peer }}",
    "mac": "{{ trigger.mac }}",
}

type Automate = Callable[..., Awaitable[list[ServiceCall]]]


@pytest.fixture
async def automate(hass: HomeAssistant, loaded: MockConfigEntry) -> Any:
    """Set up an automation and return what it told; none is left running."""
    told = async_mock_service(hass, "test", "told")

    async def automate(
        *triggers: dict[str, Any], says: dict[str, str] | None = None, conditions: Any = ()
    ) -> list[ServiceCall]:
        automation = {
            "alias": "Test",
            "mode": "queued",
            "triggers": [{**each, "trigger": f"{DOMAIN}.{each['trigger']}"} for each in triggers]
            or [{"trigger": "event", "event_type": "asked"}],
            "conditions": list(conditions),
            "actions": [{"action": "test.told", "data": says or {}}],
        }
        assert await async_setup_component(hass, "automation", {"automation": [automation]})
        await hass.async_block_till_done()
        assert state(hass, "automation.test") == "on"
        return told

    yield automate
    if hass.services.has_service("automation", "turn_off"):
        everything = {"entity_id": "all"}
        await hass.services.async_call("automation", "turn_off", everything, blocking=True)
        await hass.async_block_till_done()


def gateway(hass: HomeAssistant, entry: MockConfigEntry) -> dr.DeviceEntry:
    found = dr.async_get(hass).async_get_device_by_identifier(
        gateway_identifier(entry), entry.entry_id
    )
    assert found is not None
    return found


@pytest.fixture
def kitchen(hass: HomeAssistant, loaded: MockConfigEntry) -> dict[str, dict[str, Any]]:
    """The camera by everything that a target can name; a stranger's things are in its area, too."""
    area = ar.async_get(hass).async_create("Kitchen")
    label = lr.async_get(hass).async_create("Watched")
    found = dr.async_get(hass).async_update_device(
        camera(hass, loaded).id, area_id=area.id, labels={label.label_id}
    )
    assert found is not None
    dr.async_get(hass).async_update_device(gateway(hass, loaded).id, area_id=area.id)
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    for domain in ("switch", "binary_sensor"):
        lamp = er.async_get(hass).async_get_or_create(
            domain, "other", "lamp", config_entry=other, suggested_object_id="lamp"
        )
        er.async_get(hass).async_update_entity(lamp.entity_id, area_id=area.id)
    return {
        "device": {"device_id": found.id},
        "area": {"area_id": area.id},
        "label": {"label_id": label.label_id},
        "entity": {"entity_id": "switch.camera_quarantine"},
    }


# What they are called


@pytest.mark.parametrize(
    ("what", "written", "schema"),
    [
        ("triggers", TRIGGERS, "trigger.descriptions._TRIGGERS_DESCRIPTION_SCHEMA"),
        ("conditions", CONDITIONS, "condition._CONDITIONS_DESCRIPTION_SCHEMA"),
    ],
)
def test_home_assistant_takes_their_descriptions_and_each_has_words_and_an_icon(
    what: str, written: dict[str, Any], schema: str
) -> None:
    described = yaml.safe_load((FOLDER / f"{what}.yaml").read_text())
    checked = _schema(schema)(described)
    assert set(checked) == set(written) == set(WORDS[what]) == set(ICONS[what])
    for name, each in checked.items():
        words = WORDS[what][name]
        assert words["name"]
        assert words["description"].endswith(".")
        assert set(words.get("fields", {})) == set(each.get("fields", {})), name
        assert all(field["name"] and field["description"] for field in words["fields"].values())
        assert ICONS[what][name][what.removesuffix("s")].startswith("mdi:")


def _schema(path: str) -> Any:
    """Return one of Home Assistant's own schemas; its modules were split up in the course of 2026."""
    *modules, name = path.split(".")
    for parts in (modules, modules[:1], [modules[0], "descriptions"]):
        try:
            return getattr(
                importlib.import_module(f"homeassistant.helpers.{'.'.join(parts)}"), name
            )
        except ImportError, AttributeError:
            continue
    raise AssertionError(f"Home Assistant has no {path}")


def test_what_can_be_chosen_is_all_that_there_is() -> None:
    triggers = yaml.safe_load((FOLDER / "triggers.yaml").read_text())
    fields = triggers["event_detected"]["fields"]
    assert set(fields["kind"]["selector"]["select"]["options"]) == set(KINDS)
    assert fields["severity"]["selector"]["select"]["options"] == list(SEVERITIES)
    conditions = yaml.safe_load((FOLDER / "conditions.yaml").read_text())
    modes = conditions["is_blocked"]["fields"]["mode"]["selector"]["select"]["options"]
    assert set(modes) == set(MODES)
    connectivity = triggers["connection_lost"]["target"]["entity"]["device_class"]
    assert connectivity == BinarySensorDeviceClass.CONNECTIVITY
    for field in (fields["kind"], fields["severity"]):
        select = field["selector"]["select"]
        words = WORDS["selector"][select["translation_key"]]["options"]
        assert set(words) == set(select["options"])


async def test_home_assistant_offers_them(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    assert await async_setup_component(hass, "automation", {})
    await hass.async_block_till_done()
    offered = await trigger_helper.async_get_all_descriptions(hass)
    assert {f"{DOMAIN}.{name}" for name in TRIGGERS} <= offered.keys()
    assert all(offered[f"{DOMAIN}.{name}"] for name in TRIGGERS)
    offered = await condition_helper.async_get_all_descriptions(hass)
    assert all(offered[f"{DOMAIN}.{name}"] for name in CONDITIONS)


# What the sensor noticed


async def test_an_event_is_told_flat(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, automate: Automate
) -> None:
    told = await automate({"trigger": "event_detected"}, says=TOLD)
    await peer.happen(event(1, severity="low"), event(2, peer_name="bad.example", mac=TV))
    await wait_for(lambda: len(told) == 2)
    assert told[0].data == {
        "severity": "low",
        "kind": "threat_address",
        "summary": "number 1",
        "device_id": camera(hass, loaded).id,
        "device_name": "camera",
        "seq": 1,
        "peer": "203.0.113.66",
        "mac": CAMERA,
    }
    assert (told[1].data["peer"], told[1].data["device_name"]) == ("bad.example", "Acme 53:13")


@pytest.mark.parametrize("by", ["device", "area", "label", "entity"])
async def test_events_of_a_target(
    hass: HomeAssistant,
    peer: Peer,
    automate: Automate,
    kitchen: dict[str, dict[str, Any]],
    by: str,
) -> None:
    told = await automate({"trigger": "event_detected", "target": kitchen[by]}, says=TOLD)
    program: dict[str, Any] = {"mac": None, "address": None, "process": "/usr/bin/curl"}
    await peer.happen(event(1, mac=TV), event(2), event(3, **program))
    await wait_for(lambda: len(told) >= 1 + (by == "area"))
    await hass.async_block_till_done()
    # A program is the gateway's, which is in that area; the TV is nobody's whom the target means.
    assert [each.data["seq"] for each in told] == ([2, 3] if by == "area" else [2])


async def test_the_gateway_named_itself_means_the_whole_home(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, automate: Automate
) -> None:
    both = {"device_id": [gateway(hass, loaded).id, camera(hass, loaded).id]}
    told = await automate({"trigger": "event_detected", "target": both}, says=TOLD)
    await peer.happen(event(1, mac=TV), event(2), event(3, mac=None))
    await wait_for(lambda: len(told) >= 3)
    await hass.async_block_till_done()
    assert [each.data["seq"] for each in told] == [1, 2, 3], "each once"


async def test_a_label_that_comes_later_counts(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    automate: Automate,
    kitchen: dict[str, dict[str, Any]],
) -> None:
    told = await automate({"trigger": "event_detected", "target": kitchen["label"]}, says=TOLD)
    await peer.happen(event(1, mac=TV))
    (label_id,) = kitchen["label"].values()
    registry = dr.async_get(hass)
    found = registry.async_get_device_by_connection(
        (dr.CONNECTION_NETWORK_MAC, TV), loaded.entry_id
    )
    assert found is not None
    registry.async_update_device(found.id, labels={label_id})
    await peer.happen(event(2, mac=TV))
    await wait_for(lambda: bool(told))
    assert [each.data["seq"] for each in told] == [2]


async def test_kinds_and_severities(hass: HomeAssistant, peer: Peer, automate: Automate) -> None:
    options = {"kind": ["beacon", "flood"], "severity": "medium"}
    told = await automate({"trigger": "event_detected", "options": options}, says=TOLD)
    await peer.happen(
        event(1, kind="beacon", severity="low"),
        event(2, kind="beacon", severity="medium"),
        event(3, kind="port_scan", severity="critical"),
        event(4, kind="flood", severity="critical"),
    )
    await wait_for(lambda: len(told) >= 2)
    await hass.async_block_till_done()
    assert [each.data["seq"] for each in told] == [2, 4]


async def test_a_reload_a_loss_and_a_repetition_are_no_events_and_nothing_is_missed(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, automate: Automate
) -> None:
    told = await automate({"trigger": "event_detected"}, says=TOLD)
    await peer.happen(event(1))
    await wait_for(lambda: len(told) == 1)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    await peer.tell(events=[event(1)])
    await peer.stop()
    await wait_for(lambda: state(hass, "binary_sensor.hearthwall_sensor_connection") == "off")
    peer.events.append(event(2))
    await peer.start()
    await wait_for(lambda: len(told) == 2)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    peer.events.append(event(3))
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await wait_for(lambda: len(told) == 3)
    await hass.async_block_till_done()
    assert [each.data["seq"] for each in told] == [1, 2, 3]


async def test_a_device_joins(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, automate: Automate
) -> None:
    told = await automate({"trigger": "device_joined"}, says=TOLD)
    newcomer = "02:00:5e:00:53:77"
    await peer.tell(devices=[device(newcomer, hostname="tablet")])
    await peer.happen(
        event(1),
        event(2, kind="new_device", severity="low", mac=newcomer),
        event(3, kind="new_device", severity="high", mac=None),
    )
    await wait_for(lambda: bool(told))
    await hass.async_block_till_done()
    (data,) = (each.data for each in told)
    assert (data["device_name"], data["mac"], data["seq"]) == ("tablet", newcomer, 2)
    registered = dr.async_get(hass).async_get(data["device_id"])
    assert registered is not None
    assert registered.name == "tablet"


async def test_a_device_joins_at_one_gateway(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    garden: tuple[MockConfigEntry, Peer],
    automate: Automate,
) -> None:
    entry, there = garden
    options = {"config_entry_id": entry.entry_id}
    told = await automate({"trigger": "device_joined", "options": options}, says=TOLD)
    await peer.happen(event(1, kind="new_device"))
    await there.happen(event(1, kind="new_device", mac=TV, summary="in the garden"))
    await wait_for(lambda: bool(told))
    await hass.async_block_till_done()
    assert [each.data["summary"] for each in told] == ["in the garden"]


# What entities show


@pytest.mark.parametrize("by", ["device", "area", "label", "entity"])
async def test_quarantined_and_released(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    automate: Automate,
    kitchen: dict[str, dict[str, Any]],
    by: str,
) -> None:
    hass.states.async_set("switch.lamp", "off")
    target = kitchen[by]
    told = await automate(
        {"trigger": "device_quarantined", "target": target, "id": "in"},
        {"trigger": "device_released", "target": target, "id": "out"},
        says={
            "what": "{{ trigger.id }} {{ trigger.device_name }} {{ trigger.mode }} {{ trigger.reason }}",
            "device_id": "{{ trigger.device_id }}",
            "mac": "{{ trigger.mac }}",
        },
    )

    async def number_told(number: int) -> list[Any]:
        await wait_for(lambda: len(told) >= number)
        await hass.async_block_till_done()
        return [each.data["what"] for each in told]

    hass.states.async_set("switch.lamp", "on")
    await call(hass, "quarantine", entity_id="switch.acme_53_13_quarantine")
    await call(hass, "quarantine", entity_id="switch.camera_quarantine", reason="Why not")
    assert await number_told(1) == ["in camera isolate Why not"]
    assert told[0].data["device_id"] == camera(hass, loaded).id
    assert told[0].data["mac"] == CAMERA
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await peer.stop()
    await wait_for(lambda: state(hass, "switch.camera_quarantine") == "unavailable")
    await peer.start()
    await wait_for(lambda: state(hass, "switch.camera_quarantine") == "on")
    await call(hass, "release", entity_id="switch.camera_quarantine")
    assert await number_told(2) == ["in camera isolate Why not", "out camera None None"]


@pytest.mark.parametrize("by", ["device", "entity"])
async def test_the_connection_is_lost_and_restored(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, automate: Automate, by: str
) -> None:
    connection = "binary_sensor.hearthwall_sensor_connection"
    target = {
        "device": {"device_id": gateway(hass, loaded).id},
        "entity": {"entity_id": connection},
    }[by]
    told = await automate(
        {"trigger": "connection_lost", "target": target, "id": "lost"},
        {"trigger": "connection_restored", "target": target, "id": "restored"},
        {
            "trigger": "connection_lost",
            "target": target,
            "id": "lost for long",
            "options": {"for": {"hours": 1}},
        },
        says={"what": "{{ trigger.id }} {{ trigger.gateway }}"},
    )
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert not told
    await peer.stop()
    await wait_for(lambda: len(told) >= 1)
    await peer.start()
    await wait_for(lambda: len(told) >= 2)
    await hass.async_block_till_done()
    assert [each.data["what"] for each in told] == ["lost Home", "restored Home"]


# Conditions


@pytest.fixture
async def holds(hass: HomeAssistant, loaded: MockConfigEntry) -> Any:
    """Tell whether a condition holds, as an automation or a script asks it."""

    async def holds(name: str, target: dict[str, Any] | None = None, **options: Any) -> bool | None:
        config: dict[str, Any] = {"condition": f"{DOMAIN}.{name}", "options": options}
        if target is not None:
            config["target"] = target
        checked = await condition_helper.async_validate_condition_config(hass, config)
        checker = await condition_helper.async_from_config(hass, checked)
        result = checker(hass, {})
        checker.async_unload()
        return result

    return holds


@pytest.mark.parametrize("by", ["device", "area", "label", "entity"])
async def test_conditions_on_devices(
    hass: HomeAssistant,
    peer: Peer,
    holds: Any,
    kitchen: dict[str, dict[str, Any]],
    by: str,
) -> None:
    target = kitchen[by]
    assert not await holds("is_quarantined", target)
    assert not await holds("is_blocked", target)
    assert await holds("device_is_online", target)
    await call(hass, "quarantine", entity_id="switch.camera_quarantine", mode="no_internet")
    assert not await holds("is_quarantined", target)
    assert await holds("is_blocked", target)
    assert await holds("is_blocked", target, mode=["no_internet"])
    assert not await holds("is_blocked", target, mode=["isolate", "audit"])
    await call(hass, "quarantine", entity_id="switch.camera_quarantine")
    assert await holds("is_quarantined", target)
    await peer.tell(devices=[device(CAMERA, last_seen=1_700_000_000.0)])
    assert not await holds("device_is_online", target)
    await peer.stop()
    await wait_for(lambda: state(hass, "switch.camera_quarantine") == "unavailable")
    assert not await holds("is_quarantined", target), "nothing is known"


async def test_any_and_all(hass: HomeAssistant, holds: Any) -> None:
    target = {"entity_id": ["switch.camera_quarantine", "switch.acme_53_13_quarantine"]}
    await call(hass, "quarantine", entity_id="switch.camera_quarantine")
    assert await holds("is_quarantined", target)
    assert not await holds("is_quarantined", target, behavior="all")
    await call(hass, "quarantine", entity_id="switch.acme_53_13_quarantine")
    assert await holds("is_quarantined", target, behavior="all")
    assert not await holds("is_quarantined", {"label_id": "nobody"}, behavior="all")


async def test_the_sensor_is_connected(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    garden: tuple[MockConfigEntry, Peer],
    holds: Any,
) -> None:
    entry, there = garden
    home, far = ({"config_entry_id": each.entry_id} for each in (loaded, entry))
    assert await holds("sensor_connected")
    await there.stop()
    await wait_for(lambda: not entry.runtime_data.available)
    assert not await holds("sensor_connected")
    assert await holds("sensor_connected", **home)
    assert not await holds("sensor_connected", **far)
    assert not await holds("sensor_connected", config_entry_id="nobody's")
    off = MockConfigEntry(domain=DOMAIN, data={CONF_SOCKET: "/nowhere"})
    off.add_to_hass(hass)
    assert not await holds("sensor_connected", config_entry_id=off.entry_id)


async def test_a_condition_in_an_automation(
    hass: HomeAssistant, peer: Peer, automate: Automate, kitchen: dict[str, dict[str, Any]]
) -> None:
    told = await automate(
        conditions=[{"condition": f"{DOMAIN}.is_quarantined", "target": kitchen["area"]}]
    )
    hass.bus.async_fire("asked")
    await hass.async_block_till_done()
    assert not told
    await call(hass, "quarantine", entity_id="switch.camera_quarantine")
    hass.bus.async_fire("asked")
    await wait_for(lambda: bool(told))


@pytest.mark.parametrize(
    "wrong",
    [
        {"trigger": "event_detected", "options": {"kind": "unheard_of"}},
        {"trigger": "event_detected", "options": {"severity": "dreadful"}},
        {"trigger": "device_quarantined"},
        {"trigger": "device_joined", "options": {"mac": CAMERA}},
    ],
)
async def test_what_makes_no_sense_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, wrong: dict[str, Any]
) -> None:
    config = {**wrong, "trigger": f"{DOMAIN}.{wrong['trigger']}"}
    automation = {"alias": "Test", "triggers": [config], "actions": []}
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await hass.async_block_till_done()
    assert state(hass, "automation.test") == "unavailable", json.dumps(wrong)
