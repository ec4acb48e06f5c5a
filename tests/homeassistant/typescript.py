"""Interfaces of TypeScript, as frontend/src/messages.ts writes them: plain, with one field a line."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MESSAGES: Final = Path(__file__).parents[2] / "frontend" / "src" / "messages.ts"

_ALIAS: Final = re.compile(r"export type (\w+) =(.*?);", re.DOTALL)
_INTERFACE: Final = re.compile(r"export interface (\w+) \{\n(.*?)^\}$", re.DOTALL | re.MULTILINE)
_FIELD: Final = re.compile(r"(\w+)(\??): ([^;]+);")
_SCALARS: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "Record<string, unknown>": (dict,),
}


@dataclass(frozen=True)
class Field:
    """A field: its type as it is written, and whether it may be missing."""

    type: str
    is_optional: bool

    @property
    def may_be_null(self) -> bool:
        return "null" in members(self.type)


@dataclass(frozen=True)
class Source:
    """What a file declares."""

    interfaces: dict[str, dict[str, Field]]
    aliases: dict[str, str]

    def fit(self, value: Any, kind: str, where: str = "") -> None:
        """Raise AssertionError unless a value of JSON is what a type says, with every field and no other."""
        assert any(self._fits(value, each, where) for each in members(kind)), (where, kind, value)

    def _fits(self, value: Any, kind: str, where: str) -> bool:
        """Tell whether a value is what a type without alternatives says."""
        if kind in self.aliases:
            return any(self._fits(value, each, where) for each in members(self.aliases[kind]))
        if kind.endswith("[]"):
            if not isinstance(value, list):
                return False
            for number, each in enumerate(value):
                self.fit(each, kind[:-2], f"{where}[{number}]")
            return True
        if kind.startswith('"'):
            return bool(value == kind.strip('"'))
        if kind in _SCALARS:
            return isinstance(value, _SCALARS[kind]) and (
                kind == "boolean" or not isinstance(value, bool)
            )
        return isinstance(value, dict) and self._has_fields(value, kind, where)

    def _has_fields(self, value: dict[str, Any], kind: str, where: str) -> bool:
        """Raise AssertionError unless an object has an interface's fields; return True."""
        fields = self.interfaces[kind]
        kinds_of = {name: members(each.type) for name, each in fields.items()}
        literals = {
            name: kinds
            for name, kinds in kinds_of.items()
            if all(kind.startswith('"') for kind in kinds)
        }
        if any(f'"{value.get(name)}"' not in kinds for name, kinds in literals.items()):
            return False  # it is another one of several
        needed = {name for name, each in fields.items() if not each.is_optional}
        assert needed <= set(value) <= set(fields), (where, kind, set(value) ^ set(fields))
        for name, each in value.items():
            self.fit(each, fields[name].type, f"{where}.{name}")
        return True


def members(kind: str) -> list[str]:
    """Return the alternatives of a type."""
    return [each.strip() for each in kind.split("|") if each.strip()]


def parsed(text: str) -> Source:
    """Read a file; raises AssertionError for what is not plain."""
    aliases = {name: " ".join(kind.split()) for name, kind in _ALIAS.findall(text)}
    interfaces = {name: _fields(name, body) for name, body in _INTERFACE.findall(text)}
    assert len(interfaces) == len(re.findall(r"\binterface\b [A-Z]", text)), "one is not plain"
    return Source(interfaces, aliases)


def _fields(name: str, body: str) -> dict[str, Field]:
    """Return an interface's fields."""
    fields = {}
    for line in map(str.strip, body.splitlines()):
        if not line or line.startswith(("//", "/*", "*")):
            continue
        found = _FIELD.fullmatch(line)
        assert found is not None, f"{name}: {line}"
        fields[found[1]] = Field(found[3], bool(found[2]))
    return fields
