"""What the sensor tells of: rules that came and went, meetings with what feeds list; once, and on disk first."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.home import DEVICES, DNS, SITES, WEB
from tests.gateway.sensor_process import SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA, TV = DEVICES["camera"], DEVICES["tv"]
BAD = SITES["bad.example"]


def events(sensor: SensorProcess, kind: str) -> list[dict[str, Any]]:
    return [each for each in sensor.call("events") if each["kind"] == kind]


def ping(lab: Lab, host: str, address: str, count: int = 1) -> None:
    lab.run(host, ["ping", "-c", str(count), "-i", "0.2", "-W", "1", address])


def feed(sensor: SensorProcess, path: Path, *lines: str) -> None:
    path.write_text("\n".join(lines) + "\n")
    sensor.call("feed", "list", str(path))


def test_a_meeting_with_a_listed_address_is_told_once(
    lab: Lab, sensor: SensorProcess, tmp_path: Path
) -> None:
    feed(sensor, tmp_path / "list.txt", BAD.ipv4, f"{BAD.ipv6}/128")
    ping(lab, "camera", WEB.ipv4)
    ping(lab, "camera", BAD.ipv4, count=3)
    assert until(lambda: len(events(sensor, "threat_address")) == 1)
    (event,) = events(sensor, "threat_address")
    assert (event["mac"], event["address"]) == (CAMERA.mac, str(CAMERA.ipv4))
    assert (event["peer_address"], event["severity"]) == (BAD.ipv4, "medium")
    assert event["evidence"]["feed"] == "list"
    assert event["evidence"]["detector"] == "threat_address"
    assert "list" in event["summary"]
    ping(lab, "camera", BAD.ipv4)  # the same again is no news, another device or peer is
    ping(lab, "tv", BAD.ipv4)
    ping(lab, "camera", BAD.ipv6)
    assert until(lambda: len(events(sensor, "threat_address")) == 3)
    told = {(each["mac"], each["peer_address"]) for each in events(sensor, "threat_address")}
    assert told == {(CAMERA.mac, BAD.ipv4), (TV.mac, BAD.ipv4), (CAMERA.mac, BAD.ipv6)}
    sensor.kill()
    sensor.start()
    ping(lab, "tv", BAD.ipv4)
    sensor.call("feeds")
    assert not until(lambda: len(events(sensor, "threat_address")) > 3, 2)


def test_a_question_for_a_listed_name_is_told_once(
    lab: Lab, sensor: SensorProcess, tmp_path: Path
) -> None:
    feed(sensor, tmp_path / "list.txt", "bad.example", "worse.example")
    assert until(lambda: sensor.call("feeds")[0]["domains"] == 2)
    for _ in range(2):
        lab.run("camera", ["dig", "+short", f"@{DNS.ipv4}", "bad.example"], check=True)
    lab.run("camera", ["dig", "+short", f"@{DNS.ipv4}", "web.lab.example"], check=True)
    assert until(lambda: len(events(sensor, "threat_domain")) == 1)
    (event,) = events(sensor, "threat_domain")
    assert (event["mac"], event["peer_name"]) == (CAMERA.mac, "bad.example")
    assert event["evidence"]["feed"] == "list"
    assert BAD.ipv4 in event["evidence"]["resolved"]


def test_rules_that_come_and_go_are_told_and_are_on_disk(sensor: SensorProcess) -> None:
    sensor.call("block", CAMERA.mac, "--reason", "noisy", "--duration", "4s")
    sensor.call("block", BAD.ipv4, "--mode", "audit")
    sensor.call("unblock", BAD.ipv4)
    assert until(lambda: len(events(sensor, "unblocked")) == 2, 10.0)
    first, second = events(sensor, "blocked")
    assert (first["mac"], second["peer_address"]) == (CAMERA.mac, BAD.ipv4)
    assert "noisy" in first["summary"]
    taken, ended = events(sensor, "unblocked")
    assert "taken back" in taken["summary"]
    assert "ended" in ended["summary"]
    numbers = [each["seq"] for each in sensor.call("events")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [each["seq"] for each in sensor.call("events", "--since", "2", "--limit", "1")] == [3]
    sensor.kill()
    with sqlite3.connect(sensor.state / "events.db") as disk:
        assert disk.execute("SELECT max(seq) FROM events").fetchone() == (numbers[-1],)
    sensor.start()
    assert [each["seq"] for each in sensor.call("events")] == numbers
