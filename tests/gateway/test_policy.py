"""The user's word on a living home: what is done by itself, what is fine, and what stays after a crash."""

from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.home import DEVICES, SITES
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA, TV = DEVICES["camera"], DEVICES["tv"]
BAD = SITES["bad.example"]
RESPOND = 'respond=[{kind="threat_address", severity="low", action="%s", duration="10m"}]'


def ping(lab: Lab, host: str, address: str) -> None:
    lab.run(host, ["ping", "-c", "1", "-W", "1", address])


def events(sensor: SensorProcess, kind: str) -> list[dict[str, Any]]:
    return [each for each in sensor.call("events") if each["kind"] == kind]


def meet(lab: Lab, sensor: SensorProcess, path: Path, device: str) -> dict[str, Any]:
    """Let a device meet a listed address; return the event."""
    path.write_text(f"{BAD.ipv4}\n")
    sensor.call("feed", "list", str(path))
    ping(lab, device, BAD.ipv4)
    assert until(lambda: bool(events(sensor, "threat_address")), 12)
    return events(sensor, "threat_address")[0]


def test_nothing_is_done_by_itself_unless_the_policy_says_so(
    lab: Lab, sensor: SensorProcess, tmp_path: Path
) -> None:
    meet(lab, sensor, tmp_path / "list.txt", "camera")
    assert not until(lambda: bool(sensor.call("blocks")), 2)


def test_a_quarantine_by_the_policy(lab: Lab, sensor: SensorProcess, tmp_path: Path) -> None:
    sensor.call("policy", "set", "all", RESPOND % "quarantine")
    event = meet(lab, sensor, tmp_path / "list.txt", "camera")
    assert until(lambda: bool(sensor.call("blocks")))
    (block,) = sensor.call("blocks")
    assert (block["target"], block["mode"]) == (CAMERA.mac, "isolate")
    assert block["reason"].startswith("threat_address: ")
    assert 500 < block["expires"] - block["created"] < 601
    assert until(lambda: bool(events(sensor, "blocked")))
    (told,) = events(sensor, "blocked")
    assert "threat_address" in told["summary"]
    said = sensor.say("explain", str(event["seq"]))
    assert f" accept --socket {sensor.socket} {event['seq']}\n" in said
    assert CAMERA.mac in said
    assert f" block --socket {sensor.socket} {event['peer_address']} --duration 1d\n" in said
    assert "measured:" in said


def test_a_peer_is_blocked_for_all(lab: Lab, sensor: SensorProcess, tmp_path: Path) -> None:
    sensor.call("policy", "set", "label.watched", RESPOND % "block_peer")
    sensor.call("policy", "set", CAMERA.mac, "labels=watched")
    meet(lab, sensor, tmp_path / "list.txt", "camera")
    assert until(lambda: bool(sensor.call("blocks")))
    assert [each["target"] for each in sensor.call("blocks")] == [BAD.ipv4]


def test_what_is_accepted_and_set_stays_after_a_crash(
    lab: Lab, sensor: SensorProcess, tmp_path: Path
) -> None:
    event = meet(lab, sensor, tmp_path / "list.txt", "tv")
    assert sensor.call("accept", str(event["seq"]))["seq"] == event["seq"]
    sensor.call("policy", "set", TV.mac, "local=true")
    sensor.call("profile", TV.mac, "--freeze")
    sensor.kill()
    sensor.start()
    (accepted,) = sensor.call("accept", "--list")
    assert (accepted["seq"], accepted["mac"]) == (event["seq"], TV.mac)
    assert sensor.call("policy")["document"] == {"device": {TV.mac: {"local": True}}}
    profile = sensor.call("profile", TV.mac)
    assert profile["frozen"]
    assert [each["id"] for each in profile["accepted"]] == [accepted["id"]]
    assert sensor.call("accept", "--revoke", str(accepted["id"])) == accepted
    assert sensor.call("accept", "--list") == []


def test_what_was_accepted_of_a_forgotten_device_is_forgotten(
    lab: Lab, sensor: SensorProcess, tmp_path: Path
) -> None:
    event = meet(lab, sensor, tmp_path / "list.txt", "camera")
    sensor.call("accept", str(event["seq"]))
    sensor.call("forget", CAMERA.mac)
    assert sensor.call("accept", "--list") == []


def test_a_changed_file_is_followed_and_a_broken_one_told_of(sensor: SensorProcess) -> None:
    path = sensor.state / "policy.toml"
    assert not sensor.call("policy")["exists"]
    path.write_text('[all]\nsensitivity = "low"\n')
    assert until(lambda: bool(sensor.call("policy")["document"]))
    path.write_text('[all]\nsensitivity = "lower"\n')
    assert until(lambda: sensor.call("policy")["problem"] is not None)
    assert "low, normal, high" in sensor.log.read_text()
    assert sensor.call("policy")["document"] == {"all": {"sensitivity": "low"}}
    with pytest.raises(Refused) as refused:
        sensor.call("policy", "set", "all", "sensitivity=high")
    assert refused.value.code == "invalid_policy"
    assert path.read_text() == '[all]\nsensitivity = "lower"\n'


def test_a_profile_grows_and_begins_anew(lab: Lab, sensor: SensorProcess) -> None:
    ping(lab, "camera", str(TV.ipv4))
    assert until(lambda: sensor.device(CAMERA.mac) is not None)
    before = sensor.call("profile", CAMERA.mac)
    assert before["learning_until"] - before["since"] == 7 * 86400
    assert sensor.call("profile", CAMERA.mac, "--freeze")["frozen"]
    after = sensor.call("profile", CAMERA.mac, "--reset")
    assert after["since"] > before["since"]
    assert not after["frozen"]
    with pytest.raises(Refused, match="there is no device"):
        sensor.call("profile", "02:00:5e:00:53:99")
