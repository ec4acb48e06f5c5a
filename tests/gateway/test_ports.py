"""Ports that come and go, ways of attaching, and programs of others."""

import itertools
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.home import DEVICES, HOSTS, UPSTREAM, WAN, WEB
from tests.gateway.programs import attachments, foreign, pinned_links, pins, reaches, xdp_on
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
TC, XDP = ("tcx", "clsact"), ("link", "netlink", "off")


def interface(sensor: SensorProcess, name: str) -> dict[str, Any] | None:
    """Return what the status says of an interface."""
    found = sensor.call("status")["interfaces"]
    return next((each for each in found if each["name"] == name), None)


def is_guarded(sensor: SensorProcess, name: str) -> bool:
    found = interface(sensor, name)
    return found is not None and found["tc"] in TC


def gate_of(sensor: SensorProcess, name: str) -> str:
    found = interface(sensor, name)
    return "" if found is None else found["xdp"]


def ip(lab: Lab, *words: str) -> None:
    lab.run("gateway", ["ip", *words], check=True)


@pytest.fixture(autouse=True)
def _camera_is_back(lab: Lab) -> Iterator[None]:
    """A test that fails halfway does not take the camera from those after it."""
    yield
    ip(lab, "link", "set", "camera", "master", "br-lan")


@pytest.fixture
def extra(lab: Lab) -> Iterator[str]:
    """A cable whose near end is no port yet."""
    ip(lab, "link", "add", "extra", "type", "veth", "peer", "name", "far")
    ip(lab, "link", "set", "far", "up")
    yield "extra"
    lab.run("gateway", ["ip", "link", "del", "far"])


def another_version(sensor: SensorProcess, folder: Path) -> None:
    """Let the sensor's next start load other programs."""
    subprocess.run(["cp", "-r", str(sensor.launcher.parent), str(folder / "bpf")], check=True)
    with (folder / "bpf" / "gate.c").open("a") as source:
        source.write("\n/* another version */\n")
    sensor.launcher = folder / "bpf" / "hearthwall-sensor"


def has_only(lab: Lab, sensor: SensorProcess, tc: str, xdp: str) -> None:
    """Check that the rule is in force by these ways and that nothing is there by others."""
    assert until(lambda: gate_of(sensor, "camera") == ("off" if xdp == "off" else "native"))
    found = interface(sensor, "camera")
    assert found is not None
    assert found["tc"] == tc
    assert {tc, f"xdp_{xdp}"} <= set(sensor.call("status")["capabilities"])
    links = ({"ingress", "egress"} if tc == "tcx" else set()) | (
        {"gate"} if xdp == "link" else set()
    )
    assert pinned_links(sensor) == links
    gates, *filters = attachments(lab)
    assert (int(gates) > 0) == (xdp != "off")
    assert any("hearthwall" in each or "meter" in each for each in filters) == (tc == "clsact")


def test_every_way_drops_outlives_the_sensor_and_gives_way_to_the_next(
    lab: Lab, idle: SensorProcess, tmp_path: Path
) -> None:
    before = attachments(lab)
    ways = list(itertools.product(TC, XDP))
    idle.start("--tc", ways[-1][0], "--xdp", ways[-1][1]).call("block", CAMERA.mac)
    idle.kill()
    for tc, xdp in ways:
        idle.start("--tc", tc, "--xdp", xdp)
        has_only(lab, idle, tc, xdp)
        dropped = idle.call("status")["dropped"]
        assert not reaches(lab)
        after = idle.call("status")["dropped"]
        assert (after["dropped_gate"] > dropped["dropped_gate"]) == (xdp != "off")
        idle.kill()
        assert not reaches(lab)
    idle.start()
    has_only(lab, idle, "tcx", "link")  # what this kernel has, probed
    idle.call("unblock", CAMERA.mac)
    assert until(lambda: pinned_links(idle) == {"ingress", "egress"})
    assert reaches(lab)
    idle.call("unload")
    assert pins(idle) == set()
    assert attachments(lab) == before


@pytest.mark.parametrize(("tc", "xdp"), [("clsact", "netlink"), ("tcx", "netlink")])
def test_upgrade_and_unload_by_netlink(
    lab: Lab, idle: SensorProcess, tmp_path: Path, tc: str, xdp: str
) -> None:
    before = attachments(lab)
    idle.start("--tc", tc, "--xdp", xdp).call("block", CAMERA.mac)
    has_only(lab, idle, tc, xdp)
    old = xdp_on(lab, "camera")
    idle.kill()
    another_version(idle, tmp_path)
    idle.start("--tc", tc, "--xdp", xdp)
    assert "earlier version were replaced" in idle.log.read_text()
    has_only(lab, idle, tc, xdp)
    assert xdp_on(lab, "camera") not in (0, old)
    assert not reaches(lab)
    idle.kill()
    idle.call("unload")  # without the sensor
    assert pins(idle) == set()
    assert attachments(lab) == before
    assert reaches(lab)


