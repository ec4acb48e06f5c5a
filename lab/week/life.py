"""What devices can do: ask for names, connect, call, keep a connection. Habits are made of these."""

import random
import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from zlib import crc32

from lab.week import internet, messages
from lab.week.household import ROUTER, Device, household
from lab.week.wire import Air, Ends, Turn, down, up

#: A Monday, 00:00 UTC.
BEGIN: Final = 1_799_020_800.0
DAY: Final = 86_400.0
HOUR: Final = 3600.0
#: The provider fails on Thursday of every second week, for so long.
_OUTAGE: Final = (10 + 20.6 / 24, 10 + 20.7 / 24)
_PERIOD: Final = 14
#: Of the sites with IPv6, one in so many can't be reached by it.
_BROKEN: Final = 25
_SECRET_RESOLVER: Final = "dns.resolver.example"  # noqa: S105, a name


class Day(NamedTuple):
    """One day of the weeks."""

    number: int

    @property
    def start(self) -> float:
        """Its midnight, seconds since the epoch."""
        return BEGIN + self.number * DAY

    @property
    def weekday(self) -> int:
        """0 is Monday."""
        return self.number % 7

    @property
    def week(self) -> int:
        """The first is 0."""
        return self.number // 7

    @property
    def is_weekend(self) -> bool:
        """Whether people are at home."""
        return self.weekday >= 5

    def at(self, hour: float) -> float:
        """Return an hour of it, seconds since the epoch."""
        return self.start + hour * HOUR


