"""DNS tunnels by their own programs, and protocols that no device of a home speaks to the internet, are named."""

from collections.abc import Iterator

import pytest

from lab import Lab
from tests.gateway.attack_scene import Scene, scene

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

ROUNDS = (
    ("iodine", "dns2tcp", "stratum", "monero", "ethereum", "irc"),
    ("tor", "socks", "bittorrent", "telnet"),
    ("smb",),
)


@pytest.fixture(scope="module")
def hidden(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(lab, tmp_path_factory.mktemp("hidden")) as made:
        for names in ROUNDS:
            made.attack(*names)
        yield made


@pytest.mark.parametrize("name", [name for names in ROUNDS for name in names])
def test_what_is_hidden_or_forbidden_is_named(hidden: Scene, name: str) -> None:
    hidden.check(name)


def test_nobody_is_blamed_for_what_another_does(hidden: Scene) -> None:
    assert hidden.blamed() == []
