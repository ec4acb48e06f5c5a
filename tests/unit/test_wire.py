"""A message is read as its fields say, and what is wrong with it is told with its place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.wire import Message


@dataclass(frozen=True, slots=True)
class Part(Message):
    """A part of a message."""

    number: int = 0
    other: Part | None = None


@dataclass(frozen=True, slots=True)
class Whole(Message):
    """A message with a field of each kind."""

    text: str
    flag: bool = False
    rate: float = 0.0
    number: int | None = None
    either: int | str = 0
    kind: Literal["one", "two"] | None = "one"
    texts: tuple[str, ...] = ()
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    by_name: Mapping[str, Part] | None = None
    anything: Any = None


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        ({}, Whole("")),
        ({"new": 1}, Whole("")),
        ({"rate": 2}, Whole("", rate=2.0)),
        ({"number": None, "kind": None}, Whole("", kind=None)),
        ({"either": "x"}, Whole("", either="x")),
        ({"texts": ["a", "b"]}, Whole("", texts=("a", "b"))),
        (
            {"part": {"other": {"number": 2}}, "parts": [{"number": 1}]},
            Whole("", part=Part(other=Part(2)), parts=(Part(1),)),
        ),
        ({"by_name": {"x": {}}}, Whole("", by_name={"x": Part()})),
        ({"anything": [{"x": None}]}, Whole("", anything=[{"x": None}])),
    ],
)
def test_what_fits_is_read(wire: dict[str, Any], read: Whole) -> None:
    found = Whole.from_wire(json.loads(json.dumps({"text": ""} | wire)))
    assert found == read
    assert type(found.rate) is float
    assert Whole.from_wire(json.loads(json.dumps(found.to_wire()))) == found


@pytest.mark.parametrize(
    ("wire", "told"),
    [
        ([], "whole is not what it should be: '[]'"),
        (None, "whole is not what it should be: 'None'"),
        ({}, "whole lacks text"),
        ({"text": 1}, "whole.text is not what it should be: '1'"),
        ({"text": None}, "whole.text is not what it should be: 'None'"),
        ({"text": "", "flag": 1}, "whole.flag is not what it should be: '1'"),
        ({"text": "", "number": True}, "whole.number is not what it should be: 'True'"),
        ({"text": "", "number": 1.0}, "whole.number is not what it should be: '1.0'"),
        ({"text": "", "rate": True}, "whole.rate is not what it should be: 'True'"),
        ({"text": "", "rate": "1"}, "whole.rate is not what it should be: '1'"),
        ({"text": "", "rate": float("nan")}, "whole.rate is not what it should be: 'nan'"),
        ({"text": "", "rate": float("-inf")}, "whole.rate is not what it should be: '-inf'"),
        ({"text": "", "rate": 10**400}, f"whole.rate is not what it should be: '1{'0' * 79}'"),
        ({"text": "", "either": []}, "whole.either is not what it should be: '[]'"),
        ({"text": "", "kind": "three"}, "whole.kind is not what it should be: 'three'"),
        ({"text": "", "kind": []}, "whole.kind is not what it should be: '[]'"),
        ({"text": "", "texts": "ab"}, "whole.texts is not what it should be: 'ab'"),
        ({"text": "", "texts": ["a", 1]}, "whole.texts is not what it should be: '1'"),
        ({"text": "", "part": 5}, "whole.part is not what it should be: '5'"),
        (
            {"text": "", "part": {"other": {"number": "x"}}},
            "whole.part.other.number is not what it should be: 'x'",
        ),
        ({"text": "", "by_name": []}, "whole.by_name is not what it should be: '[]'"),
        (
            {"text": "", "by_name": {"x": {"number": {}}}},
            "whole.by_name.number is not what it should be: '{}'",
        ),
        ({"text": "", "texts": ["y" * 200, 1, 2]}, "whole.texts is not what it should be: '1'"),
        ({"text": ["z" * 500]}, f'whole.text is not what it should be: "[\'{"z" * 78}"'),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(wire: Any, told: str) -> None:
    with pytest.raises(SensorError) as raised:
        Whole.from_wire(wire)
    assert raised.value.code == "invalid_message"
    assert raised.value.message == told
