"""Every byte is counted, for the right device, in the right direction and scope."""

import time

import pytest

from lab import Lab
from lab.home import DEVICES, HOSTS, WEB
from tests.gateway.sensor_process import SensorProcess

pytestmark = pytest.mark.lab

SIZE = 5_000_000
CAMERA = DEVICES["camera"].mac
LAPTOP = DEVICES["laptop"].mac


def download(lab: Lab, host: str, size: int = SIZE, *, server: str = WEB.ipv4) -> None:
    url = f"http://{f'[{server}]' if ':' in server else server}/bytes/{size}"
    done = lab.run(host, ["curl", "--silent", "--fail", "--output", "/dev/null", url])
    assert done.returncode == 0, done.stderr


def upload(lab: Lab, host: str, size: int = SIZE) -> None:
    line = (
        f"head -c {size} /dev/zero | curl --silent --fail --data-binary @- http://{WEB.ipv4}/upload"
    )
    done = lab.run(host, ["sh", "-c", line])
    assert done.returncode == 0, done.stderr


def port_counters(lab: Lab, port: str) -> dict[str, int]:
    """The bridge port's own counters, seen from the device: what the gateway receives is upload."""
    line = lab.run("gateway", ["cat", "/proc/net/dev"], check=True).stdout
    fields = next(each for each in line.splitlines() if each.strip().startswith(f"{port}:")).split()
    return {
        "upload_bytes": int(fields[1]),
        "upload_packets": int(fields[2]),
        "download_bytes": int(fields[9]),
        "download_packets": int(fields[10]),
    }


@pytest.mark.parametrize("direction", ["upload", "download"])
def test_totals_equal_the_interfaces_own_counters(
    lab: Lab, sensor: SensorProcess, direction: str
) -> None:
    lab.set_offload("camera", False)
    try:
        download(lab, "camera", 1000)  # the device is known from here on
        port, device = port_counters(lab, "camera"), sensor.device(CAMERA)
        assert device is not None
        (upload if direction == "upload" else download)(lab, "camera")
        port_after, device_after = port_counters(lab, "camera"), sensor.device(CAMERA)
        assert device_after is not None
    finally:
        lab.set_offload("camera", True)
    for name in port:
        moved = port_after[name] - port[name]
        assert device_after[name] - device[name] == pytest.approx(moved, rel=0.01), name
    assert port_after[f"{direction}_bytes"] - port[f"{direction}_bytes"] > SIZE


def test_segmentation_offload_hides_no_header(lab: Lab, sensor: SensorProcess) -> None:
    """With offload the kernel moves super-packets of 64 kB; on a wire each would be 45 packets with a header each."""
    download(lab, "camera")
    device = sensor.device(CAMERA)
    assert device is not None
    segments = SIZE / 1448
    wire = SIZE + segments * (14 + 20 + 32)
    assert device["download_bytes"] == pytest.approx(wire, rel=0.03)
    # On a busy machine some segments are smaller
    assert device["download_packets"] == pytest.approx(segments, rel=0.1)


def test_ipv6_counts_on_the_same_device(lab: Lab, sensor: SensorProcess) -> None:
    download(lab, "camera", 100_000)
    download(lab, "camera", 100_000, server=WEB.ipv6)
    macs = [each["mac"] for each in sensor.call("devices") if each["mac"] == CAMERA]
    device = sensor.device(CAMERA)
    assert macs == [CAMERA]
    assert device is not None
    assert device["by_scope"]["internet"]["download_bytes"] > 200_000
    assert DEVICES["camera"].ipv4 in device["addresses"]


@pytest.mark.parametrize(
    ("peer", "scope"),
    [
        (WEB.ipv4, "internet"),
        (WEB.ipv6, "internet"),
        (DEVICES["phone"].ipv4, "lan"),
        (DEVICES["plug"].ipv4, "lan"),
        (DEVICES["plug"].ipv6, "lan"),  # a public prefix, but the home's own
        (HOSTS["gateway"].ipv4, "gateway"),
        (HOSTS["gateway"].ipv6, "gateway"),
    ],
)
def test_scope_follows_the_peer(lab: Lab, sensor: SensorProcess, peer: str, scope: str) -> None:
    lab.run("laptop", ["ping", "-c1", "-W2", peer], check=True)  # neighbours are known
    before = sensor.device(LAPTOP)
    lab.run("laptop", ["ping", "-c10", "-i0.01", "-s1000", "-W2", peer], check=True)
    after = sensor.device(LAPTOP)
    assert before is not None
    assert after is not None
    ping = 10 * (1000 + 8 + (40 if ":" in peer else 20) + 14)
    for each in before["by_scope"]:
        for name in ("upload_bytes", "download_bytes"):
            moved = after["by_scope"][each][name] - before["by_scope"][each][name]
            if each == scope:
                assert ping <= moved < 1.3 * ping, (each, name)
            else:
                # ARP and the like; the gateway redirects between its two subnets, too
                assert moved < ping / 2, (each, name)


