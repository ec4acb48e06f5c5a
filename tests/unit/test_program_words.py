"""What the command line says of programs that are named in another way than it takes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.commands import display
from tests.unit.household import Household, Serving, status

LAUNCHER = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("block", "exe:curl"), "whole path"),
        (("block", "EXE:curl"), "whole path"),
        (("block", "pid:x"), "pid:1234"),
        (("flows", "--process", "curl"), "no whole path, such as /usr/bin/curl"),
        (("profile", "exe:curl"), "whole path, such as exe:/usr/bin/curl"),
        (("profile", "/usr/bin/curl"), "whole path, exe:/usr/bin/curl"),
        (("block", "pid:7", "--childern"), "did you mean --children? see hearthwall-sensor block"),
        (("block", "pid:7", "--child"), "block does not take --child"),
    ],
)
def test_what_is_nearly_right_is_explained(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    serving = Serving(tmp_path / "s.sock", Household()).start()
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(LAUNCHER), *arguments, "--socket", serving.socket],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    finally:
        serving.stop()
    said = done.stderr
    assert done.returncode == 1
    assert words in said
    assert "`devices`" not in said


def test_status_says_whether_processes_are_watched() -> None:
    assert "processes: not watched" in display.status(status().to_wire())
    said = display.status(
        status(
            capabilities=("cgroup hooks",), missing={"tracepoints": "execs are not seen (why)"}
        ).to_wire()
    )
    assert "processes: watched by cgroup hooks\n" in said
    assert "missing: tracepoints: execs are not seen (why)" in said


@pytest.mark.parametrize("is_there", [True, False])
def test_a_rule_on_a_file_that_is_not_there_yet_says_so(*, is_there: bool) -> None:
    wire: dict[str, Any] = {"id": 3, "target": "exe:/no/such", "mode": "isolate", "expires": None}
    wire |= {"transport": None, "port": None, "confirm_by": None, "is_there": is_there}
    assert ("There is no such file yet." in display.block(wire)) is not is_there
