"""JSON objects read into frozen dataclasses, as strictly as hostile input asks for."""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from .errors import SensorError


def _read_scalar(kind: Any, value: Any, _: str) -> Any:
    """Read a text, a truth or a whole number."""
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise ValueError


def _read_float(_: Any, value: Any, __: str) -> Any:
    """Read a finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ValueError


def _read_union(kind: Any, value: Any, where: str) -> Any:
    """Read what may be null, or one of several kinds; what is wrong is told as of the last."""
    members = typing.get_args(kind)
    if value is None and types.NoneType in members:
        return None
    *others, last = (each for each in members if each is not types.NoneType)
    for member in others:
        try:
            return _read(member, value, where)
        except SensorError:
            continue
    return _read(last, value, where)


def _read_literal(kind: Any, value: Any, _: str) -> Any:
    """Read one of a few texts."""
    if isinstance(value, str) and value in typing.get_args(kind):
        return value
    raise ValueError


def _read_list(kind: Any, value: Any, where: str) -> Any:
    """Read a list into a tuple."""
    if isinstance(value, list | tuple):
        return tuple(_read(typing.get_args(kind)[0], item, where) for item in value)
    raise ValueError


def _read_mapping(kind: Any, value: Any, where: str) -> Any:
    """Read an object whose names are data."""
    if isinstance(value, Mapping):
        return {
            str(key): _read(typing.get_args(kind)[1], each, where) for key, each in value.items()
        }
    raise ValueError


_field_types: dict[type, dict[str, Any]] = {}


def _read_fields(kind: Any, value: Any, where: str) -> Any:
    """Read an object into a dataclass; unknown fields are skipped, missing ones take their default."""
    if not isinstance(value, Mapping):
        raise ValueError(where)  # noqa: TRY004, what is wrong is the message
    hints = _field_types.get(kind)
    if hints is None:
        hints = _field_types[kind] = typing.get_type_hints(kind)
    values = {}
    for each in dataclasses.fields(kind):
        if each.name in value:
            values[each.name] = _read(hints[each.name], value[each.name], f"{where}.{each.name}")
        elif each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            raise SensorError("invalid_message", f"{where} lacks {each.name}")
    return kind(**values)


#: How each kind of type that messages use is read.
_READERS: dict[Any, Callable[[Any, Any, str], Any]] = {
    types.UnionType: _read_union,
    typing.Union: _read_union,  # what `Literal | None` is before Python 3.14
    Literal: _read_literal,
    tuple: _read_list,
    Mapping: _read_mapping,
    Any: lambda _, value, __: value,
    float: _read_float,
    str: _read_scalar,
    int: _read_scalar,
    bool: _read_scalar,
}


def _read(kind: Any, value: Any, where: str) -> Any:
    """Return value as kind, or raise SensorError with the place that is wrong."""
    reader = _READERS.get(typing.get_origin(kind) or kind, _read_fields)
    try:
        return reader(kind, value, where)
    except (ValueError, OverflowError):
        raise SensorError(
            "invalid_message", f"{where} is not what it should be: {str(value)[:80]!r}"
        ) from None


class Message:
    """Something that crosses the wire: a frozen dataclass whose fields are the JSON object's."""

    @classmethod
    def from_wire(cls, wire: Any) -> Self:
        """Read the JSON object; raises SensorError `invalid_message`."""
        message: Self = _read(cls, wire, cls.__name__.lower())
        return message

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object."""
        return dataclasses.asdict(typing.cast("Any", self))
