"""Labelled weeks of devices for models of behaviour: what each quarter of an hour counted, by seed, with attacks."""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from hearthwall_sensor.learning.window import WINDOW, Counts

#: A Monday, 00:00.
START: Final = 1_735_516_800.0
DAY: Final = 86_400.0
PER_DAY: Final = int(DAY / WINDOW)
_KB: Final = 1e3
_MB: Final = 1e6


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of an hour: what was counted, and by which attack, if any."""

    start: float
    counts: Counts
    attack: str | None


def _calls(  # noqa: PLR0913, what a visit consists of
    rng: random.Random,
    flows: float,
    peers: float,
    up: float,
    down: float,
    *,
    nameless: float = 0.0,
    services: float = 1,
) -> Counts:
    """Return what visits to the internet count: amounts vary by about half, numbers by their root."""
    many = max(0.0, rng.gauss(flows, math.sqrt(flows)))
    some = max(1.0, min(many, rng.gauss(peers, math.sqrt(peers) / 2)))
    failed = sum(rng.random() < 0.01 for _ in range(int(many)))
    return Counts(
        flows=round(many * 1.5),
        peers=round(some),
        services=services + 1,
        domains=round(some * 0.8),
        questions=round(many * 0.8),
        settled=round(many * 1.5),
        failed=failed,
        outside=round(many),
        nameless=round(many * nameless),
        upload=up * rng.lognormvariate(0, 0.4),
        download=down * rng.lognormvariate(0, 0.4),
        lan_upload=2 * _KB * rng.lognormvariate(0, 0.3),
    )


def _add(*each: Counts) -> Counts:
    """Return what several things count together."""
    return Counts(*(sum(values) for values in zip(*each, strict=True)))


def _camera(rng: random.Random, hour: float, _: int) -> Counts:
    """Heartbeats, and clips when somebody moves, mostly by day; firmware every other month."""
    quiet = _calls(rng, 6, 2, 40 * _KB, 30 * _KB)
    clips = rng.random() < (0.4 if 7 <= hour < 22 else 0.05)
    found = _add(quiet, _calls(rng, 3, 1, 4 * _MB, 50 * _KB)) if clips else quiet
    if rng.random() < 1 / (60 * PER_DAY):
        found = _add(found, _calls(rng, 2, 1, 80 * _KB, 60 * _MB))
    return found


def _plug(rng: random.Random, _hour: float, _day: int) -> Counts:
    """Heartbeats all day; the cloud is away now and then."""
    found = _calls(rng, 15, 1, 20 * _KB, 20 * _KB)
    if rng.random() < 1 / (30 * PER_DAY):
        return found._replace(failed=found.settled, download=0.0)
    return found


def _television(rng: random.Random, hour: float, day: int) -> Counts:
    """Standby, and films in the evening, longer at the weekend, sometimes through the night."""
    standby = _calls(rng, 4, 3, 15 * _KB, 40 * _KB)
    likely = 0.85 if 19 <= hour < 23 else 0.25 if 12 <= hour < 19 and day % 7 >= 5 else 0.02
    if _mood(day, 3) < (0.25 if day % 7 < 5 else 0.1):
        likely = 0.02  # nobody at home
    if rng.random() >= likely:
        return standby
    return _add(standby, _calls(rng, 40, 12, 3 * _MB, 900 * _MB, services=2))


def _laptop(rng: random.Random, hour: float, day: int) -> Counts:
    """Off at night, mail, pages and calls by day; a backup on Sundays; now and then a late night."""
    end = 23.0 if _mood(day, 5) > 0.9 else 18.5
    begin = 8.0 if day % 7 < 5 else 10.0 + 4 * _mood(day, 6)
    if not begin <= hour < end or (day % 7 >= 5 and _mood(day, 7) < 0.4):
        return Counts()
    kind = rng.random()
    found = _calls(rng, 25, 12, 400 * _KB, 3 * _MB, services=2)
    if kind < 0.5:
        found = _add(found, _calls(rng, 150, 45, 3 * _MB, 40 * _MB, services=1))
    elif kind < 0.6:
        found = _add(found, _calls(rng, 20, 5, 150 * _MB, 250 * _MB, nameless=0.5, services=3))
    if day % 7 == 6 and 14 <= hour < 15:
        found = _add(found, _calls(rng, 10, 2, 2_000 * _MB, 20 * _MB))
    if rng.random() < 0.1:
        found = found._replace(lan_peers=2, lan_upload=5 * _MB * rng.lognormvariate(0, 1))
    return found


def _phone(rng: random.Random, hour: float, day: int) -> Counts:
    """Push all day, apps while awake, photos uploaded in the evening, and hours out of the house."""
    if 9 <= hour < 17 and day % 7 < 5 and _mood(day, 8) > 0.3:
        return Counts()
    if 0.5 <= hour < 6.5:
        return _calls(rng, 6, 4, 30 * _KB, 60 * _KB)
    found = _calls(rng, 40, 18, 800 * _KB, 8 * _MB, services=2)
    if rng.random() < 0.3:
        found = _add(found, _calls(rng, 50, 15, 2 * _MB, 120 * _MB))
    if 20 <= hour < 22 and rng.random() < 0.15:
        found = _add(found, _calls(rng, 12, 2, 90 * _MB, _MB))
    return found


def _vacuum(rng: random.Random, hour: float, day: int) -> Counts:
    """Heartbeats, and a map after cleaning at eleven on workdays."""
    found = _calls(rng, 10, 2, 60 * _KB, 30 * _KB)
    if 11 <= hour < 12 and day % 7 < 5 and _mood(day, 9) > 0.15:
        found = _add(found, _calls(rng, 8, 2, 2.5 * _MB, 100 * _KB))
    return found


DEVICES: Final[Mapping[str, Callable[[random.Random, float, int], Counts]]] = {
    "camera": _camera,
    "plug": _plug,
    "television": _television,
    "laptop": _laptop,
    "phone": _phone,
    "vacuum": _vacuum,
}


def _mood(day: int, salt: int) -> float:
    """Return a number from 0 to 1 that is the same all day: people have plans."""
    return random.Random(day * 1_000 + salt).random()  # noqa: S311


def _exfiltration(rng: random.Random) -> Counts:
    """15 MB each quarter of an hour, two or three connections to an address."""
    return _calls(rng, 3, 1, 15 * _MB, 150 * _KB, nameless=1.0)


def _slow_scan(_: random.Random) -> Counts:
    """Count attempts, one every half minute, at addresses of the home that nearly never answer."""
    tried = 30
    return Counts(flows=tried, services=1, lan_peers=tried, settled=tried, failed=tried - 1)


def _control(rng: random.Random) -> Counts:
    """Count a call a minute to one address, with little in it."""
    return _calls(rng, 15, 1, 30 * _KB, 20 * _KB, nameless=1.0)


def _lateral(_: random.Random) -> Counts:
    """Six hosts of the home tried by SMB and SSH, some megabytes copied."""
    return Counts(flows=18, services=2, lan_peers=6, settled=18, failed=8, lan_upload=6 * _MB)


def _names(_: random.Random) -> Counts:
    """Two hundred questions below one domain, too short and too slow for a tunnel."""
    return Counts(domains=1, questions=200, flows=200, services=1, settled=200)


ATTACKS: Final[Mapping[str, Callable[[random.Random], Counts]]] = {
    "exfiltration": _exfiltration,
    "slow scan": _slow_scan,
    "control": _control,
    "lateral movement": _lateral,
    "slow names": _names,
}
#: What the device does by day, at night.
NIGHT: Final = "night activity"
#: Each attack lasts so many quarters.
LASTS: Final = 10


def weeks(
    device: str, seed: int, days: int, *, attacks_from: int | None = None
) -> Iterator[Quarter]:
    """Yield a device's quarters; attacks begin at that day, one every third day, each at an hour of its own."""
    rng = random.Random(f"{device} {seed}")  # noqa: S311
    planned = {} if attacks_from is None else _plan(rng, attacks_from, days)
    for number in range(days * PER_DAY):
        day, hour = number // PER_DAY, number % PER_DAY / 4
        attack = planned.get(number)
        counts = DEVICES[device](
            rng, 14.5 if attack == NIGHT else hour, 2 if attack == NIGHT else day
        )
        if attack is not None and attack in ATTACKS:
            counts = _add(counts, ATTACKS[attack](rng))
        yield Quarter(START + number * WINDOW, counts, attack)


def _plan(rng: random.Random, first: int, days: int) -> dict[int, str]:
    """Return which attack runs in which quarter."""
    planned: dict[int, str] = {}
    kinds = [*ATTACKS, NIGHT]
    for turn, day in enumerate(range(first, days - 1, 3)):
        kind = kinds[turn % len(kinds)]
        hour = 3 if kind == NIGHT else rng.randrange(0, 20)
        begin = day * PER_DAY + hour * 4
        planned |= dict.fromkeys(range(begin, begin + LASTS), kind)
    return planned
