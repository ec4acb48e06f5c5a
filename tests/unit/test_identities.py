"""Who a device is: what counts as its own word, in bounded memory, and what the user says of it."""

import ipaddress
import itertools
import sqlite3
from pathlib import Path

import pytest

from hearthwall_sensor.devices import Account, describe
from hearthwall_sensor.dissect import nd
from hearthwall_sensor.dissect.dhcp import Lease
from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.identity import identities as module
from hearthwall_sensor.identity.chosen import Chosen, checked_name
from hearthwall_sensor.identity.identities import (
    MAX_ADDRESSES,
    MAX_IDENTITIES,
    Identities,
    Identity,
    Known,
    Sighting,
    cleaned,
)
from hearthwall_sensor.network.home import is_home
from hearthwall_sensor.protocol import Fingerprint
from hearthwall_sensor.store import Store

CAMERA, TV, ROUTER = "00:00:5e:00:53:21", "00:00:5e:00:53:13", "00:00:5e:00:53:99"
NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86_400.0
NOBODY = bytes(16)


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def ip(text: str) -> bytes:
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


def lease(kind: str = "request", client: str | None = CAMERA, **fields: object) -> Lease:
    said = {
        "addresses": (ip("192.168.20.21"),),
        "given_up": (),
        "hostname": None,
        "options": (),
        "vendor_class": None,
        "server": None,
    }
    return Lease(kind=kind, mac=None if client is None else mac(client), **(said | fields))  # type: ignore[arg-type]


@pytest.fixture
def home() -> Identities:
    return Identities(lambda address: is_home(address, ["2001:db8:20::/64"]))


def test_addresses_come_from_arp_nd_and_traffic_ipv4_first_link_local_last(
    home: Identities,
) -> None:
    home.take_traffic(mac(CAMERA), ip("2001:db8:20::21"), NOW)
    home.take_nd(mac(CAMERA), ip("fe80::21"), nd.Message(133, None, None), NOW)
    home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW)
    assert home.known(CAMERA).addresses == ("192.168.20.21", "2001:db8:20::21", "fe80::21")
    assert home.drain() == {CAMERA}
    assert home.drain() == set()


def test_a_router_does_not_collect_the_internet_nor_groups_and_nobodys_addresses(
    home: Identities,
) -> None:
    for foreign in ("203.0.113.9", "2001:db8:ffff::9", "224.0.0.251", "ff02::fb", "127.0.0.1"):
        home.take_traffic(mac(ROUTER), ip(foreign), NOW)
    for nobody in ("0.0.0.0", "255.255.255.255", "::", "::1", "0.1.2.3"):
        home.take_arp(mac(ROUTER), ip(nobody), NOW)
    assert home.known(ROUTER) == Known()


def test_what_is_home_is_asked_once_and_again_when_the_network_changed() -> None:
    asked: list[str] = []

    def is_ours(address: str) -> bool:
        asked.append(address)
        return len(asked) > 1

    home = Identities(is_ours)
    for _ in range(3):
        home.take_traffic(mac(CAMERA), ip("2001:db8:30::1"), NOW)
    assert asked == ["2001:db8:30::1"]
    home.take_neighbours({}, NOW)
    home.take_traffic(mac(CAMERA), ip("2001:db8:30::1"), NOW)
    assert home.known(CAMERA).addresses == ("2001:db8:30::1",)


def test_a_mac_has_many_addresses_and_the_newest_are_kept(home: Identities) -> None:
    home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW)
    for number in range(200):
        home.take_traffic(mac(CAMERA), ip(f"2001:db8:20::{number:x}"), NOW + 400 + number)
    kept = home.known(CAMERA).addresses
    assert len(kept) == MAX_ADDRESSES
    assert kept[-1] == "2001:db8:20::c7"
    assert "192.168.20.21" not in kept
    assert home.owner(ip("192.168.20.21")) is None


def test_a_stranger_has_room_for_few_addresses(home: Identities) -> None:
    for number in range(200):
        home.take_arp(mac(CAMERA), ip(f"192.168.20.{number}"), NOW)
    assert len(home.known(CAMERA).addresses) == 8


