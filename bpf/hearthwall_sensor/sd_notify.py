"""Tells systemd how the sensor fares, as sd_notify(3) says: that it is up, what it does, that it is alive."""

import contextlib
import os
import socket
from collections.abc import MutableMapping
from typing import Final

#: What systemd gives to a process that it watches; the process's children are not meant.
_ADDRESS: Final = "NOTIFY_SOCKET"
_WATCHDOG: Final = ("WATCHDOG_USEC", "WATCHDOG_PID")


class Notices:
    """What is told to systemd; without one, nothing."""

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Take what is said of where to tell it out of the environment."""
        address = environment.pop(_ADDRESS, "")
        said, pid = (environment.pop(each, "") for each in _WATCHDOG)
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        #: Whether the sensor is ended when it is not heard of for long.
        self.is_watched = bool(address) and said.isdecimal() and pid in ("", str(os.getpid()))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if address else None
        self._status: str | None = None

    def up(self, status: str) -> None:
        """Tell that the sensor guards."""
        self._status = status
        self._tell(f"READY=1\nSTATUS={status}")

    def alive(self, status: str) -> None:
        """Tell that the sensor still goes its rounds, and what it does if that is something else than before."""
        words = ["WATCHDOG=1"] if self.is_watched else []
        if status != self._status:
            self._status = status
            words.append(f"STATUS={status}")
        if words:
            self._tell("\n".join(words))

    def doing(self, status: str) -> None:
        """Tell what the sensor does on its way up or down."""
        self._status = status
        self._tell(f"STATUS={status}")

    def _tell(self, message: str) -> None:
        """Send a message; a systemd that does not listen is no reason to stop."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(message.encode(), socket.MSG_DONTWAIT, self._address)
