"""Messages that are only a test: what becomes of a sink that took none, and what people are told of one that did."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_socket

from hearthwall_sensor.cli import main
from hearthwall_sensor.protocol import SinkState
from hearthwall_sensor.sinks.delivery import Delivery
from hearthwall_sensor.sinks.ledger import Account
from hearthwall_sensor.sinks.sink import RefusedError, SinkError
from tests.unit.household import Household, Serving, status
from tests.unit.test_sinks import Past, Receiver, event, named, soon  # noqa: F401, a fixture


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.001)


async def test_what_took_no_test_fails_until_it_takes_something() -> None:
    """A webhook with a wrong token, say: it is there, so that nothing else would tell before the first event."""
    past = Past()
    receiver, account = Receiver(), Account(0)
    one = Delivery(named(), receiver, account, past.journal())
    task = asyncio.ensure_future(one.run())
    await asyncio.sleep(0.01)
    for plan in (SinkError("answered 401"), RefusedError("answered 401")):
        receiver.plan = [plan]
        assert await one.test() == "answered 401"
        one.wake()  # for nothing
        await asyncio.sleep(0.01)
        assert one.state().failing_since is not None
        assert one.state().last_error == "a test failed: answered 401"
        assert await one.test() is None
        assert one.state().failing_since is None
    receiver.plan = [SinkError("answered 401")]
    await one.test()
    past.events.append(event(1))
    one.wake()
    await until(lambda: account.cursor == 1)
    assert one.state().failing_since is None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_a_test_finds_unready_is_tried_until_it_is_ready() -> None:
    """A server that has gone since it was reached: who mends it need not test it again."""
    receiver = Receiver()
    one = Delivery(named(), receiver, Account(0), Past().journal())
    task = asyncio.ensure_future(one.run())
    await asyncio.sleep(0.01)
    gone = [SinkError("nobody listens") for _ in range(30)]
    receiver.starts = gone
    assert await one.test() == "nobody listens"
    await until(lambda: one.state().failing_since is not None)
    assert one.state().last_error == "nobody listens"
    await until(lambda: not gone and one.state().failing_since is None)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_people_are_told_that_a_test_went_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest_socket._remove_restrictions()
    household = Household()
    sinks = [
        SinkState(name, kind, 0, 0, 0, 0, None, None)
        for name, kind in (("log", "file"), ("siem", "syslog"))
    ]
    household.status = status(sinks=tuple(sinks))
    household.answers["test_sink"] = {"error": None}
    serving = Serving(tmp_path / "s.sock", household).start()
    try:
        asked = ["sinks", "--socket", serving.socket]
        assert main([*asked, "--test", "log"]) == 0
        assert capsys.readouterr().out.startswith("log: the receiver has taken the test message.\n")
        assert main([*asked, "--test", "siem"]) == 0
        assert capsys.readouterr().out.startswith(
            "siem: the test message was sent; no syslog server"
        )
        assert main(asked) == 0
        assert "test message" not in capsys.readouterr().out
        assert main([*asked, "--test", "log", "--json"]) == 0
        assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["log", "siem"]
    finally:
        serving.stop()
