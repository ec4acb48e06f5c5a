"""A lab's folder under /run: its lock, its record, its certificate and the log of its server."""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from lab.errors import LabError
from lab.process import Process

ROOT: Final = Path("/run/hearthwall-lab")
LOCK_TIMEOUT: Final = 30.0


class RunDirectory:
    """What a lab keeps while it stands. Nothing of it outlives the lab."""

    def __init__(self, name: str) -> None:
        self.path = ROOT / name
        self.certificate = self.path / "certificate.pem"
        self.key = self.path / "key.pem"
        self.log = self.path / "internet.log"
        self._record = self.path / "internet.pid"

    def _open(self) -> int:
        """Open the folder; another lab's `down` may be removing the common parent right now."""
        while True:
            try:
                self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
                return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                continue

    def _is_current(self, fd: int) -> bool:
        """Whether the open folder is still the one that the path names."""
        try:
            return os.path.samestat(os.fstat(fd), self.path.stat())
        except FileNotFoundError:
            return False

    @contextmanager
    def lock(self) -> Iterator[int]:
        """Hold the folder for one change at a time.

        Children that inherit the descriptor keep the lock, so that whoever comes after a killed
        `up` waits until the last of its children has done its work and can be found.
        """
        deadline = time.monotonic() + LOCK_TIMEOUT
        while True:
            fd = self._open()
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_current(fd):
                    break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(fd)
                    raise LabError(
                        f"{self.path} is held by another scripts/lab: wait for it to end"
                    ) from None
                time.sleep(0.02)
            os.close(fd)
        try:
            yield fd
        finally:
            os.close(fd)

    def record(self, server: Process) -> None:
        """Note that the lab is complete, and by which process its internet is served."""
        draft = self._record.with_suffix(".draft")
        draft.write_text(json.dumps({"pid": server.pid, "started": server.started}))
        draft.rename(self._record)

    def server(self) -> Process | None:
        """Return the process that serves the internet, dead or alive; None if `up` did not end."""
        try:
            record = json.loads(self._record.read_text())
            return Process(record["pid"], record["started"])
        except (FileNotFoundError, ValueError, KeyError):
            return None

    def empty(self) -> None:
        """Remove the files and keep the folder, which is the lock."""
        for entry in self.path.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def remove(self) -> None:
        """Remove the folder, and the common parent with the last lab."""
        self.empty()
        self.path.rmdir()
        with suppress(OSError):  # other labs are still there
            ROOT.rmdir()
