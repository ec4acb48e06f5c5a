"""The view without a terminal: what each key does, and lines for every size."""

import dataclasses
import time
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.protocol import Device, DeviceRule, Flow
from hearthwall_sensor.requests import AddBlock, RemoveBlock
from hearthwall_sensor.top.layout import frame, text
from hearthwall_sensor.top.rates import Rate
from hearthwall_sensor.top.rows import SORTS, flow_key
from hearthwall_sensor.top.view import View
from hearthwall_sensor.words.cells import width
from tests.devices import CAMERA, PHONE, TV
from tests.unit.household import device, flow, status

DEVICES = (
    device(CAMERA, hostname="camera", upload_bytes=5_000_000),
    device(TV, name="电视", download_bytes=9_000_000, vendor="Acme"),
    device(PHONE, rule=DeviceRule(7, "isolate", None), addresses=("192.168.10.12",)),
)
FLOWS = (
    flow(CAMERA, 1, peer_name="storage.example", upload_bytes=5_000_000, last_seen=10.0),
    flow(CAMERA, 2, peer_name="ntp.example", application="ntp", last_seen=30.0),
    flow(TV, 3, peer_name="video.example", download_bytes=9_000_000, last_seen=20.0),
)
DEVICE_RATES = {CAMERA: Rate(1000.0, 0.0), TV: Rate(0.0, 9000.0)}
FLOW_RATES = {flow_key(FLOWS[0]): Rate(1000.0, 0.0), flow_key(FLOWS[2]): Rate(0.0, 9000.0)}


@pytest.fixture
def view() -> View:
    return made()


def made(devices: Any = DEVICES, flows: Any = FLOWS) -> View:
    view = View("gw")
    view.status = status(devices=3, flows=3)
    view.take(devices, flows, DEVICE_RATES, FLOW_RATES)
    return view


def press(view: View, *keys: str) -> list[Any]:
    return [order for each in keys if (order := view.press(each)) is not None]


def peers(view: View) -> list[str | None]:
    return [row.flow.peer_name for row in view.flows()]


def shown(view: View, columns: int = 80, lines: int = 24) -> str:
    return "\n".join(each.text for each in frame(view, columns, lines))


def test_both_panes_are_sorted_by_rate(view: View) -> None:
    assert [row.key for row in view.devices()] == [TV, CAMERA, PHONE]
    assert peers(view) == ["video.example", "storage.example", "ntp.example"]
    assert view.rate == Rate(1000.0, 9000.0)


def test_flows_are_those_of_the_chosen_device_and_first_of_all(view: View) -> None:
    press(view, "down", "j")
    assert view.mac == CAMERA
    assert peers(view) == ["storage.example", "ntp.example"]
    press(view, "k", "up", "up")
    assert view.mac is None
    assert len(view.flows()) == 3
    press(view, "end")
    assert view.mac == PHONE
    press(view, "home")
    assert view.mac is None


def test_the_choice_stays_with_its_device_when_the_order_changes(view: View) -> None:
    press(view, "down")
    assert view.mac == TV
    view.take(DEVICES, FLOWS, {CAMERA: Rate(99_999.0, 0.0)}, {})
    assert next(row.key for row in view.devices()) == CAMERA
    assert view.mac == TV
    view.take(DEVICES[:1], FLOWS, {}, {})
    assert view.mac is None


def test_s_sorts_the_focused_pane_by_the_next_thing(view: View) -> None:
    orders = {view.sorts["devices"]: [row.key for row in view.devices()]}
    for _ in range(len(SORTS["devices"]) - 1):
        press(view, "s")
        orders[view.sorts["devices"]] = [row.key for row in view.devices()]
    assert orders == {
        "rate": [TV, CAMERA, PHONE],
        "total": [TV, CAMERA, PHONE],
        "name": [PHONE, CAMERA, TV],
        "rule": [PHONE, TV, CAMERA],
    }
    press(view, "s")
    assert view.sorts == {"devices": "rate", "programs": "rate", "flows": "rate"}
    press(view, "tab", "s", "s", "s")
    assert (view.sorts["flows"], peers(view)[0]) == ("last seen", "ntp.example")


