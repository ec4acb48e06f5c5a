"""Who a device is, learnt from real frames; and the user's word on it, durable and held by the kernel on every MAC."""

import asyncio
import itertools
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dnslib import AAAA, QTYPE, RR, A, DNSHeader, DNSRecord
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from hearthwall_sensor.client import Client, unix_session
from hearthwall_sensor.protocol import Delta, Device
from hearthwall_sensor.requests import ForgetDevice, MergeDevices, RenameDevice, SplitDevice
from lab import Lab
from lab.home import DEVICES, WEB
from tests.gateway.reaching import reaches
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA, TV, PLUG = DEVICES["camera"], DEVICES["tv"], DEVICES["plug"]
#: Sends the frames that are its arguments, in hex, out of a device's interface.
SEND = (
    "import socket, sys; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('eth0', 0))\n"
    "for frame in sys.argv[1:]: s.send(bytes.fromhex(frame))"
)
BROADCAST, GROUP = "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb"


def send(lab: Lab, host: str, *frames: Packet) -> None:
    texts = [bytes(frame).hex() for frame in frames]
    lab.run(host, ["/usr/bin/python3", "-c", SEND, *texts], check=True)


def dhcp_request(mac: str, address: str, chaddr: str | None = None) -> Packet:
    options: list[Any] = [
        ("message-type", "request"),
        ("requested_addr", address),
        ("hostname", b"dhcp-camera"),
        ("param_req_list", [1, 3, 6, 15]),
        ("vendor_class_id", b"udhcp 1.30.1"),
        "end",
    ]
    client = bytes.fromhex((chaddr or mac).replace(":", ""))
    return (
        Ether(src=mac, dst=BROADCAST)
        / IP(src="0.0.0.0", dst="255.255.255.255")
        / UDP(sport=68, dport=67)
        / BOOTP(chaddr=client)
        / DHCP(options=options)
    )


def announcement(mac: str, source: str, name: str, *addresses: Any) -> Packet:
    answer = DNSRecord(DNSHeader(qr=1, aa=1))
    for each in addresses:
        kind = QTYPE.AAAA if isinstance(each, AAAA) else QTYPE.A
        answer.add_answer(RR(name, kind, ttl=120, rdata=each))
    payload = Raw(answer.pack())
    frame = Ether(src=mac, dst=GROUP) / IP(src=source, dst="224.0.0.251", ttl=255)
    return frame / UDP(sport=5353, dport=5353) / payload


def device(sensor: SensorProcess, mac: str) -> dict[str, Any]:
    return sensor.device(mac) or {}


def ping(lab: Lab, *hosts: str) -> None:
    for host in hosts:
        assert reaches(lab, host, str(WEB.ipv4))


@pytest.fixture
def seen(lab: Lab, sensor: SensorProcess) -> SensorProcess:
    """A sensor that has seen camera, tv and plug."""
    ping(lab, "camera", "tv", "plug")
    assert until(lambda: all(sensor.device(each.mac) for each in (CAMERA, TV, PLUG)))
    return sensor


# What devices show


def test_arp_and_nd_tell_addresses_that_no_packet_was_sent_from(
    lab: Lab, sensor: SensorProcess
) -> None:
    claim = ARP(op=2, hwsrc=CAMERA.mac, psrc="192.168.20.121", hwdst=BROADCAST, pdst="192.168.20.1")
    advert = ICMPv6ND_NA(tgt="2001:db8:20::121", R=0, S=0) / ICMPv6NDOptDstLLAddr(lladdr=CAMERA.mac)
    packet = IPv6(src="fe80::5eff:fe00:5321", dst="ff02::1", hlim=255) / advert
    frames = [
        Ether(src=CAMERA.mac, dst=BROADCAST) / claim,
        Ether(src=CAMERA.mac, dst="33:33:00:00:00:01") / packet,
        # In somebody else's name
        Ether(src=TV.mac, dst=BROADCAST)
        / ARP(op=2, hwsrc=CAMERA.mac, psrc="192.168.20.122", hwdst=BROADCAST, pdst="0.0.0.0"),
    ]
    send(lab, "camera", *frames[:2])
    send(lab, "tv", frames[2])
    wanted = {"192.168.20.121", "2001:db8:20::121"}
    assert until(lambda: wanted <= set(device(sensor, CAMERA.mac).get("addresses", ())))
    assert "192.168.20.122" not in device(sensor, CAMERA.mac)["addresses"]


