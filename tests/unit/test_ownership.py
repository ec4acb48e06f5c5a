"""Whether a sensor runs whose place in the kernel another one would take over."""

import os
from pathlib import Path

from hearthwall_sensor import files
from hearthwall_sensor.kernel import ownership
from hearthwall_sensor.kernel.pins import Pins


def test_one_that_holds_its_socket_runs_in_whichever_network(tmp_path: Path) -> None:
    sensor = Pins(str(tmp_path / "s.sock"))
    assert not ownership._runs(sensor)
    lock = files.hold(tmp_path / "s.sock.lock")
    assert ownership._runs(sensor)
    os.close(lock)
    assert not ownership._runs(sensor)
