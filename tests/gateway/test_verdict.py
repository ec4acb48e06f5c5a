"""The gate's verdict on single frames, hostile ones too, through BPF_PROG_TEST_RUN: real programs, no network."""

import ipaddress
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from scapy.layers.dhcp import BOOTP
from scapy.layers.dns import DNS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw

from hearthwall_sensor.kernel import loader, pins, units
from hearthwall_sensor.kernel.layouts import ROLE_HOME_ASSISTANT, ROLE_SELF, Counters, Entry
from hearthwall_sensor.kernel.libbpf import Program
from hearthwall_sensor.kernel.tables import Tables
from hearthwall_sensor.network import home
from hearthwall_sensor.notation import boot_ns
from hearthwall_sensor.targets import Target
from tests.gateway.sensor_process import command

pytestmark = pytest.mark.lab

DEVICE = "00:00:5e:00:53:21"
OTHER = "00:00:5e:00:53:22"
GATEWAY = "00:00:5e:00:53:01"
LAN, LAN6 = "192.168.20.21", "2001:db8:20::21"
WEB, WEB6 = "203.0.113.10", "2001:db8:ffff::10"
PASS, DROP = 2, 1

ISOLATE = Entry(1, 1, 1, 0, Counters())
BARE = Entry(1, 1, 0, 0, Counters())
WITH_DNS = Entry(1, 1, 3, 0, Counters())
WITH_HOME_ASSISTANT = Entry(1, 1, 5, 0, Counters())
NO_INTERNET = Entry(1, 2, 1, 0, Counters())


class Gate:
    """The programs, loaded and attached to nothing."""

    def __init__(self, directory: Path) -> None:
        self.tables = Tables(str(directory))
        self.program: Program = Program.pinned(str(directory / "gate"))
        self.tables.set_home_networks(["2001:db8:20::/64"])

    def only(self, rules: dict[Target, Entry]) -> None:
        """Let these be the rules."""
        for target in self.tables.rules():
            self.tables.delete_rule(target)
        for target, entry in rules.items():
            self.tables.put_rule(target, entry)
        kinds = [target.kind for target in rules]
        self.tables.set_sizes({kind: kinds.count(kind) for kind in set(kinds)})

    def verdict(self, frame: Packet | bytes) -> int:
        data = bytes(frame)
        return self.program.run(data.ljust(14, b"\0"))[0]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    pins.mount()
    folder = tmp_path_factory.mktemp("verdict")
    own = pins.Pins(str(folder / "s.sock"))
    own.make(folder)
    directory = own.generation(loader.generation())
    subprocess.run(
        command("load", "--json", "--pins", str(directory)), check=True, capture_output=True
    )
    yield Gate(directory)
    own.remove()


def eth(source: str = DEVICE, destination: str = GATEWAY) -> Packet:
    return Ether(src=source, dst=destination)


MLD_REPORT = b"\x8f" + bytes(11)
TCP4 = IP(src=LAN, dst=WEB) / TCP(dport=443)
TCP6 = IPv6(src=LAN6, dst=WEB6) / TCP(dport=443)


