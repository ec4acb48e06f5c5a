"""What `mud` shows, exports and enforces, and what it says before it is relied on."""

import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.habits import MudReport
from hearthwall_sensor.protocol import DeviceRule
from hearthwall_sensor.requests import AddBlock, SetMud
from tests.devices import CAMERA
from tests.unit.household import Household, Serving
from tests.unit.test_policy_commands import asked, run, said

NOW = time.time()
HELD = MudReport(
    CAMERA,
    "https://vendor.example/camera.json",
    {"ietf-mud:mud": {}},
    source="file",
    system="a camera",
    time=NOW - 7200,
    expected=("it may call a.example: tcp port 443", "it may call b.example: tcp port 443"),
    peers=("a.example", "b.example"),
    kept_out=("it may call evil.example: tcp port 6667 (event 41)",),
    since=NOW - 10_800,
    learning_until=NOW - 1,
)
NONE = MudReport(CAMERA, None, {"ietf-mud:mud": {}}, since=NOW - 10_800, learning_until=NOW + 9000)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    household = Household()
    household.answers |= {"mud": HELD.to_wire(), "set_mud": HELD.to_wire()}
    serving = Serving(tmp_path / "s.sock", household).start()
    yield serving
    serving.stop()


def cut_off(serving: Serving, mode: Any) -> None:
    devices = serving.household.devices
    devices[CAMERA] = dataclasses.replace(devices[CAMERA], rule=DeviceRule(7, mode, None))


def test_a_device_that_is_held_against_a_file(serving: Serving) -> None:
    lines = said(serving, "mud", "show", "camera").splitlines()
    (since,) = [each for each in lines if each.startswith("from:       file, 2 h ")]
    assert since.count("ago") == 1
    assert "allows:     it may call a.example: tcp port 443" in lines
    assert "            it may call b.example: tcp port 443" in lines


def test_a_device_without_a_file_is_told_of_what_gives_it_one(serving: Serving) -> None:
    serving.household.answers["mud"] = NONE.to_wire()
    text = said(serving, "mud", "show", CAMERA)
    assert text.endswith(" import camera FILE\n")
    announced = dataclasses.replace(NONE, announced="https://vendor.example/camera.json")
    serving.household.answers["mud"] = announced.to_wire()
    lines = said(serving, "mud", "show", CAMERA).splitlines()
    assert [each for each in lines if each.endswith(" import camera")]
    assert lines[-1].endswith(" camera mud_from_device=true")


def test_an_export_says_what_it_leaves_out_and_what_may_be_missing(
    serving: Serving, tmp_path: Path
) -> None:
    path = str(tmp_path / "a.json")
    text = said(serving, "mud", "export", "camera", path)
    assert "evil.example: tcp port 6667 (event 41)" in text
    assert "is known for" not in text
    assert "of less severity" not in text
    done = run(serving, "mud", "export", "camera")
    assert json.loads(done.stdout) == {"ietf-mud:mud": {}}
    assert "(event 41)" in done.stderr
    serving.household.answers["mud"] = NONE.to_wire()
    text = " ".join(said(serving, "mud", "export", "camera", path).split())
    assert "The device is known for 3 h" in text
    assert "of the 5 h 30 min that it is learnt" in text
    assert "Left out" not in text
    serving.household.answers["mud"] = dataclasses.replace(NONE, events=3).to_wire()
    text = " ".join(said(serving, "mud", "export", "camera", path).split())
    assert "3 events of less severity of this device are in the journal" in text
    assert f"look at `events --device {CAMERA}`" in text


def test_only_https_is_fetched(serving: Serving) -> None:
    run(serving, "mud", "import", "camera", "http://vendor.example/camera.json")
    assert asked(serving, SetMud).url == "http://vendor.example/camera.json"


@pytest.mark.parametrize("mode", ["allow_only", "isolate", "rate_limit"])
def test_an_audit_takes_no_rule_s_place_unasked(serving: Serving, mode: str) -> None:
    cut_off(serving, mode)
    done = run(serving, "mud", "enforce", "camera", "--audit")
    assert done.returncode == 1
    assert f"{mode} (id 7)" in done.stderr
    assert "unblock 7" in done.stderr
    assert not [each for each in serving.household.received if isinstance(each, AddBlock)]
    run(serving, "mud", "enforce", "camera", "--audit", "--force")
    assert asked(serving, AddBlock).audits == "allow_only"


@pytest.mark.parametrize("mode", ["allow_only", "audit"])
def test_enforcing_goes_on_from_an_audit_or_another_file(serving: Serving, mode: str) -> None:
    cut_off(serving, mode)
    run(serving, "mud", "enforce", "camera")
    assert asked(serving, AddBlock).mode == "allow_only"
