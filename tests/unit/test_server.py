"""The sensor's server under clients that come and go: what they can't do to the log."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.household import Household, Serving

#: Says nonsense, half of something, and what it does not wait for, again and again.
RESTLESS = r"""
import contextlib, socket, sys
upgrade = (
    b"GET /ws HTTP/1.1\r\nHost: s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
said = (b"\0\xff" * 100 + b"\r\n\r\n", upgrade[:40], upgrade, upgrade + b"\x81", upgrade * 2)
for number in range(500):
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(ConnectionError):
        client.connect(sys.argv[1])
        client.sendall(said[number % len(said)])
        if number % 2:
            client.shutdown(socket.SHUT_RDWR)
"""


def test_who_comes_and_goes_does_not_fill_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    serving = Serving(tmp_path / "s.sock", Household()).start()
    try:
        subprocess.run([sys.executable, "-c", RESTLESS, serving.socket], check=True, timeout=60)
    finally:
        serving.stop()
    # A client that goes silent is told of only to whoever debugs
    told = [each for each in caplog.records if each.name.startswith(("aiohttp", "hearthwall"))]
    assert [each.getMessage() for each in told if each.levelname != "DEBUG"] == []
