"""Lists of prefixes, merged, loaded and swapped as the sensor does it, against plainly asking who is on which list."""

import random
import struct
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hearthwall_sensor.feeds.merge import merge
from hearthwall_sensor.kernel.prefixes import Prefixes
from hearthwall_sensor.notation import boot_ns
from tests.gateway.model.frame import MAPPED, dissect
from tests.gateway.model.install import installed
from tests.gateway.model.judge import Oracle
from tests.gateway.model.rules import Prefix, Rule, RuleSet
from tests.gateway.unattached import Programs

pytestmark = pytest.mark.lab

SWAPS: Final = 40
CASES: Final = 2_000
#: Lists that drop, one that only counts, and one without a rule.
DROPPING: Final = (0, 1, 30)
COUNTING: Final = 7
SLOTS: Final = (*DROPPING, COUNTING, 31)
BITS: Final = {4: 32, 6: 128}
SHORTEST: Final = {4: 8, 6: 16}
MACS: Final = bytes.fromhex("00005e00530100005e005321")
HOME: Final = {4: bytes.fromhex("c0a81415"), 6: bytes.fromhex("fd000000000000000000000000000021")}
DATAGRAM: Final = struct.pack(">HHHH", 4000, 9000, 8, 0)


def random_lists(pick: random.Random) -> dict[int, set[Prefix]]:
    """Return prefixes by slot, many of them in one another."""
    lists: dict[int, set[Prefix]] = {slot: set() for slot in SLOTS}
    for _ in range(pick.randint(0, 12)):
        version = pick.choice((4, 6))
        address = pick.getrandbits(32) | MAPPED if version == 4 else pick.getrandbits(128)
        for _ in range(pick.randint(1, 5)):
            length = pick.randint(SHORTEST[version], BITS[version])
            lists[pick.choice(SLOTS)].add(Prefix.around(version, address, length))
    return lists


def addresses(pick: random.Random, prefix: Prefix) -> Iterator[int]:
    """Yield addresses in a prefix, and next to it where there are any."""
    size = 1 << BITS[prefix.version] - prefix.length
    lowest = MAPPED if prefix.version == 4 else 0
    first, last = prefix.address, prefix.address + size - 1
    for each in (first, last, first - 1, last + 1, first + pick.randrange(size)):
        if 0 <= each - lowest < 1 << BITS[prefix.version]:
            yield each


def frame_to(version: int, address: int) -> bytes:
    """Return a frame from a host of the home."""
    if version == 4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 17, 0)
        network = b"\x08\x00" + head + HOME[4] + (address & 0xFFFFFFFF).to_bytes(4)
    else:
        network = b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, 8, 17, 64) + HOME[6]
        network += address.to_bytes(16)
    return MACS + network + DATAGRAM


def put_in_force(programs: Programs, lists: dict[int, set[Prefix]]) -> None:
    """Merge and load lists as a refresh does."""
    merged = {
        version: merge(
            [
                (slot, [number(each) for each in prefixes if each.version == version])
                for slot, prefixes in lists.items()
            ],
            bits,
        )
        for version, bits in BITS.items()
    }
    tables = programs.tables
    Prefixes(tables.map).replace(merged[4], merged[6], tables.feeds, tables.set_feeds)


def number(prefix: Prefix) -> int:
    """Return a prefix as feeds write it."""
    address = prefix.address & 0xFFFFFFFF if prefix.version == 4 else prefix.address
    return address << 8 | prefix.length


def test_every_listed_address_is_met_and_no_other(programs: Programs) -> None:
    rules = RuleSet()
    rules.lists = {slot: Rule(slot, "isolate") for slot in DROPPING}
    rules.lists[COUNTING] = Rule(COUNTING, "isolate", audit=True)
    bench = programs.benches["meter_ingress"]
    said: list[str] = []

    @settings(max_examples=SWAPS, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32))
    def agree(seed: int) -> None:
        pick = random.Random(seed)
        lists = random_lists(pick)
        put_in_force(programs, lists)
        rules.feeds_in = programs.tables.feeds
        rules.feeds = {}
        for slot, prefixes in lists.items():
            for prefix in prefixes:
                rules.feeds[prefix] = rules.feeds.get(prefix, 0) | 1 << slot
        oracle = Oracle(rules, boot_ns())
        for prefix in sorted(rules.feeds):
            for address in addresses(pick, prefix):
                frame = frame_to(prefix.version, address)
                verdict = bench.verdict(frame)
                assert verdict == oracle.verdict(dissect(frame), "meter_ingress"), (lists, address)
                said.append(verdict)

    with installed(programs.tables, rules) as kernel:
        agree()
        for rule, counters in kernel.counters():
            assert (counters.packets, counters.bytes) == (rule.packets, rule.bytes)
        put_in_force(programs, {})
    assert len(said) >= CASES
    assert 0.2 <= said.count("drop") / len(said) <= 0.8
    assert rules.lists[COUNTING].packets > 0
