"""The process that delivers, as the sensor sees it: also what it can't say itself, because it hangs or is not there."""

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest

from hearthwall_sensor.protocol import SensorError, SinkState
from hearthwall_sensor.sinks import child as children, reading, sinks as all_sinks, trial
from hearthwall_sensor.sinks.child import Child
from hearthwall_sensor.sinks.sinks import Sinks

#: A child that says how it fares, and then does something.
_SAYS = """
import json, sys, time
tables = json.loads(sys.stdin.readline())
def say(cursor):
    print(json.dumps([{{"name": each["name"], "type": each["type"], "delivered": cursor, "waiting": 0, "lost": 0,
        "refused": 0, "failing_since": None, "last_error": None, "cursor": cursor}} for each in tables]), flush=True)
say(5)
{then}
"""
SECRET = "https://hook.example/t0psecret"


def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str, last: int = 7) -> Child:
    """Return a sensor's child that is a program of ours."""
    program = tmp_path / "program.py"
    program.write_text(_SAYS.format(then=then))
    program.with_name("hearthwall-sensor").symlink_to(program)
    monkeypatch.setattr(children, "SOURCES", tmp_path)
    monkeypatch.setattr(children, "_FIRST_PAUSE", 0.3)
    monkeypatch.setattr(children, "_SILENT", 0.5)
    monkeypatch.setattr(children, "_HUNG", 1.5)
    monkeypatch.setattr(children, "_GOODBYE", 0.2)
    sinks = reading.read([{"name": "phone", "type": "webhook", "url": SECRET}])
    return Child(sinks, "/nonexistent/socket", str(tmp_path), lambda: last)


async def until(is_so: Callable[[], object], seconds: float = 15) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.01)


async def watched(one: Child, look: Callable[[Child], Awaitable[None]]) -> None:
    """Run a child while somebody looks."""
    one.start()
    try:
        await look(one)
    finally:
        await one.stop()


def only(one: Child) -> SinkState:
    """Return how the sink fares."""
    (state,) = one.states
    return state


async def test_how_each_sink_fares_is_known_before_the_child_says_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = {"cursor": 3, "delivered": 11, "refused": 1, "lost": 2}
    (tmp_path / "sinks.json").write_text(json.dumps({"sinks": {"phone": account}}))

    async def look(one: Child) -> None:
        state = only(one)
        assert (state.name, state.delivered, state.waiting) == ("phone", 11, 4)
        assert (state.lost, state.refused, state.reached) == (2, 1, None)
        await until(lambda: only(one).delivered == 5)
        assert only(one).waiting == 2, "by what the sensor knows, not the child"

    await watched(child(tmp_path, monkeypatch, "time.sleep(60)"), look)


async def test_a_child_that_hangs_is_told_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(one: Child) -> None:
        await until(lambda: only(one).delivered == 5)
        first = one.pid
        assert only(one).failing_since is None
        await until(lambda: only(one).failing_since is not None)
        assert "hangs" in str(only(one).last_error)
        await until(lambda: one.pid not in (None, first))
        await until(lambda: only(one).failing_since is None)

    stopped = "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"
    await watched(child(tmp_path, monkeypatch, stopped), look)


async def test_a_child_that_ends_is_told_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(one: Child) -> None:
        began = time.time()
        await until(lambda: only(one).failing_since is not None)
        state = only(one)
        assert "ended (3)" in str(state.last_error)
        assert began - 1 <= float(state.failing_since or 0) <= time.time()
        await until(lambda: only(one).failing_since is None)

    await watched(child(tmp_path, monkeypatch, "sys.exit(3)"), look)


async def test_the_child_has_what_was_read_at_the_start_and_no_secret_in_its_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = f"open({str(tmp_path / 'said')!r}, 'w').write(json.dumps([tables, sys.argv]));time.sleep(60)"

    async def look(one: Child) -> None:
        await until((tmp_path / "said").exists)
        await until(lambda: (tmp_path / "said").read_text().endswith("]"))
        tables, arguments = json.loads((tmp_path / "said").read_text())
        assert [each.options.url for each in reading.read(tables)] == [SECRET]
        assert SECRET not in str(arguments)

    await watched(child(tmp_path, monkeypatch, said), look)


_ANSWERS = """
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"test": asked["test"], "error": "told " + asked["name"]}), flush=True)
"""


async def test_a_test_goes_to_the_child_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(one: Child) -> None:
        await until(lambda: only(one).delivered == 5)
        assert await asyncio.gather(one.test("phone"), one.test("phone")) == ["told phone"] * 2

    await watched(child(tmp_path, monkeypatch, _ANSWERS), look)


async def test_a_test_of_a_child_that_is_not_there_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "PATIENCE", 0.1)
    monkeypatch.setattr(children, "TEST_PATIENCE", -0.9)

    async def look(one: Child) -> None:
        await until(lambda: only(one).delivered == 5)
        assert "does not answer" in str(await one.test("phone"))

    one = child(tmp_path, monkeypatch, "time.sleep(60)")
    assert "not begun" in str(await one.test("phone"))
    await watched(one, look)


async def test_a_sink_that_there_is_not_is_said(tmp_path: Path) -> None:
    tables = [{"name": "phone", "type": "webhook", "url": SECRET}, {"name": "log", "type": "file"}]
    sinks = Sinks(reading.read(tables), "/s", str(tmp_path), lambda: 0)
    for name in ("phone", "log"):
        assert "not begun" in str(await sinks.test(name))
    with pytest.raises(SensorError, match="no sink 'mail', but phone, log"):
        await sinks.test("mail")


async def test_nobody_sends_mails_without_end_by_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = [{"name": "phone", "type": "webhook", "url": SECRET}, {"name": "log", "type": "file"}]
    sinks = Sinks(reading.read(tables), "/s", str(tmp_path), lambda: 0)
    monkeypatch.setattr(Child, "test", AsyncMock(return_value=None))
    clock = itertools.count(1000.0)
    monkeypatch.setattr(all_sinks, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    said = [await sinks.test("phone") for _ in range(12)]
    wait = "it was tested a moment ago; try again in %d s"
    assert said == [None, *(wait % left for left in range(9, 0, -1)), None, wait % 9]
    assert await sinks.test("log") is None, "another one"


@pytest.mark.parametrize(("commands", "role"), [(False, "read"), (True, "operate")])
def test_a_child_may_give_orders_only_if_a_sink_takes_some(
    commands: bool, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = {"username": "me", "password_file": "/nonexistent"}
    sinks = reading.read(
        [{"name": "b", "type": "mqtt", "server": "127.0.0.1:1883", "commands": commands} | login]
    )
    one = Child(sinks, "/s", "/nonexistent", lambda: 0)
    assert one.role_of(7) is None
    monkeypatch.setattr(Child, "pid", 7)
    assert (one.role_of(7), one.role_of(8)) == (role, None)
