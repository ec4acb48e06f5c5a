"""A home, and a sensor on its gateway."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

from lab import Lab
from tests.gateway.cgroup import compiled
from tests.gateway.meter import Meter
from tests.gateway.reaching import start_on_both_sides
from tests.gateway.sensor_process import SensorProcess
from tests.gateway.talking import TALKER
from tests.gateway.unattached import Programs, loaded


@pytest.fixture(autouse=True)
def _sockets() -> None:
    """Let the tests talk to the sensor: the plugin for Home Assistant guards every connect."""
    pytest_socket._remove_restrictions()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab that stands, shared by a file's tests."""
    lab = Lab(f"g{os.getpid()}")
    lab.up()
    yield lab
    lab.down()


@pytest.fixture
def idle(lab: Lab, tmp_path: Path) -> Iterator[SensorProcess]:
    """A sensor that is not started yet."""
    sensor = SensorProcess(lab, tmp_path)
    yield sensor
    sensor.clean()


@pytest.fixture
def sensor(idle: SensorProcess) -> SensorProcess:
    """A sensor that guards the home's bridge."""
    return idle.start()


@pytest.fixture(scope="module")
def both_sides(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SensorProcess]:
    """One sensor for all of a file's tests, on both sides of the gateway."""
    sensor = SensorProcess(lab, tmp_path_factory.mktemp("both"))
    start_on_both_sides(sensor)
    yield sensor
    sensor.clean()


@pytest.fixture
def ruled(both_sides: SensorProcess) -> Iterator[SensorProcess]:
    """That sensor, without a rule before and after."""
    assert both_sides.call("blocks") == []
    yield both_sides
    for block in both_sides.call("blocks"):
        both_sides.call("unblock", str(block["id"]))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """The kernel programs, attached to nothing, shared by a file's tests."""
    with loaded(tmp_path_factory.mktemp("programs")) as programs:
        yield programs


@pytest.fixture
def meter(programs: Programs) -> Iterator[Meter]:
    """The meter's programs with an empty table of flows."""
    meter = Meter(programs)
    yield meter
    meter.close()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that talks."""
    return compiled(TALKER, tmp_path_factory.mktemp("talker") / "talker")
