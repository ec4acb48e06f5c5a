"""What becomes of DNS answers, in the kernel's own tables: real programs, attached to nothing."""

import ipaddress
import itertools
import struct
import subprocess
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest
from dnslib import RR, DNSRecord

from hearthwall_sensor.dissect.dns import Answer, parse
from hearthwall_sensor.flows.flow import DOWNLOAD, SAMPLE_PAYLOAD, UDP, UPLOAD, FlowKey, Sample
from hearthwall_sensor.kernel import loader, pins
from hearthwall_sensor.kernel.layouts import FLAG_AUDIT, Counters, Entry
from hearthwall_sensor.kernel.tables import Tables
from hearthwall_sensor.names import domains, remembered
from hearthwall_sensor.names.domains import GRACE, MAX_TTL, MIN_TTL, PEER_GRACE, Domains, Match
from hearthwall_sensor.notation import address_text, boot_ns, mapped
from hearthwall_sensor.protocol import MAX_SHOWN_ADDRESSES
from tests.gateway.sensor_process import command

pytestmark = pytest.mark.lab

MAC = "00:00:5e:00:53:21"
DEVICE, SERVER, ROUTER = "192.168.20.21", "203.0.113.53", "192.168.20.1"
SLOT, OTHER, AUDIT, FEED = 32, 33, 34, 5
SECOND = 10**9
KEPT = ("resolved", "peers")
PEER = struct.Struct("<II16s")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    pins.mount()
    folder = tmp_path_factory.mktemp("names")
    own = pins.Pins(str(folder / "s.sock"))
    own.make(folder)
    directory = own.generation(loader.generation())
    subprocess.run(
        command("load", "--json", "--pins", str(directory)), check=True, capture_output=True
    )
    tables = Tables(str(directory))
    yield tables
    tables.close()
    own.remove()


@pytest.fixture
def tables(loaded: Tables) -> Tables:
    """The kernel's tables, empty but for a rule in each slot that the tests use."""
    for name in KEPT:
        for key in list(loaded.map(name).keys()):
            loaded.map(name).delete(key)
    for slot in (SLOT, OTHER, FEED):
        loaded.put_list_rule(slot, Entry(slot, 1, 0, 0, Counters()))
    loaded.put_list_rule(AUDIT, Entry(AUDIT, 1, 0, 0, Counters(), flags=FLAG_AUDIT))
    return loaded


class Time:
    """The boot clock, which a test may set forward."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return boot_ns() + self.ahead

    def passes(self, seconds: float) -> None:
        self.ahead += round(seconds * SECOND)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(domains, "boot_ns", time)
    return time


@pytest.fixture
def names(tables: Tables, time: Time) -> Domains:
    return made(tables)


def made(tables: Tables, *, watch: bool = True) -> Domains:
    return Domains(
        tables,
        is_protected=lambda address: address == "198.51.100.1",
        trusts=lambda server, interface: server in (SERVER, ROUTER) and interface == 3,
        watch=watch,
    )


def message(zone: str) -> bytes:
    """Return an answer's bytes."""
    reply = DNSRecord.question(zone.split(maxsplit=1)[0]).reply()
    reply.add_answer(*RR.fromZone(zone))
    return bytes(reply.pack())


def sample(zone: str, server: str = SERVER) -> tuple[Sample, FlowKey, Answer | None]:
    """Return an answer as the kernel hands it over, its flow, and what it says."""
    return framed(message(zone), server)


def framed(
    data: bytes, server: str = SERVER, port: int = 53, direction: int = DOWNLOAD
) -> tuple[Sample, FlowKey, Answer | None]:
    mac, device, peer = (
        bytes.fromhex(MAC.replace(":", "")),
        *(mapped(ipaddress.ip_address(each)) for each in (DEVICE, server)),
    )
    key = FlowKey(mac, 40000, port, UDP, 0, device, peer)
    sampled = Sample(boot_ns(), key.pack(), 3, 0, len(data), direction, SAMPLE_PAYLOAD, mac, data)
    return sampled, key, parse(data)


def held(tables: Tables, address: str) -> tuple[float, int] | None:
    """Return for how many seconds an address is held, and for which slot."""
    value = tables.map("resolved").get(mapped(ipaddress.ip_address(address)))
    if value is None:
        return None
    expires, slot = struct.unpack("<QI4x", value)
    return round((expires - boot_ns()) / SECOND), slot


