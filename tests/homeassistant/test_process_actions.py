"""A program of the gateway is cut off: what is sent, what is answered, and what is refused."""

from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock, RemoveBlock
from tests.devices import CAMERA
from tests.homeassistant.peer import Peer, flow
from tests.homeassistant.test_services import call

pytestmark = pytest.mark.usefixtures("loaded")

AGENT = "/opt/agent/bin/agent"


@pytest.mark.parametrize(
    ("said", "target"),
    [
        ({"executable": AGENT}, f"exe:{AGENT}"),
        ({"executable": f" exe:{AGENT} "}, f"exe:{AGENT}"),
        ({"executable": "/opt/agent@home"}, "exe:/opt/agent@home"),
        ({"folder": "/opt/agent"}, "dir:/opt/agent"),
        ({"pid": 4711}, "pid:4711"),
        ({"pid": "4711"}, "pid:4711"),
    ],
)
async def test_what_is_named_is_cut_off_and_let_go(
    hass: HomeAssistant, peer: Peer, said: dict[str, Any], target: str
) -> None:
    (block,) = (await call(hass, "block_process", **said))["blocks"]
    (order,) = peer.orders(AddBlock)
    assert order == AddBlock(block["target"])
    assert order.target.removesuffix("/") == target
    assert block["kind"] == target[:3]
    assert (await call(hass, "get_blocks"))["blocks"] == [block]
    assert (await call(hass, "get_blocks", target=target))["blocks"] == [block]
    assert hass.states.is_state("sensor.hearthwall_active_blocks", "1")
    assert (await call(hass, "unblock", target=target))["blocks"] == [block]
    assert peer.orders(RemoveBlock) == [RemoveBlock(order.target)]
    assert hass.states.is_state("sensor.hearthwall_active_blocks", "0")


@pytest.mark.parametrize("prefix", ["", "exe:"])
@pytest.mark.parametrize(
    ("code", "target"),
    [
        (None, f"exe:{AGENT}@0123456789ab"),
        ("invalid_target", f"exe:{AGENT}"),
        ("protected_target", None),
    ],
)
async def test_what_looks_like_a_container_may_be_the_files_name(
    hass: HomeAssistant,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
    prefix: str,
    code: str | None,
    target: str | None,
) -> None:
    keep = Peer._block

    def judge(self: Peer, order: AddBlock) -> Any:
        if code is not None and "@" in order.target:
            raise SensorError(code)
        return keep(self, order)

    monkeypatch.setattr(Peer, "_block", judge)
    order = call(hass, "block_process", executable=f"{prefix}{AGENT}@0123456789ab")
    if target is None:
        with pytest.raises(ServiceValidationError):
            await order
    else:
        assert [each["target"] for each in (await order)["blocks"]] == [target]
    assert [each.target for each in peer.blocks.values()] == ([target] if target else [])


async def test_a_rule_is_ended_by_its_id(hass: HomeAssistant, peer: Peer) -> None:
    (block,) = (await call(hass, "block_process", executable=AGENT))["blocks"]
    await call(hass, "unblock", id=block["id"])
    assert not peer.blocks


async def test_every_field_reaches_the_sensor_as_it_was_said(
    hass: HomeAssistant, peer: Peer
) -> None:
    await call(
        hass,
        "block_process",
        pid=4711,
        duration={"hours": 1},
        reason="why",
        children=True,
        peers=["198.51.100.7/24", "2001:DB8::1"],
        confirm_within="30s",
        force=True,
    )
    assert peer.orders(AddBlock) == [
        AddBlock(
            "pid:4711",
            "allow_only",
            duration=3600.0,
            reason="why",
            confirm_within=30.0,
            peers=("198.51.100.0/24", "2001:db8::1"),
            force=True,
            children=True,
        )
    ]


