"""A version goes back to an earlier one, which does not understand all rules: none is lost by that."""

import json
from pathlib import Path

import pytest

from lab import Lab
from lab.home import DEVICES, WEB
from tests.gateway.sensor_process import Refused, SensorProcess

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
PLUG = DEVICES["plug"]


def reaches(lab: Lab, device: str) -> bool:
    return lab.run(device, ["ping", "-c1", "-W1", WEB.ipv4]).returncode == 0


def say(path: Path, **fields: object) -> bytes:
    """Let a newer version have written the rule on the plug."""
    kept = json.loads(path.read_text())
    (rule,) = (each for each in kept["rules"] if each["target"] == PLUG.mac)
    rule.update(fields)
    path.write_text(json.dumps(kept))
    return path.read_bytes()


def test_while_the_newer_programs_guard_the_older_one_does_not_start(
    lab: Lab, sensor: SensorProcess
) -> None:
    rules = sensor.state / "rules.json"
    for each in (CAMERA, PLUG):
        sensor.call("block", each.mac)
    assert sensor.stop() == 0
    before = say(rules, mode="quarantine")
    with pytest.raises(Refused) as refused:
        sensor.start()
    assert refused.value.code == "newer_state"
    assert "rules.json (mode quarantine)" in refused.value.message
    assert not reaches(lab, "camera")
    assert not reaches(lab, "plug")
    assert rules.read_bytes() == before
    assert not rules.with_name("rules.json.damaged").exists()


def test_where_nothing_guards_what_is_understood_is_in_force(
    lab: Lab, sensor: SensorProcess
) -> None:
    rules = sensor.state / "rules.json"
    for each in (CAMERA, PLUG):
        sensor.call("block", each.mac)
    sensor.call("unload")
    assert reaches(lab, "camera")
    before = say(rules, mode="quarantine")
    sensor.start()
    assert not reaches(lab, "camera")
    assert [each["target"] for each in sensor.call("blocks")] == [CAMERA.mac]
    assert "mode quarantine" in sensor.call("status")["missing"]["rules"]
    for order in (("block", DEVICES["phone"].mac), ("unblock", CAMERA.mac)):
        with pytest.raises(Refused) as refused:
            sensor.call(*order)
        assert refused.value.code == "newer_state"
    assert reaches(lab, "phone")
    assert not reaches(lab, "camera")
    assert rules.read_bytes() == before
    sensor.stop()
    assert rules.read_bytes() == before