def blocked(tables: Tables) -> set[str]:
    """Return all addresses that are held."""
    return {address_text(key) for key, _ in tables.map("resolved").items()}


def peers(tables: Tables) -> dict[tuple[int, str], float]:
    """Return for how many seconds each rule lets each address pass; 0 for ever."""
    found = {}
    for key, value in tables.map("peers").items():
        length, rule, address = PEER.unpack(key)
        expires = int.from_bytes(value, "little")
        network = ipaddress.ip_address(address)
        text = str(getattr(network, "ipv4_mapped", None) or network)
        text += "" if length == 160 else f"/{length - 32}"
        found[rule, text] = round((expires - boot_ns()) / SECOND) if expires else 0
    return found


# What is blocked, and for how long


def test_addresses_of_a_blocked_name_are_held_for_their_time_and_a_grace(
    tables: Tables, names: Domains
) -> None:
    names.set_rules({"bad.example": SLOT})
    names.take(*sample("bad.example 900 A 203.0.113.66\nbad.example 1 AAAA 2001:db8:ffff::66"))
    names.take(*sample("good.example 900 A 203.0.113.10"))
    names.take(*sample("www.bad.example 900 A 203.0.113.11"))
    assert held(tables, "203.0.113.66") == (900 + GRACE, SLOT)
    assert held(tables, "2001:db8:ffff::66") == (MIN_TTL + GRACE, SLOT)
    assert held(tables, "203.0.113.10") is None
    assert held(tables, "203.0.113.11") is None
    assert set(names.addresses(SLOT)) == {"203.0.113.66", "2001:db8:ffff::66"}
    assert names.addresses(OTHER) == []


def test_time_to_live_is_bounded(tables: Tables, names: Domains) -> None:
    names.set_rules({"bad.example": SLOT})
    names.take(*sample("bad.example 2147483647 A 203.0.113.66"))
    assert held(tables, "203.0.113.66") == (MAX_TTL + GRACE, SLOT)


@pytest.mark.parametrize("blocked", ["bad.example", "a.cdn.example", "*.edge.example"])
def test_the_blocked_name_may_stand_anywhere_in_a_chain(
    tables: Tables, names: Domains, blocked: str
) -> None:
    names.set_rules({blocked: SLOT})
    names.take(
        *sample(
            "bad.example 60 CNAME a.cdn.example\na.cdn.example 60 CNAME b.edge.example\n"
            "b.edge.example 60 A 203.0.113.66"
        )
    )
    assert held(tables, "203.0.113.66") is not None


def test_a_later_end_stands_and_an_earlier_does_not_shorten_it(
    tables: Tables, names: Domains
) -> None:
    names.set_rules({"bad.example": SLOT})
    for ttl, ends in ((300, 300), (100, 300), (600, 600)):
        names.take(*sample(f"bad.example {ttl} A 203.0.113.66"))
        assert held(tables, "203.0.113.66") == (ends + GRACE, SLOT)


@pytest.mark.parametrize("first", ["bad.example", "odd.example"])
def test_dropping_wins_over_auditing_whichever_comes_first(
    tables: Tables, names: Domains, first: str
) -> None:
    names.set_rules({"bad.example": SLOT, "odd.example": AUDIT})
    second = {"bad.example": "odd.example", "odd.example": "bad.example"}[first]
    names.take(*sample(f"{first} 600 A 203.0.113.66"))
    names.take(*sample(f"{second} 600 A 203.0.113.66"))
    held_for = held(tables, "203.0.113.66")
    assert held_for is not None
    assert held_for[1] == SLOT


def test_of_two_names_in_one_chain_the_one_that_is_dropped_counts(
    tables: Tables, names: Domains
) -> None:
    tables.put_list_rule(SLOT, Entry(SLOT, 1, 0, 0, Counters(), flags=FLAG_AUDIT))
    names.set_rules({"bad.example": SLOT, "a.cdn.example": OTHER})
    names.take(*sample("bad.example 60 CNAME a.cdn.example\na.cdn.example 60 A 203.0.113.66"))
    assert held(tables, "203.0.113.66") == (60 + GRACE, OTHER)


