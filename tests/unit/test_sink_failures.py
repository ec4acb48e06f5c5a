"""Sinks that go wrong in every way: it is told, it costs as little as can be, and no other sink."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hearthwall_sensor.commands.sinks import show
from hearthwall_sensor.journal_file import JournalFile, Pending
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.protocol import Event
from hearthwall_sensor.requests import GetEvents, Request
from hearthwall_sensor.retention import Retention
from hearthwall_sensor.sinks import delivery, forwarder, reading, trial
from hearthwall_sensor.sinks.delivery import Delivery, Journal
from hearthwall_sensor.sinks.ledger import Account, Ledger
from hearthwall_sensor.sinks.progress import Progress
from hearthwall_sensor.sinks.sink import Pace, RefusedError, SinkError
from tests.unit.test_sinks import Past, Receiver, deliver, event, named, soon  # noqa: F401

SECRET = "t0psecret"


class Poisoned(Receiver):
    """A sink that some events break, in whatever company they come."""

    poison: frozenset[int] = frozenset()

    async def send(self, events: Sequence[Event]) -> None:
        if self.poison & {each.seq for each in events}:
            raise UnicodeEncodeError("ascii", SECRET, 0, 1, "no letter")
        await super().send(events)


def poisoned(*seqs: int) -> Poisoned:
    """Return a sink that these events break."""
    one = Poisoned()
    one.poison = frozenset(seqs)
    return one


@pytest.mark.parametrize("at_once", [1, 100])
def test_an_event_that_breaks_a_sink_is_left_out_and_no_other(
    at_once: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    past, account = Past([event(seq) for seq in range(1, 11)]), Account(0)
    receiver = poisoned(4, 5)
    one = Delivery(named(), receiver, account, past.journal())
    monkeypatch.setattr(one, "_pace", Pace(at_once=at_once))
    deliver(one, lambda: account.cursor == 10)
    assert receiver.taken == [1, 2, 3, 6, 7, 8, 9, 10]
    assert (account.delivered, account.refused) == (8, 2)
    assert one.state().failing_since is None
    assert "UnicodeEncodeError" in str(one.state().last_error)
    assert "test_sink_failures.py, line" in caplog.text
    assert SECRET not in caplog.text + str(one.state())


def test_a_mistake_that_happens_once_loses_nothing() -> None:
    past, account = Past([event(seq) for seq in range(1, 4)]), Account(0)
    receiver = Receiver([KeyError("oops")])
    deliver(Delivery(named(), receiver, account, past.journal()), lambda: account.cursor == 3)
    assert (receiver.taken, account.refused) == ([1, 2, 3], 0)


def test_a_sink_that_can_not_even_start_or_end_is_only_failing() -> None:
    class Broken(Receiver):
        async def close(self) -> None:
            raise ValueError("again")

    past, account = Past([event(1)]), Account(0)
    receiver = Broken(starts=[ValueError("no"), AttributeError("no")])
    deliver(Delivery(named(), receiver, account, past.journal()), lambda: account.cursor == 1)
    assert receiver.taken == [1]


def test_what_somebody_mended_is_read_after_a_failure() -> None:
    """A password, say: the receiver takes nothing until the sink has started once more."""

    class Secretive(Receiver):
        begun = 0

        async def start(self) -> None:
            self.begun += 1

        async def send(self, events: Sequence[Event]) -> None:
            if self.begun < 3:
                raise SinkError("wrong password")
            await super().send(events)

    past, account, receiver = Past([event(1)]), Account(0), Secretive()
    deliver(Delivery(named(), receiver, account, past.journal()), lambda: account.cursor == 1)
    assert receiver.taken == [1]


def test_a_sink_that_started_after_all_fails_no_longer() -> None:
    receiver = Receiver(starts=[SinkError("nobody there")] * 2)
    one = Delivery(named(), receiver, Account(0), Past().journal())
    seen = []

    async def look() -> None:
        while receiver.starts:
            seen.append(one.state())
            await asyncio.sleep(0.0005)

    deliver(one, lambda: one.state().failing_since is None, look)
    failing = [each for each in seen if each.failing_since is not None]
    assert failing[0].last_error == "nobody there"
    assert any(each.next_try for each in failing)


def test_a_sink_that_only_starts_has_not_recovered() -> None:
    receiver = Receiver([SinkError("takes nothing")] * 6)
    one = Delivery(named(), receiver, Account(0), Past([event(1)]).journal())
    pauses = []

    async def look() -> None:
        while receiver.plan:
            pauses.append(one._pause)
            await asyncio.sleep(0.0002)

    deliver(one, lambda: not one.state().waiting, look)
    assert max(pauses) >= 4 * delivery._FIRST_PAUSE


def test_patience_is_for_each_event_that_a_sink_tells_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PATIENCE", 0.2)
    progress = Progress()

    class Slow(Receiver):
        async def send(self, events: Sequence[Event]) -> None:
            for done, each in enumerate(events, 1):
                await asyncio.sleep(0.05)
                self.taken.append(each.seq)
                progress.took(done)

    past, account, receiver = Past([event(seq) for seq in range(1, 11)]), Account(0), Slow()
    one = Delivery(named(), receiver, account, past.journal(), progress)
    deliver(one, lambda: account.cursor == 10)
    assert receiver.taken == list(range(1, 11))
    assert one.state().last_error is None


def test_what_was_taken_before_a_sink_hung_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As by a mail server that takes a mail, and then says nothing more."""
    monkeypatch.setattr(delivery, "PATIENCE", 0.05)
    progress = Progress()

    class Hanging(Receiver):
        async def send(self, events: Sequence[Event]) -> None:
            self.taken += [each.seq for each in events[:2]]
            progress.took(min(2, len(events)))
            await asyncio.sleep(60)

    past, account, receiver = Past([event(seq) for seq in range(1, 6)]), Account(0), Hanging()
    one = Delivery(named(), receiver, account, past.journal(), progress)
    deliver(one, lambda: account.cursor == 5)
    assert receiver.taken == [1, 2, 3, 4, 5]
    assert account.delivered == 5


