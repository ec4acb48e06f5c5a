"""Sinks: how they are set, how far each has come, and that each event comes at least once and in its order."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor import settings
from hearthwall_sensor.kinds import SEVERITIES
from hearthwall_sensor.protocol import Event, SensorError
from hearthwall_sensor.requests import GetEvents, GetJournal, Request
from hearthwall_sensor.sinks import delivery, reading
from hearthwall_sensor.sinks.delivery import Delivery, Journal
from hearthwall_sensor.sinks.ledger import Account
from hearthwall_sensor.sinks.presence import GRACE, Presence
from hearthwall_sensor.sinks.reading import Named
from hearthwall_sensor.sinks.secret import read_secret
from hearthwall_sensor.sinks.sink import RefusedError, SinkError
from hearthwall_sensor.sinks.table import Table


def event(seq: int, *, kind: str = "port_scan", severity: str = "high") -> Event:
    """Return an event."""
    return Event(
        seq=seq,
        time=1000.0 + seq,
        kind=kind,
        severity=severity,  # type: ignore[arg-type]  # any text
        mac="00:00:5e:00:53:21",
        address=None,
        peer_address=None,
        peer_name=None,
        process=None,
        summary=f"event {seq}",
        evidence={},
    )


@dataclass
class Past:
    """A journal's events."""

    events: list[Event] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)

    async def call(self, request: Request) -> Any:
        if isinstance(request, GetJournal):
            return {"erased": sum(request.since < each <= request.last for each in self.erased)}
        assert isinstance(request, GetEvents)
        after = [each.to_wire() for each in self.events if each.seq > request.since]
        return after[: request.limit]

    def last(self) -> int:
        return self.events[-1].seq if self.events else 0

    def journal(self, presence: Presence | None = None) -> Journal:
        return Journal(self.call, self.last, presence)


@dataclass
class Receiver:
    """A sink that does what it is told, send by send, and then takes everything."""

    plan: list[Exception] = field(default_factory=list)
    starts: list[Exception] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    closed: int = 0

    async def start(self) -> None:
        if self.starts:
            raise self.starts.pop(0)

    async def send(self, events: Sequence[Event]) -> None:
        seqs = [each.seq for each in events]
        if self.plan:
            error = self.plan.pop(0)
            if isinstance(error, SinkError | RefusedError):
                self.taken += seqs[: error.delivered]
            raise error
        self.taken += seqs

    async def close(self) -> None:
        self.closed += 1


def named(**changes: Any) -> Named:
    """Return a sink that wants everything."""
    usual = Named("siem", "file", "info", frozenset(), "always", None)
    return replace(usual, **changes)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again in milliseconds, not in seconds."""
    monkeypatch.setattr(delivery, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(delivery, "_LONGEST_PAUSE", 0.004)


def deliver(
    one: Delivery, is_done: Callable[[], bool], during: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Run a delivery until something is so."""

    async def run() -> None:
        task = asyncio.ensure_future(one.run())
        try:
            if during is not None:
                await during()
            async with asyncio.timeout(10):
                while not is_done():
                    await asyncio.sleep(0.001)
                    if task.done():
                        task.result()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(run())


def test_each_event_comes_once_and_in_its_order() -> None:
    past = Past([event(seq) for seq in range(1, 251)])
    receiver, account = Receiver(), Account(0)
    one = Delivery(named(), receiver, account, past.journal())

    async def more() -> None:
        await asyncio.sleep(0.01)
        past.events += [event(seq) for seq in range(251, 261)]
        one.wake()

    deliver(one, lambda: account.cursor == 260, more)
    assert receiver.taken == list(range(1, 261))
    assert (account.delivered, account.lost, account.refused) == (260, 0, 0)
    assert receiver.closed == 1


def test_what_failed_is_sent_again_and_what_was_taken_is_not() -> None:
    past = Past([event(seq) for seq in range(1, 11)])
    receiver = Receiver([SinkError("down"), SinkError("half", delivered=4), OSError(32, "gone")])
    account = Account(0)
    one = Delivery(named(), receiver, account, past.journal())
    deliver(one, lambda: account.cursor == 10)
    assert receiver.taken == list(range(1, 11))
    assert one.state().failing_since is None


def test_a_receiver_that_is_away_is_told_of_and_gets_all_when_it_is_back() -> None:
    past = Past([event(1)])
    receiver = Receiver([SinkError("nobody listens")] * 5)
    account = Account(0)
    one = Delivery(named(), receiver, account, past.journal())
    states = []

    async def look() -> None:
        while receiver.plan:
            states.append(one.state())
            await asyncio.sleep(0.0005)

    deliver(one, lambda: account.cursor == 1, look)
    failing = [each for each in states if each.failing_since is not None]
    assert failing
    assert failing[0].last_error == "nobody listens"
    assert failing[0].waiting == 1
    assert one.state().waiting == 0


def test_a_receiver_may_ask_to_be_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_LONGEST_PAUSE", 5.0)
    past = Past([event(1)])
    receiver = Receiver([SinkError("busy", retry_after=0.2)])
    account = Account(0)
    began = time.monotonic()
    deliver(Delivery(named(), receiver, account, past.journal()), lambda: account.cursor == 1)
    assert time.monotonic() - began >= 0.17


def test_a_refused_event_is_counted_and_holds_up_no_other() -> None:
    past = Past([event(seq) for seq in range(1, 6)])
    receiver = Receiver([RefusedError("too long", delivered=2)])
    account = Account(0)
    one = Delivery(named(), receiver, account, past.journal())
    deliver(one, lambda: account.cursor == 5)
    assert receiver.taken == [1, 2, 4, 5]
    assert (account.delivered, account.refused) == (4, 1)
    assert one.state().last_error == "too long"


