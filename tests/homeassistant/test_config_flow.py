"""The config flow: every way through, every failure and the way on from it."""

import json
import os
import pwd
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall import config_flow, process
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.const import (
    CONF_INTERFACES,
    CONF_SOCKET,
    CONF_STATE_DIR,
    CONF_WAN,
    DOMAIN,
)
from tests.homeassistant.flows import Flow, submit, through_progress
from tests.homeassistant.peer import Peer

WriteProgram = Callable[[str], Path]

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the sensor")


def interface(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "ethernet",
        "bridge": None,
        "addresses": [],
        "default_route": False,
        "xdp": "native",
        "proposed": False,
    } | fields


REPORT = {
    "ok": True,
    "parts": [{"name": "bcc", "ok": True, "required": True, "detail": "bcc 0.26"}],
    "interfaces": [
        interface("wan", default_route=True),
        interface("camera", bridge="br-lan"),
        interface("br-lan", kind="bridge", addresses=["192.168.10.1"], proposed=True),
    ],
}
MISSING = {
    "ok": False,
    "parts": [
        {
            "name": "bcc",
            "ok": False,
            "required": True,
            "detail": "missing",
            "lost": "nothing can be compiled",
            "fix": "apt-get install python3-bpfcc",
        },
        {
            "name": "tracepoints",
            "ok": False,
            "required": False,
            "detail": "missing",
            "lost": "nothing yet",
            "fix": "mount tracefs",
        },
    ],
    "interfaces": [],
}

#: Answers `check` with a report, `run` as told, and notes how it was called.
PROGRAM = """
import json, sys
from pathlib import Path
with open({calls!r}, "a") as file:
    file.write(json.dumps(sys.argv[1:]) + chr(10))
if sys.argv[1] == "check":
    print(json.dumps({report!r}))
elif sys.argv[1] == "run":
    {run}
"""
RUNS = 'print("READY", flush=True); sys.stdin.read()'


def fails(code: str, message: str = "detail") -> str:
    return f"print(json.dumps({{'error': {{'code': {code!r}, 'message': {message!r}}}}})); exit(1)"


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[str], list[list[str]]]:
    """Tell how the program was called with a command."""

    def calls(command: str) -> list[list[str]]:
        lines = (tmp_path / "calls").read_text().splitlines()
        return [each for each in map(json.loads, lines) if each[0] == command]

    return calls


@pytest.fixture
def sensor(program: WriteProgram, tmp_path: Path) -> Callable[..., Path]:
    """Write the program that answers in the sensor's place."""

    def write(report: Any = REPORT, run: str = RUNS) -> Path:
        return program(PROGRAM.format(calls=str(tmp_path / "calls"), report=report, run=run))

    return write


@pytest.fixture(autouse=True)
def no_sensor_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Look for an installed sensor where there is none."""
    monkeypatch.setattr(config_flow, "DEFAULT_SOCKET", str(tmp_path / "installed.sock"))


@pytest.fixture(autouse=True)
async def unload(hass: HomeAssistant) -> AsyncIterator[None]:
    """Leave no entry loaded."""
    yield
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)


async def choose(hass: HomeAssistant, step: str) -> Flow:
    """Begin a flow and choose in its menu."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["this_host", "existing", "remote"]
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": step}
    )
    return await through_progress(hass, result)


def chosen(peer: Peer, *interfaces: str) -> dict[str, Any]:
    return {
        CONF_INTERFACES: list(interfaces),
        "paths": {CONF_SOCKET: peer.socket, CONF_STATE_DIR: "/var/lib/test"},
    }


def schema_of(flow: Flow, field: str) -> tuple[Any, Any]:
    return next((key, value) for key, value in flow["data_schema"].schema.items() if key == field)


@root
async def test_this_host(
    hass: HomeAssistant, peer: Peer, sensor: Callable[..., Path], calls: Any
) -> None:
    sensor()
    flow = await choose(hass, "this_host")
    assert flow["step_id"] == "interfaces"
    assert flow["errors"] == {}
    key, selector = schema_of(flow, CONF_INTERFACES)
    assert key.default() == ["br-lan"]
    assert [each["label"] for each in selector.config["options"]] == [
        "br-lan (bridge, 192.168.10.1)",
        "wan (Ethernet, leads to the internet)",
        "camera (Ethernet, port of br-lan)",
    ]
    flow = await submit(hass, flow, chosen(peer, "br-lan"))
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["title"] == "Hearthwall (br-lan)"
    assert flow["data"] == {
        CONF_INTERFACES: ["br-lan"],
        CONF_WAN: [],
        CONF_SOCKET: peer.socket,
        CONF_STATE_DIR: "/var/lib/test",
    }
    await hass.async_block_till_done()
    entry = flow["result"]
    assert entry.unique_id == peer.socket
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data.supervised
    assert len(calls("run")) == 2, "once to see that it works, once for the entry"
    assert "--wan" not in calls("run")[0]