def test_who_takes_some_each_time_is_not_left_alone_for_longer() -> None:
    receiver = Receiver([SinkError("half", delivered=1)] * 8)
    account = Account(0)
    one = Delivery(named(), receiver, account, Past([event(s) for s in range(1, 10)]).journal())
    pauses = []

    async def look() -> None:
        while receiver.plan:
            pauses.append(one._pause)
            await asyncio.sleep(0.0002)

    deliver(one, lambda: account.cursor == 9, look)
    assert max(pauses) <= 2 * delivery._FIRST_PAUSE
    assert receiver.taken == list(range(1, 10))


def test_what_failed_comes_again_as_it_was() -> None:
    """A receiver that has it after all knows it again, whatever happened meanwhile."""
    past, parts = Past([event(1)]), []

    class Noting(Receiver):
        async def send(self, events: Sequence[Event]) -> None:
            parts.append([each.seq for each in events])
            past.events = [event(seq) for seq in range(1, 5)]
            await super().send(events)

    receiver, account = Noting([SinkError("who knows"), OSError(110, "no answer")]), Account(0)
    deliver(Delivery(named(), receiver, account, past.journal()), lambda: account.cursor == 4)
    assert parts == [[1], [1], [1], [2, 3, 4]]


# What the journal no longer has


def test_the_newest_that_were_forgotten_do_not_wait() -> None:
    past, account = Past([event(seq) for seq in range(1, 4)], erased=[4, 5]), Account(0)
    one = Delivery(named(), Receiver(), account, Journal(past.call, lambda: 6))
    deliver(one, lambda: account.cursor == 6)
    assert (one.state().waiting, account.lost) == (0, 1)


@pytest.mark.parametrize("fails", [0, 3])
def test_what_the_journal_made_room_of_is_counted_wherever_it_was(
    tmp_path: Path, fails: int
) -> None:
    file = JournalFile(tmp_path / "events.db", Retention(rows=100))

    def write(kind: str, number: int) -> None:
        mac = f"00:00:5e:00:53:{number % 200:02x}"
        said = Notice(kind=kind, severity="high", summary=f"{number}", evidence={}, mac=mac)
        file.write([Pending(said, time.time())], {})

    write("new_device", 0)  # an old one of another kind stays, so that the gap is behind it
    for number in range(1, 400):
        write("port_scan", number)
    left = file.select(GetEvents(limit=1000), ())
    forgotten = "00:00:5e:00:53:c5"
    assert (erased := sum(each.mac == forgotten for each in left)) == 1
    file.erase([forgotten])

    async def call(request: Request) -> Any:
        if isinstance(request, GetEvents):
            return [each.to_wire() for each in file.select(request, ())]
        return {"erased": file.erased(request.since, request.last)}

    account = Account(0)
    receiver = Receiver([SinkError("half", delivered=7)] * fails)
    one = Delivery(named(), receiver, account, Journal(call, lambda: file.last))
    deliver(one, lambda: account.cursor == file.last)
    assert account.delivered == len(left) - erased
    assert account.lost == 400 - len(left)


# A test