class Life:
    """Makes packets of what devices do."""

    def __init__(self, seed: int, weeks: int) -> None:
        """Begin with nothing said."""
        self.air = Air()
        self.devices = household(weeks)
        self._seed = seed
        self._cached: dict[tuple[str, str], tuple[float, float]] = {}
        self._chance = random.Random(f"{seed}/wire")  # noqa: S311, the same in every run

    def chance(self, *what: object) -> random.Random:
        """Return chance of something's own, which nothing else shifts."""
        return random.Random("/".join(map(str, (self._seed, *what))))  # noqa: S311

    def is_here(self, device: Device, when: float) -> bool:
        """Return whether a device is at home."""
        day = (when - BEGIN) / DAY
        return not device.visits or any(begin <= day < end for begin, end in device.visits)

    @staticmethod
    def is_cut_off(when: float) -> bool:
        """Return whether the home has no internet."""
        return _OUTAGE[0] <= (when - BEGIN) / DAY % _PERIOD < _OUTAGE[1]

    def _port(self) -> int:
        """Return a port that a client is given."""
        return 32_768 + int(self._chance.random() * 28_000)

    # Ends

    def outward(self, device: Device, peer: bytes, port: int, when: float) -> Ends:
        """Return the ends of something new with a peer on the internet."""
        own = device.ipv4 if len(peer) == 4 else device.ipv6(int((when - BEGIN) // DAY))
        return Ends(device.link, own, self._port(), ROUTER.link, peer, port)

    def across(self, device: Device, other: Device, port: int, own_port: int = 0) -> Ends:
        """Return the ends of something new between two devices."""
        return Ends(
            device.link, device.ipv4, own_port or self._port(), other.link, other.ipv4, port
        )

    # Names

    def lookup(self, device: Device, name: str, when: float) -> tuple[internet.Answer, float]:
        """Ask for a name unless it is known; return where it leads, and when that is known."""
        found = internet.resolve(name, when)
        known = self._cached.get((device.name, name))
        if known is not None and known[0] <= when < known[1]:
            return internet.resolve(name, known[0]), when
        self._cached[device.name, name] = (when, when + found.ttl)
        if len(self._cached) > 200_000:
            self._cached.clear()
        if device.asks_secretly and name != _SECRET_RESOLVER:
            self.visit(device, _SECRET_RESOLVER, when, (300, 500), port=853, protocols=())
            return found, when + 0.06
        kinds = [(messages.A, found.ipv4)]
        if device.has_ipv6:
            kinds.append((messages.AAAA, found.ipv6))
        for kind, data in kinds:
            self.ask(device, name, when, kind, data, found.ttl)
        return found, when + 0.03

    def ask(  # noqa: PLR0913, PLR0917, a question has so many parts
        self,
        device: Device,
        name: str,
        when: float,
        kind: int,
        data: Iterable[bytes],
        ttl: int = 60,
        *,
        exists: bool = True,
        took: float = 0.02,
    ) -> None:
        """Ask the router for a name, and have it answer."""
        number = int(self._chance.random() * 65_536)
        ends = self.across(device, ROUTER, 53)
        asked = messages.question(number, name, kind)
        self.air.datagram(when, ends, asked)
        answers = tuple(data)
        answer = messages.answer(number, name, kind, answers, ttl, exists=exists)
        self.air.datagram(when + took, ends.turned(), answer)

    # The internet

    def reach(
        self, device: Device, name: str, when: float, port: int = 443
    ) -> tuple[Ends, float] | None:
        """Find the way to a name, by IPv6 if both have it; None where there is none."""
        if not self.is_here(device, when):
            return None
        if self.is_cut_off(when):
            known = self._cached.get((device.name, name))
            if known is not None and when < known[1] + 600:
                peer = internet.resolve(name, known[0]).ipv4[0]
                self.air.attempt(when, self.outward(device, peer, port, when), 3)
            else:
                self.air.datagram(when, self.across(device, ROUTER, 53), messages.question(7, name))
            return None
        answer, when = self.lookup(device, name, when)
        if device.has_ipv6 and answer.ipv6:
            broken = crc32(internet.registered(name).encode()) % _BROKEN == 0
            ends = self.outward(device, answer.ipv6[0], port, when)
            if not broken:
                return ends, when
            self.air.attempt(when, ends)
            when += 0.25
        return self.outward(device, answer.ipv4[0], port, when), when

    def visit(  # noqa: PLR0913, what may be said of a visit
        self,
        device: Device,
        name: str,
        when: float,
        amounts: tuple[int, int] = (900, 8000),
        *,
        port: int = 443,
        turns: Iterable[Turn] | None = None,
        protocols: tuple[bytes, ...] = (b"h2", b"http/1.1"),
        quic: bool = False,
    ) -> float:
        """Speak TLS or QUIC to a name; return when that ended. `turns` are instead of amounts up and down."""
        found = self.reach(device, name, when, port)
        if found is None:
            return when
        ends, when = found
        said = (
            tuple(turns)
            if turns is not None
            else (up(amounts[0], pause=0.01), down(amounts[1], pause=0.05))
        )
        if quic:
            begun = (up(1200, messages.quic(name), pause=0), down(1200, messages.QUIC_ANSWER))
            return self._stream(when, ends, (*begun, *said))
        begun = (
            up(0, messages.hello(name, protocols), pause=0.001),
            down(3400, messages.TLS_ANSWER),
        )
        return self.air.connection(when, ends, (*begun, *said))

    def _stream(self, when: float, ends: Ends, turns: Iterable[Turn]) -> float:
        """Carry out QUIC: long pieces are datagrams that GRO joined."""
        return self.air.datagrams(when, ends, _pieces(turns))

    def keep(  # noqa: PLR0913, PLR0917, what may be said of a kept connection
        self,
        device: Device,
        name: str,
        when: float,
        until: float,
        every: float,
        amounts: tuple[int, int],
        *,
        jitter: float = 0.02,
        port: int = 8883,
    ) -> None:
        """Keep a connection on which a little is said again and again."""
        chance = self.chance(device.name, name, "keep", when)

        def beats() -> Iterator[Turn]:
            at, gone = when, 0.0
            while at < until:
                pause = every * (1 + jitter * (chance.random() * 2 - 1))
                at += pause
                if self.is_cut_off(at):
                    gone += pause
                    continue
                yield up(amounts[0] + int(chance.random() * 20), pause=pause - 0.06 + gone)
                yield down(amounts[1], pause=0.06)
                gone = 0.0

        self.visit(device, name, when, port=port, turns=beats(), protocols=())

    def ntp(self, device: Device, name: str, when: float) -> None:
        """Ask for the time."""
        if not self.is_here(device, when) or self.is_cut_off(when):
            return
        answer, when = self.lookup(device, name, when)
        ends = self.outward(device, answer.ipv4[0], 123, when)
        self.air.datagrams(when, ends, (up(48, messages.NTP), down(48, messages.NTP_ANSWER)))

    def call(self, device: Device, name: str, when: float, seconds: float, rate: float) -> None:
        """Hold a call with sound and pictures, by way of somebody's relay."""
        found = self.reach(device, name, when, 3478)
        if found is None:
            return
        ends, when = found
        rtp = struct.pack(">BBHII", 0x80, 96, 1, 1, 7)

        def spoken() -> Iterator[Turn]:
            yield up(20, messages.STUN)
            yield down(32, messages.STUN_ANSWER)
            for _ in range(int(seconds / 2)):
                yield up(int(rate * 2), rtp, pause=1.0)
                yield down(int(rate * 2), rtp, pause=1.0)

        self.air.datagrams(when, ends, _pieces(spoken()))

    # At home

    def local(
        self,
        device: Device,
        other: Device,
        when: float,
        port: int,
        turns: Iterable[Turn],
    ) -> float:
        """Speak TCP between two devices."""
        return self.air.connection(when, self.across(device, other, port), turns, rtt=0.002)

    def lease(self, device: Device, when: float, *, is_new: bool) -> None:
        """Get an address from the router, or keep it."""
        host = messages.option(12, device.name.encode())
        server = messages.option(54, ROUTER.ipv4)
        given = server + messages.option(51, (86_400).to_bytes(4, "big"))
        given += messages.option(3, ROUTER.ipv4) + messages.option(6, ROUTER.ipv4)
        out = Ends(device.link, bytes(4), 68, b"\xff" * 6, b"\xff" * 4, 67)
        back = Ends(ROUTER.link, ROUTER.ipv4, 67, device.link, device.ipv4, 68)
        steps = [(3, out, 5)] if not is_new else [(1, out, 2), (3, out, 5)]
        if not is_new:
            steps = [(3, Ends(device.link, device.ipv4, 68, ROUTER.link, ROUTER.ipv4, 67), 5)]
        for said, ends, answer in steps:
            self.air.datagram(when, ends, messages.dhcp(said, device.link, host))
            reply = messages.dhcp(answer, device.link, given, given=device.ipv4)
            self.air.datagram(when + 0.01, back, reply)
            when += 0.02


#: A record stands for so many bytes of a stream of datagrams at most.
_JOINED: Final = 512_000


def _pieces(turns: Iterable[Turn]) -> Iterator[Turn]:
    """Cut what is too long for one record."""
    for pause, is_up, size, payload, rate in turns:
        first = min(size, _JOINED)
        yield Turn(pause, is_up, first, payload, rate)
        for at in range(_JOINED, size, _JOINED):
            piece = min(_JOINED, size - at)
            yield Turn(piece / rate, is_up, piece, b"", rate)