def test_a_filter_is_written_kept_taken_back_and_cleared(view: View) -> None:
    press(view, "/", *"ACM", "x", "backspace", "E", "enter")
    assert [row.key for row in view.devices()] == [TV]
    assert "with ACME" in shown(view)
    press(view, "/", "q", "escape")
    assert view.filters["devices"] == "ACME"
    press(view, "escape")
    assert len(view.devices()) == 3
    press(view, "tab", "/", *"ntp", "enter")
    assert peers(view) == ["ntp.example"]
    assert len(view.devices()) == 3


def test_b_asks_and_only_yes_orders(view: View) -> None:
    press(view, "down", "down")
    assert press(view, "b") == []
    assert "Cut off camera (00:00:5e:00:53:21)?" in shown(view)
    assert press(view, "enter", "b", "x", " ") == []
    assert view.question is not None
    (order,) = press(view, "y")
    assert order == AddBlock(CAMERA, mode="isolate", duration=3600.0, reason="by hand, in top")
    assert view.question is None
    for key in ("n", "q", "escape"):
        assert press(view, "b", key) == []
        assert view.question is None


def test_the_question_offers_modes_and_durations(view: View) -> None:
    press(view, "down", "down")
    found = set()
    for steps in range(4):
        (order,) = press(view, "b", *["d"] * steps, "m", "y")
        assert order.mode == "no_internet"
        found.add(order.duration)
    assert found == {600.0, 3600.0, 28800.0, None}
    (order,) = press(view, "b", "m", "m", "down", "up", "y")
    assert (order.mode, order.duration) == ("isolate", 3600.0)
    press(view, "b", "m", "d", "d")
    assert "for good" in shown(view)
    assert "the home stays reachable, the internet does not" in shown(view)


def test_the_question_is_about_the_device_that_it_names_whatever_moves_meanwhile(
    view: View,
) -> None:
    press(view, "tab", "b")
    assert view.question is not None
    assert view.question.name == "电视"
    view.take(DEVICES, FLOWS, {}, {flow_key(FLOWS[0]): Rate(1e9, 0.0)})
    (order,) = press(view, "y")
    assert order.target == TV


def test_nothing_is_ordered_for_all_devices(view: View) -> None:
    assert press(view, "b", "y", "u") == []
    assert "Choose a device with a rule first: arrow keys." in shown(view)


def test_u_releases_by_the_rules_id(view: View) -> None:
    press(view, "end")
    assert press(view, "u") == []
    page = shown(view)
    assert f"Release {PHONE}?" in page
    assert "isolate for good" in page
    assert press(view, "n", "y") == []
    assert press(view, "u", "y") == [RemoveBlock("7")]
    press(view, "home", "down")
    assert press(view, "u") == []
    assert "no rule" in shown(view)


def test_a_paused_view_stands_still_but_for_rules(view: View) -> None:
    press(view, "p")
    rule = DeviceRule(8, "no_internet", None)
    changed = [dataclasses.replace(DEVICES[0], upload_bytes=10**12, rule=rule), *DEVICES[1:]]
    view.take(changed, (), {CAMERA: Rate(1e9, 0.0)}, {})
    assert view.rate == Rate(1000.0, 9000.0)
    assert len(view.flows()) == 3
    assert [row.device.rule for row in view.devices() if row.key == CAMERA] == [rule]
    assert "PAUSED" in shown(view)
    press(view, "p")
    view.take(changed, (), {CAMERA: Rate(1e9, 0.0)}, {})
    assert view.rate == Rate(1e9, 0.0)
    assert "PAUSED" not in shown(view)


def test_help_names_every_key_and_any_key_leaves_it(view: View) -> None:
    press(view, "?")
    for lines in (24, 10):
        page = shown(view, 40, lines)
        assert all(f"\n{key} " in page for key in ("s", "/", "b", "u", "p", "q", "Tab,"))
        assert "~" not in page
    assert press(view, "q") == []
    assert not view.help
    assert press(view, "q") == ["quit"]


def test_a_merged_macs_flows_are_its_devices() -> None:
    merged = dataclasses.replace(DEVICES[0], other_macs=(PHONE,), name="Both")
    view = made([merged], [flow(PHONE, 9), *FLOWS[:1]])
    press(view, "down")
    assert [row.device_name for row in view.flows()] == ["Both", "Both"]


