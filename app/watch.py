"""Whether the sensor is alive, as it tells systemd elsewhere."""

import contextlib
import os
import socket
import time
from pathlib import Path
from typing import Final

#: A sensor is not heard of for so long before it is ended, in seconds: once it guards, and while it starts.
_SILENCE: Final = 30.0
_STARTING: Final = 600.0
_LONGEST: Final = 1 << 12


class Watch:
    """Hears of the sensor as systemd would, and knows when it has been silent for too long."""

    def __init__(self, path: Path) -> None:
        """Take the place of the socket on which the sensor says that it is alive."""
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._due = 0.0
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._socket.bind(str(path))
        finally:
            os.umask(before)
        #: Whether the sensor that was started last guards.
        self.is_up = False

    def begin(self) -> dict[str, str]:
        """Wait for a sensor that is started now; return what it has to know."""
        self._due = time.monotonic() + _STARTING
        self.is_up = False
        return {"NOTIFY_SOCKET": str(self._path), "WATCHDOG_USEC": str(int(_SILENCE * 1e6))}

    def listen(self) -> None:
        """Take what the sensor has said."""
        with contextlib.suppress(BlockingIOError):
            while said := self._socket.recv(_LONGEST).split(b"\n"):
                self.is_up |= b"READY=1" in said
                if self.is_up:
                    self._due = time.monotonic() + _SILENCE

    @property
    def is_overdue(self) -> bool:
        """Whether the sensor has been silent for too long."""
        return time.monotonic() >= self._due
