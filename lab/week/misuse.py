"""What goes wrong in a home: each function makes one intrusion's packets and returns when it ended."""

import base64
import random
from collections.abc import Callable, Iterable
from typing import Final

from lab.week import internet, messages
from lab.week.household import Device
from lab.week.life import Life
from lab.week.wire import FIN, Turn, Way, arp, down, up

Misuse = Callable[[Life, Device, float, random.Random], float]

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"


def _outside(chance: random.Random) -> bytes:
    """Return anybody's address."""
    return bytes(
        (chance.choice((45, 81, 104, 185)), *chance.randbytes(2), 1 + chance.randrange(250))
    )


def raw(  # noqa: PLR0913, PLR0917, a connection has so many parts
    life: Life,
    device: Device,
    peer: bytes,
    port: int,
    when: float,
    turns: Iterable[Turn],
    end: int = FIN,
) -> float:
    """Connect to an address without asking for a name."""
    return life.air.connection(when, life.outward(device, peer, port, when), turns, end=end)


# Scans


def port_scan(
    pause: float, ports: int, target: str, *, six: bool = False, answered: bool = True
) -> Misuse:
    """Try ports of one device."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        other = life.devices[target]
        for port in chance.sample(range(1, 1024), ports):
            ends = life.across(device, other, port)
            if six:
                ends = ends._replace(address=device.ipv6(0), peer=other.ipv6(0))
            life.air.attempt(at, ends, refused=answered)
            at += pause * (0.8 + 0.4 * chance.random())
        return at

    return go


def udp_scan(pause: float, ports: int, target: str) -> Misuse:
    """Try UDP ports of one device, which says nothing."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        for port in chance.sample(range(1, 10_000), ports):
            ends = life.across(device, life.devices[target], port, 51_234)
            life.air.datagram(at, ends, bytes(4))
            at += pause
        return at

    return go


def host_scan(pause: float, hosts: int, port: int, *, six: bool = False) -> Misuse:
    """Try one port of anybody on the internet, as worms do."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        for number in range(hosts):
            peer = _outside(chance)
            if six:
                peer = bytes.fromhex("2a03b0c000020000") + (number + 1).to_bytes(8, "big")
            life.air.attempt(at, life.outward(device, peer, port, at))
            at += pause * (0.7 + 0.6 * chance.random())
        return at

    return go


def sweep(pause: float, port: int) -> Misuse:
    """Look for everybody at home: ARP finds who is there, and those are tried."""

    def go(life: Life, device: Device, at: float, _chance: random.Random) -> float:
        there = {each.number: each for each in life.devices.values() if not each.visits}
        for number in range(1, 255):
            life.air.put(at, arp(device.link, device.ipv4, bytes((192, 168, 50, number))))
            other = there.get(number)
            if other is not None and other.name != device.name:
                life.air.put(at + 0.001, arp(other.link, other.ipv4, device.ipv4, to=device.link))
                life.air.attempt(
                    at + 0.002, life.across(device, other, port), refused=number % 3 > 0
                )
            at += pause
        return at

    return go


def udp_host_scan(pause: float, hosts: int, port: int) -> Misuse:
    """Try one UDP port of anybody on the internet."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        for _ in range(hosts):
            ends = life.outward(device, _outside(chance), port, at)
            life.air.datagram(at, ends, b"\x30\x26\2\1\1\4\6public")
            at += pause
        return at

    return go


# Protocols