def test_gate_that_was_pushed_off_comes_back(lab: Lab, idle: SensorProcess) -> None:
    """What is set by netlink anyone may replace; nobody is thrown out in turn."""
    idle.start("--xdp", "netlink").call("block", CAMERA.mac)
    assert until(lambda: gate_of(idle, "camera") == "native")
    with foreign(lab, "xdp_native", "camera"):
        assert until(lambda: gate_of(idle, "camera") == "foreign")
        theirs = xdp_on(lab, "camera")
        idle.call("unblock", CAMERA.mac)
        assert until(lambda: gate_of(idle, "tv") == "off")
        assert xdp_on(lab, "camera") == theirs
        idle.call("block", CAMERA.mac)
        assert not reaches(lab)
    assert until(lambda: gate_of(idle, "camera") == "native", 2)


@pytest.mark.parametrize("how", ["tcx", "tc"])
@pytest.mark.parametrize("way", TC)
def test_foreign_tc_programs_are_told_of(lab: Lab, idle: SensorProcess, way: str, how: str) -> None:
    with foreign(lab, how, "camera"):
        idle.start("--tc", way).call("block", CAMERA.mac)
        found = interface(idle, "camera")
        assert found is not None
        (theirs,) = found["foreign"]
        assert re.fullmatch(rf"{how} ingress .*foreign.*", theirs)
        assert not reaches(lab)
        idle.call("unload")
        report = {each["name"]: each["foreign"] for each in idle.call("check")["interfaces"]}
        assert report["camera"] == [theirs]  # still there


def test_filter_that_was_flushed_is_put_back(lab: Lab, idle: SensorProcess) -> None:
    idle.start("--tc", "clsact", "--xdp", "off").call("block", CAMERA.mac)
    assert not reaches(lab)
    lab.run("gateway", ["tc", "qdisc", "del", "dev", "camera", "clsact"], check=True)
    time.sleep(1)
    assert not reaches(lab)


def test_port_that_comes_is_guarded_and_one_that_goes_is_no_error(
    lab: Lab, sensor: SensorProcess
) -> None:
    def guarded() -> set[str]:
        return {each["name"] for each in sensor.call("status")["interfaces"]}

    sensor.call("block", CAMERA.mac)
    lab.run(
        "gateway", ["ip", "link", "add", "extra", "type", "veth", "peer", "name", "far"], check=True
    )
    try:
        assert "extra" not in guarded()
        lab.run("gateway", ["ip", "link", "set", "extra", "master", "br-lan", "up"], check=True)
        assert until(lambda: "extra" in guarded(), 2)
        assert "prog/xdp" in lab.run("gateway", ["ip", "-d", "link", "show", "extra"]).stdout
        lab.run("gateway", ["ip", "link", "set", "extra", "nomaster"], check=True)
        assert until(lambda: "extra" not in guarded(), 2)
        assert "prog/xdp" not in lab.run("gateway", ["ip", "-d", "link", "show", "extra"]).stdout
    finally:
        lab.run("gateway", ["ip", "link", "del", "extra"])
    assert "ERROR" not in sensor.log.read_text()
    os.kill(sensor.pid, signal.SIGCONT)  # still there


def test_port_that_leaves_and_comes_back_leaks_little(lab: Lab, sensor: SensorProcess) -> None:
    sensor.call("block", CAMERA.mac)
    ip(lab, "link", "set", "camera", "nomaster")
    assert until(lambda: not is_guarded(sensor, "camera"))
    assert until(lambda: xdp_on(lab, "camera") == 0)
    leaks = []
    for _ in range(5):
        lab.reset_sink()
        with subprocess.Popen(
            lab.command("send", "--from", "camera", "--rate", "1000", "--seconds", "2"),
            stdout=subprocess.DEVNULL,
        ):
            time.sleep(0.8)
            ip(lab, "link", "set", "camera", "master", "br-lan")
        leaks.append(sum(each["count"] for each in lab.sink()["streams"]))
        assert gate_of(sensor, "camera") == "native"
        ip(lab, "link", "set", "camera", "nomaster")
        assert until(lambda: not is_guarded(sensor, "camera"))
    ip(lab, "link", "set", "camera", "master", "br-lan")
    assert until(lambda: is_guarded(sensor, "camera"))
    print("leaked at 1,000 packets/s:", sorted(leaks))
    assert sorted(leaks)[2] <= 100, leaks
    assert not reaches(lab)
    assert not re.search("ERROR|WARNING", sensor.log.read_text())


