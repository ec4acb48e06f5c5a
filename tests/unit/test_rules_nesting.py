"""Prefixes in one another: counted as the kernel meets them."""

import ipaddress

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.kernel.layouts import MAX_NESTED
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.rules.nesting import check_nesting, deepest
from hearthwall_sensor.targets import parse_target

NETWORKS = st.builds(
    lambda address, length: ipaddress.ip_network((address, length), strict=False),
    st.integers(0x0A000000, 0x0A00FFFF),
    st.integers(16, 31),
)


@given(networks=st.sets(NETWORKS, min_size=1, max_size=12))
def test_deepest_is_what_an_address_can_lie_in(networks: set[ipaddress.IPv4Network]) -> None:
    # An address in the most prefixes is also the first one of some prefix.
    firsts = [each.network_address for each in networks]
    assert deepest(networks) == max(sum(a in each for each in networks) for a in firsts)


def test_the_fifth_is_refused_wherever_it_lies() -> None:
    held = [parse_target(f"10.0.0.0/{length}") for length in (8, 12, 20, 24)]
    assert len(held) == MAX_NESTED
    for text in ("10.0.0.0/28", "10.0.0.0/16", "10.0.0.0/23"):
        with pytest.raises(SensorError) as error:
            check_nesting(parse_target(text), held)
        assert error.value.code == "table_full"
        assert "5th" in error.value.message
    for text in ("10.0.1.0/24", "11.0.0.0/8", "2001:db8::/32", "10.0.0.1", "00:00:5e:00:53:21"):
        check_nesting(parse_target(text), held)
    siblings = [parse_target(f"10.0.{i}.0/24") for i in range(200)]
    check_nesting(parse_target("10.0.0.0/16"), siblings)
