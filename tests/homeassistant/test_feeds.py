"""Feeds: actions, a sensor for each, and what is wrong with them in the repairs."""

from time import time
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import (
    AddFeed,
    RefreshFeed,
    RemoveFeed,
)
from custom_components.hearthwall.const import CONF_WRITE_INTERVAL, DOMAIN
from tests.homeassistant.peer import Peer, feed
from tests.homeassistant.test_init import state
from tests.homeassistant.test_services import call

DAY = 86400.0
LIST = "https://lists.example/drop.txt"


def issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return the issues there are, by what is wrong."""
    return {
        each.translation_key or "": each
        for each in ir.async_get(hass).issues.values()
        if each.domain == DOMAIN and each.active
    }


def hits(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> er.RegistryEntry | None:
    registry = er.async_get(hass)
    found = registry.async_get_entity_id("sensor", DOMAIN, f"{entry.entry_id}_feed_{name}_hits")
    return None if found is None else registry.async_get(found)


async def test_a_feed_is_added_read_anew_shown_and_removed(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    added = await call(hass, "add_feed", name="drop", source=LIST, action="drop", interval="6h")
    assert peer.orders(AddFeed) == [AddFeed("drop", LIST, "auto", "drop", 6 * 3600.0, None)]
    assert added["feeds"][0]["addresses"] == 1000
    assert (await call(hass, "get_feeds"))["feeds"] == added["feeds"]
    assert (await call(hass, "refresh_feed", name="drop"))["feeds"] == added["feeds"]
    assert peer.orders(RefreshFeed) == [RefreshFeed("drop")]
    assert (await call(hass, "remove_feed", name="drop"))["feeds"] == added["feeds"]
    assert (await call(hass, "get_feeds"))["feeds"] == []
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "remove_feed", name="drop")
    assert raised.value.translation_key == "not_found"


async def test_what_is_not_said_is_left_to_the_sensor(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await call(hass, "add_feed", name="drop", source=LIST, format="csv:2", header_file="/etc/h")
    assert peer.orders(AddFeed) == [AddFeed("drop", LIST, format="csv:2", header_file="/etc/h")]


@pytest.mark.parametrize(
    "data",
    [
        {"name": "drop"},
        {"source": LIST},
        {"name": "drop", "source": LIST, "action": "burn"},
        {"name": "drop", "source": LIST, "secret": "abc"},
    ],
)
async def test_fields_that_make_no_sense(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, "add_feed", **data)
    assert not peer.orders(AddFeed)


@pytest.mark.parametrize(
    ("code", "kind"), [("invalid_feed", ServiceValidationError), ("invalid_duration", None)]
)
async def test_a_refusal_is_an_error(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, code: str, kind: Any
) -> None:
    peer.errors["add_feed"] = SensorError(code, "because")
    interval = {"interval": "often"} if kind is None else {}
    with pytest.raises(kind or ServiceValidationError) as raised:
        await call(hass, "add_feed", name="drop", source="gopher://x", **interval)
    assert raised.value.translation_key == code


@pytest.mark.parametrize("action", ["add_feed", "remove_feed", "refresh_feed"])
async def test_only_an_administrator_makes_the_gateway_read_lists(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    hass_read_only_user: MockUser,
    action: str,
) -> None:
    data = {"name": "drop"} | ({"source": LIST} if action == "add_feed" else {})
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN, action, data, blocking=True, context=Context(user_id=hass_read_only_user.id)
        )
    assert not [*peer.orders(AddFeed), *peer.orders(RemoveFeed), *peer.orders(RefreshFeed)]


async def test_each_feed_has_a_sensor_for_those_who_want_it(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer
) -> None:
    peer.feeds["drop"] = feed("drop", packets=7)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    found = hits(hass, entry, "drop")
    assert found is not None
    assert found.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    er.async_get(hass).async_update_entity(found.entity_id, disabled_by=None)
    hass.config_entries.async_update_entry(entry, options={CONF_WRITE_INTERVAL: 0})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert found.entity_id == "sensor.hearthwall_feed_drop_hits"
    assert state(hass, found.entity_id) == "7"
    await peer.tell(feeds=[feed("drop", packets=9), feed("more")])
    assert state(hass, found.entity_id) == "9"
    assert hits(hass, entry, "more") is not None

    await peer.tell(feeds=[feed("more")])
    assert hass.states.get(found.entity_id) is None
    assert hits(hass, entry, "drop") is None
    await peer.tell(feeds=[feed("more"), feed("drop", packets=1)])
    await hass.async_block_till_done()
    assert hits(hass, entry, "drop") is not None
    await hass.config_entries.async_unload(entry.entry_id)


async def test_the_sensor_of_a_feed_that_went_while_nobody_looked_goes_too(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(feeds=[feed("drop"), feed("more")])
    await hass.config_entries.async_unload(loaded.entry_id)
    peer.feeds = {"more": feed("more")}
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done()
    assert hits(hass, loaded, "drop") is None
    assert hits(hass, loaded, "more") is not None


async def test_a_feed_that_fails_for_long_is_an_issue_until_it_is_read(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    failing = {"last_error": "the server says 404", "interval": DAY}
    await peer.tell(feeds=[feed("drop", updated=time() - 1.9 * DAY, **failing)])
    assert issues(hass) == {}
    await peer.tell(feeds=[feed("drop", updated=time() - 2.1 * DAY, **failing)])
    issue = issues(hass)["feed_failing"]
    assert issue.translation_placeholders == {"feed": "drop", "message": "the server says 404"}
    assert issue.learn_more_url
    await peer.tell(feeds=[feed("drop")])
    assert issues(hass) == {}


async def test_a_list_that_did_not_change_for_long_may_fail_once(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    old = {"updated": time() - 30 * DAY, "interval": DAY}
    await peer.tell(feeds=[feed("drop", **old)])
    await peer.tell(feeds=[feed("drop", **old, last_error="the server says 500")])
    assert issues(hass) == {}


async def test_a_feed_that_was_never_read_is_an_issue_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(feeds=[feed("drop", updated=None, last_error="no such host")])
    assert set(issues(hass)) == {"feed_failing"}
    await peer.tell(feeds=[])
    assert issues(hass) == {}


async def test_a_feed_that_contains_the_home_is_an_issue_until_it_does_so_no_more(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer
) -> None:
    peer.feeds["level1"] = feed(
        "level1", subtracted=2, subtracted_examples=("192.168.0.0/16", "10.0.0.0/8")
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert issues(hass)["feed_overlaps"].translation_placeholders == {
        "feed": "level1",
        "count": "2",
        "examples": "192.168.0.0/16, 10.0.0.0/8",
    }
    await peer.tell(feeds=[feed("level1")])
    assert issues(hass) == {}
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_removed_gateway_leaves_no_issues(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(feeds=[feed("level1", subtracted=1)])
    assert issues(hass)
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert not [each for each in ir.async_get(hass).issues if each[0] == DOMAIN]


async def test_what_only_returns_wants_an_answer_taken(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    for action in ("get_blocks", "get_feeds", "get_events"):
        with pytest.raises(ServiceValidationError):
            await hass.services.async_call(DOMAIN, action, {}, blocking=True)