def test_auditing_takes_over_when_dropping_has_ended(
    tables: Tables, names: Domains, time: Time
) -> None:
    names.set_rules({"bad.example": SLOT, "odd.example": AUDIT})
    names.take(*sample("bad.example 60 A 203.0.113.66"))
    time.passes(MIN_TTL + GRACE + 1)
    names.take(*sample("odd.example 60 A 203.0.113.66"))
    assert (held(tables, "203.0.113.66") or (0, 0))[1] == AUDIT


def test_feeds_say_by_a_mask_and_a_persons_rule_counts_before_them(
    tables: Tables, names: Domains
) -> None:
    names.set_feeds(lambda name: 1 << FEED if name.endswith("bad.example") else 0, [FEED])
    names.take(*sample("very.bad.example 60 A 203.0.113.66"))
    assert held(tables, "203.0.113.66") == (60 + GRACE, FEED)
    names.set_rules({"*.bad.example": SLOT})
    names.take(*sample("very.bad.example 60 A 203.0.113.67"))
    assert held(tables, "203.0.113.67") == (60 + GRACE, SLOT)
    names.set_feeds(None, [])
    assert held(tables, "203.0.113.67") is not None


# Whom no name decides over, and who is believed


@pytest.mark.parametrize(
    "address",
    [
        "192.168.10.13", "10.0.0.1", "127.0.0.1", "0.0.0.0", "224.0.0.251", "255.255.255.255",
        "169.254.1.1", "198.51.100.1",
    ],
)  # fmt: skip
def test_home_nobody_and_what_must_stay_reachable_are_left_alone(
    tables: Tables, names: Domains, address: str
) -> None:
    names.set_rules({"bad.example": SLOT})
    names.set_peers({"bad.example": [7]})
    names.take(*sample(f"bad.example 60 A {address}\nbad.example 60 A 203.0.113.66"))
    assert held(tables, address) is None
    assert held(tables, "203.0.113.66") is not None
    assert {each for _, each in peers(tables)} == {"203.0.113.66"}
    assert names.statistics["addresses_skipped"] == 2


@pytest.mark.parametrize(
    "address", ["::", "::1", "fe80::1", "fd00::1", "ff02::fb", "::ffff:192.168.10.13"]
)
def test_of_ipv6_as_well(tables: Tables, names: Domains, address: str) -> None:
    names.set_rules({"bad.example": SLOT})
    packed = ipaddress.ip_address(address).packed
    head = bytearray(DNSRecord.question("bad.example", "AAAA").pack())
    head[2:8] = b"\x81\x80\0\1\0\1"
    names.take(*framed(bytes(head) + struct.pack("!HHHIH", 0xC00C, 28, 1, 60, 16) + packed))
    assert tables.map("resolved").items() == []
    assert names.statistics["addresses_skipped"] == 1


def test_who_is_not_trusted_is_not_believed(tables: Tables, names: Domains) -> None:
    names.set_rules({"bad.example": SLOT})
    names.take(*sample("bad.example 60 A 203.0.113.66", server="192.168.20.99"))
    assert held(tables, "203.0.113.66") is None
    names.take(*sample("bad.example 60 A 203.0.113.66", server=ROUTER))
    assert held(tables, "203.0.113.66") is not None
    assert names.statistics["answers_distrusted"] == 1
    assert names.statistics["answers"] == 2


def test_what_can_not_be_read_is_counted(names: Domains) -> None:
    names.set_rules({"bad.example": SLOT})
    for data in (b"", b"\xff" * 1472, bytes(12)):
        names.take(*framed(data))
    assert names.statistics["answers_unreadable"] == 3
    whole = message("bad.example 60 A 203.0.113.66\nbad.example 60 A 203.0.113.67")
    names.take(*framed(whole[:-3]))
    assert names.statistics["answers_truncated"] == 1
    assert names.addresses(SLOT) == ["203.0.113.66"]


def test_only_an_answer_on_its_way_to_a_device_counts(names: Domains) -> None:
    names.set_rules({"bad.example": SLOT})
    whole = message("bad.example 60 A 203.0.113.66")
    names.take(*framed(whole, port=5353))
    names.take(*framed(whole, direction=UPLOAD))
    assert names.statistics["answers"] == 0
    assert names.addresses(SLOT) == []


