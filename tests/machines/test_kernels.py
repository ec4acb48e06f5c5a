"""Debian 12 and 13 with their own kernels, 6.1 and 6.12, and their own systemd: what it makes of the unit."""

import pytest

from lab.home import DEVICES
from tests.machines.gateway import UNIT, UPGRADING, Gateway

pytestmark = [pytest.mark.kernels, pytest.mark.timeout(1200)]

CAMERA = DEVICES["camera"].mac
#: tcx is Linux 6.6.
EXPECTED = {"bookworm": ("6.1.", "clsact"), "trixie": ("6.12.", "tcx")}


@pytest.fixture
def blocked(gateway: Gateway) -> None:
    """The camera is cut off, and the TV is not."""
    gateway.answer("block", CAMERA)
    assert not gateway.reaches("camera")
    assert gateway.reaches("tv")


def test_the_unit_comes_up_on_this_kernel(release: str, gateway: Gateway) -> None:
    kernel, way = EXPECTED[release]
    assert gateway.machine.say("uname -r").startswith(kernel)
    assert "Started the sensor" in gateway.told[0]
    assert gateway.property("Type") == "notify"
    assert gateway.property("ActiveState") == "active"
    assert gateway.property("UnitFileState") == "enabled"
    assert gateway.answer("check")["ok"]
    status = gateway.answer("status")
    assert {each["tc"] for each in status["interfaces"]} == {way}
    assert {each["name"] for each in status["interfaces"]} == {"camera", "tv"}
    assert gateway.reaches("camera")
    assert gateway.machine.until(f"hearthwall-sensor devices | grep -q {CAMERA}")


def test_stopping_and_starting_leaves_the_block_in_force(gateway: Gateway, blocked: None) -> None:
    gateway.machine.run("systemctl", "stop", UNIT)
    assert gateway.property("ActiveState") == "inactive"
    assert not gateway.reaches("camera")
    assert gateway.reaches("tv")
    gateway.machine.run("systemctl", "start", UNIT)
    assert not gateway.reaches("camera")
    gateway.answer("unblock", CAMERA)
    assert gateway.reaches("camera")


def test_a_sensor_that_hangs_is_started_anew(gateway: Gateway, blocked: None) -> None:
    before, restarts = gateway.property("MainPID"), int(gateway.property("NRestarts"))
    gateway.machine.run("kill", "-STOP", before)
    assert gateway.machine.until(
        f'test "$(systemctl show --value -p NRestarts {UNIT})" -gt {restarts}', 90
    )
    assert not gateway.reaches("camera")
    assert gateway.is_up()
    assert gateway.property("MainPID") != before
    assert "watchdog" in gateway.machine.say(f"journalctl --unit {UNIT}").lower()
    gateway.answer("unblock", CAMERA)
    assert gateway.reaches("camera")


def test_it_is_there_before_the_network_after_a_restart(gateway: Gateway, blocked: None) -> None:
    gateway.machine.restart()
    assert gateway.is_up()
    times = [
        int(gateway.property("ActiveEnterTimestampMonotonic", each))
        for each in (UNIT, "network-pre.target", "tests-home.service")
    ]
    assert 0 < times[0] <= times[1] <= times[2], times
    assert gateway.machine.until("hearthwall-sensor status --json | grep -q '\"camera\"'")
    assert not gateway.reaches("camera")
    assert gateway.reaches("tv")
    gateway.answer("unblock", CAMERA)
    assert gateway.reaches("camera")


def test_an_upgrade_lets_no_packet_through_and_uninstalling_leaves_nothing(
    gateway: Gateway,
) -> None:
    gateway.start_sink()
    gateway.start_stream(200)
    assert gateway.sunk() > 100
    gateway.answer("block", CAMERA)
    gateway.start_sink()
    gateway.offer("1.1.0")
    for each in UPGRADING[:-1]:
        gateway.type(each)
    gateway.machine.say("echo '/* another version */' >> /home/alice/hearthwall/bpf/gate.c")
    assert "1.1.0" in gateway.type(UPGRADING[-1])
    assert gateway.is_up()
    assert gateway.answer("status")["version"] == "1.1.0"
    assert gateway.sunk() == 0
    (block,) = gateway.answer("blocks")
    assert block["packets"] > 200
    gateway.answer("unblock", CAMERA)
    gateway.stop_stream()

    assert "Uninstalled." in gateway.machine.say("sudo hearthwall-sensor uninstall")
    gateway.machine.say("rm -rf /home/alice/hearthwall /home/alice/hearthwall.zip")
    left = set(gateway.footprint()) - set(gateway.before)
    assert left == set(), left
    assert gateway.property("LoadState") == "not-found"
