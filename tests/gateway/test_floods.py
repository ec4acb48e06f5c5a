"""Floods: above a source's threshold packets die in XDP, below it none does, and it is told."""

import subprocess
import time
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NS, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from lab import Lab
from lab.home import DEVICES, HOSTS
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
GATEWAY, INTERNET = HOSTS["gateway"].links[1], HOSTS["internet"].links[0]
#: Hosts behind the default gateway, which itself is never dropped
OUTSIDE, OUTSIDE6 = "203.0.113.77", "2001:db8:ffff::77"
WAN, WAN6 = (str(each.ip) for each in GATEWAY.addresses[:2])
LAN = str(CAMERA.ipv4)

#: Sends a frame so many times a second, for so long, from an interface.
_SENDER = """
import socket, sys, time
interface, rate, count, frame = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), bytes.fromhex(sys.argv[4])
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind((interface, 0))
start = time.monotonic()
for number in range(count):
    while number > (time.monotonic() - start) * rate:
        time.sleep(0.001)
    sender.send(frame)
"""


def send(lab: Lab, host: str, interface: str, frame: Packet, *, rate: int, count: int) -> None:
    line = [
        "/usr/bin/python3",
        "-I",
        "-c",
        _SENDER,
        interface,
        str(rate),
        str(count),
        bytes(frame).hex(),
    ]
    subprocess.run(lab.argv(host, line), check=True, timeout=30)


def outside(packet: Packet) -> Packet:
    return Ether(src=INTERNET.mac, dst=GATEWAY.mac) / packet


def arrived(lab: Lab) -> int:
    """How many IP packets the gateway's own stack has met: what dies in XDP is not among them."""
    four = lab.run("gateway", ["cat", "/proc/net/snmp"], check=True).stdout.splitlines()
    names, values = (each.split() for each in four if each.startswith("Ip:"))
    six = lab.run("gateway", ["cat", "/proc/net/snmp6"], check=True).stdout
    return int(values[names.index("InReceives")]) + int(six.split()[1])


def dropped(sensor: SensorProcess) -> int:
    count: int = sensor.call("status")["dropped"]["dropped_flood"]
    return count


def floods(sensor: SensorProcess) -> list[dict[str, Any]]:
    return [each for each in sensor.call("events") if each["kind"] == "flood"]


@pytest.fixture
def guarded(idle: SensorProcess) -> SensorProcess:
    return idle.start(
        "--wan", "wan", "--flood", "wan:syn=100", "--flood", "wan:udp=200", "--flood", "wan:icmp=50"
    )


@pytest.mark.parametrize(
    ("kind", "packet", "limit"),
    [
        ("syn", IP(src=OUTSIDE, dst=WAN) / TCP(sport=1, dport=81, flags="S"), 100),
        ("syn", IPv6(src=OUTSIDE6, dst=WAN6) / TCP(sport=1, dport=81, flags="S"), 100),
        ("udp", IP(src=OUTSIDE, dst=WAN) / UDP(sport=1, dport=9), 200),
        ("icmp", IP(src=OUTSIDE, dst=WAN) / ICMP(), 50),
        ("icmp", IPv6(src=OUTSIDE6, dst=WAN6) / ICMPv6EchoRequest(), 50),
    ],
)
def test_a_flood_from_outside_dies_above_the_threshold_and_is_told(
    lab: Lab, guarded: SensorProcess, kind: str, packet: Packet, limit: int
) -> None:
    began, before = time.monotonic(), arrived(lab)
    send(lab, "internet", INTERNET.name, outside(packet), rate=1000, count=2000)
    seconds = time.monotonic() - began
    # A second's worth may come at once, and then so many a second
    passed = 2000 - dropped(guarded)
    assert limit < passed <= limit * (seconds + 1) * 1.1 + 2
    assert passed <= arrived(lab) - before <= passed + 30, "what was dropped did not get through"
    assert until(lambda: len(floods(guarded)) == 1)
    (event,) = floods(guarded)
    assert event["address"] in (OUTSIDE, OUTSIDE6)
    assert event["peer_address"] in (WAN, WAN6)
    assert event["mac"] is None
    assert event["severity"] == "medium"
    assert event["evidence"]["kind"] == kind
    assert event["evidence"]["threshold"] == limit < event["evidence"]["value"]
    time.sleep(1.5)
    assert len(floods(guarded)) == 1, "one flood is one event"