# Rules that come and go


def test_addresses_go_with_their_rule_and_others_stay(tables: Tables, names: Domains) -> None:
    names.set_rules({"bad.example": SLOT, "odd.example": OTHER})
    names.take(*sample("bad.example 60 A 203.0.113.66"))
    names.take(*sample("odd.example 60 A 203.0.113.67"))
    names.set_rules({"odd.example": OTHER})
    assert held(tables, "203.0.113.66") is None
    assert held(tables, "203.0.113.67") is not None


def test_a_slot_that_goes_to_another_name_keeps_no_address(tables: Tables, names: Domains) -> None:
    names.set_rules({"bad.example": SLOT})
    names.take(*sample("bad.example 60 A 203.0.113.66"))
    names.set_rules({"odd.example": SLOT})
    assert held(tables, "203.0.113.66") is None


def test_an_address_of_two_rules_falls_to_the_one_that_stays(
    tables: Tables, names: Domains
) -> None:
    names.set_rules({"bad.example": SLOT, "odd.example": OTHER})
    names.take(*sample("odd.example 60 A 203.0.113.66"))
    names.take(*sample("bad.example 600 A 203.0.113.66"))
    assert (held(tables, "203.0.113.66") or (0, 0))[1] == SLOT
    names.set_rules({"odd.example": OTHER})
    assert held(tables, "203.0.113.66") == (60 + GRACE, OTHER)


def test_addresses_of_a_feed_go_with_it(tables: Tables, names: Domains) -> None:
    names.set_feeds(lambda _: 1 << FEED, [FEED])
    names.take(*sample("bad.example 60 A 203.0.113.66"))
    names.set_feeds(None, [])
    assert held(tables, "203.0.113.66") is None


def test_a_new_rule_takes_hold_of_what_was_resolved_in_the_last_hour(
    tables: Tables, names: Domains, time: Time
) -> None:
    names.take(*sample("old.example 60 A 203.0.113.65"))
    time.passes(1900)
    names.take(*sample("bad.example 600 A 203.0.113.66"))
    time.passes(1900)
    ahead = time.ahead / SECOND
    names.set_rules({"bad.example": SLOT, "old.example": OTHER})
    assert held(tables, "203.0.113.65") is None
    assert held(tables, "203.0.113.66") == (ahead + GRACE, SLOT)


def test_a_new_feed_takes_hold_with_the_next_sweeps(
    tables: Tables, names: Domains, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains, "_LOOKS", 4)
    for number in range(6):
        names.take(*sample(f"n{number}.bad.example 600 A 203.0.113.{number}"))
    asked: list[str] = []

    def match(name: str) -> int:
        asked.append(name)
        return 1 << FEED

    names.set_feeds(match, [FEED])
    assert asked == []  # who orders a rule doesn't wait for it
    for held_then in (4, 6, 6):
        names.sweep()
        assert len(names.addresses(FEED)) == held_then
    assert len(asked) == 6


def test_an_address_goes_to_who_drops_when_its_rule_only_counts_from_now_on(
    tables: Tables, names: Domains
) -> None:
    names.set_rules({"bad.example": OTHER, "odd.example": SLOT})
    names.take(*sample("odd.example 600 A 203.0.113.66"))
    names.take(*sample("bad.example 60 A 203.0.113.66"))
    assert names.addresses(SLOT) == ["203.0.113.66"]
    tables.put_list_rule(SLOT, Entry(SLOT, 1, 0, 0, Counters(), flags=FLAG_AUDIT))
    names.set_rules({"bad.example": OTHER, "odd.example": SLOT})
    names.sweep()
    assert (names.addresses(SLOT), names.addresses(OTHER)) == ([], ["203.0.113.66"])


def test_another_rules_order_does_not_prolong_what_is_held(
    tables: Tables, names: Domains, time: Time
) -> None:
    names.set_rules({"bad.example": SLOT})
    names.take(*sample("bad.example 60 A 203.0.113.66"))
    time.passes(200)
    names.set_rules({"bad.example": SLOT, "odd.example": OTHER})
    assert held(tables, "203.0.113.66") == (60 + GRACE, SLOT)
    time.passes(200)
    names.sweep()
    names.set_rules({"bad.example": SLOT})
    assert held(tables, "203.0.113.66") is None