def test_a_device_has_a_name_a_fingerprint_and_a_vendor(lab: Lab, sensor: SensorProcess) -> None:
    ping(lab, "camera", "phone")
    send(lab, "camera", dhcp_request(CAMERA.mac, CAMERA.ipv4))
    assert until(lambda: device(sensor, CAMERA.mac).get("hostname") == "dhcp-camera")
    found = device(sensor, CAMERA.mac)
    assert found["fingerprint"] == {"options": [1, 3, 6, 15], "vendor_class": "udhcp 1.30.1"}
    if Path("/usr/share/ieee-data/oui.txt").exists():
        assert found["vendor"] == "ICANN, IANA Department"
    phone = device(sensor, DEVICES["phone"].mac)
    assert (phone["vendor"], phone["randomised"]) == (None, True)
    send(lab, "tv", dhcp_request(TV.mac, "192.168.10.13", chaddr=CAMERA.mac))
    addresses = (A(CAMERA.ipv4), AAAA(CAMERA.ipv6))
    send(lab, "camera", announcement(CAMERA.mac, CAMERA.ipv4, "bedroom.local", *addresses))
    assert until(lambda: device(sensor, CAMERA.mac)["hostname"] == "bedroom")
    # Names that somebody else gives it do not count
    send(lab, "tv", announcement(TV.mac, TV.ipv4, "evil.local", A(CAMERA.ipv4)))
    assert not until(lambda: device(sensor, CAMERA.mac)["hostname"] != "bedroom", 1.5)
    assert device(sensor, TV.mac)["hostname"] is None
    sensor.stop()
    sensor.start()
    again = device(sensor, CAMERA.mac)
    assert (again["hostname"], again["fingerprint"]) == ("bedroom", found["fingerprint"])


# What the user says


def test_a_name_is_kept_over_a_crash(seen: SensorProcess) -> None:
    assert seen.call("rename", CAMERA.mac, "Bedroom camera")["name"] == "Bedroom camera"
    seen.kill()
    seen.start()
    assert device(seen, CAMERA.mac)["name"] == "Bedroom camera"
    assert seen.call("rename", CAMERA.mac, "--clear")["name"] is None
    with pytest.raises(Refused, match="printable"):
        seen.call("rename", CAMERA.mac, "a\nb")
    with pytest.raises(Refused) as unknown:
        seen.call("rename", "00:00:5e:00:53:ee", "nobody")
    assert unknown.value.code == "not_found"


def test_merged_macs_are_one_device_until_they_are_split(lab: Lab, seen: SensorProcess) -> None:
    seen.call("rename", TV.mac, "Laptop on a dock")
    parts = {mac: device(seen, mac) for mac in (CAMERA.mac, TV.mac)}
    merged = seen.call("merge", TV.mac, CAMERA.mac)
    assert (merged["mac"], merged["other_macs"]) == (CAMERA.mac, [TV.mac])
    assert merged["name"] == "Laptop on a dock"
    assert {*parts[CAMERA.mac]["addresses"], *parts[TV.mac]["addresses"]} == {*merged["addresses"]}
    assert merged["upload_bytes"] >= sum(each["upload_bytes"] for each in parts.values())
    assert seen.device(TV.mac) is None
    seen.kill()
    seen.start()
    assert device(seen, CAMERA.mac)["other_macs"] == [TV.mac]
    before = device(seen, CAMERA.mac)["upload_packets"]
    ping(lab, "tv")
    assert device(seen, CAMERA.mac)["upload_packets"] > before
    seen.call("merge", CAMERA.mac, PLUG.mac)  # a chain is flat
    assert device(seen, PLUG.mac)["other_macs"] == sorted((CAMERA.mac, TV.mac))
    for mac, into in ((TV.mac, PLUG.mac), (PLUG.mac, PLUG.mac), (PLUG.mac, "00:00:5e:00:53:ee")):
        with pytest.raises(Refused):
            seen.call("merge", mac, into)
    alone = seen.call("split", TV.mac)
    assert (alone["mac"], alone["other_macs"], alone["name"]) == (TV.mac, [], "Laptop on a dock")
    assert alone["upload_bytes"] >= parts[TV.mac]["upload_bytes"]
    assert seen.device(CAMERA.mac) is None
    with pytest.raises(Refused, match="nothing to split"):
        seen.call("split", TV.mac)
    with pytest.raises(Refused, match=f"`split {CAMERA.mac}`"):
        seen.call("split", PLUG.mac)
    with pytest.raises(Refused, match="are one device already"):
        seen.call("merge", CAMERA.mac, PLUG.mac)


def test_a_merged_mac_keeps_its_own_name_for_when_it_is_split_off(seen: SensorProcess) -> None:
    seen.call("rename", TV.mac, "Dock")
    seen.call("rename", CAMERA.mac, "Laptop")
    assert seen.call("merge", TV.mac, CAMERA.mac)["name"] == "Laptop"
    assert seen.call("rename", TV.mac, "Work laptop")["name"] == "Work laptop"
    seen.kill()
    seen.start()
    assert device(seen, CAMERA.mac)["name"] == "Work laptop"
    assert seen.call("split", TV.mac)["name"] == "Dock"
    assert device(seen, CAMERA.mac)["name"] == "Work laptop"
    seen.call("merge", TV.mac, CAMERA.mac)
    assert seen.call("rename", CAMERA.mac, "--clear")["name"] is None
    seen.kill()
    seen.start()
    assert seen.call("split", TV.mac)["name"] is None


