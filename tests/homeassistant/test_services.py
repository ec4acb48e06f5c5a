"""Actions: what is sent, what is answered, and what is refused before anything is sent."""

from dataclasses import replace
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
    UnknownUser,
)
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock, RemoveBlock
from custom_components.hearthwall.const import DOMAIN
from custom_components.hearthwall.services import ACTIONS
from tests.devices import CAMERA, TV
from tests.homeassistant.peer import Peer
from tests.homeassistant.test_devices import camera
from tests.homeassistant.test_translations import SCHEMAS

pytestmark = pytest.mark.usefixtures("loaded")


async def call(hass: HomeAssistant, action: str, /, **data: Any) -> Any:
    return await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)


async def test_block_sends_what_was_said_and_returns_the_rule(
    hass: HomeAssistant, peer: Peer
) -> None:
    answer = await call(
        hass,
        "block",
        target="00-00-5E-00-53-21",
        mode="isolate",
        duration="10m",
        reason="why",
        allow=["addressing", "dns"],
        confirm_within="30s",
    )
    assert peer.orders(AddBlock) == [
        AddBlock(CAMERA, "isolate", ("addressing", "dns"), 600.0, "why", 30.0)
    ]
    (block,) = answer["blocks"]
    assert block["target"] == CAMERA
    assert hass.states.is_state("switch.camera_quarantine", "on")


async def test_every_field_reaches_the_sensor_as_it_was_said(
    hass: HomeAssistant, peer: Peer
) -> None:
    await call(
        hass,
        "block",
        target="192.168.20.21",
        mode="audit",
        transport="tcp",
        port=443,
        direction="from_lan",
        peers=["*.Vendor.example.", "198.51.100.7/24"],
        bytes_per_second=250_000,
        packets_per_second="500",
        redirect_to="trap0",
        audits="allow_only",
        force=True,
    )
    assert peer.orders(AddBlock) == [
        AddBlock(
            target="192.168.20.21",
            mode="audit",
            transport="tcp",
            port=443,
            direction="from_lan",
            peers=("*.vendor.example", "198.51.100.0/24"),
            bytes_per_second=250_000,
            packets_per_second=500,
            redirect_to="trap0",
            audits="allow_only",
            force=True,
        )
    ]


