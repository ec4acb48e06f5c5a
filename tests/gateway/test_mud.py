"""MUD files on a real gateway: announced by DHCP, imported, told of, enforced, and learnt from what a device does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from hearthwall_sensor.mud import reading, writing
from hearthwall_sensor.policy.expectations import Expectation
from lab import Lab
from lab.home import DEVICES, DNS, SITES
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
STORAGE, FIRMWARE = SITES["storage.vendor.example"], SITES["firmware.vendor.example"]
URL = "https://vendor.example/camera.json"

SEND = """
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
link.send(bytes.fromhex(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def held(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SensorProcess]:
    """A sensor that still learns."""
    sensor = SensorProcess(lab, tmp_path_factory.mktemp("mud")).start()
    yield sensor
    sensor.clean()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera's maker says."""
    expected = [Expectation("*.vendor.example", "tcp", (80, 80), "device")]
    document = writing.write(expected, system="a camera", url=URL, when=1.7e9)
    path = tmp_path_factory.mktemp("file") / "camera.json"
    path.write_text(json.dumps(document))
    return path


def ask(lab: Lab, name: str) -> None:
    """Let the camera ask for a site's address."""
    code = (
        "import socket, sys; from dnslib import DNSRecord; s = socket.socket(type=socket.SOCK_DGRAM);"
        "s.settimeout(3); s.sendto(DNSRecord.question(sys.argv[1]).pack(), (sys.argv[2], 53)); s.recv(2000)"
    )
    lab.run("camera", ["/usr/bin/python3", "-c", code, name, DNS.ipv4], check=True)


def fetch(lab: Lab, name: str, address: str) -> bool:
    """Return whether the camera gets a site's page."""
    page = [
        "curl",
        "-s",
        "-m2",
        "-o/dev/null",
        "--resolve",
        f"{name}:80:{address}",
        f"http://{name}/",
    ]
    return lab.run("camera", page).returncode == 0


def visit(lab: Lab, name: str, address: str) -> bool:
    """Return whether the camera gets the page of a site that it has asked for."""
    ask(lab, name)
    return fetch(lab, name, address)


def told(sensor: SensorProcess) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sensor.call("events", "--kind", "unexpected_destination")
    return [each for each in found if each["subject"].startswith("description")]


def test_a_device_that_announces_a_file_is_told_and_nothing_is_fetched(
    lab: Lab, held: SensorProcess
) -> None:
    client = bytes.fromhex(CAMERA.mac.replace(":", ""))
    frame = (
        Ether(src=CAMERA.mac, dst="ff:ff:ff:ff:ff:ff")
        / IP(src="0.0.0.0", dst="255.255.255.255")
        / UDP(sport=68, dport=67)
        / BOOTP(chaddr=client)
        / DHCP(options=[("message-type", "request"), (161, URL.encode()), "end"])
    )
    lab.run(
        "camera",
        ["/usr/bin/python3", "-c", SEND.replace("eth0", CAMERA.interface), bytes(frame).hex()],
        check=True,
    )
    visit(lab, STORAGE.names[0], STORAGE.ipv4)
    assert until(lambda: held.device(CAMERA.mac) is not None)
    assert until(lambda: held.call("mud", "show", CAMERA.mac)["announced"] == URL)
    found = held.call("mud", "show", CAMERA.mac)
    assert (found["source"], found["expected"]) == (None, [])


def test_what_a_file_does_not_provide_for_is_told_and_the_rest_is_not(
    lab: Lab, held: SensorProcess, file: Path
) -> None:
    found = held.call("mud", "import", CAMERA.mac, str(file))
    assert (found["source"], found["system"]) == ("file", "a camera")
    assert found["expected"] == ["it may call *.vendor.example: tcp port 80"]
    visit(lab, FIRMWARE.names[0], FIRMWARE.ipv4)
    visit(lab, "web.lab.example", SITES["web.lab.example"].ipv4)
    assert until(lambda: bool(told(held)), 20)
    (event,) = told(held)
    assert (event["mac"], event["severity"]) == (CAMERA.mac, "medium")
    assert event["subject"] == "description web.lab.example tcp/80"
    assert event["evidence"]["flows"][0]["peer_name"] == "web.lab.example"


def test_a_file_outlives_a_crash_and_is_enforced(lab: Lab, held: SensorProcess, file: Path) -> None:
    held.kill()
    held.start()
    ask(lab, FIRMWARE.names[0])
    assert held.call("mud", "show", CAMERA.mac)["source"] == "file"
    block = held.call("mud", "enforce", CAMERA.mac, "--duration", "1m")
    assert (block["mode"], block["peers"]) == ("allow_only", ["*.vendor.example"])
    # Its DNS server is on the internet, and not in the file
    assert until(lambda: fetch(lab, FIRMWARE.names[0], FIRMWARE.ipv4))
    assert not fetch(lab, "web.lab.example", SITES["web.lab.example"].ipv4)
    held.call("unblock", CAMERA.mac)
    assert visit(lab, "web.lab.example", SITES["web.lab.example"].ipv4)
    held.call("mud", "remove", CAMERA.mac)
    with pytest.raises(Refused) as caught:
        held.call("mud", "enforce", CAMERA.mac)
    assert caught.value.code == "not_found"


def test_what_a_device_did_is_exported_as_a_file_that_reads(
    held: SensorProcess, tmp_path: Path
) -> None:
    path = tmp_path / "learnt.json"

    def learnt() -> set[Expectation]:
        held.say("mud", "export", CAMERA.mac, str(path))
        return set(reading.read(json.loads(path.read_text())).expected)

    wanted = Expectation("*.vendor.example", "tcp", (80, 80), "device")
    assert until(lambda: wanted in learnt(), 15)
    assert held.call("mud", "import", CAMERA.mac, str(path))["left_out"] == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ietf-mud:mud": {"mud-version": 1}}'])
def test_a_file_that_is_none_changes_nothing(
    held: SensorProcess, tmp_path: Path, text: str
) -> None:
    before = held.call("mud", "show", CAMERA.mac)
    path = tmp_path / "none.json"
    path.write_text(text)
    with pytest.raises(Refused) as caught:
        held.call("mud", "import", CAMERA.mac, str(path))
    assert caught.value.code == "invalid_mud"
    after = held.call("mud", "show", CAMERA.mac)
    assert [after[each] for each in ("source", "expected")] == [
        before[each] for each in ("source", "expected")
    ]
