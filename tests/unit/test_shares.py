"""Shares: no device takes all turns, and none is refused uncounted."""

from hearthwall_sensor.flows.shares import Shares


def test_each_has_a_share_and_all_have_one_together() -> None:
    shares = Shares(3, 5, lambda _: True)
    assert [shares.take(b"a") for _ in range(5)] == [True, True, True, False, False]
    assert [shares.take(b"b") for _ in range(3)] == [True, True, False]
    assert not shares.take(b"c")
    assert shares.refused == 4


def test_strangers_take_nothing_from_settled_devices() -> None:
    shares = Shares(3, 5, lambda who: who == b"a")
    assert [shares.take(bytes((number,))) for number in range(7)] == [True] * 5 + [False] * 2
    assert [shares.take(b"a") for _ in range(4)] == [True, True, True, False]
