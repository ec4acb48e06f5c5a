"""Scans by nmap and a telnet bot are named, by the device that scans, while the home lives on."""

from collections.abc import Iterator

import pytest

from lab import Lab
from tests.gateway.attack_scene import Scene, scene

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

#: Side by side, each round from devices that do nothing else; the tv does nothing wrong in either.
ROUNDS = (
    ("scan-connect", "scan-syn", "scan-udp", "scan-ipv6", "scan-unhurried"),
    ("sweep-own-segment", "sweep-telnet", "telnet-bot"),
)


@pytest.fixture(scope="module")
def scans(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(lab, tmp_path_factory.mktemp("scans")) as made:
        for names in ROUNDS:
            made.attack(*names)
        yield made


@pytest.mark.parametrize("name", [name for names in ROUNDS for name in names])
def test_a_scan_is_named(scans: Scene, name: str) -> None:
    scans.check(name)


def test_nobody_else_is_blamed(scans: Scene) -> None:
    assert scans.blamed() == []
