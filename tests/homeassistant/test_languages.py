"""Both languages say all there is to say, nothing else, and with the same placeholders."""

import ast
import json
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from homeassistant import const
from homeassistant.const import Platform

import custom_components.hearthwall as integration
from custom_components.hearthwall.sensor_descriptions import DEVICE_SENSORS

FOLDER = Path(integration.__file__).parent
SENSOR = FOLDER / "bpf" / "hearthwall_sensor"
LANGUAGES = ("en", "ja")

#: Keys that Home Assistant gives; those between them are ours.
STRUCTURE = frozenset(
    {
        *("config", "options", "entity", "exceptions", "issues", "selector", "services"),
        *("triggers", "conditions", "system_health", "step", "abort", "error", "progress"),
        *("data", "data_description", "sections", "fields", "choices", "title", "description"),
        *("name", "message", "info", "state", "state_attributes", "menu_options"),
        *("menu_option_descriptions", "create_entry", "fix_flow", "flow_title", "initiate_flow"),
        *("unit_of_measurement", "event_type"),
        # What its own helpers end a flow with
        *("already_configured", "reconfigure_successful", "reauth_successful"),
        *Platform,
    }
)
#: Where the sensor says what errors, kinds, modes and formats there are.
SENSOR_WORDS = ("errors.py", "kinds.py", "modes.py", "protocol.py", "feeds/formats.py")
#: What is the same in Japanese.
UNTRANSLATED = re.compile(r"[A-Z]{2,}|Home Assistant|Hearthwall|\{\w+\}|[\s\d.,:()/%·-]+")
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def flat(
    words: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in words.items():
        if isinstance(value, dict):
            yield from flat(value, (*path, key))
        else:
            yield (*path, key), value


WORDS = {
    language: dict(flat(json.loads((FOLDER / "translations" / f"{language}.json").read_text())))
    for language in LANGUAGES
}


def placeholders(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def differences(one: dict[tuple[str, ...], str], other: dict[tuple[str, ...], str]) -> list[str]:
    """What one says and the other does not, or with other placeholders."""
    return [
        ".".join(key)
        for key in {**one, **other}
        if key not in one or key not in other or placeholders(one[key]) != placeholders(other[key])
    ]


def test_languages_say_the_same() -> None:
    assert differences(WORDS["en"], WORDS["ja"]) == []
    files = {path.stem for path in (FOLDER / "translations").glob("*.json")}
    assert files == set(LANGUAGES)


@pytest.mark.parametrize(
    ("japanese", "told"),
    [
        ({("a",): "{one} は"}, []),
        ({("a",): "{two} は"}, ["a"]),
        ({}, ["a"]),
        ({("a",): "{one}", ("b",): "は"}, ["b"]),
    ],
)
def test_a_difference_is_found(japanese: dict[tuple[str, ...], str], told: list[str]) -> None:
    assert differences({("a",): "{one} is"}, japanese) == told


def test_japanese_is_japanese() -> None:
    english = [
        ".".join(key)
        for key, sentence in WORDS["ja"].items()
        if UNTRANSLATED.sub("", sentence) and not JAPANESE.search(sentence)
    ]
    assert english == []
    said = [
        ".".join(key)
        for key, sentence in WORDS["en"].items()
        if JAPANESE.search(sentence) or not sentence.strip()
    ]
    assert said == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_as_hassfest_wants_them(language: str) -> None:
    for key, sentence in WORDS[language].items():
        where = ".".join(key)
        assert sentence == sentence.strip(), where
        assert not re.search(r"'\{\w+\}'", sentence), f"{where}: a placeholder in single quotes"
        assert not re.search(r"https?://", sentence), f"{where}: an address is a placeholder's"
        assert not re.search(r"</?[a-z]+[ >]", sentence), f"{where}: HTML"
        assert all(re.fullmatch(r"[a-z0-9_]+", part) and "__" not in part for part in key), where


def said_in_code() -> set[str]:
    """Every word that the code can name a translation by."""
    # Some are put together from what they measure.
    found = {str(each.translation_key) for each in DEVICE_SENSORS}
    for path in [*FOLDER.glob("*.py"), *(SENSOR / each for each in SENSOR_WORDS)]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name.removeprefix("async_step_"))
            elif isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
            elif isinstance(node, ast.ImportFrom) and node.module == const.__name__:
                found |= {str(getattr(const, each.name)) for each in node.names}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
    for path in FOLDER.glob("*.yaml"):
        found |= {token.value for token in yaml.scan(path.read_text()) if hasattr(token, "value")}
    return found


def test_nothing_is_translated_that_nothing_shows() -> None:
    known = said_in_code() | STRUCTURE
    unused = [".".join(key) for key in WORDS["en"] if not set(key) <= known]
    assert unused == []


def test_every_word_that_the_code_names_is_there() -> None:
    top = {key[:2] for key in WORDS["en"]}
    entities = {key[2] for key in WORDS["en"] if key[0] == "entity"}
    steps = {key[2] for key in WORDS["en"] if key[:2] in {("config", "step"), ("options", "step")}}
    fixes = {
        key[4] for key in WORDS["en"] if key[0] == "issues" and key[2:4] == ("fix_flow", "step")
    }
    progress = {key[2] for key in WORDS["en"] if key[:2] == ("config", "progress")}
    aborts = {key[2] for key in WORDS["en"] if key[1] == "abort"} | {
        key[4] for key in WORDS["en"] if key[0] == "issues" and key[2:4] == ("fix_flow", "abort")
    }
    keys = {name for kind, name in top if kind in {"exceptions", "issues", "selector"}} | entities
    for keyword, there in (
        ("translation_key", keys),
        ("progress_action", progress),
        ("step_id", steps | fixes),
        ("reason", aborts),
    ):
        missing = [each for each in named(keyword) if each[0] not in there]
        assert missing == [], keyword


#: Whose keywords these are.
CALLS = {
    "step_id": {"async_show_form", "async_show_menu"},
    "reason": {"async_abort", "async_update_reload_and_abort"},
}


def named(keyword: str) -> Iterator[tuple[str, str]]:
    """Yield each literal that is passed by this keyword, and where."""
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if keyword in CALLS and name not in CALLS[keyword]:
                continue
            for each in node.keywords:
                if each.arg == keyword and isinstance(each.value, ast.Constant):
                    yield each.value.value, f"{path.name}:{node.lineno}"
