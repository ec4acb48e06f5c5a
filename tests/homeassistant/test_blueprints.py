"""Blueprints: Home Assistant imports them, makes automations of them, and these do what they promise."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import (
    AcceptEvent,
    AddBlock,
    RemoveBlock,
)
from tests.devices import CAMERA, TV
from tests.homeassistant.blueprints import (
    FOLDER,
    LINK,
    NAMES,
    ROOT,
    address,
    automate,
    import_blueprint,
)
from tests.homeassistant.peer import Peer, device, event
from tests.homeassistant.phone import Phone, phone
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_init import wait_for
from tests.homeassistant.test_services import call

__all__ = ["phone"]

SOON = timedelta(seconds=2)
NEWCOMER = "02:00:5e:00:53:77"


@pytest.fixture(autouse=True)
async def house(
    hass: HomeAssistant, loaded: MockConfigEntry, tmp_path: Path
) -> AsyncIterator[None]:
    """A home with a configuration folder of its own; no automation is left running."""
    hass.config.config_dir = str(tmp_path)
    yield
    if hass.services.has_service("automation", "turn_off"):
        everything = {"entity_id": "all"}
        await hass.services.async_call("automation", "turn_off", everything, blocking=True)
        await hass.async_block_till_done()


# What they are


@pytest.mark.parametrize("name", NAMES)
async def test_home_assistant_imports_it(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker, name: str
) -> None:
    assert await async_setup_component(hass, "automation", {})
    imported = await import_blueprint(hass, aioclient_mock, name)
    blueprint = imported.blueprint
    assert imported.suggested_filename == f"hearthwall/{name}"
    assert blueprint.validate() is None, "it runs with this Home Assistant"
    assert blueprint.metadata["source_url"] == address(name)
    assert blueprint.metadata["homeassistant"] == {"min_version": "2026.9.0"}
    assert blueprint.name.startswith("Hearthwall: ")
    assert "{" not in blueprint.metadata["description"]
    for section in blueprint.metadata["input"].values():
        assert section["name"]
        for each in section["input"].values():
            assert each["name"]
            assert each["selector"]
    known = set(blueprint.inputs)
    without = {key for key, each in blueprint.inputs.items() if "default" not in each}
    assert without <= {"phone", "label", "upload"}, "what only the user can know"
    assert known


def test_each_can_be_imported_from_the_page_by_a_link() -> None:
    page = (ROOT / "docs" / "blueprints.md").read_text()
    linked = [unquote(each) for each in LINK.findall(page)]
    assert sorted(linked) == sorted(map(address, NAMES))
    repository = re.search(
        r'"documentation": "https://github.com/([^"]+)"',
        (ROOT / "custom_components" / "hearthwall" / "manifest.json").read_text(),
    )
    assert repository is not None
    assert all(f"/{repository[1]}/" in each for each in linked)
    for name in NAMES:
        source = yaml.load((FOLDER / f"{name}.yaml").read_text(), _AnyTag)
        for section in source["blueprint"]["input"].values():
            for each in section["input"].values():
                assert each["name"] in page, (name, each["name"])


class _AnyTag(yaml.SafeLoader):
    """Reads `!input` as its name."""


_AnyTag.add_constructor("!input", lambda loader, node: loader.construct_scalar(node))


# Cut a device off when something grave happens


async def grave(hass: HomeAssistant, web: AiohttpClientMocker, phone: Phone, **inputs: Any) -> None:
    await automate(hass, web, "quarantine_on_event", phone=phone.device_id, **inputs)


async def test_something_grave_cuts_off_and_the_phone_lets_back_in(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    aioclient_mock: AiohttpClientMocker,
    phone: Phone,
) -> None:
    await grave(hass, aioclient_mock, phone)
    await peer.happen(
        event(1, severity="medium"),
        event(2, severity="critical", mac=None),
        event(3, kind="beacon", severity="high"),
    )
    await wait_for(lambda: bool(phone.told))
    (order,) = peer.orders(AddBlock)
    assert (order.target, order.mode, order.duration) == (CAMERA, "isolate", 3600.0)
    assert order.reason == "number 3"
    (message,) = phone.told
    assert (message["title"], message["message"]) == ("camera is cut off", "number 3")
    # The like of it while it is cut off changes nothing, but is told
    await peer.happen(event(4, kind="port_scan", severity="high"))
    await wait_for(lambda: len(phone.told) == 2)
    assert len(peer.orders(AddBlock)) == 1
    hass.bus.async_fire("mobile_app_notification_action", {"action": "SOMEBODY_ELSES"})
    hass.bus.async_fire("mobile_app_notification_action", {})
    phone.press(message, "Let it back in")
    await wait_for(lambda: bool(peer.orders(RemoveBlock)))
    await hass.async_block_till_done()
    assert not peer.blocks
    assert not peer.orders(AcceptEvent)


@pytest.mark.parametrize("blame", ["peer", "unknown"])
async def test_a_victim_stays_connected_and_the_phone_says_so(
    hass: HomeAssistant,
    peer: Peer,
    aioclient_mock: AiohttpClientMocker,
    phone: Phone,
    blame: str,
) -> None:
    await grave(hass, aioclient_mock, phone)
    await peer.happen(event(1, severity="critical", evidence={"blame": blame}))
    await wait_for(lambda: bool(phone.told))
    (message,) = phone.told
    assert message["title"] == "camera stays connected"
    assert message["message"].startswith("number 1 It is not cut off: it was only attacked")
    assert [each["title"] for each in message["data"]["actions"]] == ["This is fine"]
    assert not peer.orders(AddBlock)
    await peer.happen(event(2, severity="critical", evidence={"blame": "device"}))
    await wait_for(lambda: bool(peer.orders(AddBlock)))


async def test_what_is_fine_is_let_back_in_and_learnt_also_after_a_reload(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    aioclient_mock: AiohttpClientMocker,
    phone: Phone,
) -> None:
    await grave(hass, aioclient_mock, phone, mode="no_internet", lasting={"minutes": 0})
    await peer.happen(event(1, severity="high"))
    await wait_for(lambda: bool(phone.told))
    (order,) = peer.orders(AddBlock)
    assert (order.mode, order.duration) == ("no_internet", None)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert len(peer.orders(AddBlock)) == 1, "a reload is no event"
    phone.press(phone.told[0], "This is fine")
    await wait_for(lambda: bool(peer.orders(AcceptEvent)))
    assert peer.orders(AcceptEvent) == [AcceptEvent(1)]
    assert not peer.blocks


async def test_a_rule_that_was_to_stay_does_not_end_for_a_shorter_one(
    hass: HomeAssistant, peer: Peer, aioclient_mock: AiohttpClientMocker, phone: Phone
) -> None:
    await grave(hass, aioclient_mock, phone)
    await call(hass, "quarantine", entity_id="switch.camera_quarantine", mode="no_internet")
    await peer.happen(event(1, severity="high"))
    await wait_for(lambda: bool(phone.told))
    assert [(each.mode, each.duration) for each in peer.orders(AddBlock)] == [
        ("no_internet", None),
        ("isolate", None),
    ]


async def test_a_refusal_is_told(
    hass: HomeAssistant, peer: Peer, aioclient_mock: AiohttpClientMocker, phone: Phone
) -> None:
    await grave(hass, aioclient_mock, phone)
    peer.errors["block"] = SensorError("protected_target", "that is this host")
    await peer.happen(event(1, severity="high"))
    await wait_for(lambda: bool(phone.told))
    (message,) = phone.told
    assert message["title"] == "camera could not be cut off"
    assert [each["title"] for each in message["data"]["actions"]] == ["This is fine"]


async def test_only_what_is_watched_is_cut_off_and_more_can_be_done(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    aioclient_mock: AiohttpClientMocker,
    phone: Phone,
) -> None:
    area = ar.async_get(hass).async_create("Garden")
    dr.async_get(hass).async_update_device(camera(hass, loaded).id, area_id=area.id)
    flashed: list[Any] = []
    hass.bus.async_listen("flash", flashed.append)
    more = [{"event": "flash", "event_data": {"name": "{{ name }}"}}]
    await grave(hass, aioclient_mock, phone, watched={"area_id": area.id}, more=more)
    await peer.happen(event(1, severity="high", mac=TV), event(2, severity="high"))
    await wait_for(lambda: bool(flashed))
    await hass.async_block_till_done()
    assert [each.target for each in peer.orders(AddBlock)] == [CAMERA]
    assert [each.data["name"] for each in flashed] == ["camera"]


# Ask before a new device is let in


async def joins(peer: Peer, seq: int = 1, mac: str = NEWCOMER) -> None:
    await peer.tell(devices=[device(mac, hostname="tablet")])
    await peer.happen(event(seq, kind="new_device", severity="low", mac=mac))


async def test_a_new_device_waits_for_its_approval(
    hass: HomeAssistant, peer: Peer, aioclient_mock: AiohttpClientMocker, phone: Phone
) -> None:
    await automate(hass, aioclient_mock, "new_device_approval", phone=phone.device_id)
    await peer.happen(event(1, severity="critical"))
    await joins(peer, 2)
    await wait_for(lambda: bool(phone.told))
    (order,) = peer.orders(AddBlock)
    assert (order.target, order.mode, order.duration) == (NEWCOMER, "no_internet", None)
    (message,) = phone.told
    assert message["title"] == "tablet is new in your network"
    assert message["message"] == "number 2 It has no internet until you allow it."
    phone.press(message, "Allow")
    await wait_for(lambda: bool(peer.orders(RemoveBlock)))
    await hass.async_block_till_done()
    assert not peer.blocks


async def test_without_an_answer_it_is_let_in_on_time_unless_it_is_refused(
    hass: HomeAssistant, peer: Peer, aioclient_mock: AiohttpClientMocker, phone: Phone
) -> None:
    inputs = {"mode": "isolate", "unanswered": "allowed", "patience": {"minutes": 30}}
    await automate(hass, aioclient_mock, "new_device_approval", phone=phone.device_id, **inputs)
    await joins(peer)
    await wait_for(lambda: bool(phone.told))
    (order,) = peer.orders(AddBlock)
    assert (order.mode, order.duration) == ("isolate", 1800.0), "the sensor ends it by itself"
    (message,) = phone.told
    assert message["message"].endswith("It is cut off for now.")
    phone.press(message, "Keep it off")
    await wait_for(lambda: len(peer.orders(AddBlock)) == 2)
    refused = peer.orders(AddBlock)[1]
    assert (refused.target, refused.mode, refused.duration) == (NEWCOMER, "isolate", None)


# Nobody is home, and it uploads


#: So long it must last; the tests wait for that.
LASTING = {"seconds": 1}


async def uploads(hass: HomeAssistant, rate: str, at_home: int, unit: str = "kB/s") -> None:
    """Let the TV upload so much while so many are home, for long enough."""
    place = {"latitude": 0.0, "longitude": 0.0, "radius": 100}
    hass.states.async_set("zone.home", str(at_home), place)
    hass.states.async_set("sensor.acme_53_13_upload_rate", rate, {"unit_of_measurement": unit})
    await asyncio.sleep(1.2)
    await hass.async_block_till_done()


async def test_nobody_is_home_and_the_tv_uploads(
    hass: HomeAssistant,
    peer: Peer,
    aioclient_mock: AiohttpClientMocker,
    phone: Phone,
) -> None:
    upload = "sensor.acme_53_13_upload_rate"
    inputs = {"phone": phone.device_id, "upload": upload, "lasting": LASTING}
    await automate(hass, aioclient_mock, "nobody_home_upload", **inputs)
    await uploads(hass, "500", at_home=1)
    await uploads(hass, "99", at_home=0)
    await uploads(hass, "0.7", at_home=0, unit="Mbit/s")
    assert not phone.told
    await uploads(hass, "0.9", at_home=0, unit="Mbit/s")
    await wait_for(lambda: bool(phone.told))
    (message,) = phone.told
    assert message["title"] == "Acme 53:13 uploads while nobody is home"
    assert not peer.orders(AddBlock)
    phone.press(message, "Cut it off")
    await wait_for(lambda: len(phone.told) == 2)
    (order,) = peer.orders(AddBlock)
    assert (order.target, order.mode, order.duration) == (TV, "no_internet", 4 * 3600.0)
    assert phone.told[1]["title"] == "Acme 53:13 is cut off"


async def test_it_is_cut_off_at_once_if_that_is_wished(
    hass: HomeAssistant,
    peer: Peer,
    aioclient_mock: AiohttpClientMocker,
    phone: Phone,
) -> None:
    hass.states.async_set("person.anna", "not_home")
    inputs: dict[str, Any] = {
        "phone": phone.device_id,
        "upload": "sensor.acme_53_13_upload_rate",
        "lasting": LASTING,
        "at_once": True,
        "mode": "isolate",
        "people": ["person.anna"],
    }
    await automate(hass, aioclient_mock, "nobody_home_upload", **inputs)
    await uploads(hass, "500", at_home=3)
    await wait_for(lambda: bool(phone.told))
    (order,) = peer.orders(AddBlock)
    assert (order.target, order.mode) == (TV, "isolate")
    assert phone.told[0]["data"]["actions"] == []


# Who moved the most today


async def test_the_report_of_the_day(
    hass: HomeAssistant,
    peer: Peer,
    aioclient_mock: AiohttpClientMocker,
    phone: Phone,
) -> None:
    assert await async_setup_component(hass, "persistent_notification", {})
    shown: list[Any] = []
    persistent_notification.async_register_callback(
        hass, lambda _, notifications: shown.extend(notifications.values())
    )
    peer.devices = [
        device(CAMERA, hostname="camera", upload_bytes=2_000_000, download_bytes=1_500_000),
        device(
            TV,
            hostname="[tv](https://evil.example/)\n# _loud_ `x`" + "x" * 100,
            upload_bytes=1_000_000,
            download_bytes=9_000_000,
        ),
    ]
    await peer.tell(devices=peer.devices)
    time = (dt_util.now() + SOON).strftime("%H:%M:%S")
    inputs = {"receivers": [phone.notify_entity], "time": time}
    await automate(hass, aioclient_mock, "daily_report", **inputs)
    await wait_for(lambda: bool(shown))
    notification = shown[-1]
    assert notification["notification_id"] == "hearthwall_report"
    assert notification["title"] == "Your network today"
    total, empty, *rows = notification["message"].splitlines()
    assert not empty, "or Markdown would take the list for one paragraph"
    assert total == "All: 3.0 MB up, 10.5 MB down"
    assert [each for each in rows if "camera" in each] == ["- camera: 2.0 MB up, 1.5 MB down"]
    (loud,) = (each for each in rows if "camera" not in each)
    assert loud.startswith("- ")
    assert loud.endswith(": 1.0 MB up, 9.0 MB down")
    assert rows[0] == loud, "the busiest first"
    assert not set("[]()#_`<>*!/\\|") & set(loud)
    assert len(loud) < 80
    (message,) = phone.told
    assert message["message"] == notification["message"]
