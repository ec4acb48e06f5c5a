"""A real Home Assistant, and something real at the other end of the socket."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_socket
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

# Imported before any `hass` exists: else the test package's own custom_components is found first.
import custom_components.hearthwall  # noqa: F401
from custom_components.hearthwall import process
from custom_components.hearthwall.const import CONF_SOCKET, DOMAIN
from tests.homeassistant.peer import Peer

type WriteProgram = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _unix_sockets_may_be_used(socket_enabled: None) -> None:
    """Let Home Assistant reach the sensor, which listens on a file; the internet stays closed."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _hearthwall_is_found(enable_custom_integrations: None) -> None:
    """Let Home Assistant load what lies in custom_components."""


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
