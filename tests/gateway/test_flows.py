"""Flows of real devices: counted to the byte, named by what their devices asked for and said."""

from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.home import DEVICES, DNS, SITES, WEB
from lab.mmdb import write
from tests.gateway.sensor_process import Refused, SensorProcess, until
from tests.gateway.test_counting import port_counters

pytestmark = pytest.mark.lab

CAMERA, TV = DEVICES["camera"], DEVICES["tv"]
SHARED = SITES["push.example"]


def fetch(lab: Lab, host: str, url: str, *options: str) -> None:
    """Ask the lab's DNS, as dig does, and fetch with curl from what it said."""
    name = url.split("/")[2]
    asked = lab.run(host, ["dig", "+short", *options, f"@{DNS.ipv4}", name, "A"])
    address = asked.stdout.split()[-1]
    port = "443" if url.startswith("https") else "80"
    line = ["curl", "-4ksS", "--max-time", "10", "--resolve", f"{name}:{port}:{address}"]
    done = lab.run(host, [*line, "--output", "/dev/null", url])
    assert done.returncode == 0, done.stderr


def flows(sensor: SensorProcess, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sensor.call("flows", *options)
    return found


def named(sensor: SensorProcess, *options: str) -> set[tuple[str | None, ...]]:
    """Return name, its source and the application of a choice of flows."""
    return {
        (each["peer_name"], each["name_source"], each["application"])
        for each in flows(sensor, *options)
    }


def test_names_come_from_the_best_evidence(lab: Lab, sensor: SensorProcess) -> None:
    fetch(lab, "camera", "https://storage.vendor.example/bytes/1000")
    fetch(lab, "camera", "http://firmware.vendor.example/bytes/1000")
    fetch(lab, "camera", "http://cloud.vendor.example/bytes/10", "+tcp")
    lab.run("camera", ["bash", "-c", f"echo hello > /dev/udp/{SITES['video.example'].ipv4}/4000"])
    fetch(lab, "camera", "http://video.example/bytes/10")
    found = named(sensor, "--device", CAMERA.mac)
    assert ("storage.vendor.example", "tls", "tls") in found
    assert ("firmware.vendor.example", "http", "http") in found
    assert ("cloud.vendor.example", "http", "http") in found
    assert ("video.example", "dns", "unknown") in found
    assert {each["application"] for each in flows(sensor) if each["peer_port"] == 53} == {"dns"}


def test_each_device_has_its_own_name_for_an_address(lab: Lab, sensor: SensorProcess) -> None:
    for host, name in (("camera", "push.example"), ("tv", "chat.example")):
        lab.run(host, ["dig", "+short", f"@{DNS.ipv4}", name, "A"])
    for host in ("camera", "tv"):
        lab.run(host, ["ping", "-c1", "-W2", SHARED.ipv4])
    for device, name in ((CAMERA, "push.example"), (TV, "chat.example")):
        (flow,) = flows(sensor, "--device", device.mac, "--peer", SHARED.ipv4)
        assert (flow["peer_name"], flow["name_source"]) == (name, "dns")
        assert (flow["transport"], flow["application"]) == ("icmp", "icmp")
        assert (flow["port"], flow["peer_port"]) == (8, 0)


def test_flows_add_up_to_what_the_port_counted(lab: Lab, sensor: SensorProcess) -> None:
    lab.set_offload("camera", False)
    try:
        lab.run("camera", ["ping", "-c1", WEB.ipv4])
        port, before = port_counters(lab, "camera"), flows(sensor, "--device", CAMERA.mac)
        fetch(lab, "camera", "http://web.lab.example/bytes/3000000")
        lab.run("camera", ["curl", "-6ks", "-o", "/dev/null", f"https://[{WEB.ipv6}]/bytes/50000"])
        counted, after = port_counters(lab, "camera"), flows(sensor, "--device", CAMERA.mac)
    finally:
        lab.set_offload("camera", True)
    for name, value in counted.items():
        total = sum(each[name] for each in after) - sum(each[name] for each in before)
        assert total == pytest.approx(value - port[name], rel=0.005), name  # beside ARP


#: Nobody's, and yet not without a MAC: the device sends, and is not answered.
SILENT = "192.168.10.99"


@pytest.mark.parametrize(
    ("address", "port", "outcome"),
    [(WEB.ipv4, 80, "closed"), (WEB.ipv4, 22, "refused"), (SILENT, 80, "no_answer")],
)
def test_outcome_of_a_connection(
    lab: Lab, sensor: SensorProcess, address: str, port: int, outcome: str
) -> None:
    lab.run("tv", ["ip", "neigh", "replace", SILENT, "lladdr", CAMERA.mac, "dev", "eth0"])
    url = f"http://{address}:{port}/bytes/10"
    lab.run("tv", ["curl", "-s", "-o", "/dev/null", "--max-time", "1", url])

    def met() -> bool:
        return any(
            (each["peer_port"], each["outcome"], each["opened_by"]) == (port, outcome, "device")
            and (outcome == "closed" or each["application"] == "unknown")
            for each in flows(sensor, "--device", TV.mac, "--peer", address)
        )

    assert until(met, 8.0), flows(sensor, "--device", TV.mac, "--peer", address)


def test_flows_are_chosen(lab: Lab, sensor: SensorProcess) -> None:
    fetch(lab, "camera", "https://storage.vendor.example/bytes/10")
    fetch(lab, "tv", "http://video.example/bytes/10")
    everything = flows(sensor)
    assert {each["mac"] for each in everything} >= {CAMERA.mac, TV.mac}
    assert {each["mac"] for each in flows(sensor, "--device", CAMERA.mac)} == {CAMERA.mac}
    assert {each["peer_name"] for each in flows(sensor, "--peer", "*.vendor.example")} == {
        "storage.vendor.example"
    }
    assert {each["peer_address"] for each in flows(sensor, "--peer", "203.0.113.7/28")} <= {
        WEB.ipv4
    }
    assert len(flows(sensor, "--limit", "1")) == 1
    assert flows(sensor, "--since", "2100-01-01T00:00:00") == []
    times = [each["last_seen"] for each in everything]
    assert times == sorted(times, reverse=True)
    for options in (("--limit", "0"), ("--peer", ""), ("--device", "nobody")):
        with pytest.raises(Refused):
            flows(sensor, *options)


def test_names_stay_over_a_restart(lab: Lab, sensor: SensorProcess) -> None:
    fetch(lab, "camera", "https://storage.vendor.example/bytes/10")
    lab.run("camera", ["ping", "-c1", SITES["storage.vendor.example"].ipv4])
    before = named(sensor, "--device", CAMERA.mac, "--peer", "*.vendor.example")
    assert before >= {
        ("storage.vendor.example", "tls", "tls"),
        ("storage.vendor.example", "dns", "icmp"),
    }
    kept = sensor.state / "flows.jsonl"
    assert not kept.exists()
    sensor.stop()
    assert kept.stat().st_mode & 0o777 == 0o600
    sensor.start()
    assert not kept.exists()
    assert named(sensor, "--device", CAMERA.mac, "--peer", "*.vendor.example") == before
    lab.run("camera", ["bash", "-c", "echo > /dev/udp/203.0.113.20/5"])
    assert named(sensor, "--device", CAMERA.mac, "--peer", "203.0.113.20") >= {
        ("storage.vendor.example", "dns", "unknown")  # what was answered is remembered too
    }


def test_flows_stay_when_the_sensor_is_killed(lab: Lab, sensor: SensorProcess) -> None:
    fetch(lab, "camera", "http://web.lab.example/bytes/100000")
    (before,) = flows(sensor, "--device", CAMERA.mac, "--peer", WEB.ipv4)
    sensor.kill()
    lab.run("camera", ["ping", "-c1", WEB.ipv4])
    sensor.start()
    after = flows(sensor, "--device", CAMERA.mac, "--peer", WEB.ipv4)
    assert {each["transport"] for each in after} == {"tcp", "icmp"}
    kept = next(each for each in after if each["transport"] == "tcp")
    for name in ("community_id", "upload_bytes", "download_bytes", "outcome"):
        assert kept[name] == before[name]


def test_country_and_network_of_a_peer(lab: Lab, idle: SensorProcess, tmp_path: Path) -> None:
    record = {"country": {"iso_code": "DE"}, "asn": "AS64500", "as_name": "Example Net"}
    file = write(tmp_path / "places.mmdb", {"203.0.113.0/28": record})
    sensor = idle.start("--geo", str(file))
    fetch(lab, "camera", "http://web.lab.example/bytes/10")
    (flow,) = flows(sensor, "--device", CAMERA.mac, "--peer", WEB.ipv4)
    assert (flow["country"], flow["as_number"], flow["as_name"]) == ("DE", 64500, "Example Net")
    (asked, *_) = flows(sensor, "--device", CAMERA.mac, "--peer", DNS.ipv4)
    assert (asked["country"], asked["as_number"]) == (None, None)  # absent is absent
    assert sensor.call("status")["lost"]["places_unreadable"] == 0


def test_files_of_places_that_cannot_be_read_are_told_of_at_the_start(
    idle: SensorProcess, tmp_path: Path
) -> None:
    missing, damaged = tmp_path / "nix.mmdb", tmp_path / "damaged.mmdb"
    damaged.write_bytes(b"no database")
    sensor = idle.start("--geo", str(missing), "--geo", str(damaged))
    log = sensor.log.read_text()
    for path in (missing, damaged):
        assert f"{path} tells no country or network" in log
    assert sensor.call("status")["lost"]["places_unreadable"] == 2
