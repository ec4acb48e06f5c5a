"""Repairs: what is wrong is raised when it is sure, vanishes when it is mended, and its flow mends it."""

import asyncio
import inspect
import json
import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import time
from typing import Any

import pytest
from homeassistant.components.repairs import RepairsFlowManager, repairs_flow_manager
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

import custom_components.hearthwall as integration
from custom_components.hearthwall import health, issues as kinds, link, problems, repairs
from custom_components.hearthwall.bpf.hearthwall_sensor.errors import ERRORS
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import Interface, SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import (
    REQUESTS,
    DiscardDamaged,
    RefreshFeed,
    RemoveFeed,
)
from custom_components.hearthwall.const import (
    CONF_INTERFACES,
    CONF_SOCKET,
    CONF_STATE_DIR,
    DOMAIN,
)
from custom_components.hearthwall.process import PROCESS_ERRORS, ProcessError
from tests.homeassistant.peer import Peer, feed
from tests.homeassistant.test_feeds import issues
from tests.homeassistant.test_init import wait_for

Flow = dict[str, Any]
WORDS = {
    language: json.loads(
        (Path(integration.__file__).parent / "translations" / f"{language}.json").read_text()
    )["issues"]
    for language in ("en", "ja")
}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the sensor")


@pytest.fixture(autouse=True)
async def _repairs(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "repairs", {})


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no patience."""
    for name in ("OUTAGE_PATIENCE", "INTERFACE_PATIENCE", "CLOCK_PATIENCE"):
        monkeypatch.setattr(problems, name, 0.0)
    monkeypatch.setattr(health, "ASK_INTERVAL", 0.0)
    monkeypatch.setattr(link, "LAST_RETRY", 0.05)
    monkeypatch.setattr(link, "FIRST_RETRY", 0.05)


@pytest.fixture
async def ours(hass: HomeAssistant, peer: Peer, tmp_path: Path) -> AsyncIterator[MockConfigEntry]:
    """An entry whose sensor Home Assistant runs; what answers on the socket is the peer."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        unique_id=peer.socket,
        data={
            CONF_SOCKET: peer.socket,
            CONF_INTERFACES: ["br-lan"],
            CONF_STATE_DIR: str(tmp_path / "state"),
        },
    )
    entry.add_to_hass(hass)
    yield entry
    if entry.state is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


async def look(hass: HomeAssistant) -> None:
    """Let the next look at the gateway happen."""
    async_fire_time_changed(hass, dt_util.utcnow() + health.JUDGE_INTERVAL * 1.2)
    await hass.async_block_till_done(wait_background_tasks=False)


async def seen(hass: HomeAssistant, condition: Callable[[], bool]) -> None:
    """Look until a condition holds."""
    for _ in range(100):
        if condition():
            return
        await look(hass)
        await asyncio.sleep(0.02)
    pytest.fail("it never came true")


def raised(hass: HomeAssistant, key: str) -> bool:
    return key in issues(hass)


def told(hass: HomeAssistant, key: str) -> str:
    """Return all that an issue says, in English; each language must have every word that it needs."""
    issue = issues(hass)[key]
    said = {}
    for language, words in WORDS.items():
        texts: list[str] = []

        def walk(value: Any, texts: list[str] = texts) -> None:
            if isinstance(value, dict):
                for each in value.values():
                    walk(each)
            else:
                texts.append(value)

        walk(words[key])
        placeholders = {"error": "why", **(issue.translation_placeholders or {})}
        said[language] = "\n".join(each.format(**placeholders) for each in texts)
        assert ("fix_flow" in words[key]) == bool(issue.is_fixable)
    return said["en"]


def flows(hass: HomeAssistant) -> RepairsFlowManager:
    manager = repairs_flow_manager(hass)
    assert manager is not None
    return manager


async def begin(hass: HomeAssistant, key: str) -> Flow:
    """Open an issue's flow, as its user does."""
    issue = issues(hass)[key]
    return dict(await flows(hass).async_init(DOMAIN, context={"issue_id": issue.issue_id}))


async def go_on(hass: HomeAssistant, flow: Flow, data: dict[str, str] | None = None) -> Flow:
    """Submit a step, or choose from a menu."""
    return dict(await flows(hass).async_configure(flow["flow_id"], data or {}))