def test_orders_tell_all_macs_that_a_rule_is_on(seen: SensorProcess) -> None:
    seen.call("merge", TV.mac, CAMERA.mac)
    both = f"{TV.mac} and {CAMERA.mac}"
    assert seen.say("block", TV.mac).startswith(f"In force on {both}: isolate")
    assert seen.say("confirm", TV.mac).startswith(f"In force on {both}: isolate")
    assert seen.say("unblock", TV.mac, "--all").startswith(f"Ended on {both}: isolate")
    assert seen.say("block", PLUG.mac, "--port", "80").startswith(f"In force on {PLUG.mac} 80: ")
    told = seen.call("block", CAMERA.mac)
    assert (told["target"], told["also_on"]) == (CAMERA.mac, [TV.mac])
    assert seen.call("block", "203.0.113.9")["also_on"] == []


def test_nothing_counts_as_overwritten_that_was_forgotten(lab: Lab, seen: SensorProcess) -> None:
    for mac in (CAMERA.mac, TV.mac):
        seen.call("forget", mac)
    seen.stop()
    seen.start()
    assert seen.call("status")["lost"]["devices_overwritten"] == 0
    seen.call("forget", PLUG.mac)
    ping(lab, "camera", "tv")
    assert until(lambda: seen.device(TV.mac) is not None)
    assert seen.call("status")["lost"]["devices_overwritten"] == 0


def test_other_devices_flows_with_a_forgotten_one_go_too(lab: Lab, seen: SensorProcess) -> None:
    for peer in (PLUG.ipv4, PLUG.ipv6):
        assert reaches(lab, "camera", peer)

    def flows() -> str:
        return json.dumps(seen.call("flows"))

    assert until(lambda: all(each in flows() for each in (PLUG.mac, PLUG.ipv4, PLUG.ipv6)))
    web = [each for each in seen.call("flows") if each["peer_address"] == str(WEB.ipv4)]
    assert {each["mac"] for each in web} == {CAMERA.mac, TV.mac, PLUG.mac}
    seen.call("forget", PLUG.mac)
    assert not any(each in flows() for each in (PLUG.mac, PLUG.ipv4, PLUG.ipv6))
    web = [each for each in seen.call("flows") if each["peer_address"] == str(WEB.ipv4)]
    assert {each["mac"] for each in web} == {CAMERA.mac, TV.mac}


def test_a_merged_device_is_quarantined_on_all_of_its_macs(lab: Lab, seen: SensorProcess) -> None:
    seen.call("merge", TV.mac, CAMERA.mac)
    seen.call("block", CAMERA.mac)
    assert {each["target"] for each in seen.call("blocks")} == {CAMERA.mac, TV.mac}
    seen.kill()
    seen.start()
    assert [reaches(lab, each, str(WEB.ipv4)) for each in ("camera", "tv")] == [False, False]
    seen.call("block", TV.mac, "--confirm-within", "60s", "--mode", "no_internet")
    assert {each["mode"] for each in seen.call("blocks")} == {"no_internet"}
    seen.call("confirm", CAMERA.mac)
    assert {each["confirm_by"] for each in seen.call("blocks")} == {None}
    assert device(seen, CAMERA.mac)["rule"]["mode"] == "no_internet"
    seen.call("unblock", TV.mac)
    assert seen.call("blocks") == []
    assert [reaches(lab, each, str(WEB.ipv4)) for each in ("camera", "tv")] == [True, True]


def test_merging_makes_rules_equal_and_splitting_takes_the_copy_back(
    lab: Lab, seen: SensorProcess
) -> None:
    def modes() -> dict[str, str]:
        return {each["target"]: each["mode"] for each in seen.call("blocks")}

    seen.call("block", TV.mac, "--reason", "first")
    for port in ("1900", "5353"):
        seen.call("block", TV.mac, "--transport", "udp", "--port", port, "--mode", "audit")
    seen.call("merge", TV.mac, CAMERA.mac)
    assert len(seen.call("blocks")) == 6
    seen.kill()
    seen.start()
    assert len(seen.call("blocks")) == 6
    for port in ("1900", "5353"):
        seen.call("unblock", CAMERA.mac, "--transport", "udp", "--port", port)
    assert modes() == {CAMERA.mac: "isolate", TV.mac: "isolate"}
    assert len(seen.call("blocks")) == 2
    assert not reaches(lab, "camera", str(WEB.ipv4))
    seen.kill()
    seen.start()
    assert seen.call("split", TV.mac)["rule"]["mode"] == "isolate"
    assert modes() == {TV.mac: "isolate"}
    assert reaches(lab, "camera", str(WEB.ipv4))
    # Where both have one, the stricter is each one's own.
    seen.call("block", CAMERA.mac, "--mode", "no_internet")
    seen.call("merge", TV.mac, CAMERA.mac)
    assert modes() == {CAMERA.mac: "isolate", TV.mac: "isolate"}
    seen.call("split", TV.mac)
    assert modes() == {CAMERA.mac: "isolate", TV.mac: "isolate"}
    told = [each["kind"] for each in seen.call("events")]
    assert told.count("blocked") - told.count("unblocked") == 2, told