@root
async def test_the_internets_side_is_guarded_if_it_is_chosen(
    hass: HomeAssistant, peer: Peer, sensor: Callable[..., Path], calls: Any
) -> None:
    sensor()
    flow = await choose(hass, "this_host")
    key, selector = schema_of(flow, CONF_WAN)
    assert isinstance(key, vol.Optional)
    assert [each["value"] for each in selector.config["options"]] == ["wan"]
    flow = await submit(hass, flow, chosen(peer, "br-lan") | {CONF_WAN: ["wan"]})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["title"] == "Hearthwall (br-lan)"
    await hass.async_block_till_done()
    entry = flow["result"]
    assert len(calls("run")) == 2
    for line in calls("run"):
        assert line[line.index("--wan") + 1] == "wan"

    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    flow = await through_progress(hass, result)
    key, _ = schema_of(flow, CONF_WAN)
    assert key.description == {"suggested_value": ["wan"]}
    flow = await submit(hass, flow, chosen(peer, "br-lan"))
    assert flow["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert "--wan" not in calls("run")[-1]


@root
async def test_missing_parts_are_named_and_looked_for_again(
    hass: HomeAssistant, peer: Peer, sensor: Callable[..., Path]
) -> None:
    sensor(MISSING)
    flow = await choose(hass, "this_host")
    assert flow["step_id"] == "not_ready"
    assert flow["errors"] == {"base": "parts_missing"}
    parts = flow["description_placeholders"]["parts"]
    assert "nothing can be compiled" in parts
    assert "apt-get install python3-bpfcc" in parts
    assert "tracefs" not in parts, "what is not needed is not in the way"
    sensor()
    flow = await submit(hass, flow, {})
    assert flow["step_id"] == "interfaces"


@root
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("print('no JSON')", "unreadable_output"),
        ("import nothing_of_this_name", "unreadable_output"),
        ("import time; time.sleep(30)", "command_timeout"),
        ("print('[]')", "unreadable_output"),
        ("""print('{"error": {"code": "internal", "message": "oh"}}')""", "internal"),
        ("""print('{"ok": true, "parts": [], "interfaces": []}')""", "no_interfaces"),
    ],
)
async def test_a_check_that_fails_and_the_way_on(
    hass: HomeAssistant,
    program: WriteProgram,
    sensor: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    error: str,
) -> None:
    monkeypatch.setattr(process, "COMMAND_TIMEOUT", 1)
    program(source)
    flow = await choose(hass, "this_host")
    assert flow["step_id"] == "not_ready"
    assert flow["errors"] == {"base": error}
    sensor()
    assert (await submit(hass, flow, {}))["step_id"] == "interfaces"