# There is no connection


async def test_a_short_outage_is_nobodys_business(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.stop()
    await wait_for(lambda: not loaded.runtime_data.available)
    await look(hass)
    assert issues(hass) == {}


@pytest.mark.usefixtures("at_once")
async def test_a_sensor_of_somebody_else_that_is_gone(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.stop()
    await seen(hass, lambda: raised(hass, "sensor_unreachable"))
    assert "sudo systemctl restart hearthwall-sensor" in told(hass, "sensor_unreachable")
    flow = await begin(hass, "sensor_unreachable")
    assert flow["step_id"] == "confirm"
    flow = await go_on(hass, flow)
    assert flow["errors"] == {"base": "failed"}
    assert "no sensor listens" in flow["description_placeholders"]["error"]
    assert loaded.state is ConfigEntryState.SETUP_RETRY
    assert raised(hass, "sensor_unreachable")
    await peer.start()
    flow = await go_on(hass, flow)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.state is ConfigEntryState.LOADED
    assert issues(hass) == {}


@pytest.mark.usefixtures("at_once")
async def test_an_outage_that_ends_takes_its_issue_along(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.stop()
    await seen(hass, lambda: raised(hass, "sensor_unreachable"))
    await peer.start()
    await seen(hass, lambda: not issues(hass))


async def test_a_gateway_that_never_came_up(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await peer.stop()
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert issues(hass) == {}, "it may be starting"
    monkeypatch.setattr(problems, "OUTAGE_PATIENCE", 0.0)
    assert not await hass.config_entries.async_reload(entry.entry_id)
    assert set(issues(hass)) == {"sensor_unreachable"}
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    assert issues(hass) == {}, "its user knows"


async def test_who_asks_for_a_token_needs_no_issue(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = SensorError("not_permitted")
    error.code = "unauthorised"
    assert problems.connection_problem(entry, error, ()) is None


@pytest.mark.parametrize(
    "data",
    [
        {CONF_SOCKET: "/run/hearthwall/sensor.sock"},
        {CONF_SOCKET: "/run/s", CONF_INTERFACES: ["br-lan"], CONF_STATE_DIR: "/var/lib/s"},
        {"host": "192.0.2.1", "port": 8447, "fingerprint": "ab" * 32},
    ],
)
def test_nobody_is_told_to_run_as_root_what_home_assistants_user_may_change(
    data: dict[str, Any],
) -> None:
    entry = MockConfigEntry(domain=DOMAIN, title="Home", data=data)
    folder = str(Path(integration.__file__).parent)
    for error in (
        *(SensorError(code) for code in ERRORS if code != "unsupported_schema"),
        *(ProcessError(code) for code in PROCESS_ERRORS),
    ):
        problem = problems.connection_problem(entry, error, ())
        if problem is None:  # which is asked elsewhere
            continue
        for words in WORDS.values():
            said = f"{words[problem.key]} {problem.placeholders}"
            assert folder not in said
            assert not re.search(r"sudo \S*/|custom_components|-sensor run", said)


@as_root
@pytest.mark.usefixtures("at_once")
async def test_a_sensor_of_ours_is_started_again(
    hass: HomeAssistant, ours: MockConfigEntry, program: Callable[[str], Path]
) -> None:
    program(
        "import sys\n"
        "print('WARNING the disk of `Anna` is full', file=sys.stderr)\n"
        'print(\'{"error": {"code": "storage_failed", "message": "no room"}}\')\n'
    )
    assert not await hass.config_entries.async_setup(ours.entry_id)
    said = told(hass, "sensor_not_running")
    assert "```text\nWARNING the disk of 'Anna' is full\n```" in said
    assert "`no room`" in said
    flow = await go_on(hass, await begin(hass, "sensor_not_running"))
    assert flow["errors"] == {"base": "still_there"}, "the cause is said above it"
    program("import sys\nprint('READY', flush=True)\nsys.stdin.read()\n")
    flow = await go_on(hass, flow)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert ours.state is ConfigEntryState.LOADED
    assert issues(hass) == {}


@as_root
@pytest.mark.usefixtures("at_once")
async def test_what_ended_the_program_is_said_once(
    hass: HomeAssistant, ours: MockConfigEntry, program: Callable[[str], Path]
) -> None:
    line = f"ERROR /{'long/' * 50}sensor is no program"
    program(f"import sys\nsys.exit({line!r})\n")
    assert not await hass.config_entries.async_setup(ours.entry_id)
    assert str(ours.reason) == f"The sensor's program ended without an answer: {line}"
    said = told(hass, "sensor_not_running")
    assert "Why: `the sensor's program ended without an answer`" in said
    assert said.count(line) == 1
    flow = await go_on(hass, await begin(hass, "sensor_not_running"))
    assert flow["errors"] == {"base": "still_there"}
    program("pass")
    await hass.config_entries.async_reload(ours.entry_id)
    assert str(ours.reason) == "The sensor's program ended without an answer: it said nothing"
    assert "`the sensor's program ended without an answer: it said nothing`" in told(
        hass, "sensor_not_running"
    )


MISSING = """
import json, sys
part = {"name": "bcc", "required": True, "ok": False, "detail": "no module", "lost": "all",
        "fix": "apt install python3-bpfcc"}
if sys.argv[1] == "check":
    print(json.dumps({"ok": False, "interfaces": [], "parts": [part]}))
else:
    print('{"error": {"code": "missing_capability", "message": "there is no bcc"}}')
"""
COMPLETE = """
import json, sys
if sys.argv[1] == "check":
    print(json.dumps({"ok": True, "interfaces": [], "parts": []}))
else:
    print("READY", flush=True)
    sys.stdin.read()
"""


@as_root
async def test_a_missing_package_is_named_at_once_with_what_installs_it(
    hass: HomeAssistant, ours: MockConfigEntry, program: Callable[[str], Path]
) -> None:
    program(MISSING)
    assert not await hass.config_entries.async_setup(ours.entry_id)
    assert ours.state is ConfigEntryState.SETUP_ERROR
    assert "apt install python3-bpfcc" in told(hass, "part_missing")
    flow = await go_on(hass, await begin(hass, "part_missing"))
    assert flow["errors"] == {"base": "still_there"}
    assert "python3-bpfcc" in flow["description_placeholders"]["parts"]
    program(COMPLETE)
    flow = await go_on(hass, flow)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert ours.state is ConfigEntryState.LOADED
    assert issues(hass) == {}


# Versions


@pytest.mark.parametrize(("schemas", "key"), [((7, 8), "sensor_newer"), ((0, 0), "sensor_older")])
async def test_no_schema_in_common(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer, schemas: tuple[int, int], key: str
) -> None:
    fitting = peer.hello
    peer.hello = fitting | {"min_schema": schemas[0], "max_schema": schemas[1]}
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert set(issues(hass)) == {key}
    assert f"schemas {schemas[0]} to {schemas[1]}" in told(hass, key)
    flow = await go_on(hass, await begin(hass, key))
    assert flow["errors"] == {"base": "still_there"}
    peer.hello = fitting
    assert (await go_on(hass, flow))["type"] is FlowResultType.CREATE_ENTRY
    assert entry.state is ConfigEntryState.LOADED
    assert issues(hass) == {}
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("version", "key"), [("0.0.1", "sensor_older"), ("99.0.0", "sensor_newer")]
)
async def test_another_version(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, version: str, key: str
) -> None:
    assert issues(hass) == {}
    await peer.fare(version=version)
    assert set(issues(hass)) == {key}
    assert version in told(hass, key)
    flow = await go_on(hass, await begin(hass, key))
    assert flow["errors"] == {"base": "still_there"}
    peer.status = {}
    assert (await go_on(hass, flow))["type"] is FlowResultType.CREATE_ENTRY
    assert issues(hass) == {}


async def test_a_build_of_ones_own_is_nobodys_business(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.fare(version="my own build")
    assert issues(hass) == {}


# What the sensor tells of itself


def interfaces(*modes: str) -> tuple[Interface, ...]:
    return tuple(
        Interface(f"lan{index}", index, None, mode, "tcx") for index, mode in enumerate(modes)
    )


async def test_interfaces_without_native_xdp_are_named_until_they_have_it(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.fare(interfaces=interfaces("native", "generic"))
    assert "lan1" in told(hass, "xdp_not_native")
    issue = issues(hass)["xdp_not_native"]
    assert issue.severity is ir.IssueSeverity.WARNING
    ir.async_ignore_issue(hass, DOMAIN, issue.issue_id, True)
    await peer.fare(interfaces=interfaces("off", "off"))
    await peer.stop()
    await wait_for(lambda: not loaded.runtime_data.available)
    await look(hass)
    ignored = issues(hass)["xdp_not_native"]
    assert ignored.dismissed_version, "without a rule, or a connection, nobody can tell"
    await peer.start()
    await wait_for(lambda: loaded.runtime_data.available)
    await peer.fare(interfaces=interfaces("off", "native"))
    assert issues(hass) == {}


@as_root
@pytest.mark.usefixtures("at_once")
async def test_an_interface_that_is_gone(
    hass: HomeAssistant, ours: MockConfigEntry, peer: Peer, program: Callable[[str], Path]
) -> None:
    program("import sys\nprint('READY', flush=True)\nsys.stdin.read()\n")
    assert await hass.config_entries.async_setup(ours.entry_id)
    assert issues(hass) == {}
    await peer.fare(interfaces=())
    assert "`br-lan`" in told(hass, "interface_gone")
    flow = await go_on(hass, await begin(hass, "interface_gone"))
    assert flow["errors"] == {"base": "still_there"}
    peer.status = {}
    assert (await go_on(hass, flow))["type"] is FlowResultType.CREATE_ENTRY
    assert issues(hass) == {}


async def test_an_interface_may_be_away_for_a_moment(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await peer.fare(interfaces=())
    assert issues(hass) == {}
    monkeypatch.setattr(problems, "INTERFACE_PATIENCE", 0.0)
    await look(hass)
    assert "`*`" in told(hass, "interface_gone")
    await peer.fare()
    assert issues(hass) == {}


async def test_damaged_state_files_are_named_until_they_are_let_go(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer
) -> None:
    peer.status = {"damaged": ("devices.db", "rules.json")}
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert "devices.db, rules.json" in told(hass, "state_damaged")
    peer.errors["discard_damaged"] = SensorError("storage_failed", "the disk is read-only")
    flow = await go_on(hass, await begin(hass, "state_damaged"))
    assert flow["errors"] == {"base": "failed"}
    assert flow["description_placeholders"]["error"] == "the disk is read-only"
    peer.errors.clear()
    peer.status = {}
    assert (await go_on(hass, flow))["type"] is FlowResultType.CREATE_ENTRY
    assert len(peer.orders(DiscardDamaged)) == 2
    await look(hass)
    assert issues(hass) == {}
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("ahead", [-60.0, 3600.0])
@pytest.mark.usefixtures("at_once")
async def test_a_clock_that_is_wrong(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, ahead: float
) -> None:
    peer.status = {"time": time() + ahead}
    await seen(hass, lambda: raised(hass, "clock_wrong"))
    shown = int((issues(hass)["clock_wrong"].translation_placeholders or {})["seconds"])
    assert abs(shown - abs(ahead)) < 5
    assert ("+" in told(hass, "clock_wrong").split("seconds")[0]) == (ahead > 0)
    flow = await go_on(hass, await begin(hass, "clock_wrong"))
    assert flow["errors"] == {"base": "still_there"}
    peer.status = {"time": time()}
    assert (await go_on(hass, flow))["type"] is FlowResultType.CREATE_ENTRY
    await seen(hass, lambda: not issues(hass))


@pytest.mark.usefixtures("at_once")
async def test_clocks_that_differ_by_a_little(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    peer.status = {"time": time() + 4}
    await look(hass)
    await wait_for(lambda: any(each.type == "status" for each in peer.received))
    await look(hass)
    assert issues(hass) == {}


@pytest.mark.usefixtures("at_once")
async def test_a_clock_that_is_set_again_and_again(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    async def asked(uptime: float) -> None:
        peer.status = {"time": time(), "uptime_s": uptime}
        hub = loaded.runtime_data
        await seen(hass, lambda: hub.status is not None and hub.status.uptime_s == uptime)
        await look(hass)

    await asked(100)
    await asked(900)
    assert issues(hass) == {}, "once is a clock that was set after the start"
    await asked(100)
    await seen(hass, lambda: raised(hass, "clock_jumps"))
    assert "2 times" in told(hass, "clock_jumps")


async def test_a_policy_that_cannot_be_read(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.fare(policy_problem="/etc/`x` is no TOML")
    assert "`/etc/'x' is no TOML`" in told(hass, "policy_unreadable")
    flow = await go_on(hass, await begin(hass, "policy_unreadable"))
    assert flow["errors"] == {"base": "still_there"}
    peer.status = {}
    assert (await go_on(hass, flow))["type"] is FlowResultType.CREATE_ENTRY
    assert issues(hass) == {}


async def test_a_look_without_a_sensor_fails(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.fare(policy_problem="no TOML")
    flow = await begin(hass, "policy_unreadable")
    await peer.stop()
    await wait_for(lambda: not loaded.runtime_data.available)
    flow = await go_on(hass, flow)
    assert flow["errors"] == {"base": "failed"}
    assert raised(hass, "policy_unreadable")


async def test_lost_events_are_told_of_for_an_hour(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await peer.fare(lost={"events_lost": 3})
    await peer.fare(lost={"events_lost": 5})
    assert "Lost in the last hour: 5." in told(hass, "events_lost")
    monkeypatch.setattr(health, "LOSS_REMEMBERED", 0.0)
    await peer.fare(lost={"events_lost": 5}, rules=1)
    assert issues(hass) == {}


# Feeds


async def test_a_failing_feed_is_read_again(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    failing = feed("drop", updated=None, last_error="404 of `x`")
    peer.feeds["drop"] = failing
    await peer.tell(feeds=[failing])
    assert "`404 of 'x'`" in told(hass, "feed_failing")
    flow = await begin(hass, "feed_failing")
    assert flow["menu_options"] == ["refresh", "remove", "ignore"]
    flow = await go_on(hass, flow, {"next_step_id": "refresh"})
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "failed")
    assert raised(hass, "feed_failing")
    peer.feeds["drop"] = feed("drop")
    flow = await go_on(hass, await begin(hass, "feed_failing"), {"next_step_id": "refresh"})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert peer.orders(RefreshFeed) == [RefreshFeed("drop")] * 2
    assert issues(hass) == {}


async def test_an_overlapping_feed_shows_what_was_taken_out_and_can_be_removed(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    overlapping = feed("level1", subtracted=2, subtracted_examples=("192.168.0.0/16",))
    peer.feeds["level1"] = overlapping
    await peer.tell(feeds=[overlapping])
    assert "192.168.0.0/16" in told(hass, "feed_overlaps")
    flow = await begin(hass, "feed_overlaps")
    assert flow["description_placeholders"]["examples"] == "192.168.0.0/16"
    flow = await go_on(hass, flow, {"next_step_id": "refresh"})
    assert flow["reason"] == "still_overlaps"
    flow = await go_on(hass, await begin(hass, "feed_overlaps"), {"next_step_id": "remove"})
    assert flow["step_id"] == "remove"
    assert not peer.orders(RemoveFeed)
    assert (await go_on(hass, flow))["type"] is FlowResultType.CREATE_ENTRY
    assert peer.feeds == {}
    assert issues(hass) == {}


# With a token that may only read


async def test_what_needs_an_order_is_not_offered_to_who_may_only_read(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    """It says what to do on the gateway; once orders are taken, it is offered."""

    async def fares() -> set[str]:
        await peer.fare(damaged=("rules.json",))
        await peer.tell(
            feeds=[
                feed("drop", updated=None, last_error="404"),
                feed("level1", subtracted=2, subtracted_examples=("192.168.0.0/16",)),
            ]
        )
        return set(issues(hass))

    keys = {"state_damaged", "feed_failing", "feed_overlaps"}
    assert await fares() == keys
    assert all(each.is_fixable for each in issues(hass).values())
    before = {each.issue_id for each in issues(hass).values()}

    peer.hello["role"] = "read"
    await hass.config_entries.async_reload(loaded.entry_id)
    assert await fares() == {f"{key}_read_only" for key in keys}
    for key in keys:
        assert "Home Assistant may only read from this gateway" in told(hass, f"{key}_read_only")
    assert not any(each.is_fixable for each in issues(hass).values())
    assert {each.issue_id for each in issues(hass).values()} == before, "what is ignored stays so"

    peer.hello["role"] = "operate"
    await hass.config_entries.async_reload(loaded.entry_id)
    assert await fares() == keys
    assert all(each.is_fixable for each in issues(hass).values())


async def test_what_needs_no_order_is_offered_to_who_may_only_read(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer
) -> None:
    peer.hello["role"] = "read"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await peer.fare(policy_problem="line 3")
    assert issues(hass)["policy_unreadable"].is_fixable
    flow = await begin(hass, "policy_unreadable")
    await peer.fare(policy_problem=None)
    assert (await go_on(hass, flow))["type"] is FlowResultType.CREATE_ENTRY
    await hass.config_entries.async_unload(entry.entry_id)


def test_what_gives_an_order_says_so() -> None:
    """Whatever a flow sends of its own is an order, and then its issue has words for who may only read."""
    sent = {each.__name__ for each in REQUESTS.values() if each.needs != "read"}
    ordering = {key for key, flow in repairs._FLOWS.items() if sent & _names_in(flow)}
    assert ordering == set(kinds.TOLD_ONLY)


def _names_in(flow: type) -> set[str]:
    functions = (each for each in vars(flow).values() if inspect.isfunction(each))
    return {name for each in functions for name in each.__code__.co_names}


async def test_an_overlap_that_is_meant_is_ignored(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(feeds=[feed("level1", subtracted=2)])
    flow = await go_on(hass, await begin(hass, "feed_overlaps"), {"next_step_id": "ignore"})
    assert flow["reason"] == "ignored"
    assert issues(hass)["feed_overlaps"].dismissed_version
    await peer.tell(feeds=[feed("level1", subtracted=3)])
    assert issues(hass)["feed_overlaps"].dismissed_version


async def test_a_feed_that_somebody_else_removed(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(feeds=[feed("drop", updated=None, last_error="404")])
    flow = await go_on(hass, await begin(hass, "feed_failing"), {"next_step_id": "remove"})
    assert (await go_on(hass, flow))["type"] is FlowResultType.CREATE_ENTRY
    assert issues(hass) == {}


async def test_a_feed_of_a_gateway_that_is_away(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.tell(feeds=[feed("drop", updated=None, last_error="404")])
    removing = await go_on(hass, await begin(hass, "feed_failing"), {"next_step_id": "remove"})
    await peer.stop()
    await wait_for(lambda: not loaded.runtime_data.available)
    assert (await go_on(hass, removing))["reason"] == "failed"
    flow = await go_on(hass, await begin(hass, "feed_failing"), {"next_step_id": "refresh"})
    assert flow["reason"] == "failed"


async def test_the_flow_of_a_gateway_that_was_removed_ends(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    identity = f"{loaded.entry_id}_gone"
    ir.async_create_issue(
        hass,
        DOMAIN,
        identity,
        data={"entry_id": "gone", "key": "clock_wrong", "subject": ""},
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key="clock_wrong",
    )
    flow = dict(await flows(hass).async_init(DOMAIN, context={"issue_id": identity}))
    assert (await go_on(hass, flow))["type"] is FlowResultType.CREATE_ENTRY


def test_every_issue_has_words_and_a_way_out() -> None:
    keys = problems.CONNECTION_ISSUES | problems.STATUS_ISSUES | kinds.FEED_ISSUES
    assert keys | {*kinds.TOLD_ONLY.values()} == set(WORDS["en"]) == set(WORDS["ja"])
    fixable = {key for key, words in WORDS["en"].items() if "fix_flow" in words}
    assert fixable == set(repairs._FLOWS)


def test_every_issue_is_documented() -> None:
    document = Path(integration.__file__).parents[2] / "docs" / "home-assistant.md"
    section = document.read_text().split("\n## Repairs\n")[1].split("\n## ")[0]
    documented = re.findall(
        r"`(\w+)`", " ".join(re.findall(r"^\| (.+?) \|", section, re.MULTILINE))
    )
    assert set(documented) == set(WORDS["en"]) - {*kinds.TOLD_ONLY.values()}
    assert "those of damaged files and of lists have no *Submit*" in " ".join(section.split())
