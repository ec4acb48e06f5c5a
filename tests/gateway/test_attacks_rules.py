"""What needs no learning is named while the home lives on: scans, floods, tunnels, forbidden protocols, rogues."""

import time
from collections.abc import Iterator

import pytest

from lab import Lab
from lab.home import DEVICES
from tests.gateway.attack_scene import Scene, scene

pytestmark = [pytest.mark.lab, pytest.mark.timeout(420)]

#: It takes the phone a minute, in which the others do their worst: side by side, each something else.
SLOW = "scan-unhurried"
MEANWHILE = (
    ("scan-connect", "scan-syn", "scan-udp", "scan-ipv6"),
    ("sweep-own-segment", "telnet-bot"),
    ("arpspoof", "second-router", "spoofed-source"),
    ("iodine", "stratum", "monero", "ethereum", "irc"),
    ("tor", "bittorrent", "telnet"),
    ("second-dhcp", "sweep"),
)
AFTERWARDS = (
    ("smb", "sweep-telnet"),
    ("dns2tcp",),
    ("socks",),
    ("flood-syn",),
    ("flood-udp", "flood-icmp"),
)
NAMES = (*(name for names in (*MEANWHILE, *AFTERWARDS) for name in names), SLOW)
#: A burst of connections waits so long for what says more, in seconds.
LATE = 16.0


@pytest.fixture(scope="module")
def home(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(lab, tmp_path_factory.mktemp("home")) as made:
        made.start(SLOW)
        for names in MEANWHILE:
            made.attack(*names)
        made.finish(SLOW)
        for names in AFTERWARDS:
            made.attack(*names)
        time.sleep(LATE)
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_what_needs_no_learning_is_named(home: Scene, name: str) -> None:
    home.check(name)


def test_a_claim_of_the_gateways_address_weighs_most(home: Scene) -> None:
    event = home.named("arpspoof")[0].event
    assert event["severity"] in ("high", "critical")
    assert DEVICES["plug"].mac in str(event)


def test_a_second_server_beside_the_gateways_weighs_much(home: Scene) -> None:
    for name in ("second-dhcp", "second-router"):
        assert home.named(name)[0].event["severity"] == "high"


def test_one_attack_is_one_event_and_nobody_is_blamed_for_what_another_does(home: Scene) -> None:
    assert home.blamed() == []