def test_a_sink_that_does_not_start_is_tried_again() -> None:
    past = Past([event(1)])
    receiver = Receiver(starts=[SinkError("no password"), OSError(111, "refused")])
    account = Account(0)
    deliver(Delivery(named(), receiver, account, past.journal()), lambda: account.cursor == 1)
    assert receiver.taken == [1]


def test_a_receiver_that_hangs_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PATIENCE", 0.02)

    class Hanging(Receiver):
        async def send(self, events: Sequence[Event]) -> None:
            await asyncio.sleep(60)

    one = Delivery(named(), Hanging(), Account(0), Past([event(1)]).journal())
    deliver(one, lambda: one.state().failing_since is not None)
    assert "no answer" in str(one.state().last_error)


def test_only_what_is_wanted_is_sent_and_the_rest_does_not_wait() -> None:
    past = Past(
        [
            event(1, severity="low"),
            event(2, kind="new_device"),
            event(3),
            event(4, severity="critical"),
            event(5, severity="info"),
        ]
    )
    receiver, account = Receiver(), Account(0)
    wanted = named(severity="medium", kinds=frozenset({"port_scan"}))
    presence = Presence([(1003.5 + GRACE, 1004.5 + GRACE)])  # at the fourth
    one = Delivery(wanted, receiver, account, past.journal(presence))
    deliver(one, lambda: account.cursor == 5)
    assert receiver.taken == [3]
    assert one.state().waiting == 0


def test_what_the_journal_has_forgotten_is_counted_as_lost() -> None:
    receiver, account = Receiver(), Account(2)
    past = Past([event(seq) for seq in range(10, 13)])
    deliver(Delivery(named(), receiver, account, past.journal()), lambda: account.cursor == 12)
    assert (account.lost, receiver.taken) == (7, [10, 11, 12])


def test_a_forgotten_device_is_no_loss() -> None:
    receiver, account = Receiver(), Account(2)
    past = Past([event(1), event(2), event(8), event(9)], erased=[3, 4, 5, 6, 7])
    deliver(Delivery(named(), receiver, account, past.journal()), lambda: account.cursor == 9)
    assert (account.lost, receiver.taken) == (0, [8, 9])


# How far each has come


# The settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sink = 5", "begin each with"),
        ("sink = [5]", "begin each with"),
        ("[[sink]]\ntype = 'file'", "has a name"),
        ("[[sink]]\nname = 'a b'\ntype = 'file'", "has a name"),
        ("[[sink]]\nname = 'a'", "type is missing"),
        ("[[sink]]\nname = 'a'\ntype = 'fax'", "type is"),
        ("[[sink]]\nname = 'a'\ntype = 'journald'\nseverity = 'loud'", "severity is"),
        ("[[sink]]\nname = 'a'\ntype = 'journald'\nkinds = ['rain']", "no event is a"),
        ("[[sink]]\nname = 'a'\ntype = 'journald'\nwhen = 'never'", "when is"),
        ("[[sink]]\nname = 'a'\ntype = 'journald'\nsevereity = 'low'", "severity"),
        ("[[sink]]\nname = 'a'\ntype = 'journald'\n" * 2, "two sinks"),
        ("".join(f"[[sink]]\nname = 's{n}'\ntype = 'journald'\n" for n in range(17)), "at most"),
    ],
)
def test_a_mistake_in_a_sink_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text(text)
    with pytest.raises(SensorError, match=said.replace("[", r"\[")):
        settings.read(str(path), {})


def test_the_settings_know_their_sinks(tmp_path: Path) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text(
        "[[sink]]\nname = 'a'\ntype = 'journald'\nkinds = ['flood']\nseverity = 'low'\n"
    )
    chosen = settings.read(str(path), {})
    (sink,) = chosen.sinks
    assert (sink.name, sink.severity, sink.kinds) == ("a", "low", frozenset({"flood"}))
    assert chosen.file == str(path)


def test_every_severity_can_be_chosen() -> None:
    for each in SEVERITIES:
        (sink,) = reading.read([{"name": "a", "type": "journald", "severity": each}])
        assert sink.severity == each


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("192.168.1.5:514", ("192.168.1.5", 514)),
        ("logs.example", ("logs.example", 6514)),
        ("[fd00::1]:514", ("fd00::1", 514)),
        ("[fd00::1]", ("fd00::1", 6514)),
        ("logs.example:", None),
        ("logs.example:0", None),
        ("logs.example:70000", None),
        ("fd00::1:514", None),
        ("http://logs.example", None),
        ("user@logs.example", None),
        ("a b:1", None),
        ("", None),
    ],
)
def test_a_server_has_a_name_and_a_port(text: str, result: tuple[str, int] | None) -> None:
    table = Table("a", {"server": text})
    if result is not None:
        assert table.server("server", 6514) == result
        return
    with pytest.raises(SensorError, match="server"):
        table.server("server", 6514)


def test_a_server_without_a_usual_port_needs_one() -> None:
    with pytest.raises(SensorError, match="and a port"):
        Table("a", {"server": "logs.example"}).server("server")


# Secrets


def test_a_secret_is_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("s3cret\nmore\n")
    path.chmod(0o600)
    assert read_secret(path) == "s3cret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_secret_that_others_may_read_or_change_is_none(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "password"
    path.write_text("s3cret\n")
    path.chmod(mode)
    with pytest.raises(SinkError, match="chmod 600") as caught:
        read_secret(path)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\n", b"x" * 5000])
def test_a_secret_is_a_line_of_text(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SinkError):
        read_secret(path)


def test_a_secret_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="No such file"):
        read_secret(tmp_path / "password")
