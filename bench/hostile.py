"""A crowd that is as bad for memory as it can be: what detection holds afterwards, and whether it still sees a scan."""

import gc
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from bench.figures import Figure
from hearthwall_sensor.detection import Consequences, Detection
from hearthwall_sensor.detectors import DETECTORS
from hearthwall_sensor.detectors.detector import Home
from hearthwall_sensor.flows.flow import (
    TCP,
    TCP_ACK,
    TCP_FIN,
    TCP_RST,
    TCP_SYN,
    UPLOAD,
    Counted,
    FlowKey,
)
from hearthwall_sensor.flows.labels import Label
from hearthwall_sensor.learning.profiles import Profiles
from hearthwall_sensor.network.places import Place
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import (
    LOOK,
    Answered,
    Appeared,
    Asked,
    Began,
    Claimed,
    Flow,
    Look,
    Moved,
    Observation,
    Settled,
)
from hearthwall_sensor.policy.policy import DevicePolicy
from hearthwall_sensor.protocol import Outcome, Scope

DEVICES: Final = 250
#: What detection may hold beyond a sensor without it, when each device has met so many that all its tables are full.
LIMIT_MB: Final = 64
_DAY: Final = 86_400.0
_NOON: Final = 1_799_064_000.0
_POLICY: Final = DevicePolicy(learning=_DAY / 4)
_HOSTILE: Final = "02:00:00:00:ff:ff"
_SCANNER: Final = "02:00:00:00:00:07"
_RESOLVER: Final = bytes(10) + b"\xff\xff\xc0\xa8\x01\x01"
_ONE: Final = 3.5
#: Packets either way, and the flags of the answers.
_SPOKEN: Final[dict[Outcome, tuple[int, int, int]]] = {
    "closed": (5, 5, TCP_SYN | TCP_ACK | TCP_FIN),
    "refused": (1, 1, TCP_RST | TCP_ACK),
    "no_answer": (1, 0, 0),
}


class Outcomes(NamedTuple):
    """What came of it."""

    grown: int
    """Bytes of resident memory."""
    observations: int
    seconds: float
    is_scan_found: bool
    others: int
    """Events that were told of devices which are not hostile, but for the scan."""


def device(number: int) -> str:
    """Return a device's MAC."""
    return f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"


def _address(number: int, first: int = 45) -> bytes:
    """Return an IPv4 address in sixteen bytes."""
    return (
        bytes(10)
        + b"\xff\xff"
        + bytes((first + (number >> 24),))
        + (number & 0xFFFFFF).to_bytes(3, "big")
    )


def _flow(  # noqa: PLR0913, PLR0917, a flow has so many parts
    who: str, peer: bytes, port: int, at: float, name: str | None, outcome: Outcome
) -> Flow:
    """Return a flow of a device."""
    mac = bytes.fromhex(who.replace(":", ""))
    own = bytes(10) + b"\xff\xff\xc0\xa8\x01" + mac[-1:]
    key = FlowKey(mac, 40_000 + int(at * 10) % 20_000, port, TCP, 0, own, peer)
    sent, packets, said = _SPOKEN[outcome]
    moment = int(at * 1e9)
    counted = Counted(
        *(moment, moment + 10**9, sent * 180, sent, 0, 0, 0, TCP_SYN | (said & ~TCP_RST)),
        *(packets * 200, packets, 0, 0, 0, said, 0, UPLOAD),
    )
    label = Label(name=name, source=None if name is None else "dns")
    scope: Scope = "lan" if peer[12] == 192 else "internet"
    return Flow(key.pack(), key, counted, label, scope, Place(), outcome, at, at + 1)


def _both(who: str, flow: Flow) -> Iterator[Observation]:
    """Yield that a flow began and settled."""
    yield Began(flow.first + 1, who, flow)
    yield Settled(flow.last + _ONE, who, flow)


def _crowd(chance: random.Random, at: float, peers: range) -> Iterator[Observation]:
    """Yield what the home's devices do: each peer is one that nobody met before."""
    for number in peers:
        who = device(number % DEVICES)
        name = f"h{number}.site{number // 3}.example" if number % 4 else None
        yield from _both(who, _flow(who, _address(number * 17), 443, at, name, "closed"))
        if name is not None:
            yield Asked(at, who, name, 1, _RESOLVER, 60)
            yield Answered(at, who, name, 1, (_address(number * 17),), _RESOLVER, 90)
    for number in chance.sample(range(DEVICES), 25):
        amounts = (9000, 90_000, 80, 80, 9000, 90_000)
        yield Moved(at, device(number), LOOK, *amounts)