def speak(port: int, name: str | None, said: bytes, heard: bytes) -> Misuse:
    """Speak some protocol to somebody on the internet for a while."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        peer = _outside(chance)
        if name is not None:
            answer, at = life.lookup(device, name, at)
            peer = answer.ipv4[0]
        more = [each for _ in range(8) for each in (up(120, pause=5), down(200, pause=0.2))]
        first = [up(0, said), down(0, heard)] if said else [down(0, heard)]
        return raw(life, device, peer, port, at, (*first, *more))

    return go


def bittorrent(life: Life, device: Device, at: float, chance: random.Random) -> float:
    """Exchange files with many."""
    hello = b"\x13BitTorrent protocol" + bytes(8) + bytes(40)
    for _ in range(12):
        turns = (up(0, hello), down(0, hello), down(3_000_000), up(500_000))
        raw(life, device, _outside(chance), 6881 + chance.randrange(3000), at, turns)
        at += 3
    return at


STRATUM: Final = (
    b'{"id":1,"method":"mining.subscribe","params":["cpuminer/2.5"]}\n',
    b'{"id":1,"result":[[["mining.notify","ae6812eb"]],"08000002",4],"error":null}\n',
)
MONERO: Final = (
    b'{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"4A","pass":"x","agent":"XMRig/6.21"}}\n',
    b'{"id":1,"jsonrpc":"2.0","result":{"id":"1","job":{"blob":"0e0e","job_id":"1","target":"b88d0600"}}}\n',
)
IRC: Final = (b"NICK bot4711\r\nUSER bot 0 * :bot\r\n", b":irc.example 001 bot4711 :Welcome\r\n")
TELNET: Final = (b"\xff\xfb\x18\xff\xfd\x03", b"\xff\xfd\x18\xff\xfb\x03login: ")
SOCKS: Final = (b"\5\1\0", b"\5\0")
SMB: Final = (
    b"\0\0\0\x90\xfeSMB\x40\0" + bytes(60),
    b"\0\0\0\x90\xfeSMB\x40\0" + bytes(60),
)
TOR: Final = (messages.hello("www.q7xk2mzlp5w3.com", ()), messages.TLS_ANSWER)


# Destinations


def abroad(
    country: str, port: int, amounts: tuple[int, int], name: str | None, times: int = 4
) -> Misuse:
    """Talk to a network in another country, by name or without."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        peer = internet.ABROAD[country].ipv4(name or country, f"{name}{port}")
        for _ in range(times):
            if name is not None:
                life.ask(device, name, at, messages.A, [peer])
            said = messages.hello(name, ()) if name and port == 443 else b"\x01\x02\x03\x04login"
            turns = (up(len(said) + amounts[0], said), down(amounts[1], b"\x16\x03\x03"))
            raw(life, device, peer, port, at + 0.05, turns)
            at += 60 + 30 * chance.random()
        return at

    return go


def elsewhere(name: str, amounts: tuple[int, int], times: int = 3, port: int = 443) -> Misuse:
    """Talk to a service that the device has nothing to do with."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        for _ in range(times):
            life.visit(device, name, at, amounts, port=port)
            at += 40 + 20 * chance.random()
        return at

    return go


def crossing(target: str, port: int, times: int = 3) -> Misuse:
    """Connect to a device of another part of the home."""

    def go(life: Life, device: Device, at: float, _chance: random.Random) -> float:
        for _ in range(times):
            turns = (up(0, SMB[0]), down(0, SMB[1]), down(40_000))
            life.local(device, life.devices[target], at, port, turns)
            at += 20
        return at

    return go


def spoofed(source: bytes, packets: int) -> Misuse:
    """Send from an address that is not the home's."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        for _ in range(packets):
            ends = life.outward(device, _outside(chance), 80, at)._replace(address=source)
            life.air.attempt(at, ends)
            at += 0.05
        return at

    return go


# Amounts


def carry(
    total: float, seconds: float, *, is_up: bool, pieces: int = 1, name: str | None = None
) -> Misuse:
    """Move data, within some time, to or from an address that nobody asked for, or a name."""

    def go(life: Life, device: Device, at: float, _chance: random.Random) -> float:
        peer = internet.NETWORKS[40].ipv4("drop", "drop")
        rate = total / seconds
        for _ in range(pieces):
            amount = int(total / pieces)
            turns = (
                (up(amount, rate=rate), down(300)) if is_up else (up(300), down(amount, rate=rate))
            )
            hello = up(0, messages.hello(name or "cdn.drop.example"))
            if name is None:
                raw(life, device, peer, 443, at, (hello, *turns))
            else:
                life.visit(device, name, at, turns=turns)
            at += seconds / pieces
        return at

    return go


