"""Every kind of target, mode, service and direction of a rule, against real packets of both families."""

import ipaddress
import json
from collections.abc import Iterator

import pytest

from lab import Lab
from lab.home import DEVICES, SINK_PORT, WEB
from tests.gateway.reaching import (
    BAD,
    FAMILIES,
    NEWS,
    WEB_PREFIX,
    at,
    fetches,
    only,
    reaches,
    sends,
)
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
TV = DEVICES["tv"]
PLUG = DEVICES["plug"]


@pytest.fixture
def sensor(ruled: SensorProcess) -> SensorProcess:
    """A sensor without a rule."""
    return ruled


# Targets


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["address", "prefix"])
def test_host_of_the_internet_is_cut_off_for_every_device(
    lab: Lab, sensor: SensorProcess, kind: str, family: int
) -> None:
    web, other = at(WEB, family), at(NEWS, family)
    target = web if kind == "address" else WEB_PREFIX[family]
    assert reaches(lab, "camera", web)
    block = sensor.call("block", target)
    assert block["kind"] == f"ipv{family}" + ("" if kind == "address" else "_network")
    assert not reaches(lab, "camera", web)
    assert not fetches(lab, "tv", web)
    assert reaches(lab, "camera", other)
    assert only(sensor)["packets"] > 0
    sensor.call("unblock", target)
    assert reaches(lab, "camera", web)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["mac", "address", "prefix"])
def test_device_is_cut_off_from_the_home_and_the_internet(
    lab: Lab, sensor: SensorProcess, kind: str, family: int
) -> None:
    address = at(CAMERA, family)
    around = ipaddress.ip_network((address, 31 if family == 4 else 126), strict=False)
    sensor.call("block", {"mac": CAMERA.mac, "address": address, "prefix": str(around)}[kind])
    for peer in (at(WEB, family), at(TV, family)):
        assert not reaches(lab, "camera", peer), peer
    assert reaches(lab, "tv", at(WEB, family))


def test_a_prefix_in_a_prefix_is_judged_by_its_own_rule(lab: Lab, sensor: SensorProcess) -> None:
    sensor.call("block", "203.0.113.0/24", "--mode", "audit")
    sensor.call("block", WEB_PREFIX[4])
    assert not reaches(lab, "camera", WEB.ipv4)
    assert reaches(lab, "camera", NEWS.ipv4)
    sensor.call("unblock", WEB_PREFIX[4])
    assert reaches(lab, "camera", WEB.ipv4)
    for length in (23, 22, 21):
        sensor.call("block", f"203.0.112.0/{length}", "--mode", "audit")
    with pytest.raises(Refused) as refused:
        sensor.call("block", WEB_PREFIX[4])
    assert refused.value.code == "table_full"
    assert "lie in one another" in refused.value.message


def test_domain_takes_a_place_in_the_table_of_lists(lab: Lab, sensor: SensorProcess) -> None:
    first = sensor.call("block", "Bad.Example.")
    assert (first["kind"], first["target"], first["allow"]) == ("domain", "bad.example", [])
    sensor.call("block", "*.vendor.example", "--mode", "audit")
    assert [each["target"] for each in sensor.call("blocks")] == ["bad.example", "*.vendor.example"]


# Services


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("target", ["mac", "address", "far"])
def test_service_is_cut_off_and_the_rest_goes_on(
    lab: Lab, sensor: SensorProcess, target: str, family: int
) -> None:
    web = at(WEB, family)
    named = {"mac": CAMERA.mac, "address": at(CAMERA, family), "far": web}[target]
    block = sensor.call("block", named, "--transport", "tcp", "--port", "80")
    assert (block["transport"], block["port"], block["allow"]) == ("tcp", 80, [])
    assert not fetches(lab, "camera", web, 80)
    assert fetches(lab, "camera", web, 443)
    assert reaches(lab, "camera", web)
    sensor.call("block", named, "--transport", "icmp")
    assert not reaches(lab, "camera", web)
    assert fetches(lab, "camera", web, 443)
    assert sends(lab, "camera", web) == 50
    sensor.call("block", named, "--port", str(SINK_PORT))
    assert sends(lab, "camera", web) == 0
    sensor.call("block", named, "--transport", "tcp")
    assert not fetches(lab, "camera", web, 443)
    sensor.call("unblock", named, "--port", str(SINK_PORT))
    assert sends(lab, "camera", web) == 50
    assert all(each["packets"] for each in sensor.call("blocks"))
    sensor.call("unblock", named, "--all")
    assert sensor.call("blocks") == []
    assert fetches(lab, "camera", web, 80)
    assert reaches(lab, "camera", web)