def test_a_forgotten_device_is_nowhere_and_new_when_it_speaks(
    lab: Lab, seen: SensorProcess
) -> None:
    seen.call("rename", CAMERA.mac, "secret camera")
    send(lab, "camera", dhcp_request(CAMERA.mac, CAMERA.ipv4))
    seen.call("merge", TV.mac, CAMERA.mac)
    seen.call("block", CAMERA.mac, "--reason", "ended reason", "--duration", "1s")
    seen.call("block", CAMERA.mac, "--mode", "audit", "--reason", "secret reason", "--port", "9")
    assert until(lambda: len(seen.call("blocks")) == 2)
    assert until(lambda: len(seen.call("events")) == 6)
    first_seen = device(seen, CAMERA.mac)["first_seen"]
    forgotten = seen.call("forget", TV.mac)
    assert (forgotten["mac"], forgotten["name"]) == (CAMERA.mac, "secret camera")
    assert seen.call("events") == []
    for path in seen.state.glob("rules.json*"):
        assert b"ended reason" not in path.read_bytes(), path
    # Rules stay, and are each MAC's own.
    assert {each["target"] for each in seen.call("blocks")} == {CAMERA.mac, TV.mac}
    for name, suffix in itertools.product(("devices.db", "events.db"), ("", "-wal")):
        path = seen.state / (name + suffix)
        content = path.read_bytes() if path.exists() else b""
        for secret in (b"secret", b"dhcp-camera", CAMERA.mac.encode(), TV.mac.encode()):
            assert secret not in content, (path.name, secret)
    ping(lab, "camera")
    assert until(lambda: seen.device(CAMERA.mac) is not None)
    new = device(seen, CAMERA.mac)
    assert new["first_seen"] > first_seen
    assert (new["name"], new["other_macs"], new["fingerprint"]) == (None, [], None)
    assert new["upload_packets"] < 10
    seen.stop()
    with sqlite3.connect(seen.state / "devices.db") as disk:
        assert disk.execute("SELECT count(*) FROM merges").fetchone() == (0,)
    seen.start()
    assert seen.call("status")["lost"]["devices_overwritten"] == 0
    seen.call("unblock", CAMERA.mac)
    assert {each["target"] for each in seen.call("blocks")} == {TV.mac}


def test_numbers_of_events_go_on_after_all_were_forgotten(seen: SensorProcess) -> None:
    seen.call("block", CAMERA.mac)
    seen.call("unblock", CAMERA.mac)
    seen.call("forget", CAMERA.mac)
    seen.kill()
    seen.start()
    seen.call("block", TV.mac)
    assert until(lambda: [each["seq"] for each in seen.call("events")] == [3])


async def test_clients_are_told_of_each_change(lab: Lab, seen: SensorProcess) -> None:
    told: list[Delta] = []

    def last(mac: str) -> Device | None:
        devices = (each for delta in told for each in delta.devices if each.mac == mac)
        return next(reversed(list(devices)), None)

    def removed() -> list[str]:
        return [mac for delta in told for mac in delta.removed_devices]

    async def told_that(condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 5
        while not condition() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return condition()

    async with unix_session(seen.socket) as session:
        client = Client(session, name="test")
        await client.connect()
        await client.subscribe(told.append, interval=30.0)
        named = await client.call(RenameDevice(TV.mac, "the tv"))
        assert await told_that(
            lambda: (device := last(TV.mac)) is not None and device.name == "the tv"
        )
        assert named["name"] == "the tv"
        await client.call(MergeDevices(TV.mac, CAMERA.mac))
        assert await told_that(lambda: removed() == [TV.mac])
        assert (both := last(CAMERA.mac)) is not None
        assert both.other_macs == (TV.mac,)
        await client.call(SplitDevice(TV.mac))
        assert await told_that(
            lambda: (each := last(CAMERA.mac)) is not None and not each.other_macs
        )
        await client.call(ForgetDevice(CAMERA.mac))
        assert await told_that(lambda: removed() == [TV.mac, CAMERA.mac])
        await client.close()
