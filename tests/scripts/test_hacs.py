"""What HACS and Home Assistant ask of a repository, as far as it can be told without the internet."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from awesomeversion import AwesomeVersion
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
INTEGRATION = ROOT / "custom_components" / "hearthwall"
BRAND = INTEGRATION / "brand"

#: Each key that hacs.json may have, and what it holds.
HACS_KEYS: Mapping[str, type] = {
    "content_in_root": bool,
    "country": object,
    "filename": str,
    "hacs": str,
    "hide_default_branch": bool,
    "homeassistant": str,
    "name": str,
    "persistent_directory": str,
    "render_readme": bool,
    "zip_release": bool,
}
MANIFEST_KEYS: Mapping[str, Callable[[Any], bool]] = {
    "codeowners": lambda value: isinstance(value, list) and bool(value),
    "documentation": lambda value: urlsplit(value).scheme == "https",
    "domain": lambda value: value == INTEGRATION.name,
    "issue_tracker": lambda value: urlsplit(value).scheme == "https",
    "name": lambda value: isinstance(value, str),
    "version": lambda value: AwesomeVersion(value).valid,
}
#: Sides in pixels: an icon's, and a logo's shorter one.
ICON, LOGO = 256, 256
#: What is painted on an outermost line, at least: the picture is trimmed.
PAINTED = 16


def faults_of_hacs_json(said: Mapping[str, Any]) -> list[str]:
    faults = [f"unknown: {key}" for key in said if key not in HACS_KEYS]
    faults += [
        f"no {HACS_KEYS[key].__name__}: {key}"
        for key, value in said.items()
        if key in HACS_KEYS and not isinstance(value, HACS_KEYS[key])
    ]
    if not said.get("name"):
        faults.append("name is missing")
    if said.get("zip_release") and not said.get("filename"):
        faults.append("filename is missing")
    return faults


def faults_of_manifest(said: Mapping[str, Any]) -> list[str]:
    return [
        f"{'bad' if key in said else 'missing'}: {key}"
        for key, is_good in MANIFEST_KEYS.items()
        if key not in said or not is_good(said[key])
    ]


def read(path: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(path.read_text())
    return said


def test_hacs_json() -> None:
    said = read(ROOT / "hacs.json")
    assert faults_of_hacs_json(said) == []
    assert AwesomeVersion(said["homeassistant"]).valid
    assert said["filename"] == "hearthwall.zip"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": ""}, "name is missing"),
        ({"filename": ""}, "filename is missing"),
        ({"domains": ["sensor"]}, "unknown: domains"),
        ({"zip_release": "yes"}, "no bool: zip_release"),
    ],
)
def test_a_fault_of_hacs_json_is_found(change: dict[str, Any], fault: str) -> None:
    assert fault in faults_of_hacs_json(read(ROOT / "hacs.json") | change)


def test_manifest() -> None:
    assert faults_of_manifest(read(INTEGRATION / "manifest.json")) == []


@pytest.mark.parametrize(
    "change",
    [{"version": "tomorrow"}, {"documentation": "docs"}, {"codeowners": []}, {"domain": "wall"}],
)
def test_a_fault_of_the_manifest_is_found(change: dict[str, Any]) -> None:
    assert faults_of_manifest(read(INTEGRATION / "manifest.json") | change) == [
        f"bad: {next(iter(change))}"
    ]


def test_there_is_something_to_read() -> None:
    assert (ROOT / "README.md").is_file()
    assert (ROOT / "LICENSE").read_text().lstrip().startswith("Apache License")


def test_there_is_one_integration() -> None:
    folders = [
        path.name
        for path in (ROOT / "custom_components").iterdir()
        if path.is_dir() and (path / "manifest.json").exists()
    ]
    assert folders == ["hearthwall"], "HACS installs the first one only"


@pytest.mark.parametrize("theme", ["", "dark_"])
@pytest.mark.parametrize("scale", [1, 2])
def test_logo(theme: str, scale: int) -> None:
    with Image.open(BRAND / f"{theme}logo{'' if scale == 1 else '@2x'}.png") as logo:
        assert logo.format == "PNG"
        assert logo.height == LOGO * scale
        assert logo.width > logo.height
        check_edges(logo)


@pytest.mark.parametrize("scale", [1, 2])
def test_icon(scale: int) -> None:
    with Image.open(BRAND / f"icon{'' if scale == 1 else '@2x'}.png") as icon:
        assert icon.format == "PNG"
        assert icon.size == (ICON * scale, ICON * scale)
        check_edges(icon)


def check_edges(picture: Image.Image) -> None:
    """Look that it is transparent at its corner and trimmed on every side."""
    alpha = picture.convert("RGBA").getchannel("A")
    assert alpha.getpixel((0, 0)) == 0
    width, height = alpha.size
    for box in (
        (0, 0, width, 4),
        (0, height - 4, width, height),
        (0, 0, 4, height),
        (width - 4, 0, width, height),
    ):
        assert sum(value > 0 for value in alpha.crop(box).get_flattened_data()) > PAINTED, box


def test_the_brands_pictures_are_all_made_from_a_drawing() -> None:
    drawings = {path.stem for path in BRAND.glob("*.svg")}
    pictures = {path.stem.removeprefix("dark_").removesuffix("@2x") for path in BRAND.glob("*.png")}
    assert pictures == drawings == {"icon", "logo"}


def test_oldest_home_assistant_is_one_and_the_tests_run_on_no_older_one() -> None:
    oldest = read(ROOT / "hacs.json")["homeassistant"]
    pinned = next(
        line.partition("==")[2]
        for line in (ROOT / "requirements_test.txt").read_text().splitlines()
        if line.startswith("homeassistant==")
    )
    assert AwesomeVersion(oldest) <= AwesomeVersion(pinned)
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"Home Assistant {oldest.rpartition('.')[0]} or later" in readme
