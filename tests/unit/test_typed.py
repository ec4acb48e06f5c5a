"""Commands that are proposed can be pasted: named as this program was started, for the same socket."""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hearthwall_sensor.commands.command import explained
from hearthwall_sensor.commands.typed import STARTED_AS, typed
from hearthwall_sensor.protocol import DEFAULT_SOCKET, SensorError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start as from a shell that knows nothing of this program."""
    monkeypatch.delenv(STARTED_AS, raising=False)
    monkeypatch.delenv("SUDO_COMMAND", raising=False)
    monkeypatch.setattr(sys, "argv", [str(ROOT / "bpf" / "hearthwall-sensor"), "explain", "7"])


def test_the_socket_is_said_only_where_one_was_given() -> None:
    assert typed(DEFAULT_SOCKET, ("accept", "7")).split()[1:] == ["accept", "7"]
    assert typed("/a b/s", ("accept", "7")).endswith(" accept --socket '/a b/s' 7")


def test_a_script_that_starts_it_says_how_itself_was_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv(STARTED_AS, "scripts/sensor")
    assert typed(DEFAULT_SOCKET, ("blocks",)) == "scripts/sensor blocks"
    script = (ROOT / "scripts" / "sensor").read_text()
    assert f'export {STARTED_AS}="$0"' in script


def test_what_is_in_the_path_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(ROOT / "bpf"))
    assert typed(DEFAULT_SOCKET, ("blocks",)) == "hearthwall-sensor blocks"


def test_what_can_not_be_started_by_itself_is_started_with_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "hearthwall-sensor"
    program.write_text("print('there')")
    program.chmod(0o644)
    monkeypatch.setattr(sys, "argv", [str(program), "explain"])
    said = typed(DEFAULT_SOCKET, ("blocks",))
    done = subprocess.run(shlex.split(said), capture_output=True, text=True, check=True)
    assert done.stdout == "there\n"


def test_sudo_is_said_where_this_command_was_given_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_COMMAND", "/usr/bin/hearthwall-sensor explain 7")
    assert typed(DEFAULT_SOCKET, ("blocks",)).startswith("sudo ")
    monkeypatch.setenv("SUDO_COMMAND", "/bin/bash")
    assert not typed(DEFAULT_SOCKET, ("blocks",)).startswith("sudo ")


def test_names_are_quoted_and_nothing_that_a_terminal_acts_upon_is_in_them() -> None:
    said = typed(DEFAULT_SOCKET, ("profile", "$(reboot) \x1b[2J"))
    assert said.endswith(" profile '$(reboot) ?[2J'")


def test_who_may_not_talk_to_the_sensor_is_told_how_to() -> None:
    async def refused() -> None:
        raise SensorError("not_permitted")

    with pytest.raises(SensorError, match=r"say sudo before the command; or ") as told:
        explained(refused(), argparse.Namespace(socket="/x"))
    assert told.value.code == "not_permitted"
