"""The folder of the socket in a container, as docs/install.md gives it to Home Assistant's, in a mount namespace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.household import Household, Serving
from tests.unit.terminal import LAUNCHER

ROOT = Path(__file__).resolve().parents[2]
#: Mounts a folder as Docker does with `:ro`, then says it is ready and carries out what it reads.
CONTAINER = """
mount --make-rprivate / && mount --bind "$1" "$2" && mount -o remount,bind,ro "$2" && echo ready
while read -r line; do sh -c "$line" 2>&1; echo "ended $?"; done
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_home_assistants_container_reaches_each_sensor_that_comes_and_changes_nothing(
    tmp_path: Path,
) -> None:
    host, inside = tmp_path / "host", tmp_path / "inside"
    host.mkdir()
    inside.mkdir()
    assert "/run/hearthwall:/run/hearthwall:ro" in (ROOT / "docs/install.md").read_text()
    status = f"{sys.executable} -I {LAUNCHER} devices --socket {inside}/s.sock --json"
    line = ["unshare", "--mount", "sh", "-c", CONTAINER, "sh", str(host), str(inside)]
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as container:

        def say(command: str) -> tuple[str, str]:
            """Return what a command says in the container, and how it ends."""
            assert container.stdin is not None
            assert container.stdout is not None
            container.stdin.write(f"{command}\n")
            container.stdin.flush()
            said = ""
            for told in container.stdout:
                if told.startswith("ended "):
                    return said, told.split()[1]
                said += told
            return said, ""

        assert container.stdout is not None
        assert container.stdout.readline() == "ready\n"
        for _ in range(2):  # the socket of the second is another one
            serving = Serving(host / "s.sock", Household()).start()
            try:
                assert say(status)[1] == "0"
                said, ended = say(f"rm {inside}/s.sock")
                assert (ended, "Read-only" in said) == ("1", True)
            finally:
                serving.stop()
        assert say(status)[1] != "0"
        assert container.stdin is not None
        container.stdin.close()