def test_an_address_moves_to_whoever_claimed_it_last(home: Identities) -> None:
    home.take_arp(mac(CAMERA), ip("192.168.20.5"), NOW)
    home.take_arp(mac(TV), ip("192.168.20.5"), NOW + 1)
    assert home.known(CAMERA).addresses == ()
    assert home.known(TV).addresses == ("192.168.20.5",)
    assert home.drain() == {CAMERA, TV}


def test_a_router_that_forwards_takes_no_claimed_address(home: Identities) -> None:
    home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW)
    home.take_traffic(mac(ROUTER), ip("192.168.20.21"), NOW + HOUR / 2)
    assert home.known(CAMERA).addresses == ("192.168.20.21",)
    home.take_traffic(mac(ROUTER), ip("192.168.20.21"), NOW + 2 * HOUR)
    assert home.known(ROUTER).addresses == ("192.168.20.21",)


def test_addresses_of_one_mac_are_one_device(home: Identities) -> None:
    for number in range(5):
        home.take_arp(mac(ROUTER), ip(f"192.168.20.{100 + number}"), NOW)
    assert len(home.known(ROUTER).addresses) == 5
    assert [each.mac for each in home.unsaved()] == [ROUTER]


def test_an_address_that_a_device_has_given_up_long_ago_is_not_told(home: Identities) -> None:
    home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW)
    home.take_arp(mac(CAMERA), ip("192.168.20.22"), NOW + 2 * DAY)
    assert home.known(CAMERA).addresses == ("192.168.20.22",)
    # A device that is only away keeps what it had.
    home.take_arp(mac(TV), ip("192.168.20.13"), NOW - 30 * DAY)
    assert home.known(TV).addresses == ("192.168.20.13",)


def test_in_nd_a_host_speaks_for_itself_only(home: Identities) -> None:
    advert = nd.NEIGHBOUR_ADVERTISEMENT
    own, other = ip("2001:db8:20::21"), ip("2001:db8:20::13")
    home.take_nd(mac(CAMERA), ip("fe80::21"), nd.Message(advert, own, mac(CAMERA)), NOW)
    home.take_nd(mac(CAMERA), ip("fe80::21"), nd.Message(advert, other, mac(TV)), NOW)
    looking = nd.Message(nd.NEIGHBOUR_SOLICITATION, other, mac(CAMERA))
    home.take_nd(mac(CAMERA), ip("fe80::21"), looking, NOW)
    home.take_nd(mac(CAMERA), ip("fe80::21"), nd.Message(nd.REDIRECT, other, None), NOW)
    assert home.known(CAMERA).addresses == ("2001:db8:20::21", "fe80::21")
    # Whoever looks whether an address is free takes it.
    home.take_nd(mac(TV), NOBODY, nd.Message(nd.NEIGHBOUR_SOLICITATION, other, None), NOW)
    assert home.known(TV).addresses == ("2001:db8:20::13",)


def test_dhcp_tells_name_and_fingerprint_of_the_frames_own_mac(home: Identities) -> None:
    habits = {"options": (1, 3, 6), "vendor_class": "udhcp 1.30", "hostname": "cam"}
    home.take_dhcp(lease(**habits), mac(CAMERA), NOW)
    known = home.known(CAMERA)
    assert (known.addresses, known.hostname) == (("192.168.20.21",), "cam")
    assert known.fingerprint == Fingerprint((1, 3, 6), "udhcp 1.30")
    home.take_dhcp(lease(client=TV, hostname="tv"), mac(CAMERA), NOW)  # for somebody else
    home.take_dhcp(lease("ack", client=None, hostname="tv"), mac(CAMERA), NOW)
    assert home.known(TV) == Known()
    assert home.known(CAMERA).hostname == "cam"


def test_what_dhcpv6_wishes_for_is_no_fingerprint(home: Identities) -> None:
    wish = lease(addresses=(ip("2001:db8:20::21"),), options=(23, 24), hostname="cam")
    home.take_dhcp(wish, mac(CAMERA), NOW)
    home.take_dhcp(lease("solicit", client=None, addresses=(), options=(23,)), mac(CAMERA), NOW)
    assert home.known(CAMERA) == Known(("2001:db8:20::21",), "cam")


def test_asking_for_an_address_takes_it_from_nobody_and_a_release_gives_it_back(
    home: Identities,
) -> None:
    home.take_arp(mac(TV), ip("192.168.20.21"), NOW)
    home.take_dhcp(lease(), mac(CAMERA), NOW)
    assert home.known(TV).addresses == ("192.168.20.21",)
    gone = lease("release", client=TV, addresses=(), given_up=(ip("192.168.20.21"),))
    home.take_dhcp(gone, mac(TV), NOW)
    assert home.known(TV).addresses == ()


