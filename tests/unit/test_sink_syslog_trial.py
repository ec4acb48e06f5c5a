"""Syslog when there is no event: whether the server is there, and a message that is only a test."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hearthwall_sensor.sinks import trial
from hearthwall_sensor.sinks.sink import SinkError
from tests.unit.test_sink_syslog import _sockets, events, listening, sink  # noqa: F401, a fixture


def test_a_server_is_tried_before_there_is_an_event(tmp_path: Path) -> None:
    reached: list[bool] = []

    async def run() -> None:
        async with listening() as server:
            one = sink(server.port)
            one._context = replace(one._context, reached=lambda: reached.append(True))  # type: ignore[attr-defined]
            await one.start()
            await one.start()
            assert len(server.connections) == 1
            await one.close()
        gone = sink(server.port)
        with pytest.raises(SinkError, match=f"127.0.0.1:{server.port}: .*refused"):
            await gone.start()
        untrusting = sink(server.port, transport="tls", ca_file=str(tmp_path / "nobody.pem"))
        with pytest.raises(SinkError, match=r"nobody\.pem can't be used: No such file"):
            await untrusting.start()

    asyncio.run(run())
    assert reached == [True, True]


def test_a_message_that_is_a_test_comes_each_time_and_moves_nothing() -> None:
    async def run() -> None:
        async with listening() as server:
            one = sink(server.port)
            for each in (events(1, 3), [trial.event("high")], [trial.event("high")], events(2, 4)):
                await one.send(each)
            await asyncio.sleep(0.1)
            assert server.numbers == [1, 2, 3, 0, 0, 4]
            await one.close()

    asyncio.run(run())
