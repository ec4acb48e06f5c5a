"""The child that announces a sensor: what it does when something fails, and that it ends."""

import asyncio
import os
import signal
import socket
import sys
from typing import Any

import pytest

from hearthwall_sensor.remote import announcement, announcer as announcer_module
from hearthwall_sensor.remote.announcer import Announcer


async def test_an_announcer_that_has_ended_is_told_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "ä" * 70)
    announcer = Announcer("0" * 32, 8447)
    assert len(announcer._said["name"].encode()) < 63
    child = await asyncio.create_subprocess_exec("/bin/true", stdin=asyncio.subprocess.PIPE)
    announcer._child = child
    await child.wait()
    for address in ("192.168.1.1", "192.168.1.2"):
        announcer.follow([address])
    assert caplog.text.count("is started again") == 1
    await announcer.stop()


async def test_an_announcer_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcer_module, "_GOODBYE", 0.1)
    announcer = Announcer("0" * 32, 8447)
    child = await asyncio.create_subprocess_exec("sleep", "60", stdin=asyncio.subprocess.PIPE)
    announcer._child = child
    await announcer.stop()
    assert await asyncio.wait_for(child.wait(), 5) == -signal.SIGKILL


async def test_an_announcement_that_failed_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    failures = [OSError("no such address"), RuntimeError("of zeroconf's")]
    closed: list[str] = []
    made: list[list[str]] = []

    class Made:
        async def async_close(self) -> None:
            closed.append("closed")

    async def announce(said: dict[str, Any]) -> Any:
        if failures:
            raise failures.pop()
        made.append(said["addresses"])
        return Made()

    monkeypatch.setattr(announcement, "_announce", announce)
    monkeypatch.setattr(announcement, "RETRY", 0.02)
    reader, writer = os.pipe()
    monkeypatch.setattr(sys, "stdin", os.fdopen(reader))
    monkeypatch.setattr(announcement.signal, "alarm", lambda _: None)
    monkeypatch.setattr(Made, "async_unregister_all_services", Made.async_close, raising=False)
    following = asyncio.ensure_future(announcement._follow())
    os.write(writer, b'{"addresses": ["192.168.1.1"]}\n')
    for _ in range(200):
        await asyncio.sleep(0.01)
        if made:
            break
    os.write(writer, b'{"addresses": ["192.168.1.2"]}\n')
    await asyncio.sleep(0.05)
    os.close(writer)
    await asyncio.wait_for(following, 5)
    assert made == [["192.168.1.1"], ["192.168.1.2"]]
    assert len(closed) == 3
    assert capfd.readouterr().err.count("is tried again") == 1