def test_the_strongest_source_names_a_device(home: Identities) -> None:
    home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW)
    named = []
    home.take_upnp(mac(CAMERA), "A Camera (Bedroom)")
    named.append(home.known(CAMERA).hostname)
    home.take_dhcp(lease(hostname="cam-21"), mac(CAMERA), NOW)
    named.append(home.known(CAMERA).hostname)
    home.take_mdns(mac(CAMERA), ip("192.168.20.21"), [("bedroom.local", ip("192.168.20.21"))], NOW)
    named.append(home.known(CAMERA).hostname)
    home.take_dhcp(lease(hostname="other"), mac(CAMERA), NOW)
    home.take_upnp(mac(CAMERA), "other")
    named.append(home.known(CAMERA).hostname)
    assert named == ["A Camera (Bedroom)", "cam-21", "bedroom", "bedroom"]


def test_mdns_names_nobody_else(home: Identities) -> None:
    home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW)
    home.take_arp(mac(TV), ip("192.168.20.13"), NOW)
    home.take_mdns(mac(TV), ip("192.168.20.13"), [("camera.local", ip("192.168.20.21"))], NOW)
    home.take_mdns(mac(TV), ip("192.168.20.13"), [("world.local", ip("203.0.113.1"))], NOW)
    assert home.known(CAMERA).hostname is None
    assert home.known(TV).hostname is None
    home.take_mdns(mac(TV), ip("192.168.20.13"), [("free.local", ip("192.168.20.77"))], NOW)
    assert home.owner(ip("192.168.20.77")) is None
    assert home.known(TV).hostname is None
    announced = [("tv.local", ip("2001:db8:20::13"))]
    home.take_mdns(mac(TV), ip("2001:db8:20::13"), announced, NOW)
    assert home.known(TV).hostname == "tv"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("  the\tTV\n ", "the TV"),
        ("a\x1b[31mb", "a [31mb"),
        ("abc\u202egnp.exe", "abc gnp.exe"),
        ("x" * 500, "x" * 64),
        ("\0\x07\u200b", None),
        ("", None),
        ("电视", "电视"),
        ("\u3164\u115fcamera\u2800", "camera"),
        ("\uffa0\u1160", None),
    ],
)
def test_what_a_device_calls_itself_is_fit_to_be_shown(said: str, shown: str | None) -> None:
    assert cleaned(said) == shown


def test_invented_macs_push_out_themselves(home: Identities) -> None:
    home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW)
    home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW + 400)
    for number in range(5000):
        invented = b"\x02" + number.to_bytes(5, "big")
        home.take_arp(invented, ip(f"10.0.{number // 256}.{number % 256}"), NOW + 500 + number)
    assert len(home._known) <= MAX_IDENTITIES
    assert len(home._owners) == len(home._known)
    assert home.known(CAMERA).addresses == ("192.168.20.21",)
    assert home.evicted > 3900


def test_whom_the_user_spoke_of_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IDENTITIES", 10)
    home = Identities(lambda _: True, keep=lambda: {CAMERA})
    home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW)
    for number in range(50):
        home.take_arp(b"\x02" + number.to_bytes(5, "big"), ip(f"10.0.0.{number}"), NOW + 1)
    assert home.known(CAMERA).addresses


def test_nobody_and_groups_are_no_devices(home: Identities) -> None:
    for odd in (bytes(6), b"\xff" * 6, b"\x33\x33" + bytes(4)):
        home.take_arp(odd, ip("192.168.20.21"), NOW)
        home.take_dhcp(lease()._replace(mac=odd), odd, NOW)
    assert home.unsaved() == []


def test_neighbours_that_stay_are_no_news(home: Identities) -> None:
    home.take_neighbours({CAMERA: ["192.168.20.21", "fe80::21"]}, NOW)
    assert home.known(CAMERA).addresses == ("192.168.20.21", "fe80::21")
    home.take_arp(mac(CAMERA), ip("192.168.20.22"), NOW + 2 * DAY)
    home.take_neighbours({CAMERA: ["192.168.20.21", "fe80::21"]}, NOW + 2 * DAY)
    assert home.known(CAMERA).addresses == ("192.168.20.22",)


