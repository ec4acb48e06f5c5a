"""The policy's file changed by the sensor: the user's comments and order stay, and what makes no sense stays out."""

import copy
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TypeGuard

from .. import files
from ..errors import SensorError
from .file import MAX_BYTES, content, parsed
from .reading import Named, canonical, read

#: A key of these tables can be set by itself, such as `detectors.beacon`.
_INNER: Final = ("detectors", "patterns")
#: Sections that have a name.
_NAMED: Final = ("label", "device", "segment", "program")


def parse_section(text: str) -> Named:
    """Return the section that `all`, `label NAME`, `device MAC`, `segment NAME` or `program PATH` names.

    Raises SensorError `invalid_policy`.
    """
    kind, _, name = text.strip().partition(" ")
    named = kind in _NAMED and name.strip()
    if not named and text.strip() != "all":
        raise SensorError(
            "invalid_policy",
            "a section is `all`, `label NAME`, `device MAC`, `segment NAME` or `program PATH`,"
            f" not {text[:80]!r}",
        )
    return canonical(Named(kind, name.strip()))


def change(path: Path, section: Named, values: Mapping[str, Any]) -> None:
    """Set values of a section, or take out those that are None; on disk when this returns.

    Raises SensorError and leaves the file as it was.
    """
    path = path.resolve()
    before = content(path) if path.exists() else b""
    document = parsed(before, str(path))
    read(document)  # what is broken is mended by hand, not written over
    wanted = copy.deepcopy(document)
    _put(wanted, section, values)
    read(wanted)
    after = _edited(before.decode(), section, values).encode()
    if len(after) > MAX_BYTES:
        raise SensorError("invalid_policy", f"{path} would be longer than {MAX_BYTES // 1024} kB")
    if parsed(after, str(path)) != wanted:
        raise SensorError(
            "invalid_policy",
            f"{section} is written in a way that can't be changed here: edit {path}",
        )
    if (content(path) if path.exists() else b"") != before:
        raise SensorError(
            "storage_failed",
            f"{path} was changed meanwhile, so nothing was written: order it again",
        )
    _write(path, after)


def _write(path: Path, text: bytes) -> None:
    """Put another text in the file's place, which stays as readable as it was."""
    mode = path.stat().st_mode & 0o755 if path.exists() else 0o600
    try:
        files.write(path, text)
        path.chmod(mode)
    except OSError as error:
        raise SensorError("storage_failed", f"{path} can't be written: {error.strerror}") from error


def _edited(text: str, section: Named, values: Mapping[str, Any]) -> str:
    """Return TOML with these values, and everything else as it was."""
    try:
        import tomlkit
    except ImportError as error:
        raise SensorError(
            "missing_capability", "the policy's file is changed with python3-tomlkit: install it"
        ) from error

    def written(value: Any) -> Any:
        if _is_table(value):
            table = tomlkit.inline_table()
            table.update({key: written(each) for key, each in _without_none(value).items()})
            return table
        if isinstance(value, list):
            array = tomlkit.array()
            array.extend([written(each) for each in value])
            return array.multiline(any(map(_is_table, value)))
        return value

    try:
        document = tomlkit.parse(text)
        _put(document, section, values, written, tomlkit.table)
        return tomlkit.dumps(document)
    except Exception as error:
        raise SensorError("invalid_policy", f"{section} can't be changed: {error}") from error


def _is_table(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is a table."""
    return isinstance(value, Mapping)


def _without_none(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table without the keys that say nothing."""
    return {key: each for key, each in value.items() if each is not None}


def _plain(value: Any) -> Any:
    """Return a value as TOML gives it back."""
    if _is_table(value):
        return {key: _plain(each) for key, each in _without_none(value).items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _plain_table(_: bool = False) -> dict[str, Any]:
    """Return an empty table."""
    return {}


def _put(
    document: MutableMapping[str, Any],
    section: Named,
    values: Mapping[str, Any],
    written: Callable[[Any], Any] = _plain,
    table: Callable[..., Any] = _plain_table,
) -> None:
    """Set values of a section in a document, plain or one that keeps comments; an empty section goes."""
    above, name = document, section.kind
    if section.name:
        if section.kind not in document:
            document[section.kind] = table(True)
        above, name = document[section.kind], _written_name(document[section.kind], section)
    if name not in above:
        above[name] = table()
    for key, value in values.items():
        _set(above[name], key, None if value is None else written(value), written({}))
    if not above[name]:
        del above[name]
        if section.name and not above:
            del document[section.kind]


def _set(section: MutableMapping[str, Any], key: str, value: Any, empty: Any) -> None:
    """Set one value of a section; None takes it out."""
    within, last = section, key
    table, dot, inner = key.partition(".")
    if dot and table in _INNER:
        last = inner
        if table not in section:
            section[table] = empty
        within = section[table]
    if last in within:
        del within[last]  # a table of another shape is no place for a value
    if value is not None:
        within[last] = value


def _written_name(sections: Mapping[str, Any], section: Named) -> str:
    """Return a section's name as the file writes it."""
    return next(
        (each for each in sections if canonical(Named(section.kind, each)) == section), section.name
    )
