"""The gateway's programs in `top`: chosen, with their flows, and cut off; asked for only while they are looked at."""

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.protocol import DeviceRule, Program
from hearthwall_sensor.requests import AddBlock, GetFlows, GetProcesses, RemoveBlock
from hearthwall_sensor.top.layout import frame
from hearthwall_sensor.top.rates import Rate
from hearthwall_sensor.top.view import Order, View
from hearthwall_sensor.words.cells import width
from tests.devices import CAMERA
from tests.unit.household import Household, Serving, device, flow
from tests.unit.terminal import top

CURL, SSHD = "/usr/bin/curl", "/usr/sbin/sshd"


def program(executable: str, **fields: Any) -> Program:
    said: dict[str, Any] = {
        **dict.fromkeys(("container", "unit")),
        "pids": (7,),
        "uids": (0,),
        "upload_bytes": 1_000,
        "download_bytes": 2_000,
        "upload_packets": 1,
        "download_packets": 1,
        "connections": 1,
        "first_seen": 1_700_000_000.0,
        "last_seen": time.time(),
    }
    return Program(executable, **(said | fields))


PROGRAMS = (
    program(CURL),
    program(SSHD, listens=("tcp/22",), unit="ssh.service", rule=DeviceRule(9, "isolate", None)),
)
FLOWS = (
    flow(None, 1, peer_name="a.example", process=CURL),
    flow(None, 2, peer_name="b.example", process=SSHD, opened_by="peer"),
    flow(CAMERA, 3, peer_name="c.example"),
)


@pytest.fixture
def view() -> View:
    made = View("gw")
    made.take((device(CAMERA, name="camera"),), FLOWS, {}, {})
    made.take_programs(PROGRAMS, {CURL: Rate(1_000.0, 500.0)})
    return made


def press(view: View, *keys: str) -> list[Order]:
    return [order for each in keys if (order := view.press(each)) is not None]


def shown(view: View, columns: int = 120) -> str:
    return "\n".join(each.text for each in frame(view, columns, 24))


def test_programs_stand_in_place_of_devices_and_o_brings_those_back(view: View) -> None:
    assert CURL in shown(view)  # whose flow it is
    assert "all programs" not in shown(view)
    press(view, "o")
    page = shown(view)
    assert "programs by rate" in page
    assert "all devices" not in page
    all_programs, curl, sshd = page.splitlines()[3:6]
    assert all_programs.split() == ["all", "programs", "8.0", "kbit", "4.0", "kbit"]
    assert curl.split()[:5] == [CURL, "8.0", "kbit", "4.0", "kbit"]
    assert {"isolate", "ssh.service", "tcp/22"} <= set(sshd.split())
    assert "c.example" not in page
    press(view, "o")
    assert "devices by rate" in shown(view)
    assert "c.example" in shown(view)


def test_the_flows_below_are_the_chosen_programs(view: View) -> None:
    press(view, "o", "down")
    assert [row.flow.peer_name for row in view.flows()] == ["a.example"]
    assert f"flows of {CURL} by rate" in shown(view)
    press(view, "down")
    assert [row.flow.peer_name for row in view.flows()] == ["b.example"]


def test_a_program_is_cut_off_in_the_only_way_there_is(view: View) -> None:
    press(view, "o", "b")
    assert "Choose a program first: arrow keys." in shown(view)
    press(view, "down", "b", "m", "m", "m")
    assert f"Cut off {CURL}?" in shown(view)
    (order,) = press(view, "y")
    assert isinstance(order, AddBlock)
    assert (order.target, order.mode, order.duration) == (f"exe:{CURL}", "isolate", 3600.0)


def test_a_program_is_cut_off_by_its_flow(view: View) -> None:
    press(view, "o", "tab", "/", *"a.example", "enter", "b")
    (order,) = press(view, "y")
    assert isinstance(order, AddBlock)
    assert order.target == f"exe:{CURL}"


def test_a_program_is_released(view: View) -> None:
    press(view, "o", "down", "u")
    assert "There is no rule." in shown(view)
    press(view, "down", "u")
    assert press(view, "y") == [RemoveBlock("9")]


def test_a_program_in_a_container_says_so_and_is_cut_off_by_its_path(view: View) -> None:
    view.take_programs([program(CURL, container="4f1b9a6b7e0c")], {})
    press(view, "o", "down", "b")
    assert f"Cut off {CURL}@4f1b9a6b7e0c (exe:{CURL})?" in shown(view)
    (order,) = press(view, "y")
    assert isinstance(order, AddBlock)
    assert order.target == f"exe:{CURL}"


def test_a_paused_view_takes_no_programs(view: View) -> None:
    press(view, "o", "p")
    view.take_programs([], {})
    assert len(view.programs()) == 2


def test_programs_are_filtered_and_sorted(view: View) -> None:
    press(view, "o", "/", *"tcp/22", "enter")
    assert [row.key for row in view.programs()] == [SSHD]
    press(view, "escape", "s", "s", "s")
    assert [row.key for row in view.programs()] == [SSHD, CURL]


@given(
    st.text(max_size=40),
    st.text(max_size=20),
    st.integers(1, 140),
    st.lists(st.sampled_from("objudy/")),
)
def test_whatever_a_program_is_called_fits_into_the_screen(
    name: str, unit: str, columns: int, keys: list[str]
) -> None:
    view = View("gw")
    view.take((), [flow(None, 1, process=name)], {}, {})
    view.take_programs([program(name, unit=unit, peers=(name,), listens=(unit,))], {})
    press(view, "o", "down", *keys)
    for each in frame(view, columns, 24):
        assert width(each.text) <= columns
        assert each.text.isprintable()


def test_programs_are_asked_for_only_while_they_are_looked_at(tmp_path: Path) -> None:
    household = Household()
    household.answers["processes"] = [each.to_wire() for each in PROGRAMS]
    household.flows = list(FLOWS)

    def asked() -> list[GetFlows | GetProcesses]:
        return [each for each in household.received if isinstance(each, GetFlows | GetProcesses)]

    serving = Serving(tmp_path / "s.sock", household).start()
    try:
        # pyte knows nothing of xterm's way to scroll several lines at once
        with top(serving.socket, "--interval", "0.5", environment={"TERM": "linux"}) as terminal:
            terminal.shows("^camera")
            assert {each.type for each in asked()} == {"flows"}
            terminal.press("o")
            terminal.shows(f"^{CURL} ")
            terminal.press("down")
            terminal.shows(f"flows of {CURL}")
            terminal.wait(lambda: GetFlows(limit=300, process=CURL, of="processes") in asked())
            assert GetFlows(limit=300, of="processes") in asked()
            terminal.press("o")
            terminal.shows("^camera")
            time.sleep(0.6)
            before = len(asked())
            terminal.wait(lambda: len(asked()) > before + 1)
            assert {each.type for each in asked()[before:]} == {"flows"}
    finally:
        serving.stop()


def test_programs_and_their_flows_are_counted(view: View) -> None:
    assert "1 device   2 programs   3 flows" in frame(view, 120, 24)[1].text


def test_of_a_long_path_the_end_is_shown() -> None:
    view = View("gw")
    view.take_programs([program("/very" * 30 + "/bin/curl")], {})
    press(view, "o")
    assert any("…" in each.text and "/bin/curl" in each.text for each in frame(view, 80, 24))
