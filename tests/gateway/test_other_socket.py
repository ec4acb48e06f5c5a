"""A sensor whose settings name another socket than before: what it has left in the kernel is its own all the same."""

from pathlib import Path

import pytest

from hearthwall_sensor.kernel.pins import Pins
from lab import Lab
from lab.home import DEVICES, WEB
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]


def test_what_was_left_by_way_of_another_socket_is_taken_over(
    lab: Lab, sensor: SensorProcess, tmp_path: Path
) -> None:
    rule = sensor.call("block", CAMERA.mac)["id"]
    assert until(lambda: sensor.call("status")["interfaces"][0]["xdp"] == "native")
    sensor.stop()
    former, sensor.socket = Pins(sensor.socket), str(tmp_path / "other.sock")
    sensor.start()
    assert not former.path.exists()
    assert [each["id"] for each in sensor.call("blocks")] == [rule]
    assert lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode != 0
    assert f"by way of {former.socket}, and is now known by {sensor.socket}" in (
        sensor.log.read_text()
    )


@pytest.mark.parametrize("is_hidden", [False, True])
def test_what_guards_for_a_sensor_that_runs_stays_its_own(
    lab: Lab, sensor: SensorProcess, tmp_path: Path, is_hidden: bool
) -> None:
    """As one that somebody starts by hand beside the service, with the usual state folder."""
    (tmp_path / "second").mkdir()
    second = SensorProcess(lab, tmp_path / "second")
    second.state = sensor.state
    if is_hidden:
        Path(f"{sensor.socket}.lock").unlink()
    with pytest.raises(Refused) as refused:
        second.start()
    assert refused.value.code == "interface_in_use"
    assert Pins(sensor.socket).path.exists()
    assert sensor.call("status")["pid"] == sensor.pid