@root
async def test_without_python_and_with_unsafe_files(
    hass: HomeAssistant,
    sensor: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = sensor()
    with monkeypatch.context() as patch:
        patch.setattr(process, "PYTHON", str(tmp_path / "python3"))
        flow = await choose(hass, "this_host")
        assert flow["errors"] == {"base": "python_missing"}
    path.chmod(0o777)
    flow = await submit(hass, flow, {})
    assert flow["errors"] == {"base": "unsafe_files"}
    assert flow["description_placeholders"]["message"] == str(path)
    path.rename(path.with_name("elsewhere"))
    flow = await submit(hass, flow, {})
    assert flow["errors"] != {"base": "python_missing"}
    path.with_name("elsewhere").unlink()
    sensor()
    assert (await submit(hass, flow, {}))["step_id"] == "interfaces"


@root
@pytest.mark.parametrize(
    "code",
    [
        "interface_in_use",
        "unknown_interface",
        "missing_capability",
        "kernel_refused",
        "storage_failed",
        "internal",
    ],
)
async def test_a_start_that_fails_and_the_way_on(
    hass: HomeAssistant, peer: Peer, sensor: Callable[..., Path], code: str
) -> None:
    sensor(run=fails(code))
    flow = await submit(hass, await choose(hass, "this_host"), chosen(peer, "wan"))
    assert flow["step_id"] == "interfaces"
    assert flow["errors"] == {"base": code}
    assert flow["description_placeholders"] == {"message": "detail"}
    key, _ = schema_of(flow, CONF_INTERFACES)
    assert key.description == {"suggested_value": ["wan"]}, "what was chosen is kept"
    assert not hass.config_entries.async_entries(DOMAIN)
    sensor()
    flow = await submit(hass, flow, chosen(peer, "br-lan"))
    assert flow["type"] is FlowResultType.CREATE_ENTRY


@root
@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({CONF_INTERFACES: []}, {CONF_INTERFACES: "no_interface_chosen"}),
        ({CONF_INTERFACES: ["wan"], CONF_WAN: ["wan"]}, {CONF_WAN: "interface_on_both_sides"}),
        (
            {"paths": {CONF_SOCKET: "sensor.sock", CONF_STATE_DIR: "/var/x"}},
            {"base": "path_not_absolute"},
        ),
        (
            {"paths": {CONF_SOCKET: "/run/x", CONF_STATE_DIR: "x"}},
            {"base": "path_not_absolute"},
        ),
        (
            {"paths": {CONF_SOCKET: "/run/" + "x" * 103, CONF_STATE_DIR: "/var/x"}},
            {"base": "path_too_long"},
        ),
    ],
)
async def test_fields_are_checked_before_anything_is_run(
    hass: HomeAssistant,
    peer: Peer,
    sensor: Callable[..., Path],
    calls: Any,
    data: dict[str, Any],
    errors: dict[str, str],
) -> None:
    sensor()
    flow = await submit(hass, await choose(hass, "this_host"), chosen(peer, "br-lan") | data)
    assert flow["errors"] == errors
    assert not calls("run")
    flow = await submit(hass, flow, chosen(peer, "br-lan"))
    assert flow["type"] is FlowResultType.CREATE_ENTRY


@root
async def test_a_sensor_that_runs_already_is_taken_if_it_guards_the_same(
    hass: HomeAssistant, peer: Peer, sensor: Callable[..., Path]
) -> None:
    sensor(run=fails("already_running"))
    flow = await submit(hass, await choose(hass, "this_host"), chosen(peer, "wan"))
    assert flow["errors"] == {"base": "already_running"}
    assert flow["description_placeholders"] == {"message": "br-lan"}
    flow = await submit(hass, flow, chosen(peer, "br-lan") | {CONF_WAN: ["wan"]})
    assert flow["errors"] == {"base": "already_running"}
    flow = await submit(hass, flow, chosen(peer, "br-lan"))
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert flow["result"].state is ConfigEntryState.LOADED


