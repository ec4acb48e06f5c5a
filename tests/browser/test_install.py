"""Installed as a stranger would: an empty Home Assistant, the zip, clicks in Chromium; oldest and newest without."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PINNED = next(
    line.partition("==")[2]
    for line in (ROOT / "requirements_test.txt").read_text().splitlines()
    if line.startswith("homeassistant==")
)
#: The README promises no more.
CLICKS = 7
#: What a blank page has not.
COLOURS = 200

# The first run on a machine makes a venv for each version
pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def install(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    result = folder / "result"
    argv = [ROOT / "scripts" / "versions", "--name", f"v{os.getpid()}", "--result", result]
    done = subprocess.run([*argv, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in result.read_text().splitlines()]


@pytest.mark.browser
def test_a_stranger_needs_seven_clicks(tmp_path: Path) -> None:
    (took,) = install(tmp_path, "--clicks", str(tmp_path), PINNED)
    assert took["home_assistant"] == PINNED
    assert took["clicks"] == CLICKS
    assert took["seconds"] < 180
    print(f"{took['clicks']} clicks, {took['seconds']:.0f} s")
    for number in range(1, CLICKS + 1):
        with Image.open(tmp_path / PINNED / f"install-{number}.png") as image:
            colours = image.convert("RGB").getcolors(image.width * image.height)
        assert len(colours) > COLOURS, number
    check_all_is_there(took)


def test_the_oldest_home_assistant_and_the_newest(tmp_path: Path) -> None:
    """Without a browser: config flow, entities, actions, triggers, conditions, cards, packets, removal."""
    oldest = json.loads((ROOT / "hacs.json").read_text())["homeassistant"]
    first, last = install(tmp_path)
    assert first["home_assistant"] == oldest
    assert [int(each) for each in last["home_assistant"].split(".")] > [
        int(each) for each in PINNED.split(".")
    ]
    for took in (first, last):
        check_all_is_there(took)


def check_all_is_there(took: dict[str, Any]) -> None:
    for kind, least in (
        ("devices", 2),
        ("entities", 12),
        ("actions", 16),
        ("triggers", 6),
        ("conditions", 4),
        ("cards", 1),
    ):
        assert took[kind] >= least, (kind, took)
