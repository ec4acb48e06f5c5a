"""Intrusions into the network itself: false addresses, false routers, false servers."""

import random
from typing import Final
from zlib import crc32

from lab.week import messages
from lab.week.household import ROUTER, Device
from lab.week.life import Life
from lab.week.misuse import Misuse
from lab.week.wire import BROADCAST, Ends, arp, ethernet


def arp_spoof(victim: str, every: float, times: int) -> Misuse:
    """Claim the router's address towards somebody, again and again."""

    def go(life: Life, device: Device, at: float, _chance: random.Random) -> float:
        other = life.devices[victim]
        for _ in range(times):
            life.air.put(at, arp(device.link, ROUTER.ipv4, other.ipv4, to=other.link))
            life.air.put(at + 0.01, arp(device.link, other.ipv4, ROUTER.ipv4, to=ROUTER.link))
            at += every
        return at

    return go


def same_address(other: str, times: int) -> Misuse:
    """Have somebody else's address by mistake."""

    def go(life: Life, device: Device, at: float, _chance: random.Random) -> float:
        taken = life.devices[other].ipv4
        for _ in range(times):
            life.air.put(at, arp(device.link, taken, taken))
            life.air.put(at + 1, arp(life.devices[other].link, taken, taken))
            at += 20
        return at

    return go


def _discovery(device: Device, source: bytes, to: bytes, kind: int, body: bytes) -> bytes:
    """Return a frame of neighbour discovery."""
    message = bytes((kind, 0, 0, 0)) + body
    head = b"\x60\0\0\0" + len(message).to_bytes(2, "big") + b"\x3a\xff" + source + to
    mac = b"\x33\x33" + to[-4:] if to[0] == 0xFF else BROADCAST
    return ethernet(device.link, mac, 0x86DD, head + message)


_EVERYBODY: Final = bytes.fromhex("ff02") + bytes(13) + b"\1"


def nd_spoof(every: float, times: int) -> Misuse:
    """Claim the router's IPv6 address."""

    def go(life: Life, device: Device, at: float, _chance: random.Random) -> float:
        own = bytes.fromhex("fe80") + bytes(13) + b"\1"
        for _ in range(times):
            body = b"\x20\0\0\0" + own + b"\2\1" + device.link
            life.air.put(at, _discovery(device, own, _EVERYBODY, 136, body))
            at += every
        return at

    return go


def false_router(times: int) -> Misuse:
    """Advertise oneself as a router."""

    def go(life: Life, device: Device, at: float, _chance: random.Random) -> float:
        own = bytes.fromhex("fe80") + bytes(12) + crc32(device.link).to_bytes(4, "big")[:2]
        prefix = bytes((3, 4, 64, 0xC0)) + (1800).to_bytes(4, "big") * 2 + bytes(4)
        prefix += bytes.fromhex("20010db8666600000000000000000000")
        for _ in range(times):
            body = b"\x40\0\x07\x08" + bytes(8) + prefix
            life.air.put(at, _discovery(device, own, _EVERYBODY, 134, body))
            at += 30
        return at

    return go


def false_dhcp(times: int) -> Misuse:
    """Offer addresses beside the router."""

    def go(life: Life, device: Device, at: float, _chance: random.Random) -> float:
        given = messages.option(54, device.ipv4) + messages.option(51, b"\0\0\x0e\x10")
        given += messages.option(3, device.ipv4) + messages.option(6, device.ipv4)
        client = life.devices["phone-anna"]
        for _ in range(times):
            life.lease(client, at, is_new=True)
            back = Ends(device.link, device.ipv4, 67, client.link, client.ipv4, 68)
            reply = messages.dhcp(2, client.link, given, given=client.ipv4)
            life.air.datagram(at + 0.005, back, reply)
            at += 30
        return at

    return go