async def test_who_has_no_name_is_told_by_number_whom_to_let_in(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container the user of Home Assistant may be known to the host only."""
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    flow = await begin_existing(hass)
    command = flow["description_placeholders"]["command"]
    assert command == f"sudo hearthwall-sensor install --user {os.geteuid()}"


async def test_existing_sensor_and_the_way_on_from_its_failures(
    hass: HomeAssistant, peer: Peer, tmp_path: Path
) -> None:
    flow = await begin_existing(hass)
    assert "hearthwall-sensor install --user" in flow["description_placeholders"]["command"]
    flow = await submit(hass, flow, {CONF_SOCKET: str(tmp_path / "nobody.sock")})
    assert flow["errors"] == {"base": "not_running"}
    flow = await submit(hass, flow, {CONF_SOCKET: "relative"})
    assert flow["errors"] == {"base": "path_not_absolute"}
    for code in ("not_permitted", "timeout", "internal"):
        peer.errors["initialize"] = SensorError(code)
        flow = await submit(hass, flow, {CONF_SOCKET: peer.socket})
        assert flow["errors"] == {"base": code}
    peer.errors.clear()
    hello, peer.hello = peer.hello, "no JSON"
    flow = await submit(hass, flow, {CONF_SOCKET: peer.socket})
    assert flow["errors"] == {"base": "invalid_message"}
    peer.hello = hello | {"min_schema": 5, "max_schema": 6}
    flow = await submit(hass, flow, {CONF_SOCKET: peer.socket})
    assert flow["errors"] == {"base": "unsupported_schema"}
    peer.hello = hello
    flow = await submit(hass, flow, {CONF_SOCKET: peer.socket})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["title"] == "Hearthwall (br-lan)"
    assert flow["data"] == {CONF_SOCKET: peer.socket}
    await hass.async_block_till_done()
    assert not flow["result"].runtime_data.supervised


async def begin_existing(hass: HomeAssistant) -> Flow:
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": "existing"}
    )
    return dict(result)


async def test_without_root_only_a_sensor_that_runs_already_is_offered(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["existing", "remote"]


@pytest.mark.parametrize("user", [0, 1000])
async def test_a_sensor_that_is_installed_here_is_proposed_first_and_no_second_one_started(
    hass: HomeAssistant, peer: Peer, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setattr(config_flow, "DEFAULT_SOCKET", peer.socket)
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["found", "existing", "remote"]
    assert result["description_placeholders"] == {"interfaces": "br-lan", "socket": peer.socket}
    # The page is loaded anew
    result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert result["menu_options"] == ["found", "existing", "remote"]
    flow = await submit(hass, dict(result), {"next_step_id": "found"})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["data"] == {CONF_SOCKET: peer.socket}
    await hass.async_block_till_done()
    assert not flow["result"].runtime_data.supervised
    # One that is set up is not proposed again
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert "found" not in result["menu_options"]


async def test_a_sensor_here_that_does_not_let_us_in_says_what_to_do(
    hass: HomeAssistant, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(config_flow, "DEFAULT_SOCKET", peer.socket)
    peer.errors["initialize"] = SensorError("not_permitted")
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["menu_options"] == ["existing", "remote"]


@root
@pytest.mark.parametrize("step", ["existing", "this_host"])
async def test_a_socket_is_configured_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    peer: Peer,
    sensor: Callable[..., Path],
    step: str,
) -> None:
    sensor()
    data = {CONF_SOCKET: peer.socket} if step == "existing" else chosen(peer, "br-lan")
    flow = await submit(hass, await choose(hass, step), data)
    assert flow["type"] is FlowResultType.ABORT
    assert flow["reason"] == "already_configured"


@root
async def test_reconfigure_changes_the_interfaces(
    hass: HomeAssistant, peer: Peer, sensor: Callable[..., Path], calls: Any
) -> None:
    sensor()
    flow = await submit(hass, await choose(hass, "this_host"), chosen(peer, "br-lan"))
    await hass.async_block_till_done()
    entry = flow["result"]

    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    flow = await through_progress(hass, result)
    assert flow["step_id"] == "interfaces"
    key, _ = schema_of(flow, CONF_INTERFACES)
    assert key.description == {"suggested_value": ["br-lan"]}
    sensor(run="\n    ".join(["if 'wan' in sys.argv:", f"    {fails('interface_in_use')}", RUNS]))
    flow = await submit(hass, flow, chosen(peer, "wan"))
    assert flow["errors"] == {"base": "interface_in_use"}
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED, "the old sensor came back"
    assert entry.data[CONF_INTERFACES] == ["br-lan"]

    flow = await submit(hass, flow, chosen(peer, "br-lan", "camera"))
    assert flow["type"] is FlowResultType.ABORT
    assert flow["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data[CONF_INTERFACES] == ["br-lan", "camera"]
    assert calls("run")[-1].count("--interface") == 2


async def test_reconfigure_of_an_existing_sensor_changes_its_socket(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer, tmp_path: Path
) -> None:
    moved = Peer(tmp_path / "moved.sock")
    await moved.start()
    flow = dict(await loaded.start_reconfigure_flow(hass))
    assert flow["step_id"] == "existing"
    flow = await submit(hass, flow, {CONF_SOCKET: moved.socket})
    assert flow["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert loaded.data == {CONF_SOCKET: moved.socket}
    assert loaded.unique_id == moved.socket
    assert moved.clients == 1
    await hass.config_entries.async_unload(loaded.entry_id)
    await moved.stop()


@root
async def test_removal_takes_everything_out_of_the_kernel(
    hass: HomeAssistant, peer: Peer, sensor: Callable[..., Path], calls: Any
) -> None:
    sensor()
    flow = await submit(hass, await choose(hass, "this_host"), chosen(peer, "br-lan"))
    await hass.async_block_till_done()
    entry = flow["result"]
    await peer.stop()
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert calls("unload") == [["unload", "--forget", "--socket", peer.socket, "--json"]]