@pytest.mark.parametrize(
    ("said", "order"),
    [
        ({"peers": []}, {"mode": "isolate"}),
        ({"audit": False}, {"mode": "isolate"}),
        ({"audit": True}, {"mode": "audit", "audits": "isolate"}),
        (
            {"audit": True, "peers": "198.51.100.20"},
            {"mode": "audit", "audits": "allow_only", "peers": ("198.51.100.20",)},
        ),
    ],
)
async def test_the_mode_follows_from_what_is_said(
    hass: HomeAssistant, peer: Peer, said: dict[str, Any], order: dict[str, Any]
) -> None:
    await call(hass, "block_process", executable=AGENT, **said)
    assert peer.orders(AddBlock) == [AddBlock(f"exe:{AGENT}", **order)]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"executable": AGENT, "folder": "/opt/agent"},
        {"executable": AGENT, "pid": 4711},
        {"pid": 0},
        {"pid": "agent"},
        {"executable": AGENT, "reason": "x" * 201},
        {"executable": AGENT, "port": 443},
        {"executable": AGENT, "mode": "redirect"},
    ],
)
async def test_fields_that_make_no_sense(
    hass: HomeAssistant, peer: Peer, wrong: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, "block_process", **wrong)
    assert not peer.orders(AddBlock)


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"executable": "agent"}, "invalid_target"),
        ({"executable": ""}, "invalid_target"),
        ({"folder": "../opt"}, "invalid_target"),
        ({"executable": "/opt/" + "x" * 5000}, "invalid_target"),
        ({"pid": 2**40}, "invalid_target"),
        ({"executable": AGENT, "duration": "soon"}, "invalid_duration"),
        ({"executable": AGENT, "peers": ["nobody"]}, "invalid_target"),
    ],
)
async def test_bad_input_is_refused_in_words_and_nothing_sent(
    hass: HomeAssistant, peer: Peer, wrong: dict[str, Any], key: str
) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "block_process", **wrong)
    assert raised.value.translation_key == key
    assert len(str(raised.value)) < 400
    assert not peer.orders(AddBlock)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("protected_target", "that is the sensor itself", ServiceValidationError),
        ("invalid_mode", "a process's peers are no domains", ServiceValidationError),
        ("not_found", "no process has the number 4711", ServiceValidationError),
        ("invalid_target", "this file is not there", ServiceValidationError),
        ("table_full", "there are 64 rules on processes", HomeAssistantError),
        ("missing_capability", "this kernel has no cgroup v2", HomeAssistantError),
    ],
)
async def test_what_the_sensor_refuses_is_an_error_with_its_reason(
    hass: HomeAssistant, peer: Peer, code: str, message: str, kind: type[HomeAssistantError]
) -> None:
    peer.errors["block"] = SensorError(code, message)
    with pytest.raises(HomeAssistantError, match=message) as raised:
        await call(hass, "block_process", executable=AGENT)
    assert type(raised.value) is kind
    assert raised.value.translation_key == code
    assert hass.states.is_state("sensor.hearthwall_active_blocks", "0")


async def test_a_program_is_cut_off_at_the_gateway_that_is_named(
    hass: HomeAssistant, peer: Peer, garden: tuple[MockConfigEntry, Peer]
) -> None:
    entry, second = garden
    with pytest.raises(ServiceValidationError):
        await call(hass, "block_process", executable=AGENT)
    await call(hass, "block_process", executable=AGENT, config_entry_id=entry.entry_id)
    assert second.orders(AddBlock) == [AddBlock(f"exe:{AGENT}")]
    assert not peer.orders(AddBlock)


# A sensor from before there were processes


@pytest.fixture
def older(peer: Peer) -> None:
    peer.is_older = True
    peer.flows = [flow(CAMERA, "203.0.113.20")]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("block_process", {"executable": AGENT}),
        ("block_process", {"pid": 1, "children": True}),
        ("get_processes", {}),
        ("get_flows", {"of": "processes"}),
        ("get_flows", {"process": AGENT}),
    ],
)
async def test_an_older_sensor_is_to_be_updated(
    hass: HomeAssistant, peer: Peer, older: None, action: str, said: dict[str, Any]
) -> None:
    with pytest.raises(HomeAssistantError, match="Update it") as raised:
        await call(hass, action, **said)
    assert raised.value.translation_key == "unknown_command"
    assert not peer.blocks


async def test_all_else_goes_on_with_an_older_sensor(
    hass: HomeAssistant, peer: Peer, older: None
) -> None:
    assert len((await call(hass, "get_flows"))["flows"]) == 1
    (found,) = (await call(hass, "get_devices", peer="203.0.113.20"))["devices"]
    assert found["mac"] == CAMERA
    await call(hass, "block", target=CAMERA)
    await call(hass, "unblock", target=CAMERA)
