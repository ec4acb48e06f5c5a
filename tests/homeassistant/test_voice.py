"""What is asked aloud is answered by Home Assistant's own agent, in the language of the question."""

# ruff: noqa: RUF001 (Japanese has marks of its own)

import dataclasses
import re
import string
from pathlib import Path
from time import time

import pytest
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

import custom_components.hearthwall as integration
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import AddBlock
from custom_components.hearthwall.devices import async_registered
from custom_components.hearthwall.sentences import LANGUAGES
from custom_components.hearthwall.voice import _amount
from tests.devices import CAMERA, TV
from tests.homeassistant.peer import Peer, device
from tests.homeassistant.test_init import wait_for

#: What can be asked, beside the words of the answers.
ASKED = {"most_data", "quarantined", "how_many"}


@pytest.fixture
async def home(hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer) -> None:
    """A home with an assistant that knows a camera and a television."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "conversation", {})
    await hass.async_block_till_done()
    for each in er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id):
        async_expose_entity(hass, "conversation", each.entity_id, each.domain == "switch")
    now = time()
    await peer.tell(
        devices=[
            device(CAMERA, hostname="camera", download_bytes=5_000_000, last_seen=now),
            device(TV, name="テレビ", download_bytes=2_500_000_000, last_seen=now - 9999),
        ]
    )


async def ask(hass: HomeAssistant, text: str, language: str = "en") -> str:
    """Return what the assistant says."""
    result = await hass.services.async_call(
        "conversation",
        "process",
        {"text": text, "language": language},
        blocking=True,
        return_response=True,
    )
    return str(result["response"]["speech"]["plain"]["speech"])


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("language", "question", "answer"),
    [
        (
            "en",
            "Which device used the most data today?",
            "テレビ used the most data today: 2.5 GB.",
        ),
        ("en", "what device has used most data", "テレビ used the most data today: 2.5 GB."),
        ("en", "How many devices are online?", "1 of 2 devices are online."),
        ("en", "Is the camera quarantined?", "No, camera is not quarantined."),
        ("en", "is Camera in quarantine", "No, camera is not quarantined."),
        ("en", "Is the toaster quarantined?", "No device that is exposed to me is called toaster."),
        (
            "ja",
            "今日一番データを使ったデバイスは何ですか？",
            "今日最もデータを使ったのはテレビで、2.5 GBです。",
        ),
        (
            "ja",
            "今日もっとも通信量が多い機器は？",
            "今日最もデータを使ったのはテレビで、2.5 GBです。",
        ),
        ("ja", "オンラインのデバイスは何台ですか？", "2台中1台がオンラインです。"),
        ("ja", "何台の端末がつながっていますか", "2台中1台がオンラインです。"),
        ("ja", "テレビは隔離されていますか？", "いいえ、テレビは隔離されていません。"),
        (
            "ja",
            "冷蔵庫は隔離中ですか",
            "公開されているデバイスの中に、冷蔵庫という名前のものは見つかりません。",
        ),
    ],
)
async def test_questions(hass: HomeAssistant, language: str, question: str, answer: str) -> None:
    assert await ask(hass, question, language) == answer


@pytest.mark.usefixtures("home")
async def test_quarantine_is_told_as_it_is(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    hub = loaded.runtime_data
    await hub.block(AddBlock(target=CAMERA, mode="no_internet"))
    assert "another rule" in await ask(hass, "Is the camera quarantined?")
    await hub.block(AddBlock(target=CAMERA))
    assert await ask(hass, "Is the camera quarantined?") == "Yes, camera is quarantined."
    await hub.block(AddBlock(target=TV))
    assert await ask(hass, "テレビは隔離されてる", "ja") == "はい、テレビは隔離されています。"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Is the TV quarantined?"),
        ("en", "Is the telly quarantined?"),
        ("en", "Is the living room telly quarantined?"),
        ("en", "Is the TV in the lounge quarantined?"),
        ("ja", "ＴＶは隔離されていますか"),
        ("ja", "テレビは隔離されていますか"),
        ("ja", "リビングのテレビは隔離されていますか"),
    ],
)
async def test_a_device_goes_by_aliases_and_its_area(
    hass: HomeAssistant, loaded: MockConfigEntry, language: str, question: str
) -> None:
    registered = async_registered(hass, loaded, TV)
    assert registered
    area = ar.async_get(hass).async_create("Living Room", aliases={"Lounge", "リビング"})
    dr.async_get(hass).async_update_device(registered.id, name_by_user="TV", area_id=area.id)
    entities = er.async_get(hass)
    for each in er.async_entries_for_device(entities, registered.id):
        aliases = ["telly", "テレビ"] if each.domain == "switch" else ["box"]
        entities.async_update_entity(each.entity_id, aliases=[*each.aliases, *aliases])
    assert (await ask(hass, question, language)) in {
        "No, TV is not quarantined.",
        "いいえ、TVは隔離されていません。",
    }
    assert "called box" in await ask(hass, "Is the box quarantined?"), "of an entity not exposed"
    assert "called living room" in await ask(hass, "Is the living room quarantined?")


@pytest.mark.usefixtures("home")
async def test_what_is_not_exposed_is_not_told_of(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    for each in er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id):
        async_expose_entity(hass, "conversation", each.entity_id, False)
    for question in ("Which device used the most data today?", "Is the camera quarantined?"):
        said = await ask(hass, question)
        assert said.startswith("No device of the network is exposed to me.")
        assert "Settings, Voice assistants, Expose" in said
    assert "「設定」→「音声アシスタント」→「公開」" in await ask(hass, "テレビは隔離中ですか", "ja")
    assert await ask(hass, "How many devices are online?") == "1 of 2 devices are online."


@pytest.mark.usefixtures("home")
async def test_a_sensor_that_is_away_is_no_answer(
    hass: HomeAssistant, loaded: MockConfigEntry, peer: Peer
) -> None:
    await peer.stop()
    await wait_for(lambda: not loaded.runtime_data.available)
    assert await ask(hass, "How many devices are online?") == (
        "Hearthwall's sensor cannot be reached."
    )


async def test_without_an_assistant_nothing_is_registered(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    assert "conversation" not in hass.config.components


def test_every_language_has_the_same_answers() -> None:
    assert set(LANGUAGES) == {"en", "ja"}
    for field in dataclasses.fields(LANGUAGES["en"]):
        said = [getattr(each, field.name) for each in LANGUAGES.values()]
        if isinstance(said[0], str):
            places = [{name for _, name, _, _ in string.Formatter().parse(each)} for each in said]
            assert places[0] - {None} == places[1] - {None}


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0.0 kB"), (5_000_000, "5.0 MB"), (2_500_000_000, "2.5 GB"), (10**16, "10000.0 TB")],
)
def test_amounts(size: int, said: str) -> None:
    assert _amount(size) == said


@pytest.mark.usefixtures("home")
async def test_the_documented_questions_are_answered(hass: HomeAssistant) -> None:
    page = Path(integration.__file__).parents[2] / "docs" / "home-assistant.md"
    section = page.read_text().split("\n## Assist\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \|$", section.split("| tool |")[0], re.MULTILINE)[2:]
    assert len(rows) == len({field.name for field in dataclasses.fields(LANGUAGES["en"])} & ASKED)
    for row in rows:
        for language, question in zip(("en", "ja"), row, strict=True):
            said = await ask(hass, question, language)
            assert re.search(r"テレビ|camera|2", said), (question, said)
