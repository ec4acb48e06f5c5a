"""What only a device's own habits give away: masses of data, a beacon, a burst, a place it never went to."""

from collections.abc import Iterator

import pytest

from lab import Lab
from lab.home import DEVICES
from lab.mmdb import write
from tests.gateway.attack_scene import Scene, scene

pytestmark = [pytest.mark.lab, pytest.mark.timeout(420)]

#: The phone is said to stay at home, and does until it attacks. In 20 s nobody learns how seldom the camera meets
#: something new, so the policy says where its peers are.
POLICY = f"""
[device."{DEVICES["camera"].mac}"]
countries = ["DE"]

[device."{DEVICES["phone"].mac}"]
local = true
"""
ROUND = ("beacon", "exfiltration", "burst", "stranger", "leaving")


@pytest.fixture(scope="module")
def habits(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("habits")
    places = {"203.0.113.0/24": "DE", "2001:db8:ffff::/48": "DE", "192.0.2.0/24": "AQ"}
    records = {network: {"country": {"iso_code": code}} for network, code in places.items()}
    geo = str(write(folder / "places.mmdb", records))
    with scene(lab, folder, "--geo", geo, policy=POLICY, still=("phone",), is_learnt=True) as made:
        # What repeats for as long as was learnt becomes a habit: in a home a week, here 20 s
        made.sensor.call("profile", DEVICES["vacuum"].mac, "--freeze")
        made.attack(*ROUND)
        yield made


@pytest.mark.parametrize("name", ROUND)
def test_what_is_unlike_the_device_is_named(habits: Scene, name: str) -> None:
    habits.check(name)


def test_nobody_is_blamed_for_what_another_does(habits: Scene) -> None:
    assert habits.blamed() == []