async def test_a_sink_is_tested_by_a_message_that_says_so() -> None:
    sent: list[Event] = []

    class Noting(Receiver):
        async def send(self, events: Sequence[Event]) -> None:
            sent.extend(events)
            await super().send(events)

    account = Account(7)
    one = Delivery(named(severity="critical"), Noting(), account, Past().journal())
    assert one.state().reached is None
    assert await one.test() is None
    assert one.state().reached is not None
    (told,) = sent
    assert (told.seq, told.kind, told.severity) == (0, "test", "critical")
    assert "This is a test" in told.summary
    assert account == Account(7)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SinkError("no such host"), "no such host"),
        (RefusedError("no such user"), "no such user"),
        (OSError(111, "Connection refused"), "Connection refused"),
        (ValueError(SECRET), "ValueError"),
    ],
)
async def test_a_test_says_what_is_wrong(error: Exception, said: str) -> None:
    one = Delivery(named(), Receiver([error]), Account(0), Past().journal())
    assert said in str(problem := await one.test())
    assert SECRET not in str(problem)


async def test_a_test_says_whom_it_did_not_reach() -> None:
    class Partial(Receiver):
        remark: str | None = "no such user"

        async def send(self, events: Sequence[Event]) -> str | None:  # type: ignore[override]
            await super().send(events)
            return self.remark

    receiver = Partial()
    one = Delivery(named(), receiver, Account(0), Past().journal())
    assert await one.test() == "no such user"
    assert (receiver.taken, one.state().last_error) == ([0], "no such user")
    receiver.remark = None
    assert await one.test() is None
    assert one.state().failing_since is None


async def test_a_test_waits_for_no_receiver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "PATIENCE", 0.05)

    class Hanging(Receiver):
        async def send(self, events: Sequence[Event]) -> None:
            await asyncio.sleep(60)

    one = Delivery(named(), Hanging(), Account(0), Past().journal())
    assert "no answer" in str(await one.test())


async def test_a_test_that_arrives_ends_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_LONGEST_ASKED", 300.0)
    receiver, account = Receiver([SinkError("busy", retry_after=250)]), Account(0)
    one = Delivery(named(), receiver, account, Past([event(1)]).journal())
    task = asyncio.ensure_future(one.run())
    async with asyncio.timeout(10):
        while (state := one.state()).next_try is None:
            await asyncio.sleep(0.001)
        assert state.next_try > time.time() + 200
        assert await one.test() is None
        while not account.cursor:
            await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert receiver.taken == [0, 1]


def shown(**changes: Any) -> str:
    """Return a sink's line."""
    usual = {"name": "siem", "type": "file", "delivered": 0, "waiting": 0, "lost": 0, "refused": 0}
    state = {"failing_since": None, "last_error": None, "next_try": None, "reached": None}
    return show([usual | state | changes]).splitlines()[-1]


def test_people_see_what_a_sink_does() -> None:
    now = time.time()
    assert shown().endswith("not tried yet")
    assert shown(reached=now).endswith("ok")
    failing = shown(failing_since=now - 33, last_error="no such host", next_try=now + 20)
    assert failing.endswith("failing for 33 s: no such host; next try in 20 s")


# A journal that began anew


async def test_where_a_new_sink_begins_is_kept_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is killed at once must not begin later the next time."""
    monkeypatch.setattr(forwarder, "_KEPT_EVERY", 3600.0)

    class Standing:
        hello = None

        async def subscribe(self, *_: Any) -> Any:
            return SimpleNamespace(last_event=41, devices=(), status=None)

        async def call(self, request: Request) -> Any:
            return [] if isinstance(request, GetEvents) else {"id": "first", "erased": 0}

        async def wait_closed(self) -> None:
            await asyncio.sleep(60)

    sinks = reading.read([{"name": "log", "type": "file", "path": f"{tmp_path}/log/events.json"}])
    client: Any = Standing()
    ledger = Ledger.read(tmp_path)
    work = asyncio.ensure_future(forwarder.Forwarder(sinks, client, tmp_path, ledger).run())
    async with asyncio.timeout(10):
        while not (tmp_path / "sinks.json").exists():
            await asyncio.sleep(0.01)
    kept = Ledger.read(tmp_path)
    assert (kept.accounts["log"].cursor, kept.journal) == (41, "first")
    ledger.accounts["log"].cursor = 50
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert Ledger.read(tmp_path).accounts["log"].cursor == 50, "a planned end repeats nothing"


def test_a_journal_that_began_anew_and_has_grown_is_told_from_its_beginning(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "sinks.json")
    ledger.follow("first")
    ledger.account("siem", 50)
    asyncio.run(ledger.write())
    same = Ledger.read(tmp_path)
    same.follow("first")
    assert same.account("siem", 60).cursor == 50
    anew = Ledger.read(tmp_path)
    anew.follow("second")
    assert anew.account("siem", 60).cursor == 0
    assert anew.journal == "second"