@pytest.mark.parametrize(
    ("entry", "frame", "verdict"),
    [
        (ISOLATE, eth() / TCP4, DROP),
        (ISOLATE, eth() / TCP6, DROP),
        (ISOLATE, eth(OTHER) / TCP4, PASS),
        (ISOLATE, eth() / Dot1Q(vlan=5) / TCP4, DROP),
        (ISOLATE, eth(OTHER) / Dot1Q(vlan=5) / TCP4, PASS),
        (ISOLATE, eth() / Dot1AD(vlan=5) / Dot1Q(vlan=6) / TCP6, DROP),
        (ISOLATE, eth() / ARP(), PASS),
        (BARE, eth() / ARP(), DROP),
        (ISOLATE, eth() / ARP() / Raw(bytes(100)), DROP),  # a covert letter
        (ISOLATE, eth() / IPv6(src=LAN6, dst="fe80::1", hlim=64) / ICMPv6ND_NA(), DROP),
        (ISOLATE, eth() / Dot1Q(vlan=5) / ARP(), PASS),
        (ISOLATE, Ether(src=DEVICE, dst=GATEWAY, type=0x888E) / Raw(bytes(50)), PASS),
        (ISOLATE, Ether(src=DEVICE, dst=GATEWAY, type=0x88CC) / Raw(bytes(50)), DROP),
        # DHCP as a client, to the home; not as a server, and not as a way out
        (ISOLATE, eth() / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(), PASS),
        (ISOLATE, eth() / IP(src=LAN, dst="192.168.20.1") / UDP(sport=68, dport=67) / BOOTP(), PASS),
        (ISOLATE, eth() / IP(src=LAN, dst=WEB) / UDP(sport=68, dport=67) / BOOTP(), DROP),
        (ISOLATE, eth() / IP(src=LAN, dst="255.255.255.255") / UDP(sport=67, dport=68) / BOOTP(), DROP),
        (ISOLATE, eth() / IPv6(src="fe80::21", dst="ff02::1:2") / UDP(sport=546, dport=547), PASS),
        (ISOLATE, eth() / IPv6(src="fe80::21", dst="fe80::1") / UDP(sport=547, dport=546), DROP),
        # neighbours: asked and answered, but the device is no router
        (ISOLATE, eth() / IPv6(src=LAN6, dst="ff02::1:ff00:1") / ICMPv6ND_NS(), PASS),
        (ISOLATE, eth() / IPv6(src=LAN6, dst="fe80::1") / ICMPv6ND_NA(), PASS),
        (ISOLATE, eth() / IPv6(src="fe80::21", dst="ff02::2") / ICMPv6ND_RS(), PASS),
        (ISOLATE, eth() / IPv6(src="fe80::21", dst="ff02::1") / ICMPv6ND_RA(), DROP),
        (ISOLATE, eth() / IPv6(src=LAN6, dst=WEB6) / ICMPv6ND_NS(), DROP),
        (ISOLATE, eth() / IPv6(src=LAN6, dst="ff02::16") / IPv6ExtHdrHopByHop(nh=58) / Raw(MLD_REPORT), PASS),
        (ISOLATE, eth() / IPv6(src=LAN6, dst="fe80::1") / ICMPv6EchoRequest(), DROP),
        # DNS in the home, where the rule says so
        (ISOLATE, eth() / IP(src=LAN, dst="192.168.20.1") / UDP(dport=53) / DNS(), DROP),
        (WITH_DNS, eth() / IP(src=LAN, dst="192.168.20.1") / UDP(dport=53) / DNS(), PASS),
        (WITH_DNS, eth() / IP(src=LAN, dst="192.168.20.1") / TCP(dport=53), PASS),
        (WITH_DNS, eth() / IP(src=LAN, dst="203.0.113.53") / UDP(dport=53) / DNS(), DROP),
        (WITH_DNS, eth() / IP(src=LAN, dst="192.168.20.1") / UDP(sport=53, dport=80), DROP),
        (WITH_HOME_ASSISTANT, eth() / IP(src=LAN, dst="192.168.20.2") / TCP(dport=8123), PASS),
        (WITH_HOME_ASSISTANT, eth() / IP(src=LAN, dst="192.168.20.3") / TCP(dport=8123), DROP),
        (ISOLATE, eth() / IP(src=LAN, dst="192.168.20.2") / TCP(dport=8123), DROP),
        # a later fragment has no ports: whatever it pretends to be, it does not pass as DNS or DHCP
        (WITH_DNS, eth() / IP(src=LAN, dst="192.168.20.1", frag=9, proto=17) / Raw(b"\0\x35\0\x35" * 8), DROP),
        (
            WITH_DNS,
            eth() / IPv6(src=LAN6, dst="fe80::1") / IPv6ExtHdrFragment(offset=9, nh=17) / Raw(b"\0\x35" * 8),
            DROP,
        ),
        (WITH_DNS, eth() / IPv6(src=LAN6, dst="fe80::1") / IPv6ExtHdrDestOpt() / UDP(dport=53), PASS),
        # the home without the internet
        (NO_INTERNET, eth() / TCP4, DROP),
        (NO_INTERNET, eth() / TCP6, DROP),
        (NO_INTERNET, eth() / Dot1Q(vlan=5) / TCP4, DROP),
        (NO_INTERNET, eth() / IP(src=LAN, dst="192.168.10.13") / TCP(), PASS),
        (NO_INTERNET, eth() / IP(src=LAN, dst="224.0.0.251") / UDP(), PASS),
        (NO_INTERNET, eth() / IP(src=LAN, dst="100.64.0.1") / UDP(), PASS),
        (NO_INTERNET, eth() / IPv6(src=LAN6, dst="2001:db8:20::1") / TCP(), PASS),
        (NO_INTERNET, eth() / IPv6(src=LAN6, dst="2001:db8:21::1") / TCP(), DROP),
        (NO_INTERNET, eth() / IPv6(src=LAN6, dst="fd00::1") / TCP(), PASS),
        (NO_INTERNET, eth() / ARP(), PASS),
        (NO_INTERNET, Ether(src=DEVICE, dst=GATEWAY, type=0x8864) / Raw(bytes(50)), DROP),  # PPPoE past the gateway
        (NO_INTERNET, eth() / IP(src=LAN, dst=WEB, frag=9, proto=17) / Raw(bytes(32)), DROP),
    ],
)  # fmt: skip
def test_rule_on_a_mac(gate: Gate, entry: Entry, frame: Packet, verdict: int) -> None:
    gate.tables.set_protected({}, {"192.168.20.2": ROLE_HOME_ASSISTANT})
    gate.only({Target("mac", DEVICE): entry})
    assert gate.verdict(frame) == verdict


