"""What keeps a sensor from starting, and what it leaves when it goes."""

import grp
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor import capabilities
from hearthwall_sensor.kernel.pins import BPFFS, Pins
from lab import Lab
from lab.home import DEVICES, WEB
from tests.gateway.programs import (
    attachments,
    foreign,
    pinned_links,
    pins,
    qdiscs,
    reaches,
    xdp_on,
)
from tests.gateway.sensor_process import LAUNCHER, Refused, SensorProcess, command, until

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]


def test_unknown_interface(idle: SensorProcess) -> None:
    with pytest.raises(Refused) as refused:
        idle.start(interface="br-nowhere")
    assert refused.value.code == "unknown_interface"
    assert "br-lan" in refused.value.message


@pytest.mark.parametrize("way", ["link", "netlink"])
@pytest.mark.parametrize("how", ["xdp", "xdp_link"])
def test_foreign_xdp_program_is_left_alone(
    lab: Lab, idle: SensorProcess, way: str, how: str
) -> None:
    """tc drops in its place, and when it goes, the gate goes on."""

    def camera() -> Any:
        found = idle.call("status")["interfaces"]
        return next(each for each in found if each["name"] == "camera")

    with foreign(lab, how, "camera"):
        theirs = xdp_on(lab, "camera")
        idle.start("--xdp", way).call("block", CAMERA.mac)
        assert until(lambda: camera()["xdp"] == "foreign")
        assert camera()["foreign"] == [f"xdp {theirs} (foreign)"]
        assert not reaches(lab)
        assert xdp_on(lab, "camera") == theirs
        report = {each["name"]: each["foreign"] for each in idle.call("check")["interfaces"]}
        assert (report["camera"], report["tv"]) == (camera()["foreign"], [])
        time.sleep(2)  # it looks again and again, and says it once
        assert idle.log.read_text().count("camera takes another XDP program") == 1
    assert until(lambda: camera()["xdp"] == "native", 2)
    assert until(lambda: camera()["foreign"] == [], 6)
    assert not reaches(lab)


def test_run_without_root_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            *command("run", "--interface", "lo"),
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if not os.access(LAUNCHER, os.R_OK):
        pytest.fail("the checkout can't be read by others")
    assert done.returncode == 1
    assert "needs root" in done.stderr


def test_no_sensor_no_answer(idle: SensorProcess) -> None:
    with pytest.raises(Refused) as refused:
        idle.call("status")
    assert refused.value.code == "not_running"
    assert "run --interface" in refused.value.message


@pytest.mark.parametrize("way", ["tcx", "clsact"])
def test_both_ways_into_tc_count_and_drop_and_leave_nothing(
    lab: Lab, idle: SensorProcess, way: str
) -> None:
    """tcx is Linux 6.6; older kernels have clsact filters, which no pin keeps."""
    before = attachments(lab), qdiscs(lab)
    sensor = idle.start("--tc", way)
    assert {each["tc"] for each in sensor.call("status")["interfaces"]} == {way}
    lab.run(
        "camera",
        ["curl", "--silent", "--output", "/dev/null", f"http://{WEB.ipv4}/bytes/100000"],
        check=True,
    )
    device = sensor.device(CAMERA.mac)
    assert device is not None
    assert device["download_bytes"] > 100_000
    sensor.call("block", CAMERA.mac)
    sensor.kill()
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode != 0
    sensor.start("--tc", way)
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode != 0
    assert pins(sensor)
    sensor.call("unload")
    assert sensor.process is not None
    assert sensor.process.wait(10) == 3  # says to a supervisor: not again
    assert pins(sensor) == set()
    assert (attachments(lab), qdiscs(lab)) == before
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode == 0


def test_a_qdisc_goes_with_the_filters_unless_it_is_or_was_somebody_elses(
    lab: Lab, idle: SensorProcess
) -> None:
    ports = {"camera", "tv", "plug"}
    for each in ports:  # of somebody else's filters, in other tests
        lab.run("gateway", ["tc", "qdisc", "del", "dev", each, "clsact"])
    lab.run("gateway", ["tc", "qdisc", "add", "dev", "tv", "clsact"], check=True)
    try:
        idle.start("--tc", "clsact")
        assert qdiscs(lab) >= ports
        idle.kill()
        idle.start("--tc", "clsact")  # it is known whose they are, also to the next
        with foreign(lab, "tc", "plug"):
            idle.call("unload")
            assert until(lambda: qdiscs(lab) & ports == {"tv", "plug"})
    finally:
        for each in ("tv", "plug"):
            lab.run("gateway", ["tc", "qdisc", "del", "dev", each, "clsact"])


