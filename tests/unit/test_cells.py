"""Text that devices and peers wrote, in a terminal's columns: harmless and aligned."""

import pytest
import wcwidth
from hypothesis import given, strategies as st

from hearthwall_sensor.words import amounts
from hearthwall_sensor.words.cells import (
    clean,
    cut,
    cut_mac,
    fill,
    narrowed,
    table,
    width,
    without_empty,
)


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2Jcamera",
        "\x9b31mcamera",
        "a\r\nb",
        "a\x00b",
        "a\u202eb",
        "a\u2066b",
        "a\u200bb",
        "a\u2028b",
        "\ud800",
    ],
)
def test_nothing_that_a_terminal_acts_upon_is_left(hostile: str) -> None:
    shown = clean(hostile)
    assert "?" in shown
    assert all(each.isprintable() for each in shown)


@given(st.text())
def test_text_is_cut_and_filled_to_columns(text: str) -> None:
    shown = clean(text)
    for columns in range(12):
        assert width(cut(shown, columns)) <= columns
        assert width(fill(shown, columns)) == width(fill(shown, columns, right=True)) == columns
    assert cut(shown, width(shown)) == shown


@pytest.mark.parametrize(
    "text", ["camera", "客厅的摄像头", "cámara", "ca\u0301mara", "📷 1", "거실"]
)
def test_width_is_the_terminals(text: str) -> None:
    assert width(clean(text)) == wcwidth.wcswidth(text)


def test_columns_of_a_table_are_aligned_whatever_is_in_them() -> None:
    text = table(("a", "b"), [("客厅", "1"), ("x", "2"), ("e\u0301\x1b", "3")])
    assert [width(line.removesuffix(line[-1])) for line in text.splitlines()] == [6] * 4
    assert text.splitlines()[3] == "e\u0301?    3"


def test_columns_without_text_are_left_out() -> None:
    assert without_empty(("a", "b"), [("1", ""), ("2", "")]) == (("a",), [("1",), ("2",)])


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (0, "0 bit"),
        (1, "8 bit"),
        (124.9, "999 bit"),
        (125, "1.0 kbit"),
        (12_480, "99.8 kbit"),
        (12_500, "100 kbit"),
        (124_990, "1.0 Mbit"),
        (1.25e9, "10.0 Gbit"),
        (1.25e12, "10.0 Tbit"),
    ],
)
def test_a_rate_is_in_bits_and_short(rate: float, shown: str) -> None:
    assert amounts.bits(rate) == shown


def test_a_mac_is_cut_from_the_left_and_nothing_else_is() -> None:
    assert fill("02:00:5e:00:53:21", 8) == "~0:53:21"
    assert cut_mac("a name that is long", 8) == "a name ~"
    assert cut_mac("02:00:5e:00:53:21", 17) == "02:00:5e:00:53:21"


def test_a_table_fits_the_terminal_as_long_as_its_columns_say_something() -> None:
    assert narrowed([30, 5, 12], 60) == [30, 5, 12]
    assert narrowed([30, 5, 12], 40) == [19, 5, 12]
    assert narrowed([30, 5, 12], 30) == [10, 5, 11]
    assert narrowed([30, 5, 12], 10) == [8, 5, 8]
