"""JSON objects read into frozen dataclasses, as strictly as hostile input asks for.

How a type is read is found out once and not with each message: hundreds of devices may come every second.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from .errors import SensorError

#: Returns a JSON value as what it stands for, or raises _WrongError.
_Reader = Callable[[Any], Any]


class _WrongError(Exception):
    """A value is not what it should be; on its way up it learns where it is."""

    def __init__(self, said: str) -> None:
        """Take what is wrong."""
        super().__init__(said)
        self.said = said
        #: The names of the fields that lead to it, the innermost first.
        self.path: list[str] = []

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the error of a value of another kind."""
        return cls(f" is not what it should be: {str(value)[:80]!r}")


def _scalar_reader(kind: Any) -> _Reader:
    """Read a text, a truth or a whole number; neither of the last two is the other."""

    def read(value: Any) -> Any:
        if type(value) is kind:
            return value
        raise _WrongError.of(value)

    return read


def _float_reader(_: Any) -> _Reader:
    """Read a finite number."""

    def read(value: Any) -> Any:
        if type(value) is float or type(value) is int:
            try:
                if math.isfinite(value):
                    return float(value)
            except OverflowError:  # a whole number that is larger than all
                pass
        raise _WrongError.of(value)

    return read


def _union_reader(kind: Any) -> _Reader:
    """Read what may be null, or one of several kinds; what is wrong is told as of the last."""
    members = typing.get_args(kind)
    may_be_null = types.NoneType in members
    *others, last = (_reader(each) for each in members if each is not types.NoneType)

    def read(value: Any) -> Any:
        if value is None and may_be_null:
            return None
        for each in others:
            try:
                return each(value)
            except _WrongError:
                continue
        return last(value)

    return read


def _literal_reader(kind: Any) -> _Reader:
    """Read one of a few texts."""
    members = frozenset(typing.get_args(kind))

    def read(value: Any) -> Any:
        if type(value) is str and value in members:
            return value
        raise _WrongError.of(value)

    return read


def _list_reader(kind: Any) -> _Reader:
    """Read a list into a tuple."""
    each = _reader(typing.get_args(kind)[0])

    def read(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return tuple(map(each, value))
        raise _WrongError.of(value)

    return read


def _mapping_reader(kind: Any) -> _Reader:
    """Read an object whose names are data."""
    each = _reader(typing.get_args(kind)[1])

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): each(item) for key, item in value.items()}
        raise _WrongError.of(value)

    return read


def _fields_reader(kind: Any) -> _Reader:
    """Read an object into a dataclass; unknown fields are skipped, missing ones take their default."""
    fields: list[tuple[str, _Reader, bool]] = []

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _WrongError.of(value)
        if not fields:  # not before there is a value: a type may have a field of its own kind
            fields[:] = _fields_of(kind)
        values = {}
        name = ""
        try:
            for name, each, is_required in fields:
                if name in value:
                    values[name] = each(value[name])
                elif is_required:
                    break
            else:
                return kind(**values)
        except _WrongError as wrong:
            wrong.path.append(name)
            raise
        raise _WrongError(f" lacks {name}")

    return read


def _fields_of(kind: Any) -> list[tuple[str, _Reader, bool]]:
    """Return a dataclass's fields: the name, what reads it, and whether it must be there."""
    hints = typing.get_type_hints(kind)
    return [
        (
            each.name,
            _reader(hints[each.name]),
            each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING,
        )
        for each in dataclasses.fields(kind)
    ]


#: How a reader is made of each kind of type that messages use; all others are dataclasses.
_MAKERS: dict[Any, Callable[[Any], _Reader]] = {
    types.UnionType: _union_reader,
    typing.Union: _union_reader,  # what `Literal | None` is before Python 3.14
    Literal: _literal_reader,
    tuple: _list_reader,
    Mapping: _mapping_reader,
    Any: lambda _: lambda value: value,
    float: _float_reader,
    str: _scalar_reader,
    int: _scalar_reader,
    bool: _scalar_reader,
}


_readers: dict[Any, _Reader] = {}


def _reader(kind: Any) -> _Reader:
    """Return what reads a type."""
    found = _readers.get(kind)
    if found is None:
        maker = _MAKERS.get(typing.get_origin(kind) or kind, _fields_reader)
        found = _readers[kind] = maker(kind)
    return found


class Message:
    """Something that crosses the wire: a frozen dataclass whose fields are the JSON object's."""

    @classmethod
    def from_wire(cls, wire: Any) -> Self:
        """Read the JSON object; raises SensorError `invalid_message`."""
        try:
            message: Self = _reader(cls)(wire)
        except _WrongError as wrong:
            where = ".".join((cls.__name__.lower(), *reversed(wrong.path)))
            raise SensorError("invalid_message", where + wrong.said) from None
        return message

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object."""
        return dataclasses.asdict(typing.cast("Any", self))
