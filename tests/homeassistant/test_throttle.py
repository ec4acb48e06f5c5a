"""How often states are written."""

import asyncio

import pytest
from homeassistant.core import HomeAssistant

from custom_components.hearthwall.throttle import Throttle, rate_changed


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, 0.0, True),
        (0.0, 0.0, False),
        (0.0, 0.1, True),
        (0.1, 0.0, True),
        (1000.0, 1099.0, False),
        (1000.0, 1100.0, True),
        (1000.0, 900.0, True),
        (10_000.0, 10_400.0, False),
        (10_000.0, 10_500.0, True),
        (1_000_000.0, 1_049_000.0, False),
        (1_000_000.0, 950_000.0, True),
    ],
)
def test_dead_band(old: float | None, new: float, expected: bool) -> None:
    assert rate_changed(old, new) is expected


class Writer:
    """Counts what a throttle lets through."""

    def __init__(self) -> None:
        self.writes = 0
        self.worth_it = True

    def __call__(self) -> bool:
        self.writes += self.worth_it
        return self.worth_it


async def test_first_at_once_then_one_per_interval(hass: HomeAssistant) -> None:
    writer = Writer()
    throttle = Throttle(hass, lambda: 0.2, writer)
    throttle.call()
    assert writer.writes == 1
    for _ in range(5):
        throttle.call()
    assert writer.writes == 1
    await asyncio.sleep(0.3)
    assert writer.writes == 2
    await asyncio.sleep(0.3)
    assert writer.writes == 2
    throttle.call()
    assert writer.writes == 3


async def test_what_was_not_worth_a_write_delays_nothing(hass: HomeAssistant) -> None:
    writer = Writer()
    throttle = Throttle(hass, lambda: 30, writer)
    writer.worth_it = False
    throttle.call()
    writer.worth_it = True
    throttle.call()
    assert writer.writes == 1


async def test_a_cancelled_throttle_leaves_no_timer(hass: HomeAssistant) -> None:
    writer = Writer()
    throttle = Throttle(hass, lambda: 0.1, writer)
    throttle.call()
    throttle.call()
    throttle.cancel()
    await asyncio.sleep(0.2)
    assert writer.writes == 1


async def test_the_interval_is_asked_for_each_time(hass: HomeAssistant) -> None:
    writer = Writer()
    interval = 30.0
    throttle = Throttle(hass, lambda: interval, writer)
    interval = 0.0
    throttle.call()
    throttle.call()
    assert writer.writes == 2