def test_port_that_leaves_and_is_back_at_once_leaks_little(lab: Lab, sensor: SensorProcess) -> None:
    """The first change is not what the sensor is still busy with when the second comes."""
    sensor.call("block", CAMERA.mac)
    assert until(lambda: gate_of(sensor, "camera") == "native")
    lab.reset_sink()
    with subprocess.Popen(
        lab.command("send", "--from", "camera", "--rate", "1000", "--seconds", "3"),
        stdout=subprocess.DEVNULL,
    ):
        time.sleep(0.5)
        for pause in (0.005, 0.01, 0.02, 0.04, 0.08):
            ip(lab, "link", "set", "camera", "nomaster")
            time.sleep(pause)
            ip(lab, "link", "set", "camera", "master", "br-lan")
            time.sleep(0.2)
    leaked = sum(each["count"] for each in lab.sink()["streams"])
    print("leaked at 1,000 packets/s, five times:", leaked)
    assert leaked <= 300
    assert not reaches(lab)


def test_port_is_renamed_and_its_index_is_used_again(
    lab: Lab, sensor: SensorProcess, extra: str
) -> None:
    sensor.call("block", CAMERA.mac)
    ip(lab, "link", "set", extra, "master", "br-lan", "up")
    assert until(lambda: gate_of(sensor, extra) == "native", 2)
    index = interface(sensor, extra)["index"]  # type: ignore[index]
    ip(lab, "link", "set", extra, "down")
    ip(lab, "link", "set", extra, "name", "other", "up")
    assert until(lambda: gate_of(sensor, "other") == "native" and not gate_of(sensor, extra), 2)
    # Gone and there again between two looks.
    add = f"link del far\nlink add name again index {index} type veth peer name far\n"
    add += "link set far up\nlink set again master br-lan up\n"
    subprocess.run(
        lab.argv("gateway", ["ip", "-batch", "-"]), input=add, text=True, check=True, timeout=10
    )
    assert until(lambda: gate_of(sensor, "again") == "native", 2)
    assert interface(sensor, "again")["index"] == index  # type: ignore[index]
    assert xdp_on(lab, "again")
    assert "ERROR" not in sensor.log.read_text()


def test_a_hundred_ports_leave_nothing(lab: Lab, sensor: SensorProcess) -> None:
    sensor.call("block", CAMERA.mac)
    assert until(lambda: gate_of(sensor, "camera") == "native")
    descriptors = Path(f"/proc/{sensor.pid}/fd")
    before = len(list(descriptors.iterdir())), len(pins(sensor))
    batch = "".join(
        f"link add name x{i} type veth peer name y{i}\nlink set x{i} master br-lan up\n"
        f"link set y{i} up\n" + (f"link del x{i - 3}\n" if i >= 3 else "")
        for i in range(100)
    )
    batch += "".join(f"link del x{i}\n" for i in (97, 98, 99))
    subprocess.run(
        lab.argv("gateway", ["ip", "-batch", "-"]), input=batch, text=True, check=True, timeout=60
    )
    names = set(DEVICES)
    assert until(
        lambda: {each["name"] for each in sensor.call("status")["interfaces"]} == names, 10
    )
    assert until(lambda: (len(list(descriptors.iterdir())), len(pins(sensor))) == before, 5)
    assert not re.search("ERROR|WARNING|Traceback", sensor.log.read_text())
    assert not reaches(lab)


def test_interface_that_is_missing_is_guarded_when_it_appears(
    lab: Lab, idle: SensorProcess, extra: str
) -> None:
    idle.start("--interface", "late").call("block", CAMERA.mac)
    found = interface(idle, "late")
    assert found is not None
    assert (found["tc"], found["index"]) == ("missing", 0)
    for _ in range(2):  # made, deleted, and made again
        ip(lab, "link", "add", "late", "type", "bridge")
        ip(lab, "link", "set", extra, "master", "late")
        assert until(lambda: gate_of(idle, extra) == "native", 2)
        assert interface(idle, extra)["bridge"] == "late"  # type: ignore[index]
        ip(lab, "link", "del", "late")
        assert until(lambda: interface(idle, "late") is not None, 2)
        assert until(lambda: xdp_on(lab, extra) == 0, 2)