def test_flooded_frames_are_nobodys_download(lab: Lab, sensor: SensorProcess) -> None:
    """What the bridge sends out of every port because it does not know the MAC is not each device's."""
    for host in ("tv", "laptop"):
        lab.run(host, ["ping", "-c1", "-W1", HOSTS["gateway"].ipv4], check=True)
    lab.run("gateway", ["bridge", "fdb", "del", DEVICES["tv"].mac, "dev", "tv", "master"])
    before = {each["mac"]: each["download_packets"] for each in sensor.call("devices")}
    tv = DEVICES["tv"]
    lab.run(
        "laptop", ["ip", "neigh", "replace", tv.ipv4, "lladdr", tv.mac, "dev", "eth0"], check=True
    )
    lab.run("laptop", ["ping", "-c5", "-i0.05", "-W1", tv.ipv4])
    after = {each["mac"]: each["download_packets"] for each in sensor.call("devices")}
    for name in ("camera", "plug", "vacuum", "phone"):
        mac = DEVICES[name].mac
        assert after.get(mac, 0) - before.get(mac, 0) < 5, name


def test_a_flood_of_invented_macs_is_bounded_and_counted(lab: Lab, sensor: SensorProcess) -> None:
    download(lab, "tv", 1_000_000)
    time.sleep(1.2)  # what was not read yet when a flood pushes it out is lost, and counted
    flood = (
        "import os,socket; s=socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('eth0', 0));"
        "[s.send(bytes.fromhex('00005e005301') + b'\\x02' + os.urandom(5) + b'\\x88\\xb5' + bytes(50))"
        " for _ in range(6000)]"
    )
    lab.run("camera", ["/usr/bin/python3", "-c", flood], check=True)
    time.sleep(2.5)
    status = sensor.call("status")
    assert status["devices"] <= 1024
    lost = status["lost"]
    # One that the kernel's table had no room for any more may have been known before: then it is in both.
    assert lost["devices_evicted"] + lost["devices_overwritten"] > 4000
    assert max(lost["devices_evicted"], lost["devices_overwritten"]) < 6200
    assert status["resident_bytes"] < 80_000_000
    download(lab, "tv", 1_000_000)
    tv = sensor.device(DEVICES["tv"].mac)
    assert tv is not None
    assert tv["download_bytes"] > 2_000_000
    time.sleep(2)
    assert sensor.call("status")["lost"]["devices_evicted"] == lost["devices_evicted"], "it is over"


def test_totals_survive_a_crash_and_a_restart(lab: Lab, sensor: SensorProcess) -> None:
    download(lab, "camera", 1_000_000)
    before = sensor.device(CAMERA)
    time.sleep(1.2)  # a newcomer is on disk within a second
    sensor.kill()
    download(lab, "camera", 1_000_000)  # counted in the kernel while no process is there
    sensor.start()
    after = sensor.device(CAMERA)
    assert before is not None
    assert after is not None
    assert after["first_seen"] == before["first_seen"]
    assert after["download_bytes"] > before["download_bytes"] + 1_000_000
    sensor.stop()
    sensor.start()
    again = sensor.device(CAMERA)
    assert again is not None
    assert after["download_bytes"] <= again["download_bytes"] < after["download_bytes"] + 10_000


def test_rates_are_of_the_last_seconds(lab: Lab, sensor: SensorProcess) -> None:
    url = f"http://{WEB.ipv4}/pace?rate=100000&seconds=4"
    lab.run("tv", ["curl", "--silent", "--output", "/dev/null", url], check=True)
    device = sensor.device(DEVICES["tv"].mac)
    assert device is not None
    # The server sends the first second's bytes at once: four seconds' worth in three
    assert 30_000 < device["download_rate"] < 150_000
