"""Looks whether a copy of the programs can run here, before anything relies on it."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from ..protocol import SensorError
from .places import PROGRAM

_TIMEOUT: Final = 180
_APT: Final = "apt-get install "
#: How much is told of what a copy wrote before it ended: a traceback has its reason at the end.
_LAST_WORDS: Final = 400


def check(copy: Path, config: Path) -> str:
    """Have a copy check this host, which compiles its programs and shows them to the kernel; return a sentence.

    Raises SensorError `missing_capability` with the line that installs what is missing, or what `suits` does.
    """
    report = _report(copy, "check")
    lacks = [each for each in report["parts"] if each["required"] and not each["ok"]]
    if not lacks:
        suits(copy, config)
        return f"it can run on Linux {report['kernel']} on {report['machine']}"
    packages = [each["fix"].removeprefix(_APT) for each in lacks if each["fix"].startswith(_APT)]
    if packages:
        raise SensorError(
            "missing_capability",
            f"first install what the sensor needs: {_APT}{' '.join(dict.fromkeys(packages))}",
        )
    reasons = "; ".join(f"{each['name']}: {each['detail']} ({each['fix']})" for each in lacks)
    raise SensorError("missing_capability", f"the sensor can't run here: {reasons}")


def suits(copy: Path, config: Path) -> None:
    """Raise SensorError for what a copy does not understand of the settings and the state that are there."""
    if not config.exists():
        return
    report = _report(copy, "settings", "--config", str(config))
    if report.get("newer_state") is not None:
        raise SensorError(
            "newer_state",
            f"{copy.name} would not understand what a newer version wrote in {report['state_dir']}:"
            f" {report['newer_state']}. End these rules, or move these files away",
        )


def _report(copy: Path, *words: str) -> Any:
    """Return what a command of a copy says; raises SensorError."""
    try:
        done = subprocess.run(
            [str(copy / PROGRAM), *words, "--json"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SensorError("timeout", f"{copy} did not check itself in {_TIMEOUT} s") from error
    except OSError as error:
        raise SensorError("internal", f"{copy} does not start: {error}") from error
    try:
        report = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip()[-_LAST_WORDS:] or f"it ended with status {done.returncode}"
        raise SensorError("internal", f"{copy} does not start: {said}") from None
    if "error" in report:
        raise SensorError(report["error"]["code"], report["error"]["message"])
    return report
