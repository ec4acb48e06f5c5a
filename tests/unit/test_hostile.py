"""A device that invents names, peers, ports and devices: it takes no more memory for long, nor others' detection."""

import pytest

from bench import hostile

_MB = 2**20
#: What is found anew only widens the tables that are full already; 40,000 more names alone would take 20 MB.
_MORE = 8 * _MB


@pytest.mark.timeout(600)
def test_four_times_as_much_takes_hardly_more_memory_and_a_scan_is_found_meanwhile() -> None:
    some = hostile.outcomes(names=20_000, peers=2_000)
    more = hostile.outcomes(names=80_000, peers=2_000)
    assert more.observations > 2 * some.observations
    assert more.grown - some.grown < _MORE
    assert more.grown < hostile.LIMIT_MB * _MB
    assert some.is_scan_found
    assert more.is_scan_found
    assert more.others == 0
