"""What follows from the host's own network: who the home's router of IPv6 is."""

import pytest

from hearthwall_sensor.living import Vicinity
from hearthwall_sensor.network.surroundings import Surroundings
from hearthwall_sensor.network.topology import NetInterface, Network

HOME, OUT = 2, 3
GATEWAY, GATEWAY_MAC = "fe80::1", "00:00:5e:00:53:99"


class Tables:
    """Tables that nobody asks."""

    def set_home_networks(self, _: object) -> None:
        pass

    def set_protected(self, *_: object) -> None:
        pass


def interface(index: int, name: str, *, leads_out: bool) -> NetInterface:
    mac = f"00:00:5e:00:53:0{index}"
    return NetInterface(index, name, "bridge", mac, None, True, (), leads_out)


def vicinity(
    *networks: tuple[int, str],
    gateway: tuple[int, str] | None = None,
    is_known: bool = True,
    is_bridge: bool = False,
) -> Vicinity:
    """Return what follows where `br-lan` is guarded; through a bridge the way out leads as well."""
    around = Surroundings(("br-lan",), None)
    seen = Network(
        interfaces={
            HOME: interface(HOME, "br-lan", leads_out=is_bridge),
            OUT: interface(OUT, "wan", leads_out=True),
        },
        neighbours={gateway: GATEWAY_MAC} if gateway and is_known else {},
        gateways=frozenset((gateway,) if gateway else ()),
        networks=networks,
    )
    around.follow(seen, Tables(), ())  # type: ignore[arg-type]
    return Vicinity(around, lambda _: None)


@pytest.mark.parametrize("prefix", ["2001:db8:10::/64", "fd00::/64"])
def test_a_gateway_with_a_network_of_ipv6_is_its_router(prefix: str) -> None:
    assert vicinity((HOME, prefix)).routes_ipv6()


@pytest.mark.parametrize(
    "other", [(HOME, "192.168.1.0/24"), (HOME, "fe80::/64"), (OUT, "2001:db8:10::/64")]
)
def test_a_gateway_of_ipv4_alone_is_none(other: tuple[int, str]) -> None:
    assert not vicinity(other).routes_ipv6()


def test_on_a_bridge_it_is_the_router_that_the_host_uses_itself() -> None:
    own = (HOME, "2001:db8:10::/64")
    found = vicinity(own, gateway=(HOME, GATEWAY), is_bridge=True)
    assert found.routes_ipv6()
    assert GATEWAY_MAC in found.macs()
    assert not vicinity(own, is_bridge=True).routes_ipv6()
    assert not vicinity(own, gateway=(HOME, GATEWAY), is_bridge=True, is_known=False).routes_ipv6()
    assert not vicinity(own, gateway=(HOME, "192.168.1.1"), is_bridge=True).routes_ipv6()
    assert not vicinity(gateway=(OUT, GATEWAY)).routes_ipv6()
