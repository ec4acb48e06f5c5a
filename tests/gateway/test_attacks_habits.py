"""What only a device's own habits give away: masses of data, a beacon, a burst, a place it never went to."""

from collections.abc import Iterator

import pytest

from lab import Lab
from lab.home import DEVICES
from tests.gateway.attack_scene import Scene, scene

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

#: The phone is said to stay at home, and does until it attacks.
POLICY = f"""
[device."{DEVICES["phone"].mac}"]
local = true
"""
ROUND = ("beacon", "exfiltration", "burst", "stranger", "leaving")


@pytest.fixture(scope="module")
def habits(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(lab, tmp_path_factory.mktemp("habits"), policy=POLICY, still=("phone",)) as made:
        # What repeats for as long as was learnt becomes a habit: in a home a week, here 20 s
        made.sensor.call("profile", DEVICES["vacuum"].mac, "--freeze")
        made.attack(*ROUND)
        yield made


@pytest.mark.parametrize("name", ROUND)
def test_what_is_unlike_the_device_is_named(habits: Scene, name: str) -> None:
    habits.check(name)


def test_nobody_is_blamed_for_what_another_does(habits: Scene) -> None:
    assert habits.blamed() == []
