"""One gateway for all attempts: none of them may change it."""

import os
from collections.abc import Iterator

import pytest
import pytest_socket

from lab import Lab
from tests.escalation.home import Home


@pytest.fixture(autouse=True)
def _sockets() -> None:
    """Let the tests use sockets: the plugin for Home Assistant guards every connect."""
    pytest_socket._remove_restrictions()


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The gateway, with the sensor running."""
    lab = Lab(f"e{os.getpid()}")
    lab.up()
    try:
        home = Home(lab, tmp_path_factory.mktemp("escalation"))
        try:
            yield home
        finally:
            home.close()
    finally:
        lab.down()


@pytest.fixture(autouse=True)
def _nothing_owned(request: pytest.FixtureRequest) -> Iterator[None]:
    """See after each attempt that root has run nothing of the user's, and that the sensor still runs."""
    yield
    if "home" in request.fixturenames:
        home: Home = request.getfixturevalue("home")
        assert not home.is_owned
        assert home.is_running
