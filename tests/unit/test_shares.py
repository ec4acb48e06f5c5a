"""Shares: no device takes all turns, and none is refused uncounted."""

from hearthwall_sensor.flows.shares import Shares


def test_each_has_a_share_and_all_have_one_together() -> None:
    shares = Shares(3, 5)
    assert [shares.take(b"a") for _ in range(5)] == [True, True, True, False, False]
    assert [shares.take(b"b") for _ in range(3)] == [True, True, False]
    assert not shares.take(b"c")
    assert shares.refused == 4
