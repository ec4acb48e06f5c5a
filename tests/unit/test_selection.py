"""Which interfaces are guarded: bridges, VLANs, both sides, names that nothing has."""

import pytest
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from hearthwall_sensor.network import topology
from hearthwall_sensor.network.selection import Selection, select
from hearthwall_sensor.network.topology import NetInterface, Network
from hearthwall_sensor.protocol import Role


def interface(index: int, name: str, **more: object) -> NetInterface:
    return NetInterface(
        **{
            "index": index,
            "name": name,
            "kind": "ethernet",
            "mac": f"00:00:5e:00:53:{index:02x}",
            "bridge": None,
            "up": True,
            "addresses": (),
            "default_route": False,
            **more,
        }  # type: ignore[arg-type]
    )


NETWORK = Network(
    {
        each.index: each
        for each in (
            interface(1, "lo", kind="other", mac=None),
            interface(2, "eth0"),
            interface(3, "eth0.10", kind="vlan", parent=2, vlan=10),
            interface(4, "eth0.20", kind="vlan", parent=2, vlan=20),
            interface(5, "br-lan", kind="bridge"),
            interface(6, "lan1", bridge=5),
            interface(7, "eth0.30", kind="vlan", parent=2, vlan=30, bridge=5),
            interface(8, "br-lan.40", kind="vlan", parent=5, vlan=40),
            interface(9, "moved", kind="vlan", parent=None, vlan=50),
            interface(10, "ppp0", kind="ppp", mac=None),
        )
    }
)


def chosen(**names: Role) -> Selection:
    """Select by keywords, in which an underscore stands for a dot."""
    return select({each.replace("_", "."): role for each, role in names.items()}, NETWORK)


def test_a_bridge_stands_for_its_ports() -> None:
    ports = select({"br-lan": "lan"}, NETWORK).ports
    assert {each.interface.name: (each.bridge, each.gate) for each in ports.values()} == {
        "lan1": ("br-lan", 6),
        "eth0.30": ("br-lan", 2),  # its parent takes its XDP program
    }


def test_vlans_of_one_parent_may_lead_to_both_sides() -> None:
    selection = chosen(eth0_10="lan", eth0_20="wan")
    assert {index: (each.role, each.gate) for index, each in selection.ports.items()} == {
        3: ("lan", 2),
        4: ("wan", 2),
    }
    assert not selection.refused


def test_a_vlan_is_left_to_a_parent_that_is_guarded_too() -> None:
    """Else each of its packets would be counted twice."""
    assert {
        each.interface.name: (each.gate, each.within)
        for each in chosen(eth0="lan", eth0_10="lan").ports.values()
    } == {"eth0": (2, None), "eth0.10": (2, "eth0")}
    ports = select({"br-lan": "lan", "br-lan.40": "lan"}, NETWORK).ports
    assert ports[8].within == "br-lan"


def test_a_vlan_and_its_parent_lead_to_the_same_side() -> None:
    selection = chosen(eth0="lan", eth0_20="wan")
    assert list(selection.ports) == [2]
    assert "its frames pass eth0 too, which is lan" in selection.refused["eth0.20"]


def test_a_vlan_whose_parent_is_elsewhere_has_no_gate() -> None:
    assert chosen(moved="lan").ports[9].gate is None


def test_a_port_has_one_role() -> None:
    selection = select({"br-lan": "lan", "lan1": "wan"}, NETWORK)
    assert selection.ports[6].role == "lan"
    assert "lan1 can't be wan and lan at once" in selection.refused["lan1"]


def test_what_is_not_there_is_missing_and_what_carries_no_frames_is_refused() -> None:
    selection = chosen(eth9="lan", ppp0="wan", lan1="lan")
    assert selection.missing == {"eth9": "lan"}
    assert selection.refused == {
        "ppp0": "ppp0 carries no Ethernet frames: name the interface below it"
    }
    assert list(selection.ports) == [6]


@pytest.mark.parametrize(
    ("more", "parent"), [([], 2), ([("IFLA_LINK_NETNSID", 0)], None)], ids=["here", "elsewhere"]
)
def test_a_vlan_is_read_from_netlink(more: list[tuple[str, int]], parent: int | None) -> None:
    """The message is packed and parsed as one on the wire: this kernel has no VLAN to ask for."""
    message = ifinfmsg()
    message["index"], message["ifi_type"] = 3, 1
    message["attrs"] = [
        ("IFLA_IFNAME", "eth0.10"),
        ("IFLA_LINK", 2),
        ("IFLA_ADDRESS", "00:00:5e:00:53:03"),
        *more,
        (
            "IFLA_LINKINFO",
            {
                "attrs": [
                    ("IFLA_INFO_KIND", "vlan"),
                    ("IFLA_INFO_DATA", {"attrs": [("IFLA_VLAN_ID", 10)]}),
                ]
            },
        ),
    ]
    message.encode()
    received = ifinfmsg(message.data)
    received.decode()
    read = topology._interface(received, (), False)
    assert (read.kind, read.parent, read.vlan, read.mac) == (
        "vlan",
        parent,
        10,
        "00:00:5e:00:53:03",
    )
