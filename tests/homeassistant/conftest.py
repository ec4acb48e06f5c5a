"""A real Home Assistant, and something real at the other end of the socket."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

# Imported before any `hass` exists: else the test package's own custom_components is found first.
import custom_components.hearthwall  # noqa: F401
from custom_components.hearthwall import hints, process
from custom_components.hearthwall.const import (
    CONF_INTERFACES,
    CONF_SOCKET,
    CONF_STATE_DIR,
    DOMAIN,
)
from custom_components.hearthwall.process import run_command
from lab import Lab
from tests.gateway.cgroup import TestCgroup
from tests.homeassistant.flows import submit, through_progress
from tests.homeassistant.peer import Peer

type WriteProgram = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _unix_sockets_may_be_used(socket_enabled: None) -> None:
    """Let Home Assistant reach the sensor, which listens on a file; the internet stays closed."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _hearthwall_is_found(enable_custom_integrations: None) -> None:
    """Let Home Assistant load what lies in custom_components."""


@pytest.fixture(autouse=True)
def _hints_are_given_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no more changes of a registry."""
    monkeypatch.setattr(hints, "SETTLES", 0.0)


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    """A peer that listens."""
    peer = Peer(tmp_path / "s.sock")
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
def entry(peer: Peer, hass: HomeAssistant) -> MockConfigEntry:
    """An entry for a sensor that someone else runs: the peer."""
    entry = MockConfigEntry(
        domain=DOMAIN, title="Home", unique_id=peer.socket, data={CONF_SOCKET: peer.socket}
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> AsyncIterator[MockConfigEntry]:
    """The entry, set up."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield entry
    if entry.state is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture
async def garden(
    hass: HomeAssistant, tmp_path: Path
) -> AsyncIterator[tuple[MockConfigEntry, Peer]]:
    """Another gateway, without devices, set up."""
    peer = Peer(tmp_path / "garden.sock")
    peer.devices = []
    await peer.start()
    entry = MockConfigEntry(
        domain=DOMAIN, title="Garden", unique_id=peer.socket, data={CONF_SOCKET: peer.socket}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield entry, peer
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    await peer.stop()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteProgram:
    """Put a program of the test's in the sensor's place; it is really run, by the system's Python."""
    folder = tmp_path / "bpf"
    folder.mkdir(mode=0o755)
    path = folder / "hearthwall-sensor"
    monkeypatch.setattr(process, "LAUNCHER", path)

    def write(source: str) -> Path:
        path.write_text(source)
        path.chmod(0o755)
        return path

    return write


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab that stands, shared by a file's tests."""
    lab = Lab(f"h{os.getpid()}")
    lab.up()
    yield lab
    lab.down()


@pytest.fixture
def cgroup(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestCgroup]:
    """The cgroup whose processes the sensor watches: other tests' are on this machine as well."""
    made = TestCgroup.make()
    begin = process.SensorProcess.__init__

    def begin_there(self: process.SensorProcess, **said: Any) -> None:
        begin(self, **said)
        self._arguments += ["--cgroup", str(made.path)]

    monkeypatch.setattr(process.SensorProcess, "__init__", begin_there)
    yield made
    made.clean()


@pytest.fixture
def on_the_gateway(lab: Lab, cgroup: TestCgroup) -> Iterator[None]:
    """Be on the gateway, with all that is started from here."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    gateway = os.open(lab.netns("gateway"), os.O_RDONLY)
    try:
        os.setns(gateway, os.CLONE_NEWNET)
        yield
    finally:
        os.setns(before, os.CLONE_NEWNET)
        os.close(before)
        os.close(gateway)


@pytest.fixture
async def gateway(
    hass: HomeAssistant, tmp_path: Path, on_the_gateway: None
) -> AsyncIterator[ConfigEntry]:
    """A gateway, set up through the config flow as a user does it."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": "this_host"}
    )
    flow = await through_progress(hass, result)
    assert flow["step_id"] == "interfaces", flow
    interfaces = next(key for key in flow["data_schema"].schema if key == CONF_INTERFACES)
    assert interfaces.default() == ["br-lan"], "the bridge is proposed"
    paths = {CONF_SOCKET: str(tmp_path / "s.sock"), CONF_STATE_DIR: str(tmp_path / "state")}
    flow = await submit(hass, flow, {CONF_INTERFACES: ["br-lan"], "paths": paths})
    assert flow["type"] is FlowResultType.CREATE_ENTRY, flow
    await hass.async_block_till_done()
    entry: ConfigEntry = flow["result"]
    yield entry
    if hass.config_entries.async_get_entry(entry.entry_id) is not None:
        await hass.config_entries.async_remove(entry.entry_id)
        await hass.async_block_till_done()
    await run_command("unload", "--socket", paths[CONF_SOCKET])
