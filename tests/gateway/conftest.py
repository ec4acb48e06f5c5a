"""A home, and a sensor on its gateway."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

from lab import Lab
from tests.gateway.sensor_process import SensorProcess


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
