"""What people do with phones, laptops, the television and the console, and what these do meanwhile."""

import bisect
import random
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from lab.week import internet, messages
from lab.week.gadgets import Habit, Living
from lab.week.household import NEW_PHONE, Device
from lab.week.life import Day, Life
from lab.week.wire import Turn, down, up

#: Popularity of sites falls with their rank, as Zipf found it for words.
_SITES: Final = 6000
_TRACKERS: Final = 150
_ZIPF: Final = tuple(accumulate(1 / (rank + 3) for rank in range(_SITES)))
#: What a page brings along: from its own hosts, and from strangers.
_OWN: Final = ("static", "img", "api", "cdn")
_KEPT: Final = 60.0


def _rank(chance: random.Random, highest: int) -> int:
    """Return the rank of a site that somebody happens to want."""
    return bisect.bisect(_ZIPF, chance.random() * _ZIPF[highest - 1])


def _page(
    life: Life, device: Device, at: float, chance: random.Random, opened: dict[str, float]
) -> None:
    """Open a page: its own host, its pictures', and those of strangers."""
    domain = internet.domain_of_rank(_rank(chance, _SITES))
    hosts = [f"www.{domain}"]
    hosts += [f"{_OWN[n]}.{domain}" for n in range(int(chance.random() * 3))]
    for _ in range(int(chance.uniform(1, 6))):
        stranger = internet.domain_of_rank(_rank(chance, _TRACKERS), "ads")
        hosts.append(f"{chance.choice(('t', 'px', 'cdn', 's2'))}.{stranger}")
    if chance.random() < 0.05:  # spread over addresses by a name of its own
        hosts.append(f"{chance.getrandbits(64):016x}.edge.clouddelivery.example")
    for number, host in enumerate(hosts):
        if opened.get(host, 0.0) > at:
            continue
        opened[host] = at + _KEPT
        amount = int(chance.lognormvariate(10.6 if number else 11.2, 1.2))
        asked = int(chance.uniform(700, 4000))
        quic = device.name.startswith("phone") and chance.random() < 0.2
        life.visit(device, host, at + number * 0.08, (asked, min(amount, 5_000_000)), quic=quic)


def _session(life: Life, device: Device, at: float, minutes: float, chance: random.Random) -> None:
    """Browse for a while."""
    end = at + minutes * 60
    opened: dict[str, float] = {}
    while at < end:
        _page(life, device, at, chance, opened)
        at += chance.expovariate(1 / 55) + 4


def _browsing(
    weekday: tuple[tuple[float, float], ...], weekend: tuple[tuple[float, float], ...]
) -> Living:
    """Return the habit to browse at about these hours, for about so many minutes."""

    def live(life: Life, device: Device, day: Day, chance: random.Random) -> None:
        for hour, minutes in weekend if day.is_weekend else weekday:
            if chance.random() < 0.85:
                at = day.at(hour + chance.gauss(0, 0.4))
                _session(life, device, at, minutes * chance.lognormvariate(0, 0.4), chance)

    return live


