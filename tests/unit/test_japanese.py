"""In Japanese each thing has one name, and where Home Assistant names it, that name."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TRANSLATIONS = ROOT / "custom_components" / "hearthwall" / "translations"
STRINGS = ROOT / "frontend" / "src" / "strings"

#: Words that are not written, and what is in their place.
TERMS = {
    "出来事": "イベント",
    "機器": "デバイス",
    "通信先": "通信相手",
    "承認": "問題なし",
    "解放": "隔離を解除",
    "検疫": "隔離",
    "インテグレーション": "統合",
    "再構成": "再設定",
    "インターネット不可": "インターネット遮断",
    "インターネット禁止": "インターネット遮断",
}
TEXTS = [
    TRANSLATIONS / "ja.json",
    *sorted(STRINGS.glob("ja*.ts")),
    ROOT / "README.ja.md",
    ROOT / "docs/features.ja.md",
]


def cards(language: str) -> dict[str, str]:
    """Return the cards' sentences by their keys."""
    source = "".join(path.read_text() for path in sorted(STRINGS.glob(f"{language}*.ts")))
    return dict(re.findall(r'"([\w.]+)":\s*"((?:[^"\\]|\\.)*)"', source))


def translations(language: str) -> Any:
    """Return what Home Assistant shows."""
    return json.loads((TRANSLATIONS / f"{language}.json").read_text())


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_each_thing_has_one_name(path: Path) -> None:
    lines = enumerate(path.read_text().splitlines(), 1)
    assert not [
        f"{path.name}:{number}: {found.group()}, which is {TERMS[found.group()]}"
        for number, line in lines
        for found in re.finditer("|".join(TERMS), line)
    ]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_cards_name_kinds_and_severities_as_the_event_entities_do(language: str) -> None:
    said = cards(language)
    attributes = translations(language)["entity"]["event"]["security"]["state_attributes"]
    for prefix, names in (
        ("kind", attributes["event_type"]["state"]),
        ("severity", attributes["severity"]["state"]),
    ):
        assert {key: said.get(f"{prefix}.{key}") for key in names} == names


def test_cards_order_by_the_names_of_the_actions() -> None:
    said, actions = cards("ja"), translations("ja")["services"]
    for key, action in {
        "events.block.peer": "block",
        "events.stop": "block_process",
        "events.quarantine": "quarantine",
        "events.release": "release",
        "device.release_peer": "unblock",
        "events.accept": "accept",
    }.items():
        # プロセスをブロック: the verb stands last
        verb = actions[action]["name"].rpartition("を")[2]
        assert verb in said[key], (key, said[key], verb)
