"""Puts the habits of all devices together, day by day, in order of time."""

from collections.abc import Iterator

from lab.week import gadgets, people
from lab.week.gadgets import Habit
from lab.week.household import ROUTER
from lab.week.life import DAY, Day, Life
from lab.week.wire import Record


def records(life: Life, days: int) -> Iterator[list[Record]]:
    """Yield each day's packets in order; what was put into the life's air before goes with its day."""
    habits = [*gadgets.HABITS, *people.HABITS]
    habits += [people.guests(name) for name in life.devices if name.startswith("guest")]
    habits += [
        Habit(name, "announce", gadgets.announce) for name in life.devices if name != ROUTER.name
    ]
    for number in range(days):
        day = Day(number)
        for device, name, live in habits:
            live(life, life.devices[device], day, life.chance(device, name, number))
        yield life.air.take_until(day.start + DAY)
