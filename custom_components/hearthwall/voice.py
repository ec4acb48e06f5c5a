"""Questions that can be asked aloud: sentence triggers of Home Assistant's, so that nobody has to copy a file."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.script import ScriptRunResult
from homeassistant.helpers.trigger import async_initialize_triggers, async_validate_trigger_config
from homeassistant.setup import async_when_setup

from .answers import MAX_NAME, async_hubs, async_is_called, async_known_devices, once
from .blocks import isolates
from .const import DOMAIN, LOGGER
from .hostile import plain
from .sentences import LANGUAGES, Words

_CONVERSATION: Final = "conversation"
_UNITS: Final = ("kB", "MB", "GB", "TB")
_THOUSAND: Final = 1000

type Answer = Callable[[HomeAssistant, Words, str], str]


@callback
def async_setup_voice(hass: HomeAssistant) -> None:
    """Register the sentences once there is somebody who listens to any."""
    async_when_setup(hass, _CONVERSATION, _async_register)


async def _async_register(hass: HomeAssistant, _component: str) -> None:
    """Register each question in each language."""
    for words in LANGUAGES.values():
        for sentences, answer in (
            (words.most_data, most_data),
            (words.quarantined, quarantined),
            (words.how_many, how_many),
        ):
            config = [{"platform": _CONVERSATION, "command": list(sentences)}]
            await async_initialize_triggers(
                hass,
                await async_validate_trigger_config(hass, config),
                _answering(hass, words, answer),
                DOMAIN,
                "voice",
                LOGGER.log,
            )


def _answering(
    hass: HomeAssistant, words: Words, answer: Answer
) -> Callable[[dict[str, Any], Context | None], Awaitable[ScriptRunResult]]:
    """Return what a trigger runs: it answers in the language of the sentence."""

    async def run(variables: dict[str, Any], _context: Context | None = None) -> ScriptRunResult:
        """Answer, or say that nothing is known at present."""
        asked = plain(str(variables["trigger"]["slots"].get("device", "")), MAX_NAME)
        said = answer(hass, words, asked) if async_hubs(hass) else words.not_reachable
        return ScriptRunResult(conversation_response=said, service_response=None, variables={})

    return run


@callback
def most_data(hass: HomeAssistant, words: Words, _asked: str) -> str:
    """Say which device moved most since midnight."""
    known = once(async_known_devices(hass, _CONVERSATION))
    if not known:
        return words.none_known
    most = max(known, key=lambda each: each.today)
    if not most.today:
        return words.used_none
    return words.used_most.format(name=most.name, amount=_amount(most.today))


@callback
def quarantined(hass: HomeAssistant, words: Words, asked: str) -> str:
    """Say whether a device is cut off; of several of one name, whether any is."""
    known = list(async_known_devices(hass, _CONVERSATION))
    if not known:
        return words.none_known
    named = [each for each in known if async_is_called(hass, each, _CONVERSATION, asked)]
    if not named:
        return words.is_unknown.format(name=asked)
    rules = [each.rule for each in named if each.rule is not None]
    if any(map(isolates, rules)):
        return words.is_quarantined.format(name=named[0].name)
    restricted = any(each.hub.blocks.on(each.mac) for each in named)
    return (words.is_restricted if restricted else words.is_free).format(name=named[0].name)


@callback
def how_many(hass: HomeAssistant, words: Words, _asked: str) -> str:
    """Say how many devices are online: a number names nobody, so that all are counted."""
    known = once(async_known_devices(hass, None))
    return words.online.format(count=sum(each.is_online for each in known), total=len(known))


def _amount(size: int) -> str:
    """Return an amount of data as one says it."""
    value = size / _THOUSAND
    for unit in _UNITS[:-1]:
        if value < _THOUSAND:
            return f"{value:.1f} {unit}"
        value /= _THOUSAND
    return f"{value:.1f} {_UNITS[-1]}"