def test_another_way_or_fewer_interfaces_leave_nothing_of_before(
    lab: Lab, idle: SensorProcess
) -> None:
    before, hung = attachments(lab), qdiscs(lab)
    idle.start("--tc", "clsact").call("block", CAMERA.mac)
    idle.kill()
    idle.start("--tc", "tcx", interface="tv")
    assert [each["name"] for each in idle.call("status")["interfaces"]] == ["tv"]
    idle.call("unblock", CAMERA.mac)
    assert attachments(lab) == before  # no filter of clsact is left, and tcx is not among filters
    assert qdiscs(lab) == hung
    assert pinned_links(idle) == {"ingress", "egress"}
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode == 0


def test_a_file_in_the_sockets_place_is_left_alone(idle: SensorProcess) -> None:
    Path(idle.socket).write_text("precious")
    with pytest.raises(Refused) as refused:
        idle.start()
    assert refused.value.code == "storage_failed"
    assert Path(idle.socket).read_text() == "precious"
    Path(idle.socket).unlink()


def test_a_state_folder_that_others_may_change_is_refused(idle: SensorProcess) -> None:
    idle.state.mkdir(mode=0o777)
    idle.state.chmod(0o777)
    with pytest.raises(Refused) as refused:
        idle.start()
    assert refused.value.code == "unsafe_files"


def test_unload_works_without_the_sensor(lab: Lab, sensor: SensorProcess) -> None:
    sensor.call("block", CAMERA.mac)
    sensor.kill()
    (done,) = sensor.call("unload")
    assert (done["found"], done["rules_kept"]) == (True, str(sensor.state / "rules.json"))
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode == 0
    sensor.start()  # the rules are on disk, and unload without --forget leaves them there
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode != 0
    sensor.kill()
    sensor.call("unload", "--forget")
    sensor.start()
    assert sensor.call("blocks") == []


def test_the_other_interfaces_stay_guarded_when_one_goes(lab: Lab, idle: SensorProcess) -> None:
    lab.run("gateway", ["ip", "link", "add", "second", "type", "bridge"], check=True)
    idle.start("--interface", "second").call("block", CAMERA.mac)
    lab.run("gateway", ["ip", "link", "del", "second"], check=True)
    time.sleep(0.5)
    assert "camera" in {each["name"] for each in idle.call("status")["interfaces"]}
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode != 0


def test_group_may_talk(lab: Lab, idle: SensorProcess) -> None:
    idle.start("--group", "nogroup")
    said = Path(idle.socket).stat()
    assert (said.st_mode & 0o777, said.st_gid) == (0o660, grp.getgrnam("nogroup").gr_gid)
    assert idle.call("status")["pid"] == idle.pid


def test_half_of_an_unload_can_be_finished(lab: Lab, sensor: SensorProcess) -> None:
    sensor.call("block", CAMERA.mac)
    assert until(lambda: sensor.call("status")["interfaces"][0]["xdp"] == "native")
    sensor.kill()
    (generation,) = Pins(sensor.socket).generations()
    (generation / "whole").unlink()
    (generation / "meter_ingress").unlink()
    (generation / "gate").unlink()
    sensor.start()  # takes what is left for nothing, and loads anew
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode != 0
    sensor.kill()
    (generation / "gate").unlink()
    sensor.call("unload")
    assert pins(sensor) == set()


def test_a_start_that_was_killed_does_not_stand_in_the_way(idle: SensorProcess) -> None:
    for delay in (0.3, 0.6, 0.9, 1.2):
        line = command(
            "run", "--interface", "br-lan", "--socket", idle.socket, "--state-dir", str(idle.state)
        )
        with subprocess.Popen(idle.lab.argv("gateway", line), stderr=subprocess.DEVNULL) as early:
            time.sleep(delay)
            early.kill()
        idle.start()
        idle.kill()
        idle.call("unload")


def test_socket_path_that_is_too_long_is_refused_before_anything_is_loaded(
    lab: Lab, idle: SensorProcess, tmp_path: Path
) -> None:
    idle.socket = str(tmp_path / ("x" * 120))
    with pytest.raises(Refused) as refused:
        idle.start()
    assert refused.value.code == "storage_failed"
    assert "too long" in refused.value.message
    assert pins(idle) == set()


def test_unload_says_what_is_still_in_force(sensor: SensorProcess, tmp_path: Path) -> None:
    """Whoever is cut off and names the wrong socket must not be told that all is well."""
    (done,) = sensor.call("unload", "--socket", str(tmp_path / "another.sock"))
    assert done["found"] is False
    assert sensor.socket in done["others"]
    line = command("unload")
    said = subprocess.run(line, capture_output=True, text=True, timeout=20, check=False)
    assert said.returncode == 1
    assert sensor.socket in said.stderr
    assert "--all" in said.stderr
    assert sensor.call("status")["pid"] == sensor.pid


