"""Addresses, routes and NAT are those of a home."""

import json
import subprocess

import pytest

from lab import DEVICES, Lab

pytestmark = pytest.mark.lab

ADDRESSES = {
    "camera": ("00:00:5e:00:53:21", "192.168.20.21", "2001:db8:20::21"),
    "tv": ("00:00:5e:00:53:13", "192.168.10.13", "2001:db8:10::13"),
    "plug": ("00:00:5e:00:53:22", "192.168.20.22", "2001:db8:20::22"),
    "laptop": ("00:00:5e:00:53:11", "192.168.10.11", "2001:db8:10::11"),
    "phone": ("02:00:5e:00:53:12", "192.168.10.12", "2001:db8:10::12"),
    "vacuum": ("00:00:5e:00:53:23", "192.168.20.23", "2001:db8:20::23"),
}
GATEWAY = {"main": ("192.168.10.1", "2001:db8:10::1"), "iot": ("192.168.20.1", "2001:db8:20::1")}
INTERNET = ("203.0.113.10", "2001:db8:ffff::10", "203.0.113.66", "2001:db8:ffff::66")


def links(lab: Lab, host: str) -> dict[str, dict[str, object]]:
    out = lab.run(host, ["ip", "-json", "address"], check=True).stdout
    return {link["ifname"]: link for link in json.loads(out)}


def reaches(lab: Lab, host: str, address: str) -> bool:
    return lab.run(host, ["ping", "-c", "1", "-W", "2", address]).returncode == 0


@pytest.mark.parametrize("device", ADDRESSES)
def test_device_has_its_addresses(lab: Lab, device: str) -> None:
    mac, *addresses = ADDRESSES[device]
    eth0 = links(lab, device)["eth0"]
    assert eth0["address"] == mac == DEVICES[device].mac
    info = eth0["addr_info"]
    assert isinstance(info, list)
    assert {a["local"] for a in info if a["scope"] == "global"} == set(addresses)
    assert DEVICES[device].addresses == tuple(addresses)


def test_gateway_has_a_port_per_device(lab: Lab) -> None:
    found = links(lab, "gateway")
    assert {name for name, link in found.items() if link.get("master") == "br-lan"} == set(
        ADDRESSES
    )
    assert found["br-lan"]["address"] == "00:00:5e:00:53:01"


@pytest.mark.parametrize("device", ADDRESSES)
def test_device_reaches_gateway_and_internet(lab: Lab, device: str) -> None:
    for address in (*GATEWAY[DEVICES[device].segment], *INTERNET):
        assert reaches(lab, device, address), address


def test_segments_reach_each_other_through_the_gateway(lab: Lab) -> None:
    for address in ADDRESSES["camera"][1:]:
        assert reaches(lab, "laptop", address)
        hop = lab.run("laptop", ["ip", "route", "get", address], check=True).stdout
        assert "via" in hop


@pytest.mark.parametrize(
    ("to", "source"),
    [("203.0.113.10:9999", "198.51.100.2"), ("[2001:db8:ffff::10]:9999", "2001:db8:20::21")],
    ids=["IPv4 is masqueraded", "IPv6 is routed"],
)
def test_what_the_internet_sees(lab: Lab, to: str, source: str) -> None:
    lab.reset_sink()
    subprocess.run(
        lab.command("send", "--from", "camera", "--to", to, "--rate", "50", "--seconds", "0.1"),
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    assert [(s["address"], s["label"]) for s in lab.sink()["streams"]] == [(source, "camera")]


def test_internet_cannot_reach_private_addresses(lab: Lab) -> None:
    assert not reaches(lab, "internet", "192.168.20.21")


def offloads(lab: Lab, host: str, interface: str) -> set[str]:
    out = lab.run(host, ["ethtool", "-k", interface], check=True).stdout
    state = dict(line.strip().split(": ")[:2] for line in out.splitlines() if ": " in line)
    watched = (
        "generic-receive-offload",
        "generic-segmentation-offload",
        "tcp-segmentation-offload",
    )
    return {state[feature].split()[0] for feature in watched}


def test_offload_is_switched_on_both_ends(lab: Lab) -> None:
    for on, expected in ((False, {"off"}), (True, {"on"})):
        lab.set_offload("tv", on)
        assert offloads(lab, "tv", "eth0") == expected
        assert offloads(lab, "gateway", "tv") == expected