def test_header_tells_totals_and_what_was_lost(view: View) -> None:
    head = frame(view, 80, 24)[:2]
    assert head[0].text.startswith("Hearthwall on gw")
    assert time.strftime("%H:") in head[0].text
    assert head[1].text == ("up 8.0 kbit/s   down 72.0 kbit/s   3 devices   3 flows   nothing lost")
    view.status = status(devices=3, lost={"flows_evicted": 12, "samples_lost": 0})
    assert "flows evicted 12" in frame(view, 80, 24)[1].text
    assert frame(view, 80, 24)[1].style == "bad"


def test_trouble_is_told_at_any_height(view: View) -> None:
    view.trouble = "The sensor does not run; trying again in 3 s"
    for lines in (24, 10, 5, 2):
        assert "trying again in 3 s" in shown(view, 60, lines)


def test_a_chosen_row_is_always_in_sight() -> None:
    many = tuple(device(f"00:00:5e:00:54:{i:02x}", name=f"device {i:03}") for i in range(100))
    view = made(many, ())
    for keys in (["down"], ["end"], ["pageup"], ["up"], ["home"], ["pagedown"] * 3):
        press(view, *keys)
        lines = frame(view, 60, 15)
        (chosen,) = [each for each in lines if each.style == "chosen"]
        row = view.chosen()
        assert chosen.text.startswith("all devices" if row is None else row.name)


def test_columns_come_by_width(view: View) -> None:
    narrow, usual, wide = (shown(view, columns) for columns in (40, 80, 250))
    assert "rule" in narrow
    for said in ("outcome", "app", "device ", "isolate"):
        assert said in usual, said
    for said in ("address", "MAC", "vendor"):
        assert said in wide, said


def test_once_is_the_whole_view_as_text() -> None:
    many = [flow(CAMERA, i, peer_name=f"n{i}.example") for i in range(200)]
    said = text(made(DEVICES, many), 100)
    assert said.count(".example") == 200
    assert "电视" in said
    assert "q quit" not in said


names = st.text(max_size=30)
devices = st.builds(
    lambda mac, name, host: device(f"00:00:5e:00:55:{mac:02x}", name=name or None, hostname=host),
    st.integers(0, 255),
    names,
    names,
)
flows = st.builds(
    lambda port, name, mac: flow(mac, port, peer_name=name, as_name=name, application="x" + name),
    st.integers(0, 9),
    names,
    st.sampled_from([CAMERA, TV, None]),
)
keys = st.sampled_from([*"jksbuyndmpo/?h x客", "up", "down", "tab", "enter", "escape", "end"])


@given(
    st.lists(devices, max_size=5),
    st.lists(flows, max_size=5),
    st.lists(keys, max_size=12),
    st.integers(1, 140),
    st.integers(1, 40),
)
def test_whatever_is_pressed_and_whatever_was_written_fits_into_the_screen(
    found: list[Device], talk: list[Flow], pressed: list[str], columns: int, lines: int
) -> None:
    view = made(found, talk)
    press(view, *pressed)
    picture = frame(view, columns, lines)
    assert len(picture) == lines
    for each in picture:
        assert width(each.text) <= columns
        assert each.text.isprintable()
    assert all(each.isprintable() for each in text(view, columns).splitlines())


def test_a_device_without_a_name_is_named_once_when_it_is_to_be_cut_off() -> None:
    view = made()
    press(view, "end", "b")
    assert f"Cut off {PHONE}?" in shown(view)


def test_a_release_says_until_when_the_rule_would_hold() -> None:
    view = made((device(PHONE, rule=DeviceRule(7, "isolate", time.time() + 600)),))
    press(view, "end", "u")
    assert "isolate until " in shown(view)


def test_columns_in_which_no_flow_says_anything_are_left_out(view: View) -> None:
    assert "country" not in text(view, 160)
    assert "network" not in text(view, 160)
    said = made(flows=(flow(CAMERA, 1, country="DE", as_number=64500),))
    assert "country" in text(said, 160)
    assert "network" in text(said, 160)