def test_several_rules_on_a_target_are_told_apart(lab: Lab, sensor: SensorProcess) -> None:
    whole = sensor.call("block", CAMERA.mac, "--mode", "no_internet")
    assert not reaches(lab, "camera", WEB.ipv4)
    before = only(sensor)["packets"]
    service = sensor.call("block", CAMERA.mac, "--transport", "icmp")
    blocks = {each["id"]: each for each in sensor.call("blocks")}
    assert set(blocks) == {whole["id"], service["id"]}
    assert blocks[whole["id"]]["packets"] >= before  # a second rule takes nothing from the first
    assert not reaches(lab, "camera", TV.ipv4)
    with pytest.raises(Refused) as refused:
        sensor.call("unblock", CAMERA.mac)
    assert refused.value.code == "several_rules"
    assert str(whole["id"]) in refused.value.message
    again = sensor.call("block", CAMERA.mac, "--transport", "icmp", "--reason", "again")
    assert {each["id"] for each in sensor.call("blocks")} == {whole["id"], again["id"]}
    sensor.call("unblock", str(whole["id"]))
    assert fetches(lab, "camera", WEB.ipv4)
    assert not reaches(lab, "camera", WEB.ipv4)
    assert sensor.call("unblock", CAMERA.mac)["id"] == again["id"]
    assert reaches(lab, "camera", WEB.ipv4)


# Directions


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("direction", "arrives", "where"),
    [
        ("from_lan", 0, {"dropped_gate", "dropped_ingress"}),
        ("to_lan", 50, {"dropped_egress"}),
        ("from_wan", 50, {"dropped_wan"}),
    ],
)
def test_rule_looks_where_its_direction_says(
    lab: Lab,
    sensor: SensorProcess,
    direction: str,
    arrives: int,
    where: set[str],
    family: int,
) -> None:
    web = at(WEB, family)
    before = sensor.call("status")["dropped"]
    sensor.call("block", web, "--direction", direction)
    assert sends(lab, "camera", web) == arrives
    assert not reaches(lab, "camera", web)
    after = sensor.call("status")["dropped"]
    assert {name for name in after if after[name] > before[name]} <= where
    assert any(after[name] > before[name] for name in where)


@pytest.mark.parametrize("direction", ["from_lan", "to_lan"])
def test_rule_on_a_mac_has_a_direction(lab: Lab, sensor: SensorProcess, direction: str) -> None:
    sensor.call("block", CAMERA.mac, "--direction", direction)
    assert sends(lab, "camera", WEB.ipv4) == (0 if direction == "from_lan" else 50)
    assert not reaches(lab, "camera", WEB.ipv4)


def test_xdp_is_where_a_rule_needs_it(sensor: SensorProcess) -> None:
    def gates() -> dict[str, bool]:
        found = sensor.call("status")["interfaces"]
        return {
            role: any(each["xdp"] != "off" for each in found if each["role"] == role)
            for role in ("lan", "wan")
        }

    off = {"lan": False, "wan": False}
    assert until(lambda: gates() == off)
    for order in (
        (CAMERA.mac, "--mode", "audit"),
        (CAMERA.mac, "--mode", "rate_limit", "--bytes-per-second", "1M"),
        (CAMERA.mac, "--direction", "to_lan"),
        ("bad.example",),
    ):
        sensor.call("block", *order)
        assert gates() == off, order
    sensor.call("block", CAMERA.mac, "--transport", "icmp")
    assert until(lambda: gates() == {"lan": True, "wan": False})
    sensor.call("block", BAD.ipv4, "--direction", "from_wan")
    assert until(lambda: gates() == {"lan": True, "wan": True})
    sensor.call("unblock", CAMERA.mac, "--transport", "icmp")
    assert until(lambda: gates() == {"lan": False, "wan": True})
    sensor.call("unblock", BAD.ipv4)
    assert until(lambda: gates() == off)