@pytest.mark.parametrize(
    ("target", "canonical"),
    [
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("2001:DB8:0::/48", "2001:db8::/48"),
        ("*.Ads.Example.org", "*.ads.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
async def test_every_kind_of_target(
    hass: HomeAssistant, peer: Peer, target: str, canonical: str
) -> None:
    (block,) = (await call(hass, "block", target=target))["blocks"]
    assert block["target"] == canonical
    assert peer.orders(AddBlock) == [AddBlock(canonical)]


async def test_rules_on_ports_of_a_device_stand_beside_each_other(
    hass: HomeAssistant, peer: Peer
) -> None:
    for port in (80, 443):
        await call(hass, "block", target=CAMERA, transport="tcp", port=port)
    assert hass.states.is_state("sensor.hearthwall_active_blocks", "2")
    assert hass.states.is_state("switch.camera_quarantine", "off")
    await call(hass, "unblock", target=CAMERA, transport="tcp", port=80)
    assert peer.orders(RemoveBlock) == [RemoveBlock(CAMERA, "tcp", 80)]
    assert [each["port"] for each in (await call(hass, "get_blocks"))["blocks"]] == [443]


@pytest.mark.parametrize("by_id", [True, False])
async def test_a_rule_is_confirmed(hass: HomeAssistant, peer: Peer, by_id: bool) -> None:
    entity_id = "switch.camera_quarantine"
    answer = await call(hass, "quarantine", entity_id=entity_id, confirm_within="30s")
    (block,) = answer["blocks"]
    assert block["confirm_by"] is not None
    what = {"id": block["id"]} if by_id else {"target": CAMERA.upper()}
    (block,) = (await call(hass, "confirm", **what))["blocks"]
    assert block["confirm_by"] is None
    await call(hass, "release", entity_id=entity_id)
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "confirm", **what)
    assert raised.value.translation_key == "not_found"


async def test_get_blocks_asks_the_kernel_and_filters(hass: HomeAssistant, peer: Peer) -> None:
    await call(hass, "block", target=CAMERA, mode="no_internet")
    await call(hass, "block", target="203.0.113.0/24")
    peer.blocks = {key: replace(each, packets=5) for key, each in peer.blocks.items()}

    async def found(**filters: Any) -> list[tuple[str, int]]:
        blocks = (await call(hass, "get_blocks", **filters))["blocks"]
        return [(each["target"], each["packets"]) for each in blocks]

    assert await found() == [(CAMERA, 5), ("203.0.113.0/24", 5)]
    assert await found(mode="no_internet") == [(CAMERA, 5)]
    assert await found(mode=["isolate", "audit"]) == [("203.0.113.0/24", 5)]
    assert await found(target="203.0.113.9/24") == [("203.0.113.0/24", 5)]
    assert await found(target=TV) == []


async def test_release_ends_all_rules_on_a_device_and_no_others(
    hass: HomeAssistant, peer: Peer
) -> None:
    await call(hass, "block", target=CAMERA, mode="no_internet")
    await call(hass, "block", target=TV)
    # Ordered elsewhere, and not told yet
    peer._block(AddBlock(CAMERA, "rate_limit", transport="udp", bytes_per_second=10_000))
    answer = await call(hass, "release", entity_id="switch.camera_quarantine")
    assert {each["mode"] for each in answer["blocks"]} == {"no_internet", "rate_limit"}
    assert {key[0] for key in peer.blocks} == {TV}


@pytest.mark.parametrize(("code", "ended"), [("not_found", True), ("storage_failed", False)])
async def test_release_of_a_rule_that_cannot_be_ended(
    hass: HomeAssistant, peer: Peer, code: str, ended: bool
) -> None:
    await call(hass, "block", target=CAMERA)
    peer.errors["unblock"] = SensorError(code)
    release = call(hass, "release", entity_id="switch.camera_quarantine")
    if ended:  # by itself, between the look and the order
        assert (await release)["blocks"] == []
        return
    with pytest.raises(HomeAssistantError) as raised:
        await release
    assert raised.value.translation_key == code
    assert hass.states.is_state("switch.camera_quarantine", "on")


async def test_all_that_fail_are_told_by_name(hass: HomeAssistant, peer: Peer) -> None:
    peer.errors["block"] = SensorError("protected_target", "the operator sits there")
    entities = ["switch.camera_quarantine", "switch.acme_53_13_quarantine"]
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "quarantine", entity_id=entities)
    assert raised.value.translation_key == "all_failed"
    assert "camera: the operator" in str(raised.value)
    assert "Acme 53:13: the operator" in str(raised.value)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("90s", 90.0),
        ("2h", 7200.0),
        (45, 45.0),
        ("00:10:00", 600.0),
        ({"days": 1, "minutes": 1}, 86460.0),
    ],
)
async def test_durations_as_people_and_as_home_assistant_write_them(
    hass: HomeAssistant, peer: Peer, duration: Any, seconds: float
) -> None:
    await call(hass, "block", target="192.168.20.21", duration=duration)
    assert peer.orders(AddBlock)[0].duration == seconds


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"target": "camera"}, "invalid_target"),
        ({"target": "00:00:5e:00:53"}, "invalid_target"),
        ({"target": "192.168.20.300"}, "invalid_target"),
        ({"target": "fe80::1%eth0"}, "invalid_target"),
        ({"target": "ff:ff:ff:ff:ff:ff"}, "protected_target"),
        ({"target": "224.0.0.1"}, "protected_target"),
        ({"target": CAMERA, "duration": "soon"}, "invalid_duration"),
        ({"target": CAMERA, "duration": "-5m"}, "invalid_duration"),
        ({"target": CAMERA, "duration": 0}, "invalid_duration"),
        ({"target": CAMERA, "duration": "400d"}, "invalid_duration"),
        ({"target": CAMERA, "duration": {"fortnights": 1}}, "invalid_duration"),
        ({"target": CAMERA, "confirm_within": "never"}, "invalid_duration"),
        ({"target": CAMERA, "mode": "allow_only", "peers": ["nobody"]}, "invalid_target"),
        ({"target": "10.0.0.0/4"}, "invalid_target"),
        ({"target": "*.com."}, "invalid_target"),
    ],
)
async def test_bad_input_is_refused_and_nothing_sent(
    hass: HomeAssistant, peer: Peer, data: dict[str, Any], key: str
) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "block", **data)
    assert raised.value.translation_key == key
    assert not peer.orders(AddBlock)


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("block", {"target": CAMERA, "mode": "gently"}),
        ("block", {"target": CAMERA, "allow": ["telnet"]}),
        ("block", {"target": CAMERA, "reason": "x" * 201}),
        ("block", {"target": CAMERA, "port": 65536}),
        ("block", {"target": CAMERA, "transport": "sctp"}),
        ("block", {"target": CAMERA, "direction": "up"}),
        ("block", {"target": CAMERA, "bytes_per_second": 999}),
        ("block", {"target": CAMERA, "audits": "rate_limit"}),
        ("block", {}),
        ("confirm", {}),
        ("get_events", {"limit": 0}),
        ("get_blocks", {"mode": ["gently"]}),
        ("unblock", {}),
        ("unblock", {"target": CAMERA, "id": 1}),
        ("quarantine", {}),
    ],
)
async def test_fields_that_make_no_sense(
    hass: HomeAssistant, peer: Peer, action: str, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, action, **data)
    assert not peer.orders(AddBlock)