@pytest.mark.parametrize("cut", range(14, 70, 3))
@pytest.mark.parametrize("entry", [ISOLATE, NO_INTERNET])
@pytest.mark.parametrize("frame", [eth() / TCP4, eth() / TCP6, eth() / Dot1Q() / TCP4])
def test_truncated_frame_of_a_ruled_device_does_not_slip_through(
    gate: Gate, frame: Packet, entry: Entry, cut: int
) -> None:
    gate.only({Target("mac", DEVICE): entry})
    data = bytes(frame)[:cut]
    headless = data[12:14] == b"\x81\x00" and cut < 18  # nothing says that there was IP in it
    assert gate.verdict(data) == (PASS if headless and entry is NO_INTERNET else DROP)


@pytest.mark.parametrize(
    ("target", "frame", "verdict"),
    [
        (Target("ipv4", WEB), eth() / TCP4, DROP),
        (Target("ipv4", LAN), eth() / TCP4, DROP),
        (Target("ipv4", WEB), eth() / IP(src=WEB, dst=LAN) / TCP(), DROP),
        (Target("ipv4", WEB), eth() / TCP6, PASS),
        (Target("ipv4", WEB), eth() / IP(src=LAN, dst="203.0.113.11") / ICMP(), PASS),
        (Target("ipv4", WEB), eth() / IP(src=LAN, dst=WEB, frag=9) / Raw(bytes(32)), DROP),
        (Target("ipv4", WEB), eth() / IP(src=LAN, dst=WEB, options=[b"\x01" * 8]) / TCP(), DROP),
        (Target("ipv6", WEB6), eth() / TCP6, DROP),
        (Target("ipv6", LAN6), eth() / TCP6, DROP),
        (Target("ipv6", WEB6), eth() / TCP4, PASS),
        (
            Target("ipv6", WEB6),
            eth() / IPv6(src=LAN6, dst=WEB6) / IPv6ExtHdrDestOpt() / TCP(),
            DROP,
        ),
        (Target("ipv4", WEB), eth() / ARP(pdst=WEB), PASS),
        # what a device of the home needs is no way out for a host of the internet
        (
            Target("ipv4", WEB),
            eth() / IP(src=LAN, dst=WEB) / UDP(sport=67, dport=68) / BOOTP(),
            DROP,
        ),
        (
            Target("ipv4", WEB),
            eth() / IP(src=LAN, dst=WEB) / UDP(sport=68, dport=67) / BOOTP(),
            DROP,
        ),
        (Target("ipv6", WEB6), eth() / IPv6(src=LAN6, dst=WEB6, hlim=255) / ICMPv6ND_NA(), DROP),
        (
            Target("ipv4", LAN),
            eth() / IP(src=LAN, dst="192.168.20.1") / UDP(sport=68, dport=67) / BOOTP(),
            PASS,
        ),
    ],
)
def test_rule_on_an_address(gate: Gate, target: Target, frame: Packet, verdict: int) -> None:
    gate.tables.set_protected({}, {})
    gate.only({target: ISOLATE})
    assert gate.verdict(frame) == verdict


