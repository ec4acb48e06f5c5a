"""A Debian of each release, on the gateway of a lab."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

from lab import Lab
from tests.rootfs.made import RELEASES, made
from tests.rootfs.system import System


@pytest.fixture(autouse=True)
def _sockets() -> None:
    """Let the tests use sockets: the plugin for Home Assistant guards every connect."""
    pytest_socket._remove_restrictions()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab that stands, shared by a file's tests."""
    lab = Lab(f"r{os.getpid()}")
    lab.up()
    yield lab
    lab.down()


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """A release of Debian."""
    return str(request.param)


@pytest.fixture(scope="module")
def tree(release: str) -> Path:
    """Its root file system, which the tests only read."""
    return made(release)


@pytest.fixture
def system(tree: Path, lab: Lab, tmp_path: Path) -> Iterator[System]:
    """That system, with nothing done to it yet."""
    with System(tree, tmp_path, lab) as system:
        yield system