def test_what_was_forgotten_is_new(home: Identities) -> None:
    home.take_neighbours({CAMERA: ["192.168.20.21"]}, NOW)
    home.take_upnp(mac(CAMERA), "camera")
    home.forget(CAMERA)
    assert home.known(CAMERA) == Known()
    assert home.drain() == set()
    home.take_neighbours({CAMERA: ["192.168.20.21"]}, NOW)
    assert home.known(CAMERA) == Known(("192.168.20.21",))


def test_several_macs_are_told_as_one_device(home: Identities) -> None:
    home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW)
    home.take_arp(mac(TV), ip("192.168.10.13"), NOW)
    home.take_upnp(mac(TV), "tv")
    assert home.known(CAMERA, TV) == Known(("192.168.10.13", "192.168.20.21"), "tv")
    some = ((100, 1, 200, 2), (0, 0, 0, 0), (5, 1, 0, 0))
    accounts = [Account(CAMERA, 10.0, 20.0, some), Account(TV, 5.0, 15.0, some)]
    device = describe(accounts, home.known(CAMERA, TV), "lan", None)
    assert (device.mac, device.other_macs) == (CAMERA, (TV,))
    assert (device.upload_bytes, device.download_bytes, device.upload_packets) == (210, 400, 4)
    assert (device.first_seen, device.last_seen) == (5.0, 20.0)


# On disk


def test_what_is_known_comes_back_from_disk(tmp_path: Path, home: Identities) -> None:
    home.take_nd(mac(CAMERA), ip("fe80::21"), nd.Message(133, None, None), NOW)
    habits = {"options": (1, 3), "vendor_class": "udhcp", "hostname": "cam"}
    home.take_dhcp(lease(**habits), mac(CAMERA), NOW)
    store = Store(tmp_path / "devices.db")
    store.save([], [], home.unsaved())
    store.rename([CAMERA, TV], "Bedroom")
    store.merge([TV], CAMERA)
    store.close()
    again = Store(tmp_path / "devices.db")
    kept = Identities(lambda _: True, again.identities())
    assert kept.known(CAMERA) == home.known(CAMERA)
    assert kept.unsaved() == []
    chosen = again.chosen()
    assert (chosen.macs(TV), chosen.name(TV)) == ((CAMERA, TV), "Bedroom")
    again.split(TV)
    again.rename([CAMERA], None)
    assert (again.chosen().macs(TV), again.chosen().names) == ((TV,), {})


def test_a_database_of_before_is_opened_and_grows(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "devices.db") as old:
        old.execute(
            "CREATE TABLE devices (mac TEXT PRIMARY KEY, first_seen REAL NOT NULL,"
            " last_seen REAL NOT NULL, scopes TEXT NOT NULL, seen TEXT NOT NULL) WITHOUT ROWID"
        )
        row = (CAMERA, 1.0, 2.0, "[[1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]", "{}")
        old.execute("INSERT INTO devices VALUES (?, ?, ?, ?, ?)", row)
    old.close()
    store = Store(tmp_path / "devices.db")
    assert [each.mac for each in store.accounts()] == [CAMERA]
    assert store.identities() == []
    store.rename([CAMERA], "camera")
    assert store.chosen().names == {CAMERA: "camera"}


def test_what_is_erased_is_in_no_file(tmp_path: Path, home: Identities) -> None:
    home.take_dhcp(lease(hostname="secret-name"), mac(CAMERA), NOW)
    store = Store(tmp_path / "devices.db")
    store.save([Account(CAMERA, 1.0, 2.0), Account(TV, 1.0, 2.0)], [], home.unsaved())
    store.rename([CAMERA], "another secret")
    store.merge([ROUTER], CAMERA)
    files = [tmp_path / "devices.db", tmp_path / "devices.db-wal"]

    def everything() -> bytes:
        return b"".join(each.read_bytes() for each in files if each.exists())

    assert b"secret-name" in everything()
    store.erase([CAMERA, ROUTER])
    for text in (b"secret", CAMERA.encode(), ROUTER.encode()):
        assert text not in everything()
    assert [each.mac for each in store.accounts()] == [TV]


