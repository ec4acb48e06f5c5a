"""What is asked of systemd, on a host where it runs and on one where it does not yet."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from ..protocol import SensorError
from .places import UNIT, Places

#: There while systemd runs, as sd_booted(3) says.
_BOOTED: Final = Path("/run/systemd/system")
#: The unit gives a start 120 s, and a stop before it 20.
_PATIENCE: Final = 150
_LOG_PATIENCE: Final = 20
_LOG_LINES: Final = "8"


class Systemd:
    """systemd of the system at these places."""

    def __init__(self, places: Places) -> None:
        """Take the places."""
        self._places = places

    @property
    def runs(self) -> bool:
        """Whether it runs this host, so that it can start and stop."""
        return self._places.is_this_host and _BOOTED.is_dir() and self.is_there

    @property
    def is_there(self) -> bool:
        """Whether it is installed here."""
        return shutil.which("systemctl") is not None

    @property
    def is_active(self) -> bool:
        """Whether the sensor's unit runs, or is about to."""
        return self._state in {"active", "activating", "reloading"}

    @property
    def has_failed(self) -> bool:
        """Whether it ended by itself and is not started again: nobody has stopped it."""
        return self._state == "failed"

    @property
    def _state(self) -> str:
        """What systemd calls the unit's state."""
        return self._ask("show", "--property=ActiveState", "--value", UNIT).strip()

    def reload(self) -> None:
        """Have the units read anew, where that is somebody's business."""
        if self.runs:
            self._do("daemon-reload")

    def enable(self) -> None:
        """Have the unit started at boot."""
        self._do(*self._root(), "enable", "--quiet", UNIT)

    def disable(self) -> None:
        """Have it not started at boot any more."""
        self._do(*self._root(), "disable", "--quiet", UNIT)

    def restart(self) -> None:
        """Start the unit anew and wait until it is up; raises SensorError with the end of its log."""
        try:
            self._do("restart", UNIT)
        except SensorError as error:
            raise SensorError("internal", f"{error.message}{self._log()}") from error

    def stop(self) -> None:
        """Stop the unit, and forget how it has fared."""
        self._do("stop", UNIT)
        self._ask("reset-failed", UNIT)

    def _root(self) -> tuple[str, ...]:
        """Return what has links made without asking a systemd that runs."""
        return () if self.runs else (f"--root={self._places.root}",)

    def _log(self) -> str:
        """Return what the unit said last, nothing where that is not to be had: why it failed is known without it."""
        words = ("--unit", UNIT, "--lines", _LOG_LINES, "--output=cat", "--no-pager")
        try:
            said = _run("journalctl", *words, patience=_LOG_PATIENCE).stdout.strip()
        except (OSError, SensorError):
            return ""
        return f"; its log ends with:\n{said}" if said else ""

    @staticmethod
    def _ask(*words: str) -> str:
        """Return what systemctl prints, whatever it thinks of it; raises SensorError `timeout`."""
        return _run("systemctl", *words).stdout

    @staticmethod
    def _do(*words: str) -> None:
        """Have systemctl do something; raises SensorError `timeout`, or `internal` with what it said."""
        done = _run("systemctl", *words)
        if done.returncode != 0:
            line = " ".join(("systemctl", *words))
            raise SensorError("internal", f"{line} failed: {done.stderr.strip()[-400:]}")


def _run(*line: str, patience: float = _PATIENCE) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; raises SensorError `timeout`."""
    try:
        return subprocess.run(line, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired as error:
        raise SensorError("timeout", f"{' '.join(line)} did not end in {patience} s") from error
