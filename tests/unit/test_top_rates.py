"""Rates are differences of two readings, and nothing is invented where there is only one."""

import pytest

from hearthwall_sensor.top.rates import Rate, Rates, Total


def test_a_rate_is_the_growth_over_the_time_that_passed() -> None:
    rates = Rates()
    assert rates.read(10.0, [Total("a", 1000, 50, 99.0)]) == {"a": Rate()}
    assert rates.read(12.0, [Total("a", 5000, 50, 101.0)]) == {"a": Rate(2000.0, 0.0)}
    assert rates.read(13.0, [Total("a", 5000, 150, 102.0)]) == {"a": Rate(0.0, 100.0)}
    assert Rate(2.0, 3.0).both == 5.0


def test_what_began_since_the_last_reading_counts_whole_and_older_things_not() -> None:
    rates = Rates()
    rates.read(10.0, [])
    read = rates.read(11.0, [Total("new", 700, 0, 0.5), Total("old", 700, 0, 1.5)])
    assert read == {"new": Rate(700.0, 0.0), "old": Rate()}


def test_what_was_not_read_for_a_while_is_measured_over_that_while() -> None:
    rates = Rates()
    rates.read(10.0, [Total("a", 0, 0, 99.0)])
    rates.read(11.0, [])
    assert rates.read(14.0, [Total("a", 400, 0, 103.0)]) == {"a": Rate(100.0, 0.0)}


def test_what_was_begun_anew_counts_from_zero() -> None:
    rates = Rates()
    rates.read(10.0, [Total("a", 9000, 9000, 99.0)])
    assert rates.read(11.0, [Total("a", 300, 0, 0.4)]) == {"a": Rate(300.0, 0.0)}


def test_readings_that_follow_at_once_keep_the_rate_before() -> None:
    rates = Rates()
    rates.read(10.0, [Total("a", 0, 0, 99.0)])
    rates.read(11.0, [Total("a", 1000, 0, 100.0)])
    assert rates.read(11.05, [Total("a", 1100, 0, 100.1)]) == {"a": Rate(1000.0, 0.0)}
    (rate,) = rates.read(12.0, [Total("a", 2000, 0, 101.0)]).values()
    assert rate.upload == pytest.approx(1000.0)


def test_what_is_gone_is_forgotten() -> None:
    rates = Rates()
    rates.read(10.0, [Total(n, 1, 1, 99.0) for n in range(1000)])
    rates.read(50.0, [Total("a", 1, 1, 99.0)])
    assert len(rates._known) == 1