def test_what_was_learnt_survives_a_restart(tables: Tables, names: Domains) -> None:
    names.set_rules({"bad.example": SLOT, "odd.example": OTHER})
    names.set_peers({"good.example": [7]})
    names.take(*sample("bad.example 60 A 203.0.113.66"))
    names.take(*sample("odd.example 60 A 203.0.113.67"))
    names.take(*sample("good.example 60 A 203.0.113.10"))
    again = made(tables)
    again.set_rules({"bad.example": SLOT})
    again.set_peers({"good.example": [7]})
    assert again.addresses(SLOT) == ["203.0.113.66"]
    assert held(tables, "203.0.113.67") is None
    assert list(peers(tables)) == [(7, "203.0.113.10")]
    assert again.statistics["addresses_blocked"] == 1


def test_what_an_earlier_generation_knew_is_taken_over(
    tables: Tables, names: Domains, time: Time
) -> None:
    names.set_rules({"bad.example": SLOT})
    names.set_peers({"good.example": [7]})
    names.take(*sample("bad.example 6 A 203.0.113.66"))
    time.passes(1000)
    names.take(*sample("bad.example 60 A 203.0.113.67"))
    names.take(*sample("good.example 60 A 203.0.113.10"))
    earlier = SimpleNamespace(
        map={
            name: SimpleNamespace(items=partial(list, tables.map(name).items())) for name in KEPT
        }.get
    )
    names.set_rules({})
    names.set_peers({})
    assert (tables.map("resolved").items(), peers(tables)) == ([], {})
    again = made(tables)
    again.take_over(earlier)  # type: ignore[arg-type]
    again.set_rules({"bad.example": SLOT})
    again.set_peers({"good.example": [7]})
    assert again.addresses(SLOT) == ["203.0.113.67"]
    assert list(peers(tables)) == [(7, "203.0.113.10")]


# Names that rules allow


def test_addresses_of_an_allowed_name_may_pass_for_a_day_longer(
    tables: Tables, names: Domains
) -> None:
    names.set_peers({"*.vendor.example": [7, 8], "cloud.vendor.example": [9]})
    names.take(*sample("cloud.vendor.example 300 A 203.0.113.22"))
    day = PEER_GRACE / SECOND
    assert peers(tables) == {(rule, "203.0.113.22"): 300 + day for rule in (7, 8, 9)}
    names.take(*sample("cloud.vendor.example 60 A 203.0.113.22"))
    assert set(peers(tables).values()) == {300 + day}
    names.set_peers({"cloud.vendor.example": [9]})
    assert list(peers(tables)) == [(9, "203.0.113.22")]
    assert names.statistics["addresses_allowed"] == 1


def test_what_is_allowed_for_ever_is_not_given_an_end(tables: Tables, names: Domains) -> None:
    for length, address in ((160, "203.0.113.22"), (32 + 96 + 24, "198.51.100.0")):
        key = PEER.pack(length, 7, mapped(ipaddress.ip_address(address)))
        tables.map("peers").put(key, bytes(8))
    again = made(tables)
    again.set_peers({"cloud.vendor.example": [7]})
    again.take(
        *sample(
            "cloud.vendor.example 60 A 203.0.113.22\ncloud.vendor.example 60 A 198.51.100.9\n"
            "cloud.vendor.example 60 A 203.0.113.23"
        )
    )
    again.set_peers({})
    assert peers(tables) == {(7, "203.0.113.22"): 0, (7, "198.51.100.0/120"): 0}


def test_a_new_rule_allows_what_was_resolved_before_it(tables: Tables, names: Domains) -> None:
    names.take(*sample("cloud.vendor.example 300 A 203.0.113.22"))
    names.set_peers({"cloud.vendor.example": [7]})
    assert list(peers(tables)) == [(7, "203.0.113.22")]


# Bounds


def test_a_full_table_gives_up_what_ends_soonest_and_says_so(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains, "MAX_RESOLVED", 100)
    names = made(tables)
    names.set_rules({"*.bad.example": SLOT})
    for number in range(150):
        ttl = 1000 - number if number < 100 else 5000
        names.take(*sample(f"n{number}.bad.example {ttl} A 203.0.113.{number}"))
    kept = blocked(tables)
    assert len(names.addresses(SLOT)) == MAX_SHOWN_ADDRESSES
    assert len(kept) == names.statistics["addresses_blocked"] == 100
    assert names.statistics["addresses_evicted"] == 50
    assert kept == {f"203.0.113.{number}" for number in (*range(50), *range(100, 150))}