def test_rules_come_back_after_a_reboot(lab: Lab, sensor: SensorProcess) -> None:
    """A reboot empties the kernel and gives it another boot id; the file is all there is."""
    sensor.call("block", CAMERA.mac, "--duration", "1h", "--reason", "kept")
    ends = sensor.call("blocks")[0]["expires"]
    sensor.kill()
    sensor.call("unload")
    path = sensor.state / "rules.json"
    kept = json.loads(path.read_text())
    kept["boot_id"] = "another"
    kept["saved_since_boot"] += 500_000_000_000
    for rule in kept["rules"]:
        rule["expires"] += 500_000_000_000
    path.write_text(json.dumps(kept))
    sensor.start()
    (block,) = sensor.call("blocks")
    assert (block["reason"], block["mode"]) == ("kept", "isolate")
    assert block["expires"] == pytest.approx(ends, abs=2)
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode != 0


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b'{"rules": 5}',
        b"\xff\xfe",
        b'{"format": 1, "next_id": 2, "rules": [{"target": 5}]}',
        b'{"format": 1, "next_id": 1e999, "rules": []}',
        b'{"format": 1000, "next_id": 2, "rules": []}',
    ],
)
def test_damaged_rules_are_set_aside_and_the_last_good_ones_used(
    sensor: SensorProcess, damage: bytes
) -> None:
    sensor.call("block", CAMERA.mac)
    sensor.call("block", DEVICES["tv"].mac)
    sensor.kill()
    (sensor.state / "rules.json").write_bytes(damage)
    sensor.start()
    assert [each["target"] for each in sensor.call("blocks")] == [CAMERA.mac]
    assert (sensor.state / "rules.json.damaged").read_bytes() == damage
    assert "set aside" in sensor.log.read_text()


def test_state_that_cannot_be_written_refuses_the_order(lab: Lab, sensor: SensorProcess) -> None:
    sensor.state.rename(sensor.state.with_name("elsewhere"))
    with pytest.raises(Refused) as refused:
        sensor.call("block", CAMERA.mac)
    assert refused.value.code == "storage_failed"
    assert sensor.call("blocks") == []
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode == 0


def test_supervised_sensor_ends_with_its_supervisor(lab: Lab, sensor: SensorProcess) -> None:
    sensor.call("block", CAMERA.mac)
    assert sensor.process is not None
    assert sensor.process.stdin is not None
    sensor.process.stdin.close()
    assert sensor.process.wait(10) == 0
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode != 0  # the kernel goes on


def test_sensor_keeps_few_capabilities_and_no_llvm(sensor: SensorProcess) -> None:
    said = Path(f"/proc/{sensor.pid}/status").read_text()
    held = {
        line.split(":")[0]: int(line.split()[1], 16)
        for line in said.splitlines()
        if line.startswith("Cap")
    }
    needed = 1 << 12 | 1 << 38 | 1 << 39  # net_admin, perfmon, bpf
    assert held["CapPrm"] == held["CapEff"] == held["CapBnd"] == needed
    assert "NoNewPrivs:\t1" in said
    maps = Path(f"/proc/{sensor.pid}/maps").read_text()
    assert "libbpf" in maps
    assert "LLVM" not in maps
    assert "libbcc" not in maps


def test_check_reports_what_this_host_can_do(lab: Lab, idle: SensorProcess) -> None:
    report = idle.call("check")
    assert report["ok"] is True
    parts = {each["name"]: each for each in report["parts"]}
    assert parts["kernel programs"]["ok"]
    assert report["headers"] == "not needed"
    interfaces = {each["name"]: each for each in report["interfaces"]}
    assert interfaces["br-lan"]["proposed"]
    assert interfaces["br-lan"]["kind"] == "bridge"
    assert interfaces["camera"]["bridge"] == "br-lan"
    assert interfaces["camera"]["xdp"] == "native"
    assert interfaces["wan"]["default_route"]


def test_check_says_what_is_missing_and_how_to_get_it() -> None:
    done = subprocess.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            *command("check", "--json"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    report = json.loads(done.stdout)
    root = next(each for each in report["parts"] if each["name"] == "root")
    assert (report["ok"], root["ok"]) == (False, False)
    assert "sudo" in root["fix"]
    assert root["lost"]
    assert {each["name"] for each in report["parts"] if not each["known"]} >= {"tc", "bpffs"}


def test_what_check_proposes_mounts_bpffs_for_root_only() -> None:
    part = next(each for each in capabilities.PARTS if each.name == "bpffs")
    proposed = part.fix.partition(";")[0]
    looks = f"umount --lazy {BPFFS}; {proposed} && stat --file-system -c %T {BPFFS} && stat -c %A {BPFFS}"
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", looks],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.split() == ["bpf_fs", "drwx-----T"]


def test_programs_need_no_headers_of_the_kernel(tmp_path: Path) -> None:
    """strace is not needed to see it: the loader finds everything below bpf/ with no other headers on the system."""
    include = LAUNCHER.parent / "include"
    assert sum(each.stat().st_size for each in include.rglob("*.h")) < 10_000
    hidden = subprocess.run(
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            'mount -t tmpfs none /usr/include; [ ! -d /lib/modules ] || mount -t tmpfs none /lib/modules; exec "$@"',
            "sh",
            *command("load", "--anew", "--json"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert json.loads(hidden.stdout)["from_cache"] is False
