"""Consistent pseudonyms: whoever reads sees what belongs together, and not who or what it is."""

import dataclasses
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED

from .bpf.hearthwall_sensor.protocol import SensorError
from .bpf.hearthwall_sensor.targets import parse_mac

#: Fields whose text is one of the sensor's own words. Any other text is a stranger's until someone looks at it:
#: a field that the protocol gains is hidden by itself.
PLAIN_FIELDS: Final = frozenset(
    {
        *("action", "allow", "application", "audits", "capabilities", "code", "direction"),
        *("format", "kind", "mode", "name_source", "opened_by", "outcome", "role", "scope"),
        *("severity", "tc", "technique", "transport", "version", "xdp"),
    }
)
#: Mappings whose keys are the sensor's own words.
PLAIN_KEYS: Final = frozenset(
    {"by_scope", "counted", "dropped", "lost", "malformed", "missing", "names"}
)
#: What is not even to be told apart from another one.
SECRETS: Final = re.compile(
    r"token|secret|password|fingerprint|certificate|(?<![a-z])(?:key|pin|credentials?)(?![a-z])"
)
#: The longest word that a sensor of ours has for anything.
_LONGEST_WORD: Final = 40
#: Words of ours that are several.
PHRASES: Final = frozenset({"cgroup hooks"})
#: With numbers behind it, as in a version; a host's name, with words between its dots, is none.
_WORD: Final = re.compile(r"\w+(?:[.+-]\d+\w*)*", re.ASCII)


class Pseudonyms:
    """The pseudonyms of one download; the next one has others."""

    def __init__(self) -> None:
        """Know nobody."""
        self._known: dict[tuple[str, str], str] = {}

    def hidden(self, value: Any, name: str = "") -> Any:
        """Return a value with pseudonyms in place of what leads to people; `name` is its field's.

        A dataclass becomes a mapping of its fields, as on the wire.
        """
        if SECRETS.search(name) and value not in (None, ""):
            return REDACTED
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {
                each.name: self.hidden(getattr(value, each.name), each.name)
                for each in dataclasses.fields(value)
            }
        if isinstance(value, Mapping):
            return {
                self._key(key, name): self.hidden(each, str(key)) for key, each in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.hidden(each, name) for each in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._text(str(value), name)

    def pseudonym(self, text: str) -> str:
        """Return what stands for a text wherever it occurs."""
        kind, same = _recognised(text)
        return self._known.setdefault(
            (kind, same), f"{kind}-{1 + sum(known == kind for known, _ in self._known)}"
        )

    def _text(self, text: str, name: str) -> str:
        """Return a text as it is where its field has the sensor's own words, a pseudonym elsewhere."""
        if not text or (name in PLAIN_FIELDS and _is_word(text)):
            return text
        return self.pseudonym(text)

    def _key(self, key: Any, name: str) -> str:
        """Return a mapping's key, which may be an address."""
        text = str(key)
        return text if name in PLAIN_KEYS and _is_word(text) else self.pseudonym(text)


def _is_word(text: str) -> bool:
    """Tell whether a text can be one of the sensor's own words: it is short, plain and no address."""
    return text in PHRASES or (
        len(text) <= _LONGEST_WORD
        and _WORD.fullmatch(text) is not None
        and _recognised(text)[0] == "text"
    )


def _recognised(text: str) -> tuple[str, str]:
    """Return what kind of thing a text is, and how it is written where it is written the usual way."""
    try:
        return "mac", parse_mac(text)
    except SensorError:
        pass
    try:
        return "address", str(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return "network", str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return "text", text.casefold()
