"""Starts the process that serves a lab's internet and waits until it answers."""

import json
import os
import select
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab import tools
from lab.errors import LabError
from lab.process import Process
from lab.rundir import RunDirectory

TIMEOUT = 20.0


@contextmanager
def start(name: str, run: RunDirectory, lock: int) -> Iterator[Callable[[], Process]]:
    """Start the server; the callable that is given waits until it is ready.

    The server keeps the lab's lock until it is ready, and ends itself if nobody is left to hear
    that it is: so a killed `up` leaves no process that a `down` right after it could not see.
    """
    reader, writer = os.pipe()
    try:
        command = tools.lab_command(
            "internet", "--name", name, "--ready", str(writer), "--lock", str(lock)
        )
        with run.log.open("wb") as log:
            # setsid's child belongs to init: it is nobody's zombie when it ends.
            subprocess.run(
                [tools.find("setsid"), "--fork", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                pass_fds=(writer, lock),
                check=True,
            )
        os.close(writer)
        yield lambda: _wait(reader, run)
    finally:
        os.close(reader)


def _wait(reader: int, run: RunDirectory) -> Process:
    """Take the server's word that it is ready, or show the last thing it said."""
    if not select.select([reader], [], [], TIMEOUT)[0]:
        raise LabError(f"the lab's internet was not ready within {TIMEOUT:.0f} s")
    word = os.read(reader, 4096)
    if not word:
        last = run.log.read_text(errors="replace").strip().rpartition("\n")[2]
        raise LabError(f"the lab's internet did not start: {last or 'it said nothing'}")
    said = json.loads(word)
    return Process(said["pid"], said["started"])
