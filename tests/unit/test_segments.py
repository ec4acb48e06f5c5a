"""Which part of the network an address is in."""

import ipaddress

import pytest

from hearthwall_sensor.network.segments import Segments


def ip(text: str) -> bytes:
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


def networks(*texts: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text) for text in texts]


@pytest.mark.parametrize(
    ("address", "guessed", "known"),
    [
        ("192.168.7.9", "192.168.7.0/24", "192.168.7.0/25"),
        ("192.168.7.200", "192.168.7.0/24", "192.168.0.0/16"),
        ("10.1.2.3", "10.1.2.0/24", None),
        ("fd00::7", "fd00::/64", None),
        ("2001:db8::7", None, "2001:db8::/48"),
        ("203.0.113.9", None, None),
        ("169.254.1.1", None, None),
        ("fe80::1", None, None),
        ("ff02::1", None, None),
        ("239.255.255.250", None, None),
        ("0.0.0.0", None, None),
    ],
)
def test_subnets(address: str, guessed: str | None, known: str | None) -> None:
    nobody = lambda _: None  # noqa: E731
    assert Segments(nobody).find(ip(address)) == guessed
    subnets = networks("192.168.0.0/16", "192.168.7.0/25", "2001:db8::/48", "fe80::/64")
    assert Segments(nobody, subnets).find(ip(address)) == known


def test_the_policys_name_wins_and_subnets_may_change() -> None:
    segments = Segments(lambda address: "guests" if address[15] == 9 else None, ())
    assert segments.find(ip("192.168.7.9")) == "guests"
    assert segments.find(ip("192.168.7.8")) is None
    segments.follow(networks("192.168.7.0/24"))
    assert segments.find(ip("192.168.7.8")) == "192.168.7.0/24"
