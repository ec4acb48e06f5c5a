"""What systemd is told of the sensor."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearthwall_sensor.sd_notify import Notices


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """Systemd's end of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(2)
        yield listener


def said(listener: socket.socket) -> list[str]:
    """Return what has come."""
    listener.setblocking(False)
    messages = []
    while True:
        try:
            messages.append(listener.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_it_tells_that_it_is_up_alive_and_what_changes(listener: socket.socket) -> None:
    environment = {
        "NOTIFY_SOCKET": listener.getsockname(),
        "WATCHDOG_USEC": "30000000",
        "WATCHDOG_PID": str(os.getpid()),
        "PATH": "/bin",
    }
    notices = Notices(environment)
    assert environment == {"PATH": "/bin"}, "its children are not meant"
    notices.doing("Starting")
    notices.up("Guarding br-lan")
    notices.alive("Guarding br-lan")
    notices.alive("Waiting for br-lan")
    assert said(listener) == [
        "STATUS=Starting",
        "READY=1\nSTATUS=Guarding br-lan",
        "WATCHDOG=1",
        "WATCHDOG=1\nSTATUS=Waiting for br-lan",
    ]


@pytest.mark.parametrize(
    "watchdog",
    [{}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "soon"}],
)
def test_who_is_not_watched_says_only_what_changes(
    listener: socket.socket, watchdog: dict[str, str]
) -> None:
    notices = Notices({"NOTIFY_SOCKET": listener.getsockname()} | watchdog)
    notices.up("Guarding")
    notices.alive("Guarding")
    assert said(listener) == ["READY=1\nSTATUS=Guarding"]


def test_an_abstract_socket() -> None:
    name = f"hearthwall-notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        Notices({"NOTIFY_SOCKET": f"@{name}"}).up("Guarding")
        assert said(listener) == ["READY=1\nSTATUS=Guarding"]


def test_without_systemd_or_with_one_that_does_not_listen_nothing_happens(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody")}):
        notices = Notices(environment)
        notices.up("Guarding")
        notices.alive("Guarding")
        assert not notices.is_watched