def test_who_was_evicted_keeps_the_users_word(tmp_path: Path) -> None:
    store = Store(tmp_path / "devices.db")
    store.save([Account(CAMERA, 1.0, 2.0)], [])
    store.rename([CAMERA], "camera")
    store.save([], [CAMERA])
    assert (store.accounts(), store.chosen().names) == ([], {CAMERA: "camera"})


# The user's word


def test_a_device_is_named_by_any_of_its_macs() -> None:
    chosen = Chosen(names={TV: "the tv"}, merged={TV: CAMERA})
    assert [chosen.name(each) for each in (CAMERA, TV, ROUTER)] == ["the tv", "the tv", None]
    chosen.rename(TV, "camera")
    assert {chosen.name(each) for each in (CAMERA, TV)} == {"camera"}
    chosen.split(TV)  # and its own name comes back
    assert (chosen.name(CAMERA), chosen.name(TV), chosen.macs(TV)) == ("camera", "the tv", (TV,))
    chosen.merge((TV,), CAMERA)
    chosen.rename(TV, None)
    assert (chosen.name(TV), chosen.names, chosen.spoken_of) == (None, {}, {CAMERA, TV})


def test_chains_are_flat() -> None:
    chosen = Chosen()
    chosen.merge(chosen.macs(TV), CAMERA)
    chosen.merge(chosen.macs(CAMERA), ROUTER)
    assert {chosen.macs(each) for each in (CAMERA, TV, ROUTER)} == {(ROUTER, TV, CAMERA)}
    chosen.forget((TV,))
    assert chosen.macs(CAMERA) == (ROUTER, CAMERA)


def test_a_name_is_printable_and_short() -> None:
    assert checked_name("  Kitchen radio ") == "Kitchen radio"
    for wrong in ("", "  ", "x" * 65, "a\nb", "a\u202eb"):
        with pytest.raises(SensorError, match="printable"):
            checked_name(wrong)


def test_order_of_sources_does_not_matter() -> None:
    for order in itertools.permutations(("mdns", "dhcp", "upnp")):
        home = Identities(lambda _: True)
        home.take_arp(mac(CAMERA), ip("192.168.20.21"), NOW)
        for source in order:
            if source == "mdns":
                home.take_mdns(
                    mac(CAMERA), ip("192.168.20.21"), [("mdns.local", ip("192.168.20.21"))], NOW
                )
            elif source == "dhcp":
                home.take_dhcp(lease(hostname="dhcp"), mac(CAMERA), NOW)
            else:
                home.take_upnp(mac(CAMERA), "upnp")
        assert home.known(CAMERA).hostname == "mdns"


@pytest.mark.parametrize("newest", [CAMERA, TV])
def test_an_address_that_two_had_on_disk_is_whose_it_was_last(newest: str) -> None:
    address = ip("192.168.20.21")
    kept = [
        Identity(each, NOW, NOW, {address: Sighting(NOW + (each == newest), claimed=True)})
        for each in (CAMERA, TV)
    ]
    home = Identities(lambda _: True, kept)
    assert home.owner(address) == newest
    assert [each for each in (CAMERA, TV) if home.known(each).addresses] == [newest]


def test_this_hosts_own_address_is_no_devices() -> None:
    home = Identities(lambda address: address != "192.168.20.1")
    home.take_arp(mac(CAMERA), ip("192.168.20.1"), NOW)
    home.take_mdns(mac(CAMERA), ip("192.168.20.1"), [("router.local", ip("192.168.20.1"))], NOW)
    assert home.owner(ip("192.168.20.1")) is None
    assert home.known(CAMERA).hostname is None


def test_nobody_else_reads_what_devices_do(tmp_path: Path) -> None:
    path = tmp_path / "devices.db"
    path.touch(0o644)
    store = Store(path)
    store.rename(["00:00:5e:00:53:01"], "camera")
    for each in tmp_path.iterdir():
        assert each.stat().st_mode & 0o077 == 0, each
    store.close()


def test_what_the_user_can_not_have_said_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "devices.db"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO names VALUES ('a', x'00ff'), ('b', 'camera')")
        connection.execute("INSERT INTO merges VALUES ('c', 'd'), ('d', 'c'), ('e', 'f')")
    store = Store(path)
    chosen = store.chosen()
    store.close()
    assert chosen.names == {"b": "camera"}
    assert chosen.macs("f") == ("f", "e")
    assert chosen.primary("c") == "c"