def test_never_drop_set_stands_above_every_rule(gate: Gate) -> None:
    """The orders are refused, too; but an address can become the gateway's own after the rule was made."""
    gate.only({Target("mac", DEVICE): ISOLATE, Target("ipv4", WEB): ISOLATE})
    gate.tables.set_protected({DEVICE: ROLE_SELF}, {WEB: ROLE_SELF})
    assert gate.verdict(eth() / TCP4) == PASS
    gate.tables.set_protected({}, {WEB: ROLE_SELF})
    assert gate.verdict(eth() / TCP4) == DROP  # an address is no way around the rule on a MAC
    assert gate.verdict(eth(OTHER) / TCP4) == PASS
    gate.tables.set_protected({}, {})
    assert gate.verdict(eth(OTHER) / TCP4) == DROP


def test_expiry_and_counters(gate: Gate) -> None:
    gate.tables.set_protected({}, {})
    target = Target("mac", DEVICE)
    gate.only({target: Entry(7, 1, 1, boot_ns() + 10**10, Counters())})
    before = boot_ns()
    frame = bytes(eth() / TCP4 / Raw(bytes(100)))
    assert gate.verdict(frame) == DROP
    time.sleep(0.05)  # the time of a hit is as fine as the kernel's tick, at most 10 ms
    assert gate.verdict(frame) == DROP
    held = gate.tables.rule(target)
    assert held is not None
    assert (held.id, held.counters.packets, held.counters.bytes) == (7, 2, 2 * len(frame))
    assert before < held.counters.first_hit < held.counters.last_hit < boot_ns()
    gate.only({target: Entry(7, 1, 1, boot_ns() - 1, Counters())})
    assert gate.verdict(frame) == PASS
    held = gate.tables.rule(target)
    assert held is not None
    assert held.counters == Counters()


def test_no_rule_no_drop_whatever_comes(gate: Gate) -> None:
    gate.only({})
    for frame in (eth() / TCP4, eth() / TCP6, Raw(bytes(14)), Raw(b"\xff" * 1500)):
        assert gate.verdict(frame) == PASS


ADDRESSES = st.one_of(
    st.ip_addresses(v=4),
    st.ip_addresses(v=6),
    st.ip_addresses(network="172.0.0.0/8"),
    st.ip_addresses(network="100.0.0.0/8"),
    st.ip_addresses(network="192.168.0.0/15"),
    st.ip_addresses(network="169.254.0.0/15"),
    st.ip_addresses(network="fc00::/6"),
    st.ip_addresses(network="fe00::/7"),
    st.ip_addresses(network="2001:db8:20::/47"),
    st.ip_addresses(network="::/120"),
)


@settings(max_examples=3000, deadline=None)
@given(address=ADDRESSES)
def test_kernel_and_python_agree_on_what_is_home(
    gate: Gate, address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return  # no such address is ever on a wire
    gate.only({Target("mac", DEVICE): NO_INTERNET})
    four = address.version == 4
    packet = (IP(src=LAN, dst=str(address)) if four else IPv6(src=LAN6, dst=str(address))) / UDP()
    at_home = home.is_home(str(address), ["2001:db8:20::/64"])
    assert gate.verdict(Ether(src=DEVICE, dst=GATEWAY) / packet) == (PASS if at_home else DROP)


@settings(max_examples=2000, deadline=None)
@given(frame=st.binary(min_size=14, max_size=200))
def test_any_bytes_of_an_isolated_device_are_judged_without_fault(gate: Gate, frame: bytes) -> None:
    gate.only(
        {Target("mac", DEVICE): BARE, Target("ipv4", WEB): ISOLATE, Target("ipv6", WEB6): ISOLATE}
    )
    hostile = frame[:6] + bytes.fromhex(DEVICE.replace(":", "")) + frame[12:]
    assert gate.verdict(hostile) == DROP


def test_loader_reports_what_does_not_compile(tmp_path: Path) -> None:
    copy = tmp_path / "bpf"
    subprocess.run(["cp", "-r", str(units.SOURCES), str(copy)], check=True)
    (copy / "gate.c").write_text("this is no C")
    done = subprocess.run(
        command("load", "--json", launcher=copy / "hearthwall-sensor"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert '"kernel_refused"' in done.stdout