@pytest.mark.parametrize(
    "packet",
    [
        IP(src=OUTSIDE, dst=WAN) / TCP(sport=1, dport=81, flags="S"),
        IP(src=OUTSIDE, dst=WAN) / UDP(sport=1, dport=9),
    ],
)
def test_what_stays_below_the_threshold_passes_whole(
    lab: Lab, guarded: SensorProcess, packet: Packet
) -> None:
    send(lab, "internet", INTERNET.name, outside(packet), rate=80, count=240)
    assert dropped(guarded) == 0
    assert floods(guarded) == []


@pytest.mark.parametrize(
    "packet",
    [
        IP(src=OUTSIDE, dst=WAN) / TCP(sport=80, dport=1024, flags="SA"),
        IP(src=OUTSIDE, dst=WAN) / TCP(sport=80, dport=1024, flags="A"),
        IPv6(src=OUTSIDE6, dst=WAN6) / ICMPv6ND_NS(tgt=WAN6),
        IP(src=OUTSIDE, dst=WAN) / ICMP(type="echo-reply"),
        IPv6(src=OUTSIDE6, dst=WAN6) / ICMPv6EchoReply(),
    ],
)
def test_answers_and_neighbours_are_no_flood(
    lab: Lab, guarded: SensorProcess, packet: Packet
) -> None:
    send(lab, "internet", INTERNET.name, outside(packet), rate=1000, count=1500)
    assert dropped(guarded) == 0


def test_the_default_gateway_itself_floods_nobody(lab: Lab, guarded: SensorProcess) -> None:
    syn = IP(src=str(INTERNET.addresses[0].ip), dst=WAN) / TCP(sport=1, dport=81, flags="S")
    send(lab, "internet", INTERNET.name, outside(syn), rate=1000, count=1000)
    assert dropped(guarded) == 0


def test_one_source_does_not_take_anothers_share(lab: Lab, guarded: SensorProcess) -> None:
    syn = IP(src=OUTSIDE, dst=WAN) / TCP(sport=1, dport=81, flags="S")
    send(lab, "internet", INTERNET.name, outside(syn), rate=1000, count=1000)
    before = dropped(guarded)
    other = IP(src="203.0.113.78", dst=WAN) / TCP(sport=1, dport=81, flags="S")
    send(lab, "internet", INTERNET.name, outside(other), rate=80, count=80)
    assert dropped(guarded) == before > 0


def test_on_the_homes_side_there_is_no_limit_unless_asked_for(
    lab: Lab, idle: SensorProcess
) -> None:
    frame = (
        Ether(src=CAMERA.mac, dst=HOSTS["gateway"].mac)
        / IP(src=LAN, dst="192.168.20.1")
        / UDP(sport=1, dport=9)
    )
    idle.start("--wan", "wan")
    assert all(
        each["xdp"] == "off" for each in idle.call("status")["interfaces"] if each["role"] == "lan"
    )
    send(lab, "camera", CAMERA.interface, frame, rate=1000, count=1000)
    assert dropped(idle) == 0
    idle.stop()
    idle.start("--flood", "lan:udp=100")
    # A source of the home is its MAC: other addresses are no way around
    for number in range(4):
        other = frame.copy()
        other[IP].src = f"192.168.20.{100 + number}"
        del other[IP].chksum
        send(lab, "camera", CAMERA.interface, other, rate=1000, count=250)
    assert dropped(idle) > 500
    assert until(lambda: len(floods(idle)) == 1)
    (event,) = floods(idle)
    assert (event["mac"], event["severity"]) == (CAMERA.mac, "high")


def test_the_limit_holds_on_when_the_sensor_is_killed(lab: Lab, guarded: SensorProcess) -> None:
    syn = IP(src=OUTSIDE, dst=WAN) / TCP(sport=1, dport=81, flags="S")
    guarded.kill()
    send(lab, "internet", INTERNET.name, outside(syn), rate=1000, count=1000)
    guarded.start("--wan", "wan", "--flood", "wan:syn=100")
    assert dropped(guarded) > 600


@pytest.mark.parametrize(
    "text", ["wan=5", "wan:syn", "x:syn=5", "wan:tcp=5", "wan:syn=-1", "wan:syn=1e9"]
)
def test_a_threshold_that_is_none_is_refused(idle: SensorProcess, text: str) -> None:
    with pytest.raises(Refused) as refused:
        idle.start("--flood", text)
    assert refused.value.code == "invalid_message"
