"""Who claims another's address, hands out addresses, routes, floods or sends under a false address is named."""

from collections.abc import Iterator

import pytest

from lab import Lab
from lab.home import DEVICES
from tests.gateway.attack_scene import Scene, scene

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

ROUNDS = (
    ("arpspoof", "second-router", "spoofed-source"),
    ("second-dhcp", "sweep"),
    ("flood-syn",),
    ("flood-udp", "flood-icmp"),
)


@pytest.fixture(scope="module")
def network(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(lab, tmp_path_factory.mktemp("network")) as made:
        for names in ROUNDS:
            made.attack(*names)
        yield made


@pytest.mark.parametrize("name", [name for names in ROUNDS for name in names])
def test_what_harms_the_network_is_named(network: Scene, name: str) -> None:
    network.check(name)


def test_a_claim_of_the_gateways_address_weighs_most(network: Scene) -> None:
    event = network.named("arpspoof")[0].event
    assert event["severity"] in ("high", "critical")
    assert DEVICES["plug"].mac in str(event)


def test_a_second_server_beside_the_gateways_weighs_much(network: Scene) -> None:
    for name in ("second-dhcp", "second-router"):
        assert network.named(name)[0].event["severity"] == "high"


def test_nobody_is_blamed_for_what_another_does(network: Scene) -> None:
    assert network.blamed() == []
