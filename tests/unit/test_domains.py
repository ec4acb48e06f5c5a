"""Which names a pattern stands for."""

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.domains import Patterns

PATTERNS = Patterns(
    {"bad.example": 1, "*.vendor.example": 2, "*.cloud.vendor.example": 3, "vendor.example": 4}
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bad.example", [1]),
        ("www.bad.example", []),
        ("verybad.example", []),
        ("vendor.example", [4, 2]),
        ("firmware.vendor.example", [2]),
        ("a.b.firmware.vendor.example", [2]),
        ("eu.cloud.vendor.example", [3, 2]),
        ("othervendor.example", []),
        ("firmware\\046vendor.example", []),
        ("example", []),
        ("", []),
    ],
)
def test_a_name_is_itself_and_a_star_is_it_and_all_below(name: str, found: list[int]) -> None:
    assert list(PATTERNS.find(name)) == found


def test_no_pattern_stands_for_nothing() -> None:
    assert not Patterns({})
    assert PATTERNS


@given(
    name=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5).map(".".join),
    pattern=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(".".join),
)
def test_a_star_agrees_with_the_end_of_the_text(name: str, pattern: str) -> None:
    found = list(Patterns({f"*.{pattern}": 1}).find(name))
    assert found == ([1] if f".{name}".endswith(f".{pattern}") else [])
    assert list(Patterns({pattern: 1}).find(name)) == ([1] if name == pattern else [])