# Modes


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["mac", "address"])
def test_no_internet_keeps_the_home(
    lab: Lab, sensor: SensorProcess, kind: str, family: int
) -> None:
    target = CAMERA.mac if kind == "mac" else at(CAMERA, family)
    sensor.call("block", target, "--mode", "no_internet")
    assert not reaches(lab, "camera", at(WEB, family))
    assert reaches(lab, "camera", at(TV, family))
    assert reaches(lab, "gateway", at(CAMERA, family))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["mac", "address"])
def test_allow_only_lets_the_peers_through(
    lab: Lab, sensor: SensorProcess, kind: str, family: int
) -> None:
    target = CAMERA.mac if kind == "mac" else at(CAMERA, family)
    peers = ("--peer", WEB_PREFIX[family], "--peer", at(PLUG, family), "--peer", "cloud.example")
    block = sensor.call("block", target, "--mode", "allow_only", *peers)
    assert block["peers"] == [WEB_PREFIX[family], at(PLUG, family), "cloud.example"]
    assert reaches(lab, "camera", at(WEB, family))
    assert fetches(lab, "camera", at(WEB, family))
    assert reaches(lab, "camera", at(PLUG, family))
    assert not reaches(lab, "camera", at(NEWS, family))
    assert not reaches(lab, "camera", at(TV, family))
    assert reaches(lab, "tv", at(NEWS, family))
    sensor.call("block", target, "--mode", "allow_only", "--peer", at(NEWS, family))
    assert reaches(lab, "camera", at(NEWS, family))
    assert not reaches(lab, "camera", at(WEB, family))


@pytest.mark.parametrize("family", FAMILIES)
def test_audit_counts_what_it_does_not_drop(lab: Lab, sensor: SensorProcess, family: int) -> None:
    sensor.call("block", CAMERA.mac, "--mode", "audit")
    assert sends(lab, "camera", at(WEB, family)) == 50
    block = only(sensor)
    assert (block["mode"], block["audits"]) == ("audit", "isolate")
    assert 50 <= block["packets"] < 70
    sensor.call("block", CAMERA.mac, "--mode", "audit", "--audits", "no_internet")
    assert reaches(lab, "camera", at(TV, family))
    assert only(sensor)["packets"] == 0
    assert sends(lab, "camera", at(WEB, family)) == 50
    assert only(sensor)["packets"] >= 50
    sensor.call(
        "block", CAMERA.mac, "--mode", "audit", "--audits", "allow_only", "--peer", at(WEB, family)
    )
    assert sends(lab, "camera", at(WEB, family)) == 50
    assert only(sensor)["packets"] == 0
    assert reaches(lab, "camera", at(NEWS, family))
    assert only(sensor)["packets"] == 2  # there and back


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("way", ["download", "upload"])
@pytest.mark.parametrize("megabits", [1, 10, 100])
def test_connection_comes_near_its_rate_and_not_above(
    lab: Lab, sensor: SensorProcess, megabits: int, way: str, family: int
) -> None:
    rate = megabits * 125_000
    sensor.call("block", CAMERA.mac, "--mode", "rate_limit", "--bytes-per-second", str(rate))
    seconds = 5.0
    moved = transferred(lab, "camera", at(WEB, family), way, seconds)
    share = moved / (rate * seconds)
    print(f"{megabits} Mbit/s, IPv{family}, {way}: {share:.3f}")
    assert 0.85 <= share <= 1.10


