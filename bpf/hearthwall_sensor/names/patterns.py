"""Values by name, with stars: what rules on names are looked up in."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Patterns(Generic[_T]):
    """Values by name: `example.org` is that name, `*.example.org` is it and every name below it."""

    def __init__(self, values: Mapping[str, _T]) -> None:
        """Take the values by pattern."""
        self._exact = {name: value for name, value in values.items() if name[:2] != "*."}
        self._below = {name[2:]: value for name, value in values.items() if name[:2] == "*."}

    def __bool__(self) -> bool:
        return bool(self._exact or self._below)

    def find(self, name: str) -> Iterator[_T]:
        """Yield the values of all patterns that a name fits."""
        if name in self._exact:
            yield self._exact[name]
        while self._below and name:
            if name in self._below:
                yield self._below[name]
            name = name.partition(".")[2]
