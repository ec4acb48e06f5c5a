"""What is asked of systemd, where it answers late or not at all: by programs of these names."""

import os
from pathlib import Path

import pytest

from hearthwall_sensor.installation import systemd as module
from hearthwall_sensor.installation.places import UNIT, Places
from hearthwall_sensor.installation.systemd import Systemd
from hearthwall_sensor.protocol import SensorError

HANGS = "exec sleep 60"


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    """A systemd that nobody waits for long."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(module, "_LOG_PATIENCE", 0.1)
    return Systemd(Places())


def program(folder: Path, name: str, does: str) -> None:
    """Make a program."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)


def test_one_that_does_not_answer_is_an_error_that_says_so(
    systemd: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "systemctl", HANGS)
    run = module._run
    monkeypatch.setattr(module, "_run", lambda *line: run(*line, patience=0.1))
    for ask in (lambda: systemd.is_active, lambda: systemd.has_failed, systemd.stop):
        with pytest.raises(SensorError, match=r"systemctl .* did not end in") as failed:
            ask()
        assert failed.value.code == "timeout"


@pytest.mark.parametrize("log", ["echo 'no such interface'", HANGS, "exit 1", None])
def test_why_a_start_failed_is_told_with_its_log_or_without(
    systemd: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str | None
) -> None:
    program(tmp_path, "systemctl", "echo 'Job failed' >&2; exit 1")
    if log is None:
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        program(tmp_path, "journalctl", log)
    with pytest.raises(SensorError) as failed:
        systemd.restart()
    said = f"systemctl restart {UNIT} failed: Job failed"
    told = "; its log ends with:\nno such interface" if log and "interface" in log else ""
    assert (failed.value.code, failed.value.message) == ("internal", said + told)