def transferred(lab: Lab, host: str, address: str, way: str, seconds: float) -> int:
    """Return how many bytes of payload a TCP connection moved in this time."""
    shown = f"[{address}]" if ":" in address else address
    line = ["curl", "--silent", "--max-time", str(seconds), "--output", "/dev/null"]
    if way == "download":
        url = f"http://{shown}/bytes/400000000"
        done = lab.run(host, [*line, "--write-out", "%{size_download}", url])
        return int(done.stdout)
    source = (
        "import socket,sys,time;"
        "s=socket.create_connection((sys.argv[1],80));"
        "s.setsockopt(socket.SOL_SOCKET,socket.SO_SNDBUF,1<<16);"
        "s.sendall(b'POST /upload HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 400000000\\r\\n\\r\\n');"
        "end=time.monotonic()+float(sys.argv[2]);s.settimeout(0.1);n=0\n"
        "while time.monotonic()<end:\n"
        " try: n+=s.send(bytes(16384))\n"
        " except TimeoutError: pass\n"
        "import fcntl,struct,termios;"
        "left=struct.unpack('i',fcntl.ioctl(s,termios.TIOCOUTQ,b'0000'))[0];print(n-left)"
    )
    done = lab.run(host, ["/usr/bin/python3", "-c", source, address, str(seconds)], check=True)
    return int(done.stdout)


@pytest.mark.parametrize("target", [CAMERA.mac, CAMERA.ipv4, "192.168.20.20/30", WEB.ipv4])
def test_packets_are_limited(lab: Lab, sensor: SensorProcess, target: str) -> None:
    sensor.call("block", target, "--mode", "rate_limit", "--packets-per-second", "100")
    passed = sends(lab, "camera", WEB.ipv4, 3000, 1000)
    assert 290 <= passed <= 400  # a busy machine takes longer to send
    assert only(sensor)["packets"] == 3000 - passed


@pytest.fixture
def trap(lab: Lab) -> Iterator[str]:
    """An interface on the gateway that leads into a namespace's nowhere."""

    def add() -> None:
        lab.run(
            "gateway", ["ip", "link", "add", "trap", "type", "veth", "peer", "trap-end"], check=True
        )
        for name in ("trap", "trap-end"):
            lab.run("gateway", ["ip", "link", "set", name, "up"], check=True)

    add()
    yield "trap"
    lab.run("gateway", ["ip", "link", "delete", "trap"])


def trapped(lab: Lab) -> int:
    """Return how many packets came out at the trap's other end."""
    said = lab.run("gateway", ["ip", "-json", "-stats", "link", "show", "trap-end"], check=True)
    return int(json.loads(said.stdout)[0]["stats64"]["rx"]["packets"])


@pytest.mark.parametrize("family", FAMILIES)
def test_redirected_packets_come_out_elsewhere(
    lab: Lab, sensor: SensorProcess, trap: str, family: int
) -> None:
    assert until(lambda: _accepts(sensor, trap))
    before = trapped(lab)
    assert sends(lab, "camera", at(WEB, family)) == 0
    assert trapped(lab) >= before + 50
    assert only(sensor)["packets"] >= 50
    assert reaches(lab, "tv", at(WEB, family))


def _accepts(sensor: SensorProcess, interface: str) -> bool:
    """Return whether a redirection is taken: a new interface is known a moment after it came."""
    try:
        sensor.call("block", CAMERA.mac, "--mode", "redirect", "--redirect-to", interface)
    except Refused as refused:
        return refused.code != "unknown_interface"
    return True


def test_redirection_follows_its_interface(lab: Lab, sensor: SensorProcess, trap: str) -> None:
    """While it is away nothing passes in its place."""
    assert until(lambda: _accepts(sensor, trap))
    lab.run("gateway", ["ip", "link", "delete", "trap"], check=True)
    assert sends(lab, "camera", WEB.ipv4) == 0
    lab.run(
        "gateway", ["ip", "link", "add", "trap", "type", "veth", "peer", "trap-end"], check=True
    )
    for name in ("trap", "trap-end"):
        lab.run("gateway", ["ip", "link", "set", name, "up"], check=True)

    def arrives() -> bool:
        before = trapped(lab)
        assert sends(lab, "camera", WEB.ipv4) == 0
        return trapped(lab) >= before + 50

    assert until(arrives)


@pytest.mark.parametrize("interface", ["camera", "br-lan", "wan", "lo", "nowhere"])
def test_redirection_into_the_gateways_own_way_is_refused(
    sensor: SensorProcess, interface: str
) -> None:
    with pytest.raises(Refused) as refused:
        sensor.call("block", TV.mac, "--mode", "redirect", "--redirect-to", interface)
    assert refused.value.code == "unknown_interface"
