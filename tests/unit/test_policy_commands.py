"""What `policy` asks, and how it shows people the answer; sections and values as people write them."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.commands.policy import section_of, show, value_of
from hearthwall_sensor.habits import PolicyReport
from hearthwall_sensor.policy.reading import read
from hearthwall_sensor.protocol import Device, SensorError
from hearthwall_sensor.requests import (
    GetPolicy,
    SetPolicy,
)
from hearthwall_sensor.words.cells import width
from hearthwall_sensor.words.wrapping import wrapped
from tests.devices import CAMERA, device_fields
from tests.unit.asking import asked, run, said
from tests.unit.household import Household, Serving, status

LAUNCHER = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"
POLICY = PolicyReport(
    "/var/lib/hearthwall/policy.toml",
    True,
    {
        "all": {"detectors": {"beacon": "audit"}, "respond": [{"action": "none"}]},
        "device": {CAMERA: {"local": True, "labels": ["iot"], "learning": "10m"}},
        "label": {"iot": {}},
    },
    None,
    ("iot", "kids"),
)
CALLED = Device(**device_fields(CAMERA, hostname="cam", name="Front Door"))


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    household = Household()
    household.answers |= {
        "policy": POLICY.to_wire(),
        "set_policy": POLICY.to_wire(),
    }
    serving = Serving(tmp_path / "s.sock", household).start()
    yield serving
    serving.stop()


def test_the_policy_is_shown_as_it_could_stand_in_a_file(serving: Serving) -> None:
    text = said(serving, "policy")
    assert tomllib.loads(text) == POLICY.document
    read(tomllib.loads(text))
    assert asked(serving, GetPolicy) == GetPolicy()
    assert json.loads(said(serving, "policy", "show", "--json"))["problem"] is None


def test_a_problem_and_a_missing_file_are_told() -> None:
    assert "no TOML" in show(PolicyReport("/x", True, {}, "/x is no TOML").to_wire())
    assert "The defaults apply" in show(PolicyReport("/x", True, {}, "/x is no TOML").to_wire())
    assert "There is no such file" in show(PolicyReport("/x", False, {}, None).to_wire())
    assert "It holds nothing: the defaults apply" in show(
        PolicyReport("/x", True, {}, None).to_wire()
    )


@pytest.mark.parametrize("section", [{"all": {}}, {"label": {"iot": {}}}])
def test_countries_that_no_file_tells_are_told_of(section: dict[str, Any]) -> None:
    named = next(iter(section.values()))
    named.get("iot", named)["countries"] = ["DE"]
    without = show(PolicyReport("/x", True, section, None, places=False).to_wire())
    assert "# countries: no file tells them (`run --geo FILE`)" in without
    assert "no file" not in show(PolicyReport("/x", True, section, None).to_wire())
    assert "no file" not in show(
        PolicyReport("/x", True, {"all": {}}, None, places=False).to_wire()
    )


def test_the_status_tells_of_a_policy_that_can_not_be_read(serving: Serving) -> None:
    assert "policy" not in said(serving, "status")
    serving.household.status = status(policy_problem="/x is no TOML")
    assert "policy: /x is no TOML. What it said before holds" in said(serving, "status")
    assert json.loads(said(serving, "status", "--json"))["policy_problem"] == "/x is no TOML"


def test_the_status_says_who_the_sensor_is(serving: Serving) -> None:
    assert "\nid: " not in said(serving, "status")
    serving.household.status = status(id="5e0f\x1b")
    assert "\nid: 5e0f?\n" in said(serving, "status")


def test_the_status_names_only_what_was_lost(serving: Serving) -> None:
    assert "\nlost: nothing\n" in said(serving, "status")
    serving.household.status = status(lost={"samples_lost": 3, "flows_evicted": 0})
    assert "\nlost: samples lost 3\n" in said(serving, "status")
    assert "flows_evicted" in said(serving, "status", "--json")


def test_the_policy_is_changed(serving: Serving) -> None:
    said(serving, "policy", "set", CAMERA, "local=true", "countries=DE, NL", "sensitivity=")
    assert asked(serving, SetPolicy) == SetPolicy(
        f"device {CAMERA}", {"local": True, "countries": ["DE", "NL"], "sensitivity": None}
    )


def test_the_socket_may_stand_anywhere(serving: Serving) -> None:
    line = [sys.executable, "-I", str(LAUNCHER), "policy", "set", "--socket", serving.socket]
    done = subprocess.run([*line, "all", "local=true", "--json"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert asked(serving, SetPolicy) == SetPolicy("all", {"local": True})
    done = subprocess.run([*line[:-1]], capture_output=True, check=False)
    assert b"expected one argument" in done.stderr


def test_a_mistyped_action_is_guessed(serving: Serving) -> None:
    assert "did you mean show?" in run(serving, "policy", "shw").stderr


@pytest.mark.parametrize(
    "arguments", [("set",), ("set", "all"), ("set", "all", "x"), ("show", "all")]
)
def test_what_policy_does_not_take(serving: Serving, arguments: tuple[str, ...]) -> None:
    assert run(serving, "policy", *arguments).returncode == 1
    assert not serving.household.received


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("all", "all"),
        ("label.iot", "label iot"),
        ("label.living.room", "label living.room"),
        ("label iot", "label iot"),
        ("segment.main", "segment main"),
        (CAMERA.upper(), f"device {CAMERA}"),
        (f"device.{CAMERA}", f"device {CAMERA}"),
        ("Front Door", f"device {CAMERA}"),
        ("device.front door", f"device {CAMERA}"),
        ("192.168.20.21", f"device {CAMERA}"),
    ],
)
def test_sections(text: str, section: str) -> None:
    assert section_of(text, [CALLED]) == section


@pytest.mark.parametrize(("text", "meant"), [("frontdoor", "Front Door"), ("al", "all")])
def test_a_section_that_there_is_not(text: str, meant: str) -> None:
    with pytest.raises(SensorError, match=f"did you mean {meant}") as error:
        section_of(text, [CALLED])
    assert error.value.code == "not_found"


def test_a_policy_names_its_devices(serving: Serving) -> None:
    assert f'[device."{CAMERA}"]  # camera\n' in said(serving, "policy")


@pytest.mark.parametrize(
    ("section", "note"),
    [
        (
            "label.iott",
            "No device has the label iott so far; there are iot, kids; did you mean iot?",
        ),
        ("00:00:5e:00:53:77", "No device has the MAC 00:00:5e:00:53:77 so far"),
    ],
)
def test_a_section_that_holds_for_nobody_is_told_of(
    serving: Serving, section: str, note: str
) -> None:
    text = said(serving, "policy", "set", section, "local=true").replace("\n# ", " ")
    assert note in text
    assert "so far" not in said(serving, "policy", "set", "label.iot", "local=true")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("local=false", False),
        ("sensitivity=high", "high"),
        ('sensitivity="high"', "high"),
        ("learning=10m", "10m"),
        ("learning=600", 600),
        ("quiet_hours=23:00-06:00,12:00-13:00", ["23:00-06:00", "12:00-13:00"]),
        ("labels=2026-01-01", ["2026-01-01"]),
        ('countries=["DE"]', ["DE"]),
        ('detectors={ beacon = "off" }', {"beacon": "off"}),
        ("detectors.beacon=off", "off"),
        ("local=true\nx = 1", "true\nx = 1"),
        ("local=", None),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert value_of(text) == (text.partition("=")[0], value)


@given(text=st.text(max_size=60), indent=st.sampled_from(["", "    "]))
def test_wrapped_text_fits(text: str, indent: str) -> None:
    for line in wrapped(text, indent).split("\n"):
        assert width(line) <= 100