def _enemy(chance: random.Random, at: float, names: range, peers: range) -> Iterator[Observation]:
    """Yield what a hostile device does: names, peers, ports, addresses and devices, all of them invented."""
    for number in names:
        domain = f"d{number // (1 if number % 2 else 40)}"
        name = f"{chance.getrandbits(120):030x}.{domain}.example"
        yield Asked(at, _HOSTILE, name, (1, 16, 10)[number % 3], _RESOLVER, 90)
        yield Answered(at, _HOSTILE, name, 1, (), _RESOLVER, 90)
    for number in peers:
        outcome: Outcome = ("no_answer", "closed", "refused")[number % 3]
        peer = _address(number * 31, 100) if number % 5 else _address(number % 250, 192)
        yield from _both(_HOSTILE, _flow(_HOSTILE, peer, 1 + number % 60_000, at, None, outcome))
        if number % 8 == 0:
            invented = (b"\6\0" + number.to_bytes(4, "big")).hex(":")
            yield Appeared(at, invented, True)
            yield Claimed(at, invented, _address(number, 10), True, True)
            yield Moved(at, invented, LOOK, 100, 0, 1, 0, 100, 0)


def _scan(at: float) -> Iterator[Observation]:
    """Yield a scan by a device that is otherwise like the others."""
    target = bytes(10) + b"\xff\xff\xc0\xa8\x01\x64"
    for port in range(1, 101):
        yield from _both(_SCANNER, _flow(_SCANNER, target, port, at + port * 0.3, None, "refused"))


def day(names: int, peers: int, looks: int = 1440) -> Iterator[Observation]:
    """Yield a day of so many names that an enemy invents and peers that the others meet, with a scan at its end."""
    chance = random.Random(1)  # noqa: S311, the same in every run
    for look in range(looks):
        at = _NOON + look * _DAY / looks

        def share(whole: int, look: int = look) -> range:
            return range(whole * look // looks, whole * (look + 1) // looks)

        yield from _crowd(chance, at, share(peers))
        yield from _enemy(chance, at, share(names), share(names // 5))
        if look == looks - 2:
            yield from _scan(at)
        yield Look(at + LOOK)


def _home(profiles: Profiles, now: list[float]) -> Home:
    """Return a home of which nothing special is known."""
    return Home(
        policy=lambda _: _POLICY,
        profile=lambda who: profiles.of(who, now[0]),
        name=lambda who: who,
        own_addresses=lambda: (_RESOLVER,),
        own=lambda: (),
        owner=lambda _: None,
        is_home=lambda address: address[12] == 192,
        segment=lambda _: None,
        is_settling=lambda _: False,
        devices=lambda: DEVICES,
    )


def outcomes(names: int, peers: int) -> Outcomes:
    """Let a day pass in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_pass, names, peers).result()


def _pass(names: int, peers: int) -> Outcomes:
    """Let a day pass."""
    told: Counter[tuple[str, str | None, bool]] = Counter()
    now = [_NOON]
    profiles = Profiles((), lambda _: _POLICY)

    def note(notice: Notice) -> None:
        if notice.mac not in (None, _HOSTILE) and not (notice.mac or "").startswith("06:"):
            # No more than that of any: what is told is the journal's memory
            who = _SCANNER if notice.mac == _SCANNER else None
            told[notice.kind, who, notice.severity in ("info", "low")] += 1

    detection = Detection(DETECTORS, _home(profiles, now), Consequences(note, learn=profiles.learn))
    gc.collect()
    before, begun, count = _resident(), time.process_time(), 0
    for observation in day(names, peers):
        now[0] = max(now[0], observation.time)
        detection.take(observation)
        count += 1
    gc.collect()
    if detection.failed:
        raise AssertionError(f"detectors failed: {dict(detection.failed)}")
    scans = told["port_scan", _SCANNER, False]
    return Outcomes(
        _resident() - before,
        count,
        time.process_time() - begun,
        bool(scans),
        sum(number for (_, _, is_mild), number in told.items() if not is_mild) - scans,
    )


def _resident() -> int:
    """Return this process's resident memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def measure(names: int = 1_000_000, peers: int = 1_000_000) -> list[Figure]:
    """Measure a day of a million of each."""
    found = outcomes(names, peers)
    what = f"{DEVICES} devices, {peers:,} peers, {names:,} invented names"
    return [
        Figure(f"memory of detection after {what}", round(found.grown / 2**20, 1), "MB", LIMIT_MB),
        Figure(
            "a scan by another device is found meanwhile",
            float(found.is_scan_found),
            "",
            1,
            bound="at least",
        ),
        Figure("alarms of the others meanwhile", found.others, "events"),
        Figure("time per observation", round(found.seconds / found.observations * 1e6, 1), "us"),
    ]
