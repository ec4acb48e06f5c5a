"""What `check` says of a host, as far as whoever asks can know."""

import os

import pytest

from hearthwall_sensor import capabilities
from hearthwall_sensor.capabilities import Part
from hearthwall_sensor.commands import display

_ROOT = next(each for each in capabilities.PARTS if each.name == "root")


def said(
    monkeypatch: pytest.MonkeyPatch,
    user: int,
    *,
    library: str | None = "1.0",
    hook: str | None = "yes",
) -> list[list[str]]:
    """Return the words of each line that a user is shown of a host with two parts and this one's right."""
    parts = (
        _ROOT,
        Part("library", True, lambda: library, "nothing runs", "apt-get install it", by_root=False),
        Part("hook", True, lambda: hook, "nothing is seen", "use another kernel"),
    )
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(capabilities, "PARTS", parts)
    monkeypatch.setattr(capabilities, "_interfaces", list)
    return [each.split() for each in display.check(capabilities.check()).splitlines()]


def test_what_only_root_can_see_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = said(monkeypatch, 1000)
    assert ["?", "hook", "not", "known", "without", "root"] in lines
    assert ["MISSING", "root", "this", "is", "the", "user", "1000"] in lines
    assert ["hook:", "nothing", "is", "seen."] not in lines
    assert " ".join(lines[-1]).startswith("Only root can find out")


def test_what_a_user_can_see_is_missing_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = said(monkeypatch, 1000, library=None)
    assert ["MISSING", "library", "missing"] in lines
    assert ["To", "get", "it:", "apt-get", "install", "it"] in lines
    assert " ".join(lines[-1]) == "The sensor can't run here yet."


def test_root_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert " ".join(said(monkeypatch, 0)[-1]) == "The sensor can run here."
    lines = said(monkeypatch, 0, hook=None)
    assert ["MISSING", "hook", "missing"] in lines
    assert ["hook:", "nothing", "is", "seen."] in lines
    assert " ".join(lines[-1]) == "The sensor can't run here yet."
