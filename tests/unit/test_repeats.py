"""Tests which notices repeat an event and which are a new one."""

import pytest

from hearthwall_sensor.kinds import KINDS
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.repeats import AHEAD, LONGEST, Repeats

MAC = "02:00:00:00:00:01"
QUIET = KINDS["port_scan"].quiet


def _notice(**more: object) -> Notice:
    """Return an event's notice."""
    fields = {"kind": "port_scan", "severity": "medium", "mac": MAC, "subject": "tcp"}
    return Notice(**{"summary": "It scans.", "evidence": {}, **fields, **more})  # type: ignore[arg-type]


def test_the_same_again_is_a_repeat_until_it_was_quiet() -> None:
    """What goes on keeps the event alive; after a quiet window it is another event."""
    repeats = Repeats()
    assert repeats.seen(_notice(), 0.0) is None
    repeats.told(_notice(), 0.0, 7)
    assert repeats.seen(_notice(summary="It scans on."), QUIET - 1) == 7
    assert repeats.seen(_notice(), 2 * QUIET - 2) == 7
    assert repeats.seen(_notice(), 3 * QUIET - 2) is None


@pytest.mark.parametrize(
    "other",
    [
        {"severity": "high"},
        {"subject": "udp"},
        {"mac": "02:00:00:00:00:02"},
        {"kind": "address_scan"},
        {"mac": None, "address": "192.0.2.1"},
    ],
)
def test_something_else_is_no_repeat(other: dict[str, object]) -> None:
    """A more severe one, or one of another device, kind or subject, is an event of its own."""
    repeats = Repeats()
    repeats.told(_notice(), 0.0, 7)
    assert repeats.seen(_notice(**other), 1.0) is None
    assert repeats.seen(_notice(severity="low"), 1.0) == 7


def test_what_never_ends_is_told_anew() -> None:
    """An event lasts a week at most."""
    repeats = Repeats()
    repeats.told(_notice(), 0.0, 7)
    now = 0.0
    while now < LONGEST - QUIET:
        now += QUIET - 1
        assert repeats.seen(_notice(), now) == 7
    assert repeats.seen(_notice(), LONGEST) is None


def test_the_one_that_was_repeated_longest_ago_gives_way() -> None:
    """Memory is bounded, and what goes on stays."""
    repeats = Repeats(limit=3)
    for number in range(3):
        repeats.told(_notice(subject=str(number)), 0.0, number)
    assert repeats.seen(_notice(subject="0"), 1.0) == 0
    repeats.told(_notice(subject="3"), 2.0, 3)
    found = [repeats.seen(_notice(subject=str(number)), 3.0) for number in range(4)]
    assert found == [0, None, 2, 3]


def test_forgetting_a_device() -> None:
    """Its next event is a new one."""
    repeats = Repeats()
    repeats.told(_notice(), 0.0, 7)
    repeats.forget(frozenset((MAC,)))
    assert repeats.seen(_notice(), 1.0) is None


def test_a_clock_that_was_ahead_mutes_nothing() -> None:
    """What was told at a time to come is as if it had not been; some seconds are no matter."""
    repeats = Repeats()
    repeats.told(_notice(), QUIET, 7)
    assert repeats.seen(_notice(), QUIET - AHEAD) == 7
    assert repeats.seen(_notice(), QUIET - AHEAD - 1) is None
    assert repeats.seen(_notice(), QUIET) is None
