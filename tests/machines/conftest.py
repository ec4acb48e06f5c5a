"""A machine of each release, on which the sensor was installed as the README says."""

import io
import tarfile
from collections.abc import Iterator

import pytest

from tests.machines.gateway import Gateway
from tests.machines.machine import Machine
from tests.rootfs.made import RELEASES, REPOSITORY, made


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """A release of Debian."""
    return str(request.param)


@pytest.fixture(scope="module")
def machine(release: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Its machine, started."""
    with Machine(made("machine", release), tmp_path_factory.mktemp(release)) as machine:
        machine.write("/lab.tar", _lab())
        machine.say("tar -xf /lab.tar -C /opt && rm /lab.tar")
        yield machine


def _lab() -> bytes:
    """Pack what sends and counts numbered packets, with all that it imports."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for each in (REPOSITORY / "lab").rglob("*.py"):
            archive.add(each, each.relative_to(REPOSITORY))
    return packed.getvalue()


@pytest.fixture(scope="module")
def gateway(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """The sensor, installed."""
    gateway = Gateway(machine, tmp_path_factory.mktemp("zips"))
    gateway.install()
    return gateway
