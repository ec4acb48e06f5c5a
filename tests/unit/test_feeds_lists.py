"""Lists in memory, as captures are held against them."""

import ipaddress
from pathlib import Path

import pytest

from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.feeds.lists import Found, Lists


def ip(text: str) -> bytes:
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    (tmp_path / "a.txt").write_text("203.0.113.0/24\n198.51.100.7\n2001:db8:bad::/48\n")
    (tmp_path / "b.txt").write_text("203.0.113.128/25\n")
    (tmp_path / "c.txt").write_text("bad.example\nworse.example\n")
    (tmp_path / "d.txt").write_text("0.0.0.0 one.example\n0.0.0.0 www.bad.example\n")
    return Lists(str(tmp_path / f"{name}.txt") for name in "abcd")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("203.0.113.9", Found(("a.txt",), "203.0.113.0/24")),
        ("203.0.113.200", Found(("a.txt", "b.txt"), "203.0.113.128/25")),
        ("198.51.100.7", Found(("a.txt",), "198.51.100.7")),
        ("198.51.100.8", None),
        ("2001:db8:bad::1", Found(("a.txt",), "2001:db8:bad::/48")),
        ("2001:db8:bae::1", None),
        ("::203.0.113.9", None),
    ],
)
def test_addresses(lists: Lists, address: str, found: Found | None) -> None:
    assert lists.address(ip(address)) == lists.address(ip(address)) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bad.example", Found(("c.txt",), "bad.example")),
        ("deep.bad.example", Found(("c.txt",), "*.bad.example")),
        ("www.bad.example", Found(("c.txt", "d.txt"), "www.bad.example")),
        ("one.example", Found(("d.txt",), "one.example")),
        ("two.one.example", None),
        ("example", None),
        ("no domain", None),
    ],
)
def test_names(lists: Lists, name: str, found: Found | None) -> None:
    assert lists.name(name) == found


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert not Lists()
    with pytest.raises(SensorError) as refused:
        Lists((str(tmp_path / "none.txt"),))
    assert refused.value.code == "feed_failed"
