"""Diagnostics can be handed to strangers."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall.bpf.hearthwall_sensor import __version__, habits, protocol
from custom_components.hearthwall.bpf.hearthwall_sensor.processes import attribution
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import (
    Block,
    Device,
    Feed,
    SensorError,
    Status,
)
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock
from custom_components.hearthwall.bpf.hearthwall_sensor.wire import Message
from custom_components.hearthwall.diagnostics import (
    async_get_config_entry_diagnostics,
    async_get_device_diagnostics,
)
from custom_components.hearthwall.pseudonyms import Pseudonyms
from tests.devices import CAMERA, TV
from tests.homeassistant.peer import Peer, device, feed

MESSAGES = sorted(
    (
        each
        for module in (protocol, habits)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Message) and each is not Message
    ),
    key=lambda each: each.__name__,
)
#: What leads to somebody, in the shapes that it comes in.
SHAPES = (
    "annas-phone-{n}.example",
    "Anna {n}",
    "02:00:5e:00:aa:{n:02x}",
    "198.51.100.{n}",
    "2001:db8::a:{n:x}",
    "198.51.100.{n}/32",
)


class Planter:
    """Fills every field of a message with a secret, as its type allows."""

    def __init__(self) -> None:
        self.secrets: list[str] = []

    def plant(self, kind: Any) -> Any:  # noqa: PLR0911, one for each kind of type
        """Return a value of a type, whose text is secret."""
        if isinstance(kind, typing.TypeAliasType):
            return self.plant(kind.__value__)
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            hints = typing.get_type_hints(kind, include_extras=False)
            return kind(
                **{each.name: self.plant(hints[each.name]) for each in dataclasses.fields(kind)}
            )
        if origin in {typing.Union, types.UnionType}:
            return self.plant(next(each for each in inner if each is not type(None)))
        if origin is typing.Literal:
            return inner[0]
        if origin in {tuple, list}:
            several = inner[:1] * len(SHAPES) if Ellipsis in inner or origin is list else inner
            return origin(self.plant(each) for each in several)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {self.plant(inner[0]): self.plant(inner[1]) for _ in SHAPES}
        if kind in {str, Any}:
            return self.secret()
        return {int: 3, float: 3.5, bool: True}[kind]

    def secret(self) -> str:
        """Return another secret."""
        number = len(self.secrets)
        assert number < 256 * len(SHAPES)
        shape = SHAPES[number % len(SHAPES)]
        self.secrets.append(shape.format(n=number // len(SHAPES)))
        return self.secrets[-1]


@pytest.mark.parametrize("message", MESSAGES)
def test_whatever_the_protocol_tells_names_nobody(message: type[Message]) -> None:
    """Walks the protocol: a field that it gains is planted by itself."""
    planter = Planter()
    told = json.dumps(Pseudonyms().hidden(planter.plant(message))).lower()
    for secret in planter.secrets:
        assert secret.lower() not in told
    for trace in ("anna", "198.51", "2001:db8", "02:00:5e"):
        assert trace not in told


def test_the_walk_reaches_what_it_should() -> None:
    planter = Planter()
    for message in (Status, Device, Block, Feed):
        assert message in MESSAGES
        planter.plant(message)
    assert len(planter.secrets) > 100


def test_the_same_thing_has_the_same_pseudonym_and_another_one_another() -> None:
    names = Pseudonyms()
    hidden = names.hidden(
        {
            "mac": "02:00:5E:00:53:01",
            "target": "02-00-5e-00-53-01",
            "other": "02:00:5e:00:53:02",
            "addresses": ["2001:db8::1", "2001:DB8:0::1", "192.0.2.1"],
            "peer": "Anna.example",
            "peer_name": "anna.example",
        },
        "by_scope",
    )
    assert hidden["mac"] == hidden["target"] == "mac-1"
    assert hidden["other"] == "mac-2"
    assert hidden["addresses"] == ["address-1", "address-1", "address-2"]
    assert hidden["peer"] == hidden["peer_name"] == "text-1"


@pytest.mark.parametrize(
    "name", ["token", "access_token", "fingerprint", "key", "api_key", "password", "Certificate"]
)
def test_secrets_have_no_pseudonym(name: str) -> None:
    assert Pseudonyms().hidden("abc", name.lower()) == "**REDACTED**"
    assert Pseudonyms().hidden({name.lower(): {"a": 1}}, "lost") == {name.lower(): "**REDACTED**"}


async def test_diagnostics_name_nobody(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    hass.config_entries.async_update_entry(
        loaded,
        data={**loaded.data, "token": "annas-token", "fingerprint": "anna", "host": "anna.lan"},
    )
    await peer.tell(
        devices=[
            device(
                CAMERA,
                name="Anna's camera",
                hostname="annas-camera",
                other_macs=("02:00:5e:00:53:77",),
                upload_bytes=4711,
            )
        ]
    )
    await loaded.runtime_data.block(
        AddBlock(target=CAMERA, reason="Anna is watched", peers=("anna.example",))
    )
    failing = feed(
        "annas-own",
        source="https://anna.example/?key=1",
        subtracted=1,
        subtracted_examples=("192.168.20.0/24",),
        last_error="anna.example says 404",
        packets=815,
    )
    await peer.tell(feeds=[failing])
    told = await async_get_config_entry_diagnostics(hass, loaded)
    text = json.dumps(told).lower()
    for private in (CAMERA, "02:00:5e", "192.168.", "anna", peer.socket):
        assert private not in text
    assert told["connected"] is True
    assert told["supervised"] is False
    assert told["status"]["version"] == told["version"] == __version__
    assert told["entry"]["data"]["token"] == "**REDACTED**"
    assert told["issues"] == ["feed_overlaps"]
    assert "4711" in text
    assert "815" in text
    camera = next(each for each in told["devices"] if each["upload_bytes"] == 4711)
    assert [each["target"] for each in told["blocks"]] == [camera["mac"]]
    assert told["blocks"][0]["mode"] == "isolate"


async def test_a_device_has_its_own(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(devices=[device(CAMERA, hostname="annas-camera", upload_bytes=4711)])
    await loaded.runtime_data.block(AddBlock(target=CAMERA, reason="Anna"))
    await loaded.runtime_data.block(AddBlock(target=TV))
    registered = dr.async_get(hass).async_get_device_by_connection(
        (dr.CONNECTION_NETWORK_MAC, CAMERA), loaded.entry_id
    )
    assert registered is not None
    told = await async_get_device_diagnostics(hass, loaded, registered)
    assert [each["upload_bytes"] for each in told["devices"]] == [4711]
    assert len(told["blocks"]) == 1
    assert told["online"] == [told["devices"][0]["mac"]]
    text = json.dumps(told).lower()
    for private in (CAMERA, TV, "anna", "192.168."):
        assert private not in text


async def test_a_gateway_that_cannot_be_set_up_has_them_too(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer
) -> None:
    peer.errors["initialize"] = SensorError("not_permitted")
    assert not await hass.config_entries.async_setup(entry.entry_id)
    told = await async_get_config_entry_diagnostics(hass, entry)
    assert told["state"] == "setup_retry"
    assert peer.socket not in json.dumps(told)
    registered = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, connections={(dr.CONNECTION_NETWORK_MAC, CAMERA)}
    )
    assert await async_get_device_diagnostics(hass, entry, registered) == told


def test_the_sensors_own_words_are_shown_also_those_that_are_several() -> None:
    ways = [*attribution.LOST, "tcx", "xdp_link"]
    assert Pseudonyms().hidden(ways, "capabilities") == ways
    assert Pseudonyms().hidden(["annas phone", "annas-phone"], "capabilities") == [
        "text-1",
        "text-2",
    ]
