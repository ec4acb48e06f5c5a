"""Triggers and conditions of our own: in real automations, once, and not for what only looks like it."""

import importlib
import json
from typing import Any

import pytest
import yaml
from homeassistant.components.automation import automations_with_area, automations_with_device
from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    condition as condition_helper,
    device_registry as dr,
    trigger as trigger_helper,
)
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall.bpf.hearthwall_sensor.kinds import KINDS, SEVERITIES
from custom_components.hearthwall.bpf.hearthwall_sensor.modes import MODES
from custom_components.hearthwall.condition import CONDITIONS
from custom_components.hearthwall.const import DOMAIN
from custom_components.hearthwall.trigger import TRIGGERS
from tests.devices import CAMERA, TV
from tests.homeassistant.automating import Automate, automate, gateway, kitchen
from tests.homeassistant.peer import Peer, device, event
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_init import state, wait_for
from tests.homeassistant.test_services import call
from tests.homeassistant.test_translations import FOLDER, ICONS, WORDS

__all__ = ["automate", "kitchen"]

TOLD = {
    "severity": "{{ trigger.severity }}",
    "kind": "{{ trigger.kind }}",
    "summary": "{{ trigger.summary }}",
    "device_id": "{{ trigger.device_id }}",
    "device_name": "{{ trigger.device_name }}",
    "seq": "{{ trigger.seq }}",
    "peer": "{{ trigger.peer }}",
    "mac": "{{ trigger.mac }}",
    "culprit": "{{ trigger.culprit }}",
    "culprit_device_id": "{{ trigger.culprit_device_id }}",
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
        "culprit": CAMERA,
        "culprit_device_id": camera(hass, loaded).id,
    }
    assert (told[1].data["peer"], told[1].data["device_name"]) == ("bad.example", "Acme 53:13")


async def test_whom_something_was_only_done_to_is_no_culprit(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, automate: Automate
) -> None:
    told = await automate({"trigger": "event_detected"}, says=TOLD)
    program: dict[str, Any] = {"mac": None, "address": None, "process": "/usr/bin/curl"}
    await peer.happen(
        event(1, evidence={"blame": "peer"}),
        event(2, evidence={"blame": "unknown"}),
        event(3, **program),
    )
    await wait_for(lambda: len(told) == 3)
    assert [each.data["device_name"] for each in told] == ["camera", "camera", "Hearthwall"]
    assert [each.data["culprit"] for each in told] == [None, None, "exe:/usr/bin/curl"]
    assert {each.data["culprit_device_id"] for each in told} == {None}


async def test_only_what_has_a_culprit(peer: Peer, automate: Automate) -> None:
    told = await automate({"trigger": "event_detected", "options": {"culprit": True}}, says=TOLD)
    await peer.happen(
        event(1, evidence={"blame": "peer"}),
        event(2, evidence={"blame": "unknown"}),
        event(3, evidence={"blame": "device"}),
        event(4, kind="blocked"),
        event(5, culprit=None),  # an older sensor's
        event(6),
    )
    await wait_for(lambda: len(told) == 2)
    assert [each.data["seq"] for each in told] == [3, 6]


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


@pytest.mark.parametrize("by", ["device", "area", "label"])
async def test_events_of_whom_the_fields_name(
    hass: HomeAssistant,
    peer: Peer,
    automate: Automate,
    kitchen: dict[str, dict[str, Any]],
    by: str,
) -> None:
    told = await automate({"trigger": "event_detected", "options": kitchen[by]}, says=TOLD)
    await peer.happen(event(1, mac=TV), event(2))
    await wait_for(lambda: len(told) >= 1)
    await hass.async_block_till_done()
    assert [each.data["seq"] for each in told] == [2]


async def test_home_assistant_knows_whom_the_fields_name(
    hass: HomeAssistant, loaded: MockConfigEntry, automate: Automate
) -> None:
    registered = camera(hass, loaded).id
    await automate(
        {
            "trigger": "event_detected",
            "target": {"device_id": gateway(hass, loaded).id},
            "options": {"device_id": registered, "area_id": "kitchen"},
        }
    )
    for each in (registered, gateway(hass, loaded).id):
        assert automations_with_device(hass, each) == ["automation.test"]
    assert automations_with_area(hass, "kitchen") == ["automation.test"]


def test_an_event_needs_no_target_in_the_editor() -> None:
    triggers = yaml.safe_load((FOLDER / "triggers.yaml").read_text())
    assert "target" not in triggers["event_detected"], "it is warned of while it is empty"
    assert not any(each.get("required") for each in triggers["event_detected"]["fields"].values())


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
