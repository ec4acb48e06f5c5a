"""The file that starts the sensor's command line, on a Python that is too old for it."""

import ast
import subprocess
import sys
from pathlib import Path

LAUNCHER = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"
#: As Ubuntu 22.04 has it, for the launcher alone.
OLDER = f"""
import runpy, sys
sys.version_info, sys.version = (3, 10, 12, "final", 0), "3.10.12 (main)"
runpy.run_path({str(LAUNCHER)!r})
"""


def test_a_python_that_is_too_old_is_told_before_anything_is_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", OLDER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("hearthwall-sensor needs Python 3.11 or later")
    assert done.stderr.endswith("/usr/bin/python3 is 3.10.12\n")
    assert done.stderr.count("\n") == 1


def test_one_that_is_much_older_understands_as_much() -> None:
    ast.parse(LAUNCHER.read_text(), feature_version=(3, 7))
