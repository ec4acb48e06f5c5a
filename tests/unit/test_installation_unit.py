"""The unit: what systemd thinks of it, what it may do, and that the document says why."""

import re
import subprocess
from pathlib import Path

import pytest

from hearthwall_sensor.holding import KILLED_BY
from hearthwall_sensor.installation import unit
from hearthwall_sensor.installation.places import UNIT, Places
from hearthwall_sensor.privileges import KEPT
from hearthwall_sensor.protocol import EXIT_SETTINGS, EXIT_UNLOADED

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "install.md").read_text()
#: What starting takes, and the running sensor has given up.
FOR_THE_START = {"cap_chown", "cap_setuid", "cap_setgid", "cap_setpcap", "cap_sys_ptrace"}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The unit as it is installed, with a program that is there."""
    path = tmp_path / UNIT
    path.write_text(unit.text(ROOT / "bpf" / "hearthwall-sensor"))
    return path


def settings() -> dict[str, list[str]]:
    """Return the unit's settings."""
    found: dict[str, list[str]] = {}
    for line in unit.text(Path("/program")).splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_systemd_finds_nothing_wrong(written: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", str(written)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if UNIT in line]  # not of this machine's own
    assert (done.returncode, said) == (0, [])


def test_a_mistake_would_be_found(written: Path) -> None:
    written.write_text(written.read_text().replace("WatchdogSec=30", "WatchdogSec=soon"))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(written)], capture_output=True, text=True, check=False
    )
    assert f"{UNIT}:" in done.stderr


def exposure(path: Path) -> float:
    """Return systemd's judgement: 0 is best, 10 is worst."""
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])


def test_the_exposure_is_what_the_document_says(written: Path) -> None:
    stated = re.search(r"exposure of \*\*([\d.]+)\*\*", DOCUMENT)
    assert stated is not None
    assert exposure(written) <= float(stated[1])
    written.write_text(re.sub(r"(?m)^(SystemCallFilter|CapabilityB).*\n", "", written.read_text()))
    assert exposure(written) > float(stated[1]), "less hardening is noticed"


def test_it_has_the_capabilities_that_the_sensor_needs_and_the_document_says_why() -> None:
    (said,) = settings()["CapabilityBoundingSet"]
    assert set(said.lower().split()) == {f"cap_{name}" for name in KEPT.values()} | FOR_THE_START
    explained = re.findall(r"`(CAP_\w+)`", DOCUMENT.split("| capability |")[1].split("\n\n")[0])
    assert set(explained) == set(said.split())


def test_unload_and_settings_without_sense_are_an_end_and_whatever_else_is_none() -> None:
    said = settings()
    assert said["Restart"] == ["always"]
    assert said["SuccessExitStatus"] == [f"{EXIT_UNLOADED} {KILLED_BY.name}"]
    ends = f"{EXIT_UNLOADED} {EXIT_SETTINGS} {KILLED_BY.name}"
    assert said["RestartPreventExitStatus"] == [ends]


def test_the_document_says_where_things_lie() -> None:
    places = Places()
    for path in (places.command, places.unit, places.config, places.current, places.run):
        assert str(path) in DOCUMENT
    for path in (places.cache, *places.state):
        assert str(path) in DOCUMENT