def _idle(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Be a phone in a pocket: a push connection, and applications that look for news."""
    for begin, end in _presence(device, day):
        life.keep(
            device,
            "courier.pushes.example",
            day.at(begin) + chance.random() * 60,
            day.at(end),
            600,
            (90, 120),
            jitter=0.7,
            port=5223,
        )
        at = day.at(begin) + chance.random() * 600
        while at < day.at(end):
            for app in chance.sample(range(25), 2):
                host = f"api.{internet.domain_of_rank(app, 'app')}"
                amounts = (int(chance.uniform(600, 6000)), int(chance.lognormvariate(9.5, 1.3)))
                life.visit(device, host, at + chance.random() * 20, amounts)
            at += chance.expovariate(1 / 1100) + 120


def _presence(device: Device, day: Day) -> tuple[tuple[float, float], ...]:
    """Return the hours at which a phone is at home."""
    if device.name == "phone-ben" and not day.is_weekend:
        return (0.0, 7.9), (17.6, 24.0)
    if day.weekday == 6:  # an outing
        return (0.0, 10.5), (17.5, 24.0)
    return ((0.0, 24.0),)


def _photos(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Upload the day's photos in the evening."""
    at = day.at(18.2 + chance.random() * 2)
    median = 19.0 if day.is_weekend else 17.2
    amount = int(min(chance.lognormvariate(median, 0.7), 1.5e9))
    turns = (up(amount, rate=2e6), down(2000))
    life.visit(device, "photos.phone-os.example", at, turns=turns)


def _nightly(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Update applications while charging, and the phone itself now and then."""
    at = day.at(3 + chance.random())
    for _ in range(int(chance.uniform(1, 9))):
        turns = (up(2000), down(int(chance.lognormvariate(17.3, 1.0)), rate=5e6))
        at = life.visit(device, "apps.phone-os.example", at, turns=turns) + 20
    if day.number % 14 == 8:
        turns = (up(3000), down(int(1.6e9), rate=6e6))
        life.visit(device, "system.phone-os.example", at + 60, turns=turns)
    life.visit(
        device,
        "backup.phone-os.example",
        at + 90,
        turns=(up(int(chance.lognormvariate(16, 0.8))), down(800)),
    )


def _videos(hours: tuple[float, ...]) -> Living:
    """Return the habit to watch short films on a phone or tablet."""

    def live(life: Life, device: Device, day: Day, chance: random.Random) -> None:
        for hour in hours:
            if chance.random() < 0.6:
                at = day.at(hour + chance.gauss(0, 0.5))
                minutes = chance.uniform(5, 45)
                life.visit(
                    device,
                    f"r{int(chance.random() * 6)}---sn-{int(at // 3600) % 40:02d}hn7.videos.example",
                    at,
                    turns=_film(minutes, 3.5e5, chance),
                )

    return live


def _film(minutes: float, rate: float, chance: random.Random) -> Iterator[Turn]:
    """Return a film: pieces of ten seconds that are fetched as fast as it goes."""
    for _ in range(int(minutes * 6)):
        yield up(900, pause=10 * (0.9 + 0.2 * chance.random()))
        yield down(int(rate * 10 * chance.uniform(0.7, 1.3)), rate=6e6)


def _television(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Watch in the evening; longer on Friday and Saturday, a new channel's films in the second week."""
    evenings = {4: (20.2, 170, 7e5), 5: (20.0, 210, 9e5), 6: (19.5, 120, 6e5)}
    hour, minutes, rate = evenings.get(day.weekday, (20.0, 90, 4.5e5))
    if day.weekday < 4 and chance.random() < 0.25:
        return
    if day.weekday == 2 and day.week % 2 == 1:  # somebody is ill and stays at home
        _watch(life, device, day.at(10.2), 100, "films.example", chance, 6e5)
    channel = "newfilms.example" if (day.week % 2, day.weekday) == (1, 5) else "films.example"
    _watch(life, device, day.at(hour + chance.gauss(0, 0.25)), minutes, channel, chance, rate)


def _watch(  # noqa: PLR0913, PLR0917, what a film is made of
    life: Life,
    device: Device,
    at: float,
    minutes: float,
    channel: str,
    chance: random.Random,
    rate: float,
) -> None:
    """Watch one film, with what surrounds it."""
    life.visit(device, f"www.{channel}", at, (4000, 400_000))
    life.visit(device, f"license.{channel}", at + 5, (3000, 6000))
    for number in range(int(minutes / 15)):
        host = f"{chance.choice(('ads', 'beacons', 'ssp'))}.{internet.domain_of_rank(_rank(chance, 40), 'ads')}"
        life.visit(device, host, at + number * 900 + 30, (3000, 15_000))
    turns = _film(minutes, rate, chance)
    edge = f"edge-{int(chance.random() * 30)}.{channel}"
    life.visit(device, edge, at + 12, turns=turns)


def _standby(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Report what was watched, and fetch advertisements, all day."""
    at = day.start + chance.random() * 600
    while at < day.at(24):
        life.visit(device, "log.tv-vendor.example", at, (2500, 400))
        if chance.random() < 0.2:
            life.visit(device, "ads.tv-vendor.example", at + 3, (1500, 40_000))
        at += 1800 * (0.8 + 0.4 * chance.random())


def _meetings(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Hold video calls on working days, while connected to the office."""
    if day.is_weekend:
        return
    life.keep(
        device, "vpn.office.example", day.at(8.6), day.at(17), 20, (400, 900), jitter=1, port=443
    )
    for hour in chance.sample((9.0, 10.0, 11.0, 13.5, 14.5, 15.5), 2 + (chance.random() < 0.4)):
        minutes = chance.choice((30, 30, 45, 60))
        life.visit(device, "api.meet.example", day.at(hour) - 20, (4000, 90_000))
        life.call(device, "media.meet.example", day.at(hour), minutes * 60, 190_000)


def _mail(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Look for mail while the laptop is open."""
    if day.is_weekend and chance.random() < 0.4:
        return
    at = day.at(8.4)
    while at < day.at(17.5):
        life.visit(device, "imap.mailhost.example", at, (600, 4000), port=993, protocols=())
        at += 600 * (0.9 + 0.2 * chance.random())
    if chance.random() < 0.7:  # copies of documents, to the storage box at home
        nas = life.devices["nas"]
        turns = (
            up(int(chance.lognormvariate(19, 0.8)), b"\0\0\0\x90\xfeSMB", rate=3e7),
            down(4000),
        )
        life.local(device, nas, day.at(17.6), 445, turns)


def _gaming(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Play at the weekend and on some evenings; updates come in the nights before."""
    plays = day.is_weekend or chance.random() < 0.3
    if plays:
        at = day.at((14.5 if day.is_weekend else 20.5) + chance.random())
        life.visit(device, "login.games.example", at, (5000, 60_000))
        life.call(
            device,
            f"eu{int(chance.random() * 9)}.match.games.example",
            at + 30,
            chance.uniform(2400, 7200),
            9000,
        )
    if day.weekday in (1, 4) and chance.random() < 0.7:
        turns = (up(3000), down(int(chance.uniform(2e9, 9e9)), rate=9e6))
        life.visit(device, "dl.games.example", day.at(4.1) + chance.random() * 900, turns=turns)
    at = day.start + chance.random() * 1800
    while at < day.at(24):
        life.visit(device, "presence.games.example", at, (900, 900))
        at += 1800


def _casting(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Look for a television at every address that answers, as remote controls do."""
    if chance.random() < 0.5:
        at = day.at(19.8 + chance.random())
        for name in ("tv", "console", "speaker", "lamps", "hub", "nas", "printer", "camera"):
            ends = life.across(device, life.devices[name], 8009)
            if name == "tv":
                turns = (up(300, messages.hello("tv.local", ())), down(1500, messages.TLS_ANSWER))
                life.air.connection(at, ends, turns, rtt=0.003)
            else:
                life.air.attempt(at, ends, refused=name != "printer")
            at += 0.05


def _moving_in(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Set a new phone up: everything comes back from the cloud, then all applications."""
    if day.number != int(NEW_PHONE):
        return
    at = day.at(20) + 30
    life.lease(device, at - 5, is_new=True)
    life.visit(device, "setup.phone-os.example", at, (20_000, 900_000))
    turns = (up(400_000), down(int(9e9), rate=9e6))
    life.visit(device, "backup.phone-os.example", at + 90, turns=turns)
    for app in range(80):
        turns = (up(1500), down(int(chance.lognormvariate(17.3, 0.8)), rate=6e6))
        life.visit(device, "apps.phone-os.example", at + 200 + app * 15, turns=turns)
        host = f"api.{internet.domain_of_rank(app, 'app')}"
        life.visit(device, host, at + 210 + app * 15, (5000, 60_000))


def _visiting(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Be a guest's phone for an evening."""
    if not device.name.startswith(f"guest-{day.week}-") or day.weekday != 5:
        return
    life.lease(device, day.at(18) + 60 + chance.random() * 600, is_new=True)
    for hour in (18.5, 19.7, 21, 22.4):
        _session(life, device, day.at(hour) + chance.random() * 900, 12, chance)


def _only_after(begin: float, live: Living) -> Living:
    """Return a habit that begins on a day."""

    def later(life: Life, device: Device, day: Day, chance: random.Random) -> None:
        if day.number >= begin:
            live(life, device, day, chance)

    return later


def _evenings(*hours: float) -> tuple[tuple[float, float], ...]:
    """Return hours, each with half an hour of browsing."""
    return tuple((hour, 25.0) for hour in hours)


def _phone(name: str, weekday: tuple[float, ...], weekend: tuple[float, ...]) -> Iterator[Habit]:
    """Yield a phone's habits."""
    yield Habit(name, "browse", _browsing(_evenings(*weekday), _evenings(*weekend)))
    lives: dict[str, Living] = {"idle": _idle, "photos": _photos, "nightly": _nightly}
    lives |= {"videos": _videos((7.5, 12.6, 21.8)), "casting": _casting}
    yield from (Habit(name, each, live) for each, live in lives.items())


def guests(name: str) -> Habit:
    """Return what a guest does."""
    return Habit(name, "visit", _visiting)


HABITS: Final = (
    *_phone("phone-anna", (7.2, 12.7, 19.5, 21.5), (9.0, 18.0, 20.5, 22.5)),
    *_phone("phone-ben", (6.8, 18.5, 21.0, 22.3), (9.5, 18.5, 21.0, 22.8)),
    Habit("phone-new", "move in", _moving_in),
    *(
        Habit(each.device, each.name, _only_after(int(NEW_PHONE) + 1, each.live))
        for each in _phone("phone-new", (7.2, 18.8, 20.6, 22.0), (9.0, 18.2, 20.8, 22.6))
    ),
    Habit("laptop-anna", "browse", _browsing(((9.2, 30), (12.2, 25), (16.4, 25)), ())),
    Habit("laptop-anna", "meet", _meetings),
    Habit("laptop-anna", "mail", _mail),
    Habit("laptop-ben", "browse", _browsing(((20.0, 70),), ((11.0, 60), (20.0, 80)))),
    Habit("tablet", "browse", _browsing(_evenings(17.0), _evenings(8.5, 17.8))),
    Habit("tablet", "videos", _videos((8.2, 17.5, 18.6))),
    Habit("tv", "watch", _television),
    Habit("tv", "standby", _standby),
    Habit("console", "play", _gaming),
)
