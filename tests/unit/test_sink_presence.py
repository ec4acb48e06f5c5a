"""What only those are told for whom no Home Assistant was there: by a clock, and by real clients that come and go."""

import asyncio
from pathlib import Path
from typing import Any

import pytest_socket

from hearthwall_sensor.client import Client, unix_session
from hearthwall_sensor.protocol import HOME_ASSISTANT
from hearthwall_sensor.sinks.ledger import Ledger
from hearthwall_sensor.sinks.presence import GRACE, LOOK, Presence
from tests.unit.household import Household, Serving
from tests.unit.receivers import event


class Clock:
    """A clock that stands still but when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 10_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def presence(clock: Clock, times: Any = ()) -> Presence:
    return Presence(times, clock=clock, sleep=clock.sleep)


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
    assert not await one.was_alone(at(clock, 150))


async def test_what_happens_while_none_is_there_is_told() -> None:
    clock = Clock()
    one = presence(clock)
    looked(one, clock, "1" * 20 + "0" * 40)
    assert await one.was_alone(at(clock, 100))


async def test_nothing_is_known_at_first_so_it_is_told() -> None:
    clock = Clock()
    began = clock.now
    assert await presence(clock).was_alone(event(time=began))
    assert clock.now == began + GRACE + LOOK, "a minute later, when it is known who is there"


async def test_one_that_only_restarts_catches_up_by_itself() -> None:
    clock = Clock()
    one = presence(clock)
    looked(one, clock, "1" * 10 + "0" * 6)
    happened = event(time=clock.now - 15)
    looked(one, clock, "1" * 20)
    assert not await one.was_alone(happened)


async def test_one_that_dies_just_after_has_perhaps_told_nobody() -> None:
    clock = Clock()
    one = presence(clock)
    looked(one, clock, "1" * 10)
    happened = event(time=clock.now)
    looked(one, clock, "1" * 4 + "0" * 20)
    assert await one.was_alone(happened)


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
    assert await kept.was_alone(before)
    assert not await kept.was_alone(during)
    assert await kept.was_alone(event(time=clock.now - 150))


async def test_a_presence_that_goes_on_is_not_written_each_second(tmp_path: Path) -> None:
    clock = Clock()
    one = presence(clock)
    kept = set()
    for _ in range(120):
        looked(one, clock, "1")
        kept.add(str(one.kept))
    assert len(kept) <= 4


async def test_a_clock_that_was_set_back_holds_nothing_for_long() -> None:
    clock = Clock()
    before = clock.now
    await presence(clock).was_alone(event(time=before + 1e9))
    assert clock.now - before == GRACE + LOOK


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