@pytest.mark.parametrize("named", ["target", "id"])
async def test_unblock_by_target_and_by_id(hass: HomeAssistant, peer: Peer, named: str) -> None:
    (block,) = (await call(hass, "block", target=CAMERA))["blocks"]
    what = {"target": CAMERA} if named == "target" else {"id": block["id"]}
    assert (await call(hass, "unblock", **what))["blocks"][0]["id"] == block["id"]
    assert hass.states.is_state("switch.camera_quarantine", "off")
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "unblock", **what)
    assert raised.value.translation_key == "not_found"


async def test_without_a_connection_nothing_is_done(hass: HomeAssistant, peer: Peer) -> None:
    await peer.stop()
    await hass.async_block_till_done()
    with pytest.raises(HomeAssistantError) as raised:
        await call(hass, "block", target=CAMERA)
    assert raised.value.translation_key == "not_running"


async def test_an_unknown_gateway(hass: HomeAssistant) -> None:
    with pytest.raises(ServiceValidationError):
        await call(hass, "block", target=CAMERA, config_entry_id="nobody")


@pytest.mark.parametrize("by", ["device", "entity", "area", "label", "label_of_area", "other"])
async def test_quarantine_and_release_take_every_kind_of_target(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, by: str
) -> None:
    devices = dr.async_get(hass)
    found = camera(hass, loaded)
    area = ar.async_get(hass).async_create("Porch")
    label = lr.async_get(hass).async_create("Guests")
    target: dict[str, Any]
    match by:
        case "device":
            target = {"device_id": found.id}
        case "entity":
            target = {"entity_id": "sensor.camera_upload_rate"}
        case "area":
            devices.async_update_device(found.id, area_id=area.id)
            target = {"area_id": area.id}
        case "label":
            devices.async_update_device(found.id, labels={label.label_id})
            target = {"label_id": label.label_id}
        case "label_of_area":
            devices.async_update_device(found.id, area_id=area.id)
            ar.async_get(hass).async_update(area.id, labels={label.label_id})
            target = {"label_id": label.label_id}
        case _:
            other = MockConfigEntry(domain="other")
            other.add_to_hass(hass)
            target = {
                "device_id": devices.async_get_or_create(
                    config_entry_id=other.entry_id,
                    connections={(dr.CONNECTION_NETWORK_MAC, CAMERA)},
                    name="Garden camera",
                ).id
            }
    answer = await call(hass, "quarantine", **target, duration="1h")
    assert [block["target"] for block in answer["blocks"]] == [CAMERA]
    assert peer.orders(AddBlock)[0].duration == 3600.0
    assert hass.states.is_state("switch.camera_quarantine", "on")
    answer = await call(hass, "release", **target)
    assert [block["target"] for block in answer["blocks"]] == [CAMERA]
    assert (await call(hass, "release", **target))["blocks"] == []


