"""Which names a pattern stands for, and whose DNS answers are believed."""

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.names.patterns import Patterns
from hearthwall_sensor.network import surroundings
from hearthwall_sensor.network.surroundings import Surroundings
from hearthwall_sensor.network.topology import NetInterface, Network

PATTERNS = Patterns(
    {"bad.example": 1, "*.vendor.example": 2, "*.cloud.vendor.example": 3, "vendor.example": 4}
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bad.example", [1]),
        ("www.bad.example", []),
        ("verybad.example", []),
        ("vendor.example", [4, 2]),
        ("firmware.vendor.example", [2]),
        ("a.b.firmware.vendor.example", [2]),
        ("eu.cloud.vendor.example", [3, 2]),
        ("othervendor.example", []),
        ("firmware\\046vendor.example", []),
        ("example", []),
        ("", []),
    ],
)
def test_a_name_is_itself_and_a_star_is_it_and_all_below(name: str, found: list[int]) -> None:
    assert list(PATTERNS.find(name)) == found


def test_no_pattern_stands_for_nothing() -> None:
    assert not Patterns({})
    assert PATTERNS


@given(
    name=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5).map(".".join),
    pattern=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(".".join),
)
def test_a_star_agrees_with_the_end_of_the_text(name: str, pattern: str) -> None:
    found = list(Patterns({f"*.{pattern}": 1}).find(name))
    assert found == ([1] if f".{name}".endswith(f".{pattern}") else [])
    assert list(Patterns({pattern: 1}).find(name)) == ([1] if name == pattern else [])


BRIDGE, PORT, WAN, DOCKER, HERE = 3, 4, 5, 6, 0


class NoTables:
    """Takes what the kernel would."""

    def set_home_networks(self, networks: list[str]) -> None:
        pass

    def set_protected(self, macs: dict[str, int], addresses: dict[str, int]) -> None:
        pass


def interface(index: int, name: str, *addresses: str, default_route: bool = False) -> NetInterface:
    kind = "bridge" if index == BRIDGE else "veth"
    mac = f"00:00:5e:00:53:{index:02x}"
    bridge = BRIDGE if index == PORT else None
    return NetInterface(index, name, kind, mac, bridge, True, addresses, default_route)


def seen(monkeypatch: pytest.MonkeyPatch, *, one_armed: bool = False) -> Surroundings:
    monkeypatch.setattr(surroundings, "resolvers", lambda: ["192.168.10.5", "8.8.8.8"])
    result = Surroundings(("br-lan",), None, dns_servers=("192.168.10.6",))
    interfaces = (
        interface(BRIDGE, "br-lan", "192.168.10.1", default_route=one_armed),
        interface(PORT, "port"),
        interface(WAN, "wan", "198.51.100.2", default_route=not one_armed),
        interface(DOCKER, "docker0", "172.17.0.1"),
    )
    network = Network({each.index: each for each in interfaces})
    result.follow(network, NoTables(), [PORT])  # type: ignore[arg-type]
    return result


@pytest.mark.parametrize(
    ("server", "came_in", "believed"),
    [
        ("192.168.10.1", HERE, True),
        ("172.17.0.1", DOCKER, True),
        ("203.0.113.53", WAN, True),
        ("8.8.8.8", WAN, True),
        ("192.168.10.5", PORT, True),
        ("192.168.10.6", PORT, True),
        ("192.168.10.6", BRIDGE, True),
        ("192.168.10.7", PORT, False),
        ("172.17.0.2", DOCKER, False),
        # forged by a device of the home
        ("203.0.113.53", PORT, False),
        ("203.0.113.53", BRIDGE, False),
        ("8.8.8.8", PORT, False),
        ("192.168.10.1", PORT, False),
    ],
)
def test_who_is_believed(
    monkeypatch: pytest.MonkeyPatch, server: str, came_in: int, believed: bool
) -> None:
    assert seen(monkeypatch).trusts(server, came_in) == believed


def test_where_home_and_internet_are_on_one_interface_the_server_decides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one_armed = seen(monkeypatch, one_armed=True)
    assert one_armed.trusts("203.0.113.53", BRIDGE)
    assert not one_armed.trusts("192.168.10.7", BRIDGE)
