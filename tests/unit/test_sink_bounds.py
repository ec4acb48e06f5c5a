"""What a sink waits for, keeps and tells has a bound, whatever a receiver asks for or an event holds."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from hearthwall_sensor.protocol import SinkState
from hearthwall_sensor.sinks import delivery, syslog_datagrams
from hearthwall_sensor.sinks.delivery import Delivery
from hearthwall_sensor.sinks.ecs import MAX_BYTES, line
from hearthwall_sensor.sinks.ecs_fields import fitted
from hearthwall_sensor.sinks.ledger import Account, Ledger
from hearthwall_sensor.sinks.presence import Presence
from hearthwall_sensor.sinks.sink import Pace, SinkError
from hearthwall_sensor.sinks.syslog_datagrams import Datagrams
from tests.unit.sink_events import FLOW, event as whole_event
from tests.unit.test_ecs import ORIGIN
from tests.unit.test_sinks import Past, Receiver, deliver, event, named


async def paused(error: SinkError) -> float:
    """Return for how many seconds a receiver that answers with an error is left alone."""
    one = Delivery(named(), Receiver([error]), Account(0), Past([event(1)]).journal())
    work = asyncio.ensure_future(one.run())
    state: SinkState | None = None
    async with asyncio.timeout(10):
        while state is None or state.next_try is None:
            await asyncio.sleep(0)
            state = one.state()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    return state.next_try - time.time()


async def test_a_receiver_that_asks_for_days_gets_five_minutes() -> None:
    assert 200.0 < await paused(SinkError("busy", retry_after=86_400.0)) <= 330.0


async def test_not_all_homes_try_again_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_FIRST_PAUSE", 1000.0)
    pauses = [await paused(SinkError("away")) for _ in range(20)]
    assert all(800.0 < each <= 1100.0 for each in pauses)
    assert max(pauses) - min(pauses) > 20.0


def test_what_comes_meanwhile_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    past, account, receiver = Past([event(1)]), Account(0), Receiver()
    one = Delivery(named(), receiver, account, past.journal())
    monkeypatch.setattr(one, "_pace", Pace(at_once=1, every=3600.0))

    async def more() -> None:
        while not receiver.taken:
            await asyncio.sleep(0)
        past.events += [event(2), event(3)]
        one.wake()
        await asyncio.sleep(0.05)

    deliver(one, lambda: True, more)
    assert (receiver.taken, account.cursor) == ([1], 1)


def test_a_document_has_so_many_flows_and_entries() -> None:
    flows = [FLOW | {"port": number + 1} for number in range(40)]
    said = json.loads(line(whole_event(evidence={"flows": flows}), ORIGIN, MAX_BYTES))
    assert [each["port"] for each in said["hearthwall"]["flows"]] == list(range(1, 17))
    addresses = [f"192.0.2.{number}" for number in range(100)]
    assert fitted("related.ip", addresses) == addresses[:64]


def test_a_presence_that_comes_and_goes_keeps_the_newest_times() -> None:
    now = 0.0
    one = Presence(clock=lambda: now, steady=lambda: now)
    for number in range(600):
        now += 60.0
        one.note(number % 2)
    assert len(one.kept) == 256
    assert one.kept[-1][0] == now
    assert len(Presence([(float(each), each + 0.5) for each in range(600)]).kept) == 256


def test_a_ledger_that_somebody_filled_is_not_read_whole(tmp_path: Path) -> None:
    wire = {"sinks": {"siem": {"cursor": 4}}}
    path = tmp_path / "sinks.json"
    path.write_text(json.dumps(wire) + " " * 200_000)
    assert Ledger.read(tmp_path).accounts == {"siem": Account(4)}
    path.write_text(" " * 200_000 + json.dumps(wire))
    assert Ledger.read(tmp_path).accounts == {}


async def test_a_name_is_looked_up_anew_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    link = Datagrams()
    now += syslog_datagrams._LONGEST - 1.0
    assert not link.is_old
    now += 2.0
    assert link.is_old
