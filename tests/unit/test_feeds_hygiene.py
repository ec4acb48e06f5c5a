"""What no list may block is taken out, and lists are merged: both against a plain model."""

from array import array
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.feeds import hygiene
from hearthwall_sensor.feeds.entries import (
    MAX_EXAMPLES,
    Entries,
    name_hash,
    parse_prefix,
    prefix_text,
)
from hearthwall_sensor.feeds.merge import merge
from hearthwall_sensor.kernel import prefixes as kernel_prefixes
from hearthwall_sensor.network import surroundings


def entries(*texts: str) -> Entries:
    found = Entries(name_hash(b"k"))
    for text in texts:
        assert found.prefix(text)
    found.sort()
    return found


def subtract(*texts: str, what: dict[str, str]) -> tuple[list[str], hygiene.Examples]:
    ipv4, ipv6, taken = hygiene.subtract(entries(*texts), what)
    return [prefix_text(each, 32) for each in ipv4] + [
        prefix_text(each, 128) for each in ipv6
    ], taken


HOME = hygiene.protected(
    ["203.0.113.192/26", "2001:db8:20::/64"],
    {"198.51.100.1": "the default gateway", "2001:db8:100::1": "the default gateway"},
    ["203.0.113.53"],
)


def test_private_and_special_ranges_are_subtracted() -> None:
    kept, taken = subtract(
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "192.168.20.21",
        "127.0.0.1",
        "100.64.0.0/10",
        "169.254.1.1",
        "198.18.0.0/15",
        "192.0.0.0/24",
        "224.0.0.0/8",
        "255.255.255.255",
        "fe80::/16",
        "fd00::/16",
        "64:ff9b::/96",
        "203.0.113.66",
        what=HOME,
    )
    assert kept == ["203.0.113.66"]
    assert taken.count == 14
    assert len(taken.shown) == MAX_EXAMPLES


def test_a_wider_prefix_is_split_around_what_is_protected() -> None:
    kept, taken = subtract("203.0.113.0/24", "198.51.100.0/31", what=HOME)
    left = {ip_network(each) for each in kept}
    assert ip_network("198.51.100.0") in left
    covered = {address for each in left for address in each}
    assert ip_network("203.0.113.53")[0] not in covered
    assert ip_network("198.51.100.1")[0] not in covered
    assert not covered & set(ip_network("203.0.113.192/26"))
    assert len(covered) == 256 - 64 - 1 + 1
    assert taken.count == 3
    assert any("but for 203.0.113.53: a DNS server of this host" in each for each in taken.shown)


def test_a_home_with_public_ipv6_keeps_it() -> None:
    kept, taken = subtract("2001:db8:20::/60", what=HOME)
    assert len(kept) == 4
    assert all(not ip_network(each).overlaps(ip_network("2001:db8:20::/64")) for each in kept)
    assert taken.shown == ["2001:db8:20::/60 but for 2001:db8:20::/64: a network of this home"]


network4 = st.builds(
    lambda address, length: IPv4Network((0xCB007100 | address, length), strict=False),
    st.integers(0, 255),
    st.integers(22, 32),
)


@given(st.lists(network4, max_size=12), st.lists(network4, max_size=6))
def test_subtraction_is_what_set_arithmetic_says(
    listed: list[IPv4Network], holes: list[IPv4Network]
) -> None:
    kept, taken = subtract(*map(str, listed), what={str(each): "x" for each in holes})
    wanted = {a for each in listed for a in each} - {a for each in holes for a in each}
    assert {a for each in kept for a in IPv4Network(each)} == wanted
    assert kept == [str(each) for each in dict.fromkeys(kept)]
    assert (taken.count > 0) == any(a.overlaps(b) for a in listed for b in holes)


@given(st.lists(st.tuples(st.integers(0, 3), network4), max_size=20))
def test_the_longest_match_knows_every_list_that_covers_an_address(
    listed: list[tuple[int, IPv4Network]],
) -> None:
    feeds = [
        (slot, entries(*(str(network) for each, network in listed if each == slot)).ipv4)
        for slot in range(4)
    ]
    found, masks = merge(feeds, 32)
    trie = {
        IPv4Network(prefix_text(each, 32)): mask for each, mask in zip(found, masks, strict=True)
    }
    assert found == sorted(found)
    for address in IPv4Network("203.0.112.0/23"):
        wanted = 0
        for slot, network in listed:
            if address in network:
                wanted |= 1 << slot
        longest = max(
            (each for each in trie if address in each),
            key=lambda each: each.prefixlen,
            default=None,
        )
        assert (trie[longest] if longest else 0) == wanted


def test_a_prefix_that_says_nothing_new_takes_no_place() -> None:
    listed = entries("203.0.113.0/24", "203.0.113.7", "203.0.113.8/29").ipv4
    assert [prefix_text(each, 32) for each in merge([(5, listed)], 32)[0]] == ["203.0.113.0/24"]
    both = merge([(0, listed), (31, entries("203.0.113.7").ipv4)], 32)
    assert both[1] == [1, 1 | 1 << 31]


@given(st.lists(network4, max_size=5), st.lists(st.integers(8, 24), max_size=3))
def test_the_index_has_a_bit_for_each_block_that_is_touched(
    listed: list[IPv4Network], lengths: list[int]
) -> None:
    wide = [IPv4Network((0x51000000, length), strict=False) for length in lengths]
    numbers = entries(*map(str, [*listed, *wide])).ipv4
    index = kernel_prefixes.ipv4_index(numbers)
    wanted = set()
    for each in (*listed, *wide):
        first = int(each.network_address) >> 8
        wanted |= set(range(first, first + max(1, each.num_addresses >> 8)))
    assert int.from_bytes(index, "little").bit_count() == len(wanted)
    assert all(index[each >> 3] >> (each & 7) & 1 for each in list(wanted)[:5000])


@pytest.mark.parametrize(
    ("text", "bits"),
    [("2001:db8::/32", 1), ("2001:db8:5::/48", 1), ("2001:db8::/30", 4), ("2001::/19", 1 << 20)],
)
def test_the_index_of_ipv6(text: str, bits: int) -> None:
    index = kernel_prefixes.ipv6_index(entries(text).ipv6)
    assert int.from_bytes(index, "little").bit_count() == bits
    first = int(IPv6Network(text).network_address) >> 96
    number = (first * 0x9E3779B1 & 0xFFFFFFFF) >> 12
    assert index[number >> 3] >> (number & 7) & 1


def test_keys_lie_as_the_kernel_reads_them() -> None:
    parsed = parse_prefix("203.0.113.0/24")
    assert parsed is not None
    assert kernel_prefixes.ipv4_keys(array("Q", [parsed[1]])) == b"\x18\0\0\0\xcb\0\x71\0"
    parsed = parse_prefix("2001:db8::/32")
    assert parsed is not None
    assert kernel_prefixes.ipv6_keys([parsed[1]]) == b"\x20\0\0\0\x20\x01\x0d\xb8" + bytes(12)


def test_dns_servers_are_read_as_the_resolver_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# x\nnameserver 9.9.9.9\nnameserver\n nameserver fe80::1%eth0\nsearch lan\n\xff\n"
    )
    assert surroundings.resolvers(file) == ["9.9.9.9", "fe80::1"]
    assert surroundings.resolvers(tmp_path / "none") == []
