"""A terminal for tests: a real pty with a program on it, and what it shows as pyte makes it out."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pyte

LAUNCHER = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"
KEYS = {"escape": "\x1b", "tab": "\t", "enter": "\r"}
ARROWS = {"up": "A", "down": "B"}
#: What a program sets for arrows that begin with Esc O (DECCKM), as pyte counts private modes.
_APPLICATION_ARROWS = 1 << 5
_HEARS_CTRL_C = ("env", "--default-signal=INT,QUIT")


class Terminal:
    """One program on one terminal. What it writes is read as it comes, and is kept."""

    def __init__(
        self,
        line: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        environment: Mapping[str, str | None] | None = None,
        controlling: bool = True,
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._written = b""
        self._master, slave = pty.openpty()
        self._set_size(columns, lines)
        self.before = termios.tcgetattr(slave)
        said: dict[str, str | None] = dict(os.environ) | {"TERM": "xterm", "LC_ALL": "C.UTF-8"}
        said |= {"NO_COLOR": None, "COLUMNS": None, "LINES": None} | dict(environment or {})
        self.process = subprocess.Popen(
            # A controlling terminal is whence the kernel tells of size, Ctrl-C and hang-ups. Who runs the tests in
            # the background of a shell has them ignore Ctrl-C, and what they start inherits that
            [*_HEARS_CTRL_C, "setsid", *(["--ctty"] if controlling else []), *line],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={name: value for name, value in said.items() if value is not None},
        )
        self._slave = slave
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.hang_up()
        self._reader.join(5)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            with self._lock:
                self._written += data
                self._stream.feed(data)

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))

    def resize(self, columns: int, lines: int) -> None:
        """Change the size as a person who pulls at the window does: the kernel tells the program."""
        with self._lock:
            self._screen.resize(lines, columns)
        self._set_size(columns, lines)

    def press(self, *keys: str) -> None:
        """Press keys, each a character or a name."""
        for each in keys:
            os.write(self._master, self._sent(each).encode())
            time.sleep(0.12 if each == "escape" else 0.02)

    def _sent(self, key: str) -> str:
        """Return what a key sends, in the mode that the program has set."""
        if key not in ARROWS:
            return KEYS.get(key, key)
        with self._lock:
            return ("\x1bO" if _APPLICATION_ARROWS in self._screen.mode else "\x1b[") + ARROWS[key]

    def hang_up(self) -> None:
        """Close the terminal's end, as a connection that breaks does."""
        for each in ("_slave", "_master"):
            descriptor = getattr(self, each)
            if descriptor >= 0:
                os.close(descriptor)
            setattr(self, each, -1)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen."""
        with self._lock:
            return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """What stands on the screen, as one text."""
        return "\n".join(self.lines)

    @property
    def cells(self) -> list[Any]:
        """Every character on the screen, with its colour and looks."""
        with self._lock:
            return [cell for line in self._screen.buffer.values() for cell in line.values()]

    @property
    def written(self) -> bytes:
        """All that the program has ever written."""
        with self._lock:
            return self._written

    def state(self) -> list[Any]:
        """The terminal's settings now."""
        return termios.tcgetattr(self._slave)

    def shows(self, pattern: str, seconds: float = 10.0) -> str:
        """Return the first line that matches; fails when none does in time."""
        found = self.wait(
            lambda: next((each for each in self.lines if re.search(pattern, each)), None), seconds
        )
        assert found, f"nothing like {pattern!r} on\n{self.text}"
        return str(found)

    def wait(self, condition: Callable[[], Any], seconds: float = 10.0) -> Any:
        """Return what the condition gave once it is true, or at last."""
        deadline = time.monotonic() + seconds
        while not (found := condition()) and time.monotonic() < deadline:
            time.sleep(0.03)
        return found

    def ended(self, seconds: float = 10.0) -> int:
        """Return the exit status."""
        return self.process.wait(seconds)

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(number)


def top(socket: str, *arguments: str, **options: Any) -> Terminal:
    """Return a terminal with `top` on it."""
    line = [sys.executable, "-I", str(LAUNCHER), "top", "--socket", socket, *arguments]
    return Terminal(line, **options)