def test_wan_is_judged_by_programs_of_its_own(lab: Lab, idle: SensorProcess) -> None:
    idle.start("--wan", WAN)
    found = interface(idle, WAN)
    assert found is not None
    assert (found["role"], found["tc"], found["bridge"]) == ("wan", "tcx", None)
    assert interface(idle, "camera")["role"] == "lan"  # type: ignore[index]
    assert reaches(lab)
    idle.call("block", WEB.ipv4)
    assert until(lambda: gate_of(idle, WAN) == "native")
    before = idle.call("status")["dropped"]["dropped_wan"]
    gateway = UPSTREAM.addresses(2)[0]
    said = lab.run("internet", ["ping", "-c1", "-W1", "-I", WEB.ipv4, str(gateway)])
    assert said.returncode != 0
    assert idle.call("status")["dropped"]["dropped_wan"] > before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--wan", "br-lan"), "name br-lan: it is either"),
        (("--wan", "tv"), "tv can't be wan and lan at once"),
        (("--wan", "lo"), "lo carries no Ethernet frames"),
    ],
)
def test_wan_is_refused_with_a_sentence(
    idle: SensorProcess, options: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        idle.start(*options)


def test_second_sensor_is_seen_whatever_its_way(
    lab: Lab, idle: SensorProcess, tmp_path_factory: pytest.TempPathFactory
) -> None:
    second = SensorProcess(lab, tmp_path_factory.mktemp("second"))
    for tc, xdp in (("clsact", "netlink"), ("tcx", "link")):
        idle.start("--tc", tc, "--xdp", xdp)
        with pytest.raises(Refused) as refused:
            second.start("--tc", tc)
        assert refused.value.code == "interface_in_use"
        assert idle.socket in refused.value.message
        idle.kill()
    second.clean()


def test_check_tells_the_ways(idle: SensorProcess) -> None:
    parts = {each["name"]: each["detail"] for each in idle.call("check")["parts"]}
    assert (parts["tc"], parts["xdp"]) == ("tcx", "by link")


#: Makes the sensor see a VLAN where this kernel, which has no 802.1Q devices, has a plain cable.
_VLAN = """

_plain = _interface


def _interface(link, addresses, default_route):
    import dataclasses
    found = _plain(link, addresses, default_route)
    if found.name != "extra":
        return found
    parent = socket.if_nametoindex("camera")
    return dataclasses.replace(found, kind="vlan", parent=parent, vlan=10)
"""
#: Sends ten UDP datagrams in a VLAN to the gateway.
_TAGGED = """
import socket, struct, sys
source, target = (bytes.fromhex(each.replace(":", "")) for each in sys.argv[2:4])
ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, bytes([10, 0, 0, 9]), bytes([10, 0, 0, 1]))
tag = struct.pack(">HHH", 0x8100, int(sys.argv[1]), 0x0800)
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
    wire.bind((sys.argv[4], 0))
    for _ in range(10):
        wire.send(target + source + tag + ip + struct.pack(">HHHH", 9, 9, 8, 0) + bytes(18))
"""


def test_vlan_has_its_gate_on_its_parent(
    lab: Lab, idle: SensorProcess, tmp_path: Path, extra: str
) -> None:
    another_version(idle, tmp_path)
    with (tmp_path / "bpf/hearthwall_sensor/network/topology.py").open("a") as source:
        source.write(_VLAN)
    idle.start(interface=extra)
    idle.call("block", CAMERA.mac)
    assert until(lambda: gate_of(idle, extra) == "native")
    assert xdp_on(lab, "camera")
    assert not xdp_on(lab, extra)
    assert pinned_links(idle) == {"ingress", "egress", "gate"}

    def dropped(tag: int) -> int:
        before = idle.call("status")["dropped"]["dropped_gate"]
        words = (str(tag), CAMERA.mac, HOSTS["gateway"].mac, CAMERA.interface)
        lab.run("camera", ["/usr/bin/python3", "-I", "-c", _TAGGED, *words], check=True)
        return int(idle.call("status")["dropped"]["dropped_gate"]) - before

    assert dropped(10) == 10
    assert dropped(11) == 0
    assert reaches(lab)  # what has no tag is not the VLAN's
    idle.call("unblock", CAMERA.mac)
    assert until(lambda: not xdp_on(lab, "camera"))
