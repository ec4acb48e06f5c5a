"""`top` on the gateway: a person at a terminal cuts the camera off and lets it go again."""

from collections.abc import Iterator

import pytest

from lab import Lab
from lab.home import DEVICES, WEB
from tests.gateway.sensor_process import SensorProcess, command, until
from tests.unit.terminal import Terminal

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
TV = DEVICES["tv"]


def reaches(lab: Lab, host: str) -> bool:
    return lab.run(host, ["ping", "-c1", "-W1", WEB.ipv4]).returncode == 0


@pytest.fixture
def terminal(lab: Lab, sensor: SensorProcess) -> Iterator[Terminal]:
    """`top` on a terminal, with the system's Python, while camera and tv talk."""
    url = f"http://{WEB.ipv4}/pace?rate={{}}&seconds=60"
    line = ["curl", "--silent", "--output", "/dev/null", "--max-time", "60"]
    with (
        lab.popen("camera", [*line, url.format(200_000)]) as camera,
        lab.popen("tv", [*line, url.format(50_000)]) as tv,
    ):
        assert until(lambda: len(sensor.call("devices")) >= 2)
        top = command("top", "--socket", sensor.socket)
        with Terminal(lab.argv("gateway", top), columns=100, lines=30) as terminal:
            terminal.shows("q quit")
            yield terminal
        camera.kill()
        tv.kill()


def test_a_person_cuts_the_camera_off_and_releases_it(
    lab: Lab, sensor: SensorProcess, terminal: Terminal
) -> None:
    terminal.shows(rf"^{CAMERA.mac} .* 1\.[5-9] Mbit")
    terminal.shows(rf"^{WEB.ipv4}:80 .* 1\.[5-9] Mbit .* http +open")
    terminal.press("/", *CAMERA.mac, "enter", "down")
    terminal.shows(f"^flows of {CAMERA.mac}")
    assert reaches(lab, "camera")
    terminal.press("b")
    terminal.shows(r"Cut off .*\?")
    assert reaches(lab, "camera")
    terminal.press("y")
    terminal.shows(r"is cut off for 1 h \(isolate\)")
    assert not reaches(lab, "camera")
    assert reaches(lab, "tv")
    terminal.shows(rf"^{CAMERA.mac} +0 bit +0 bit .* isolate (59 min|1 h)")
    (block,) = sensor.call("blocks")
    assert (block["target"], block["mode"]) == (CAMERA.mac, "isolate")
    assert block["packets"] > 0
    terminal.press("u")
    terminal.shows("ends its rule: isolate")
    terminal.press("y")
    terminal.shows("is released")
    assert reaches(lab, "camera")
    assert sensor.call("blocks") == []
    terminal.press("q")
    assert terminal.ended() == 0


def test_once_tells_the_same_to_scripts(sensor: SensorProcess, terminal: Terminal) -> None:
    document = sensor.call("top", "--once")
    assert {each["mac"] for each in document["devices"]} >= {CAMERA.mac, TV.mac}
    (camera,) = [each for each in document["flows"] if each["mac"] == CAMERA.mac]
    assert camera["peer_address"] == WEB.ipv4
    assert camera["download_rate"] == pytest.approx(208_000, rel=0.25)
    (device,) = [each for each in document["devices"] if each["mac"] == CAMERA.mac]
    assert device["download_rate"] == pytest.approx(camera["download_rate"], rel=0.1)


def test_the_sensor_is_killed_and_comes_back(sensor: SensorProcess, terminal: Terminal) -> None:
    terminal.shows(rf"^{CAMERA.mac} .* 1\.[5-9] Mbit")
    sensor.kill()
    terminal.shows(r"The sensor does not run; trying again in \d s")
    sensor.start()
    assert terminal.wait(lambda: "trying again" not in terminal.text, 20)
    terminal.shows(rf"^{CAMERA.mac} .* 1\.[5-9] Mbit")