async def test_an_area_may_hold_other_things(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    area = ar.async_get(hass).async_create("Porch")
    lamp = er.async_get(hass).async_get_or_create("light", "other", "lamp")
    er.async_get(hass).async_update_entity(lamp.entity_id, area_id=area.id)
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "quarantine", area_id=area.id)
    assert raised.value.translation_key == "no_devices"
    dr.async_get(hass).async_update_device(camera(hass, loaded).id, area_id=area.id)
    answer = await call(hass, "quarantine", area_id=area.id)
    assert len(answer["blocks"]) == 1


@pytest.mark.parametrize(
    "target", [{"device_id": "nothing"}, {"entity_id": "light.lamp"}, {"device_id": "gateway"}]
)
async def test_what_is_named_must_be_a_device_or_nothing_is_done(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, target: dict[str, str]
) -> None:
    if target == {"device_id": "gateway"}:
        gateway = dr.async_get(hass).async_get_device_by_identifier(
            (DOMAIN, loaded.entry_id), loaded.entry_id
        )
        assert gateway is not None
        target = {"device_id": gateway.id}
    with pytest.raises(ServiceValidationError) as raised:
        await call(
            hass,
            "quarantine",
            device_id=[
                camera(hass, loaded).id,
                *([target["device_id"]] if "device_id" in target else []),
            ],
            entity_id=[target["entity_id"]] if "entity_id" in target else [],
        )
    assert raised.value.translation_key == "not_a_device"
    assert not peer.orders(AddBlock)


async def test_a_failure_of_one_is_told_by_name_and_the_others_are_done(
    hass: HomeAssistant, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Peer._block

    def refuse_tv(self: Peer, order: AddBlock) -> Any:
        if order.target == TV:
            raise SensorError("protected_target", "the operator sits there")
        return keep(self, order)

    monkeypatch.setattr(Peer, "_block", refuse_tv)
    entities = ["switch.camera_quarantine", "switch.acme_53_13_quarantine"]
    with pytest.raises(HomeAssistantError) as raised:
        await call(hass, "quarantine", entity_id=entities)
    assert raised.value.translation_key == "some_failed"
    assert str(raised.value) == "Acme 53:13: the operator sits there. Done: camera"
    assert hass.states.is_state("switch.camera_quarantine", "on")
    assert hass.states.is_state("switch.acme_53_13_quarantine", "off")


# Who may


def ordering(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, dict[str, Any]]:
    """Return each action that orders something, with what it needs."""
    device_id = camera(hass, entry).id
    return {
        "block": {"target": CAMERA},
        "block_process": {"executable": "/usr/bin/curl"},
        "unblock": {"target": CAMERA},
        "confirm": {"target": CAMERA},
        "quarantine": {"device_id": device_id},
        "release": {"device_id": device_id},
    }


async def test_who_may_turn_no_switch_orders_nothing_and_only_administrators_force(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
) -> None:
    group = await hass.auth.async_get_group(GROUP_ID_USER)
    assert group is not None
    resident = MockUser(groups=[group]).add_to_hass(hass)
    asked = ordering(hass, loaded)
    assert set(asked) == {each.name for each in ACTIONS if each.orders}

    async def order(user_id: str, action: str, **more: Any) -> None:
        context = Context(user_id=user_id)
        data = asked[action] | more
        await hass.services.async_call(DOMAIN, action, data, blocking=True, context=context)

    begun = len(peer.received)
    for action, schema in SCHEMAS.items():
        if action not in asked:
            continue
        with pytest.raises(Unauthorized):
            await order(hass_read_only_user.id, action)
        with pytest.raises(UnknownUser):
            await order("nobody", action)
        if "force" in schema:
            with pytest.raises(Unauthorized):
                await order(resident.id, action, force=True)
    assert len(peer.received) == begun
    for action in ("block", "confirm", "unblock", "quarantine", "release"):
        await order(resident.id, action)
    await order(hass_admin_user.id, "block", force=True)
    assert peer.orders(AddBlock)[-1].force
