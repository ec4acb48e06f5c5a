"""Commands that are run as people run them, against a sensor that answers what a test says."""

import os
import subprocess
import sys
from typing import Any

from tests.unit.household import Serving
from tests.unit.terminal import LAUNCHER


def run(serving: Serving, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a narrow terminal."""
    line = [sys.executable, "-I", str(LAUNCHER), command, "--socket", serving.socket, *arguments]
    environment = {**os.environ, "COLUMNS": "70"}
    return subprocess.run(
        line, capture_output=True, text=True, timeout=30, check=False, env=environment
    )


def said(serving: Serving, command: str, *arguments: str) -> str:
    """Return what a command prints that succeeds."""
    done = run(serving, command, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def asked(serving: Serving, kind: type) -> Any:
    """Return the one request of a kind that reached the sensor."""
    (request,) = [each for each in serving.household.received if isinstance(each, kind)]
    return request