def burst(pause: float, times: int, peers: int) -> Misuse:
    """Make far more connections than ever, all of which succeed."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        hosts = [internet.NETWORKS[20 + each % 30].ipv4("web", f"{each}") for each in range(peers)]
        for number in range(times):
            turns = (up(0, messages.http("login.site.example", "/wp-login.php")), down(900))
            raw(life, device, hosts[number % peers], 80, at, turns)
            at += pause * (0.6 + 0.8 * chance.random())
        return at

    return go


def flood(kind: str, rate: float, seconds: float, target: str | None = None) -> Misuse:
    """Send packets as fast as it goes at one host."""

    def go(life: Life, device: Device, at: float, _chance: random.Random) -> float:
        peer = internet.NETWORKS[33].ipv4("victim", "victim")
        for number in range(int(rate * seconds)):
            moment = at + number / rate
            if target is not None:
                ends = life.across(device, life.devices[target], 80)
            else:
                ends = life.outward(device, peer, 80, moment)
            if kind == "syn":
                life.air.attempt(moment, ends)
            elif kind == "udp":
                life.air.datagram(moment, ends, bytes(60))
            else:
                echo = b"\x08\0\0\0" + number.to_bytes(4, "big") + bytes(56)
                life.air.put(moment, *Way(ends, 1).frame(echo))
        return at + seconds

    return go


def proxying(hours: float, every: float) -> Misuse:
    """Carry other people's traffic: somebody everywhere, as much up as down, at all hours."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        end = at + hours * 3600
        while at < end:
            name = f"www.{internet.domain_of_rank(chance.randrange(4000))}"
            amount = int(chance.lognormvariate(10.5, 0.8))
            life.visit(device, name, at, (amount, amount))
            at += chance.expovariate(1 / every)
        return at

    return go


def trickle(hours: float, every: float, amount: int, name: str) -> Misuse:
    """Send a little to a usual place again and again, where usually nothing is sent at that time."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        end = at + hours * 3600
        while at < end:
            life.visit(device, name, at, (int(amount * (0.5 + chance.random())), 300))
            at += chance.expovariate(1 / every)
        return at

    return go


# Calls


def beacon(
    every: float, jitter: float, hours: float, *, how: str = "tls", number: int = 50
) -> Misuse:
    """Call one peer at an even pace."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        name = f"cdn{number}.updates-{number}.example"
        network = internet.NETWORKS[number]
        peer = network.ipv4(name, name) if how != "ipv6" else network.ipv6(name, name)
        end = at + hours * 3600
        while at < end:
            said = up(280 + int(chance.random() * 12), messages.hello(name, ()))
            turns = (said, down(1200, messages.TLS_ANSWER), up(180), down(90))
            if how == "http":
                turns = (up(0, messages.http(name, "/poll")), down(0, messages.HTTP_ANSWER))  # type: ignore[assignment]
            if how == "udp":
                ends = life.outward(device, peer, 8443, at)
                life.air.datagrams(at, ends, (up(90), down(60)))
            else:
                raw(life, device, peer, 80 if how == "http" else 443, at, turns)
            at += every * (1 + jitter * (2 * chance.random() - 1))
        return at

    return go


# DNS


def tunnel(  # noqa: PLR0913, PLR0917, so many things differ
    kind: int, pause: float, questions: int, length: int, domain: str, alphabet: str = _ALPHABET
) -> Misuse:
    """Carry data in questions below one domain."""

    def go(life: Life, device: Device, at: float, chance: random.Random) -> float:
        for _ in range(questions):
            data = "".join(chance.choices(alphabet, k=length))
            labels = ".".join(data[each : each + 60] for each in range(0, length, 60))
            payload = bytes((100,)) + base64.b64encode(chance.randbytes(75))
            if kind == messages.NULL:
                payload = chance.randbytes(200)
            if kind == messages.A:
                payload = bytes((10, *chance.randbytes(3)))
            life.ask(device, f"{labels}.{domain}", at, kind, [payload], 0)
            at += pause * (0.5 + chance.random())
        return at

    return go
