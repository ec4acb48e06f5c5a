"""The same packets, sent to a living sensor or read from a file, give the same flows, names and devices."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.home import DEVICES, HOSTS
from tests.capture_oracle import replayed
from tests.captures.scenarios import CAPTURES, NETWORKS, write
from tests.gateway.sensor_process import SensorProcess, until

pytestmark = pytest.mark.lab

#: Whose network gets the bridge: any, as long as nothing else happens on it. Its host is no device there.
HOST = "vacuum"
CLIENTS = ("web", "dns", "http3", "browser")
#: Not these: the kernel keeps a frame's outermost tag outside of it, and so looks behind three; and
#: what devices on the same side say to each other does not cross the bridge.
LEFT_OUT = ("odd-tags", "odd-neighbours")
ODD = tuple(name for name in CAPTURES if name.startswith("odd-") and name not in LEFT_OUT)
GATEWAY = HOSTS["gateway"].mac
AT_HOME = frozenset(address for device in DEVICES.values() for address in device.addresses)

#: Two cables into a bridge: devices hang on one, the rest of the world on the other. Nothing but
#: what is sent into them is on them: no addresses, no neighbour discovery, and no firewall, which
#: would take the padding off.
BRIDGE = """
for table in iptables ip6tables arptables; do
  test ! -e /proc/sys/net/bridge/bridge-nf-call-$table || sysctl -qw net.bridge.bridge-nf-call-$table=0
done
sysctl -qw net.ipv6.conf.default.disable_ipv6=1
ip link add name bridge address 02:00:5e:00:53:b0 type bridge mcast_snooping 0
for side in devices world; do
  ip link add name $side mtu 4000 type veth peer name to-$side mtu 4000
  ip link set $side master bridge up
  ip link set to-$side up
done
ip link set bridge up
"""

KNOWN_BY = ("mac", "transport", "address", "port", "peer_address", "peer_port", "community_id")
SAME = (
    *("peer_name", "served_as", "name_source", "application", "upload_bytes", "download_bytes"),
    *("upload_packets", "download_packets", "opened_by", "outcome", "encrypted_hello"),
)
SAME_OF_DEVICES = (
    *("mac", "hostname", "vendor", "randomised", "fingerprint"),
    *("upload_bytes", "download_bytes", "upload_packets", "download_packets"),
)


@pytest.fixture(scope="module")
def capture(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What several devices did, one after the other, in one file."""
    folder = tmp_path_factory.mktemp("captures")
    parts = [str(write(lab, folder, name)) for name in (*CLIENTS, *ODD)]
    path = folder / "all.pcap"
    subprocess.run(["mergecap", "-a", "-F", "pcap", "-w", str(path), *parts], check=True)
    return path


@pytest.fixture
def guard(lab: Lab, tmp_path: Path) -> Iterator[SensorProcess]:
    """A sensor on the devices' side of the bridge."""
    done = lab.run(HOST, ["sh", "-ec", BRIDGE])
    assert done.returncode == 0, done.stderr
    sensor = SensorProcess(lab, tmp_path, HOST)
    yield sensor.start(interface="devices")
    sensor.clean()


def send(lab: Lab, capture: Path) -> int:
    """Send each packet into the side that it comes from; return how many were sent."""
    sides = capture.with_suffix(".sides")
    line = ["tcpprep", f"--mac={GATEWAY}", f"--pcap={capture}", f"--cachefile={sides}"]
    subprocess.run(line, check=True, capture_output=True)
    line = ["tcpreplay", "--intf1=to-world", "--intf2=to-devices", f"--cachefile={sides}"]
    done = lab.run(HOST, [*line, "--pps=1000", str(capture)], timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    return sum(map(int, re.findall(r"Successful packets:\s+(\d+)", done.stdout)))


Told = dict[tuple[Any, ...], dict[str, Any]]


def told(flows: list[dict[str, Any]], macs: set[str]) -> Told:
    """Return what must be the same of the devices' flows with the rest of the world."""
    return {
        tuple(flow[name] for name in KNOWN_BY): {name: flow[name] for name in SAME}
        for flow in flows
        if flow["mac"] in macs and flow["peer_address"] not in AT_HOME
    }


def differences(live: Told, replay: Told) -> list[str]:
    return [
        f"{key} {name}: live {live.get(key, {}).get(name)!r}, replay {replay.get(key, {}).get(name)!r}"
        for key in sorted(live.keys() | replay.keys())
        for name in SAME
        if live.get(key, {}).get(name) != replay.get(key, {}).get(name)
    ]


def test_flows_and_devices(lab: Lab, capture: Path, guard: SensorProcess) -> None:
    document = replayed.run(capture, NETWORKS)
    sent = send(lab, capture)
    assert sent == document["counted"]["packets"]
    expected_devices = {
        each["mac"]: each
        for each in document["devices"]
        if each["mac"] not in (GATEWAY, DEVICES[HOST].mac)
    }
    macs = set(expected_devices)
    expected = told(document["flows"], macs)
    assert len(expected) > 100

    def found() -> Told:
        return told(guard.call("flows", "--limit", "2000"), macs)

    until(lambda: found() == expected, 3)
    assert differences(found(), expected) == []
    devices = {each["mac"]: each for each in guard.call("devices")}
    assert [
        f"{mac} {name}: live {devices[mac][name]!r}, replay {device[name]!r}"
        for mac, device in expected_devices.items()
        for name in SAME_OF_DEVICES
        if devices[mac][name] != device[name]
    ] == []
    # Which public prefixes are home's is not seen where nothing has an address
    for mac, device in expected_devices.items():
        assert set(devices[mac]["addresses"]) <= set(device["addresses"])