def test_what_finds_no_room_in_the_kernel_is_counted(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains, "MAX_PEERS", 1 << 20)
    names = made(tables)
    names.set_peers({"*.vendor.example": range(2000)})
    packed = itertools.count(int(ipaddress.ip_address("203.0.113.0")))
    while not names.statistics["addresses_refused"]:
        address = ipaddress.ip_address(next(packed))
        assert str(address) != "203.0.113.20"
        names.take(*sample(f"a.vendor.example 60 A {address}"))
    assert names.statistics["addresses_allowed"] == 16384


def test_memory_is_bounded_and_what_is_forgotten_counted(
    names: Domains, tables: Tables, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    monkeypatch.setattr(remembered, "MAX_REMEMBERED", 50)
    for number in range(60):
        names.take(*sample(f"n{number}.bad.example 60 A 203.0.113.{number}"))
    long = ".".join(["a" * 60] * 4)
    names.take(
        *sample(
            f"{long} 60 CNAME b.{long[3:]}\nb.{long[3:]} 60 CNAME c.{long[3:]}\n"
            f"c.{long[3:]} 60 A 203.0.113.99"
        )
    )
    assert names.statistics["names_remembered"] == 50
    assert names.statistics["names_forgotten"] == 11
    names.set_rules({"*.bad.example": SLOT})
    assert blocked(tables) == {f"203.0.113.{number}" for number in range(10, 60)}
    time.passes(3601)
    names.sweep()
    assert names.statistics["names_remembered"] == 0
    assert names.statistics["names_forgotten"] == 11


def test_what_has_ended_is_swept(tables: Tables, names: Domains, time: Time) -> None:
    names.set_rules({"bad.example": SLOT})
    names.set_peers({"bad.example": [7]})
    names.take(*sample("bad.example 60 A 203.0.113.66"))
    time.passes(MIN_TTL + GRACE - 1)
    names.sweep()
    assert names.addresses(SLOT) == ["203.0.113.66"]
    time.passes(2)
    assert names.addresses(SLOT) == []
    time.passes(60)
    names.sweep()
    assert held(tables, "203.0.113.66") is None
    assert names.statistics["addresses_blocked"] == 0
    time.passes(PEER_GRACE / SECOND)
    names.sweep()
    assert peers(tables) == {}


# What others are told


def test_the_kernel_is_told_what_to_look_for(tables: Tables) -> None:
    def words() -> tuple[int, int]:
        return tables._config["resolved"], tables._config["sample"]

    names = made(tables, watch=False)
    names.set_rules({})
    assert (names.wanted, words()) == (False, (0, 0))
    names.set_peers({"good.example": [7]})
    assert (names.wanted, words()) == (True, (0, 1))
    names.set_peers({})
    names.set_rules({"bad.example": SLOT})
    assert (names.wanted, words()) == (True, (1, 1))
    names.set_rules({})
    names.set_feeds(lambda _: 0, [FEED])
    assert (names.wanted, words()) == (True, (1, 1))
    watching = made(tables)
    watching.set_rules({})
    assert (watching.wanted, words()) == (True, (0, 1))


def test_a_match_is_told_with_device_and_name(names: Domains) -> None:
    told: list[Match] = []
    names.on_match = told.append
    names.set_rules({"a.cdn.example": SLOT})
    names.take(*sample("bad.example 60 CNAME a.cdn.example\na.cdn.example 60 A 203.0.113.66"))
    names.take(*sample("a.cdn.example 60 TXT nothing"))
    names.take(*sample("good.example 60 A 203.0.113.10"))
    assert told == [
        Match(frozenset({SLOT}), "a.cdn.example", MAC, DEVICE, ("203.0.113.66",)),
        Match(frozenset({SLOT}), "a.cdn.example", MAC, DEVICE, ()),
    ]
    assert names.statistics["answers_matched"] == 2
    assert names.statistics["slowest_us"] > 0
