"""State of devices: who gives way to whom."""

from hearthwall_sensor.per_device import PerDevice


def names(states: PerDevice[list[int]]) -> list[str]:
    return [who for who, _ in states]


def test_newcomers_give_way_to_newcomers_before_whoever_has_been_there() -> None:
    states: PerDevice[list[int]] = PerDevice(list, 32)
    for number in range(16):
        states.of(f"old {number}", 0.0)
    for number in range(16):
        states.of(f"old {number}", 300.0 + number)
    for number in range(16):
        states.of(f"new {number}", 400.0 + number)
    # A sixteenth goes: of those that came lately the last ones
    states.of("newest", 500.0)
    assert names(states)[-3:] == ["new 12", "new 13", "newest"]
    assert len([each for each in names(states) if each.startswith("old")]) == 16


def test_of_those_that_have_been_there_the_longest_silent_go() -> None:
    states: PerDevice[list[int]] = PerDevice(list, 32)
    for number in range(32):
        states.of(f"old {number}", 0.0)
    for number in reversed(range(32)):
        states.of(f"old {number}", 1000.0 - number)
    states.of("new", 2000.0)
    assert {f"old {number}" for number in range(32)} - set(names(states)) == {"old 30", "old 31"}


def test_a_device_that_is_seen_again_keeps_its_state_and_its_age() -> None:
    states: PerDevice[list[int]] = PerDevice(list, 2)
    states.of("old", 0.0).append(1)
    states.of("old", 300.0).append(2)
    states.of("new", 301.0)
    states.of("newest", 302.0)
    assert states.find("old") == [1, 2]
    assert states.find("new") is None
    states.forget("old")
    assert names(states) == ["newest"]
