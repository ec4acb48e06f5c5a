"""What only those are told for whom no Home Assistant was there: by a clock, and by real clients that come and go."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_socket

from hearthwall_sensor.client import Client, unix_session
from hearthwall_sensor.protocol import HOME_ASSISTANT, Event
from hearthwall_sensor.sinks import delivery
from hearthwall_sensor.sinks.delivery import Delivery
from hearthwall_sensor.sinks.ledger import Account, Ledger
from hearthwall_sensor.sinks.presence import GRACE, LOOK, Presence
from tests.unit.household import Household, Serving
from tests.unit.receivers import event
from tests.unit.test_sinks import Past, Receiver, named


class Clock:
    """A clock that stands still but when somebody waits."""

    def __init__(self) -> None:
        self.now = 10_000.0

    def __call__(self) -> float:
        return self.now


def presence(clock: Clock, times: Any = ()) -> Presence:
    return Presence(times, clock=clock, steady=clock)


def was_alone(one: Presence, clock: Clock, happened: Any) -> bool:
    """Wait until it is known whether none was there, and return it."""
    clock.now += one.left(happened, clock.now)
    return one.was_alone(happened)


def looked(one: Presence, clock: Clock, found: str, every: float = 5.0) -> None:
    """Look again and again; a 1 finds one, a 0 none."""
    for each in found:
        one.note(int(each))
        clock.now += every


def at(clock: Clock, ago: float) -> Any:
    return event(time=clock.now - ago)


async def test_what_happens_while_one_is_there_is_its_own_business() -> None:
    clock = Clock()
    one = presence(clock)
    looked(one, clock, "1" * 40)
    assert not was_alone(one, clock, at(clock, 150))


async def test_what_happens_while_none_is_there_is_told() -> None:
    clock = Clock()
    one = presence(clock)
    looked(one, clock, "1" * 20 + "0" * 40)
    assert was_alone(one, clock, at(clock, 100))


async def test_nothing_is_known_at_first_so_it_is_told() -> None:
    clock = Clock()
    began = clock.now
    assert was_alone(presence(clock), clock, event(time=began))
    assert clock.now == began + GRACE + LOOK, "a minute later, when it is known who is there"


async def test_one_that_only_restarts_catches_up_by_itself() -> None:
    clock = Clock()
    one = presence(clock)
    looked(one, clock, "1" * 10 + "0" * 6)
    happened = event(time=clock.now - 15)
    looked(one, clock, "1" * 20)
    assert not was_alone(one, clock, happened)


async def test_one_that_dies_just_after_has_perhaps_told_nobody() -> None:
    clock = Clock()
    one = presence(clock)
    looked(one, clock, "1" * 10)
    happened = event(time=clock.now)
    looked(one, clock, "1" * 4 + "0" * 20)
    assert was_alone(one, clock, happened)


async def test_it_is_remembered_for_what_is_delivered_late(tmp_path: Path) -> None:
    clock = Clock()
    one = presence(clock)
    looked(one, clock, "0" * 40)
    before = event(time=clock.now - 150)
    looked(one, clock, "1" * 40 + "0" * 40)
    during = event(time=clock.now - 350)
    ledger = Ledger.read(tmp_path)
    ledger.presence = one
    await ledger.write()
    kept = presence(clock, Ledger.read(tmp_path).presence.kept)
    assert was_alone(kept, clock, before)
    assert not was_alone(kept, clock, during)
    assert was_alone(kept, clock, event(time=clock.now - 150))


async def test_a_presence_that_goes_on_is_not_written_each_second(tmp_path: Path) -> None:
    clock = Clock()
    one = presence(clock)
    kept = set()
    for _ in range(120):
        looked(one, clock, "1")
        kept.add(str(one.kept))
    assert len(kept) <= 4


def test_a_clock_that_was_set_back_holds_nothing_for_long() -> None:
    clock, elapsed = Clock(), Clock()
    one = Presence(clock=clock, steady=elapsed)
    read = elapsed.now
    for seq in range(100):
        elapsed.now += one.left(event(seq, time=clock.now + 1e9), read)
    assert elapsed.now - read == GRACE + LOOK, "all of them together"


# A clock that is set

AHEAD = 4 * 365 * 86_400.0


class Home:
    """A gateway that looks every five seconds, by a clock that somebody sets."""

    def __init__(self, times: Any = ()) -> None:
        self.clock, self.steady = Clock(), Clock()
        self.presence = Presence(times, clock=self.clock, steady=self.steady)

    def looked(self, found: str) -> None:
        for each in found:
            self.presence.note(int(each))
            self.clock.now += 5
            self.steady.now += 5

    def was_alone(self) -> bool:
        """Return whether nobody was there for what has just become known."""
        return self.presence.was_alone(at(self.clock, GRACE + LOOK))


def test_a_clock_that_ran_ahead_while_one_left_silences_nothing_later() -> None:
    home = Home()
    home.looked("1" * 30)
    home.clock.now += AHEAD
    home.looked("1100")
    home.clock.now -= AHEAD
    home.looked("0" * 30)
    assert home.was_alone()
    home.clock.now += AHEAD
    home.looked("0")
    assert home.was_alone(), "when that time has come"


def test_one_that_came_while_the_clock_was_ahead_is_there_all_the_same() -> None:
    home = Home()
    home.clock.now += 9 * 3600  # local time in a clock that is UTC's, before NTP
    home.looked("1" * 10)
    home.clock.now -= 9 * 3600
    home.looked("1" * 30)
    assert not home.was_alone()


def test_nobody_was_there_in_the_time_that_a_clock_skipped() -> None:
    home = Home()
    before = event(time=home.clock.now)  # it waits since before the gateway lost its power
    home.clock.now -= AHEAD  # no battery keeps its clock
    home.looked("1" * 10)
    home.clock.now += AHEAD + 600
    home.looked("1" * 30)
    assert home.presence.was_alone(before)
    assert not home.was_alone()


def test_what_a_clock_noted_that_was_ahead_is_not_remembered() -> None:
    home = Home()
    home.clock.now += AHEAD
    home.looked("1" * 30 + "0")
    again = Home(home.presence.kept)
    again.looked("0" * 30)
    again.clock.now += AHEAD
    assert again.was_alone()


async def test_each_is_told_as_soon_as_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest of a page does not wait for the newest."""
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.now += max(seconds, 0)

    began = clock.now - GRACE - LOOK
    past = Past([event(seq, time=began + seq * 10) for seq in (0, 1, 5)])
    told: list[tuple[int, float]] = []

    class Noting(Receiver):
        async def send(self, events: Sequence[Event]) -> None:
            told.extend((each.seq, clock.now - began) for each in events)

    past.events = [replace(each, seq=number) for number, each in enumerate(past.events, 1)]
    account = Account(0)
    one = Delivery(named(), Noting(), account, past.journal(presence(clock)))
    monkeypatch.setattr(delivery.asyncio, "sleep", sleep)
    task = asyncio.ensure_future(one.run())
    async with asyncio.timeout(5):
        while account.cursor < 3:
            await asyncio.wait((task,), timeout=0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert told == [(1, 80.0), (2, 90.0), (3, 130.0)]


async def test_a_sensor_counts_those_that_name_themselves_and_follow(tmp_path: Path) -> None:
    pytest_socket._remove_restrictions()
    serving = Serving(tmp_path / "s.sock", Household()).start()
    try:
        async with unix_session(str(tmp_path / "s.sock")) as session:
            server = serving.server
            one, other, forwarder = (
                Client(session, name=name) for name in (HOME_ASSISTANT, HOME_ASSISTANT, "forwarder")
            )
            counts = []
            for each in (one, other, forwarder):
                await each.connect()
            counts.append(server.home_assistants)
            for each in (one, other, forwarder):
                await each.subscribe(lambda _: None)
            counts.append(server.home_assistants)
            await one.close()
            await other.close()
            for _ in range(100):
                if server.home_assistants == 0:
                    break
                await asyncio.sleep(0.02)
            counts.append(server.home_assistants)
            await forwarder.close()
        assert counts == [0, 2, 0]
    finally:
        await asyncio.to_thread(serving.stop)
