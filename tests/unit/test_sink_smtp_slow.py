"""Mail servers that take their time, and deliveries that lose their patience: no mail comes twice, or too often."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiosmtplib
import pytest

from hearthwall_sensor.protocol import Event
from hearthwall_sensor.sinks import delivery, reading, smtp_session, trial
from hearthwall_sensor.sinks.delivery import Delivery
from hearthwall_sensor.sinks.ledger import Account
from hearthwall_sensor.sinks.smtp import SmtpSink
from tests.unit.mailbox import Post, opened, sent, values
from tests.unit.receivers import context, event, options
from tests.unit.test_sinks import Past


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A server that is up."""
    with opened(tmp_path) as one:
        yield one


@asynccontextmanager
async def started(post: Post, folder: Path) -> AsyncIterator[SmtpSink]:
    """Start a sink."""
    sink = SmtpSink(options("smtp", **values(post, folder)), context())
    await sink.start()
    yield sink
    await sink.close()


async def hurried(sink: SmtpSink, *events: Event) -> None:
    """Send as a delivery does that loses its patience."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await sink.send(events)


def told(post: Post) -> list[list[int]]:
    """Return the numbers of the events that each mail tells of."""
    texts = [each.get_content() for each in post.box.mails]
    return [[int(seq) for seq in re.findall(r"(?:explain |\(event )(\d+)", each)] for each in texts]


async def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(15):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_a_server_that_takes_long_gets_a_mail_once(post: Post, tmp_path: Path) -> None:
    post.box.is_busy = True
    async with started(post, tmp_path) as sink:
        for _ in range(2):
            await hurried(sink, event(7), event(8))
        post.box.is_busy = False
        await sink.send([event(7), event(8)])
        assert told(post) == [[7, 8]]
        await sink.send([event(7), event(8)])
        await sink.send([event(9)])
        assert told(post) == [[7, 8], [7, 8], [9]], "it was asked for again"


async def test_a_mail_on_its_way_tells_of_events_that_were_forgotten_meanwhile(
    post: Post, tmp_path: Path
) -> None:
    post.box.is_busy = True
    async with started(post, tmp_path) as sink:
        await hurried(sink, event(7), event(8), event(9))
        post.box.is_busy = False
        await sink.send([event(8), event(9)])
        assert told(post) == [[7, 8, 9]]


async def test_what_arrived_while_nobody_waited_is_known(post: Post, tmp_path: Path) -> None:
    """Also if a message that was a test came between."""
    post.box.is_busy = True
    async with started(post, tmp_path) as sink:
        await hurried(sink, event(7))
        post.box.is_busy = False
        task = sink._under_way
        await until(lambda: task is None or task.done())
        await sink.send([trial.event("high")])
        await sink.send([event(7)])
        assert told(post) == [[7], [0]]


async def test_a_server_that_refused_what_a_mail_tells_gets_it_without_details_once(
    post: Post, tmp_path: Path
) -> None:
    post.box.is_busy = True
    post.box.data = ["554 this is spam", "250 OK", "554 this is spam"]
    async with started(post, tmp_path) as sink:
        await hurried(sink, event(7))
        await until(lambda: post.box.mails)
        post.box.is_busy = False
        await sink.send([event(7)])
        assert (told(post), post.box.data) == ([[7]], ["554 this is spam"])


async def test_what_is_under_way_ends_with_the_sink(post: Post, tmp_path: Path) -> None:
    post.box.is_busy = True
    async with started(post, tmp_path) as sink, asyncio.timeout(10):
        await hurried(sink, event(7))


async def test_a_server_that_does_not_say_goodbye_has_the_mail_all_the_same(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object, **__: object) -> None:
        await asyncio.sleep(10)

    monkeypatch.setattr(smtp_session, "_GOODBYE", 0.2)
    monkeypatch.setattr(aiosmtplib.SMTP, "quit", silent)
    began = time.monotonic()
    await sent(values(post, tmp_path), event())
    assert time.monotonic() - began < 3
    assert len(post.box.mails) == 1


# With a delivery


@asynccontextmanager
async def delivering(
    post: Post, folder: Path, past: Past, every: float
) -> AsyncIterator[tuple[Delivery, Account]]:
    """Deliver what happens by mail, and know how far that has come."""
    (named,) = reading.read([{"name": "test", "type": "smtp", **values(post, folder)}])
    account = Account(0)
    one = Delivery(
        replace(named, options=replace(named.options, every=every)),
        SmtpSink(named.options, context()),
        account,
        past.journal(),
    )
    task = asyncio.ensure_future(one.run())
    try:
        yield one, account
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_happens_while_a_server_takes_long_is_told_in_the_next_mail(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_FIRST_PAUSE", 0.02)
    past = Past([event(1)])
    post.box.is_busy = True
    with monkeypatch.context() as patched:
        patched.setattr(delivery, "PATIENCE", 0.4)
        async with delivering(post, tmp_path, past, every=0) as (one, account):
            await until(lambda: post.box.mails)
            past.events += [event(2), event(3)]
            one.wake()
            await until(lambda: one.state().failing_since)
            await asyncio.sleep(0.6)  # it comes again, and is out of patience again
            patched.undo()
            post.box.is_busy = False
            await until(lambda: account.delivered == 3)
    assert told(post) == [[1], [2, 3]]


async def test_a_recipient_that_is_refused_is_told_and_brings_the_others_no_more_mails(
    post: Post, tmp_path: Path
) -> None:
    post.box.answers = {"me@example.org": "550 gone"}
    past, since = Past(), set()
    async with delivering(post, tmp_path, past, every=3600) as (one, account):
        for number in range(1, 4):
            past.events.append(event(number))
            one.wake()
            await until(lambda: account.delivered == len(past.events))
            assert one._due > asyncio.get_running_loop().time() + 3000
            one._due = 0.0
            await asyncio.sleep(0.02)  # nothing else happens that would end it
            assert "refuses me@example.org (550)" in str(one.state().last_error)
            since.add(one.state().failing_since)
        assert len(since) == 1
        assert None not in since
        post.box.answers = {}
        past.events.append(event(4))
        one.wake()
        await until(lambda: account.delivered == 4)
        assert one.state().failing_since is None
