"""Whom no rule may cut off, and what counts as the home."""

import struct
from pathlib import Path

import pytest

from hearthwall_sensor.kernel.layouts import ROLE_HOME_ASSISTANT, ROLE_SELF
from hearthwall_sensor.network import topology
from hearthwall_sensor.network.home import is_home, public_networks
from hearthwall_sensor.network.protection import Protection, protection
from hearthwall_sensor.network.topology import NetInterface, Network, proposed
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.targets import parse_target

OWN, UPSTREAM, LAPTOP, BOX, LIAR = (f"00:00:5e:00:53:{n}" for n in ("01", "fe", "11", "30", "66"))


def interface(index: int, name: str, kind: str, *addresses: str, **other: object) -> NetInterface:
    values = {"mac": OWN, "bridge": None, "up": True, "default_route": False} | other
    return NetInterface(index=index, name=name, kind=kind, addresses=addresses, **values)  # type: ignore[arg-type]


HOME = Network(
    interfaces={
        1: interface(1, "lo", "other", "127.0.0.1", mac=None),
        2: interface(2, "wan", "ethernet", "198.51.100.2", default_route=True),
        3: interface(3, "br-lan", "bridge", "192.168.10.1", "2001:db8:10::1"),
        4: interface(4, "lan1", "ethernet", bridge=3),
    },
    neighbours={
        (2, "198.51.100.1"): UPSTREAM,
        (3, "192.168.10.11"): LAPTOP,
        (3, "192.168.10.30"): BOX,
        (3, "198.51.100.1"): LIAR,
    },
    gateways=frozenset({(2, "198.51.100.1")}),
)


def refused(protected: Protection, text: str, *, force: bool = False) -> str | None:
    try:
        protected.check(parse_target(text), force=force)
    except SensorError as error:
        assert error.code == "protected_target"  # noqa: PT017
        return error.message
    return None


def test_this_host_the_gateway_and_the_operator_are_protected() -> None:
    protected = protection(HOME, None, {"192.168.10.11"})
    for target in (OWN, "192.168.10.1", "198.51.100.2", "2001:db8:10::1"):
        assert "this gateway itself" in (refused(protected, target) or ""), target
    for target in (UPSTREAM, "198.51.100.1"):
        assert "default gateway" in (refused(protected, target) or ""), target
    for target in (LAPTOP, "192.168.10.11"):
        assert "logged in" in (refused(protected, target) or ""), target
    assert refused(protected, BOX) is None


def test_home_assistant_is_protected_where_it_is() -> None:
    here = protection(HOME, None, set())
    assert here.addresses["192.168.10.1"] == ROLE_SELF | ROLE_HOME_ASSISTANT
    elsewhere = protection(HOME, "192.168.10.30", set())
    assert elsewhere.addresses["192.168.10.1"] == ROLE_SELF
    assert "Home Assistant" in (refused(elsewhere, BOX) or "")


def test_whoever_showed_a_token_is_protected_as_home_assistant() -> None:
    protected = protection(HOME, None, {"192.168.10.30"}, frozenset({"192.168.10.30"}))
    assert protected.addresses["192.168.10.30"] & ROLE_HOME_ASSISTANT
    assert "nothing overrides" in (refused(protected, "192.168.10.30", force=True) or "")
    assert "192.168.10.30" in protected.enforced()[1]


def test_force_helps_where_it_is_not_fatal() -> None:
    """The operator, MACs that are hearsay, and prefixes: the kernel keeps the addresses in them reachable."""
    protected = protection(HOME, "192.168.10.30", {"192.168.10.11"})
    report = protected.report()
    for target in (OWN, "192.168.10.1", "198.51.100.2", "198.51.100.1", "192.168.10.30"):
        for force in (False, True):
            assert "nothing overrides" in (refused(protected, target, force=force) or ""), target
        assert "may be forced" not in report[target]
    for target in (LAPTOP, "192.168.10.11", UPSTREAM, BOX):
        assert "force overrides" in (refused(protected, target) or ""), target
        assert refused(protected, target, force=True) is None, target
        assert "(may be forced)" in report[target]


@pytest.mark.parametrize(
    ("prefix", "named"),
    [
        ("192.168.10.0/28", ["192.168.10.1", "192.168.10.11"]),
        ("192.168.10.10/31", ["192.168.10.11"]),
        ("198.51.100.0/24", ["198.51.100.1", "198.51.100.2"]),
        ("2001:db8:10::/64", ["2001:db8:10::1"]),
        ("192.168.10.64/26", []),
        ("2001:db8:11::/64", []),
    ],
)
def test_prefix_is_refused_with_the_protected_addresses_in_it(
    prefix: str, named: list[str]
) -> None:
    protected = protection(HOME, None, {"192.168.10.11"})
    said = refused(protected, prefix)
    assert (said is None) is (not named)
    for address in named:
        assert f"{address} (" in (said or "")
    assert refused(protected, prefix, force=True) is None


def test_the_lan_bridge_is_proposed() -> None:
    best = proposed(HOME)
    assert best is not None
    assert best.name == "br-lan"


def test_home_and_internet() -> None:
    assert public_networks(["192.168.10.0/24", "2001:db8:10::/64", "fe80::/64", "0.0.0.0/0"]) == [
        "2001:db8:10::/64"
    ]
    assert is_home("2001:db8:10::5", ["2001:db8:10::/64"])
    assert not is_home("2001:db8:11::5", ["2001:db8:10::/64"])
    assert not is_home("203.0.113.1", ["2001:db8:10::/64"])
    assert is_home("192.168.0.0/24", [])
    assert is_home("2001:db8:10::/72", ["2001:db8:10::/64"])
    assert not is_home("192.0.0.0/8", [])
    assert not is_home("2001:db8::/32", ["2001:db8:10::/64"])


def test_a_device_that_claims_the_gateways_address_is_not_the_gateway() -> None:
    protected = protection(HOME, None, set())
    assert refused(protected, LIAR) is None
    assert refused(protected, UPSTREAM) is not None


def test_the_kernel_takes_nobodys_word_for_a_mac() -> None:
    """A device that claims Home Assistant's or the operator's address is not freed of its rule by it."""
    protected = protection(HOME, "192.168.10.30", {"192.168.10.11"})
    macs, addresses = protected.enforced()
    assert set(macs) == {OWN}
    assert "192.168.10.30" in addresses
    assert "192.168.10.11" not in addresses


def test_operators_are_those_who_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    (sessions / "3").write_text("UID=0\nREMOTE=1\nREMOTE_HOST=192.168.10.11\nSERVICE=sshd\n")
    (sessions / "4").write_text("UID=0\nREMOTE=0\nTTY=tty1\n")
    (sessions / "5").write_text("REMOTE_HOST=laptop.lan\n")
    record = struct.pack("<h74x256s52x", 7, b"2001:db8:10::11")
    gone = struct.pack("<h74x256s52x", 8, b"192.168.10.99")
    (tmp_path / "utmp").write_bytes(record + gone + b"cut off")
    monkeypatch.setattr(topology, "_SESSIONS", sessions)
    monkeypatch.setattr(topology, "_UTMP_FILE", tmp_path / "utmp")
    assert topology.operators() == {"192.168.10.11", "2001:db8:10::11"}
