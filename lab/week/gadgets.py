"""What the things at home do: plugs, cameras, speakers, the printer and the storage box, and Home Assistant."""

import random
from collections.abc import Callable
from typing import Final, NamedTuple
from zlib import crc32

from lab.week import messages
from lab.week.household import ROUTER, Device
from lab.week.life import HOUR, Day, Life
from lab.week.wire import Ends, arp, down, ethernet, up

Living = Callable[[Life, Device, Day, random.Random], None]

_MINUTE: Final = 60.0


class Habit(NamedTuple):
    """Something that a device does each day."""

    device: str
    name: str
    live: Living


def _time(pool: str, every: float) -> Living:
    """Return the habit to ask for the time."""

    def live(life: Life, device: Device, day: Day, chance: random.Random) -> None:
        at = day.start + chance.random() * every
        while at < day.start + 24 * HOUR:
            life.ntp(device, pool, at)
            at += every

    return live


def _kept(  # noqa: PLR0913, PLR0917, a kept connection has so many parts
    name: str,
    every: float,
    amounts: tuple[int, int],
    jitter: float = 0.02,
    port: int = 8883,
    hours: tuple[float, float] = (0, 24),
) -> Living:
    """Return the habit to keep a connection, made anew each day."""

    def live(life: Life, device: Device, day: Day, chance: random.Random) -> None:
        shift = crc32(device.name.encode()) % 3600
        begin, end = (day.at(hour) + shift + chance.random() * 60 for hour in hours)
        life.keep(device, name, begin, end - 120, every, amounts, jitter=jitter, port=port)

    return live


def _reports(
    name: str,
    every: float,
    amounts: tuple[int, int],
    hours: tuple[float, float] = (0, 24),
    jitter: float = 0.03,
) -> Living:
    """Return the habit to connect anew for each report."""

    def live(life: Life, device: Device, day: Day, chance: random.Random) -> None:
        at = day.at(hours[0]) + chance.random() * every
        while at < day.at(hours[1]):
            stray = jitter * every * (chance.random() - 0.5)
            sent = int(amounts[0] * (0.9 + 0.2 * chance.random()))
            life.visit(device, name, at + stray, (sent, amounts[1]), protocols=())
            at += every

    return live


def _motion(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Upload what moved before the camera, by day."""
    for _ in range(int(chance.gauss(18, 5))):
        at = day.at(chance.triangular(6.5, 22.5, 17))
        amount = int(chance.uniform(2e6, 8e6))
        life.visit(
            device, "clips.cam-vendor.example", at, turns=(up(amount, rate=1.5e6), down(600))
        )


def _watched(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Show the camera's picture to a phone that is at home."""
    if chance.random() < 0.6:
        phone = life.devices["phone-anna"]
        at = day.at(chance.uniform(8, 22))
        describe = b"DESCRIBE rtsp://camera/live RTSP/1.0\r\nCSeq: 1\r\n\r\n"
        seconds = chance.uniform(20, 120)
        picture = down(int(seconds * 250_000), b"RTSP/1.0 200 OK\r\n\r\n", rate=250_000)
        life.local(phone, device, at, 554, (up(0, describe), picture))


def _cleaning(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Clean on three mornings, and upload the map."""
    if day.weekday in (0, 2, 4):
        at = day.at(10) + chance.random() * 300
        for _ in range(9):
            amount = int(chance.uniform(2e5, 5e5))
            life.visit(device, "maps.vacuum-vendor.example", at, (amount, 400))
            at += 300 + chance.random() * 30


def _update(weekday: int, week: int, name: str, amount: float, hour: float = 2.5) -> Living:
    """Return the download of new firmware in one night, from where nothing came before."""

    def live(life: Life, device: Device, day: Day, chance: random.Random) -> None:
        if day.weekday == weekday and day.week % 2 == week:
            at = day.at(hour) + chance.random() * 1800
            turns = (up(400), down(int(amount), rate=2.5e6))
            life.visit(device, name, at, turns=turns)

    return live


def _radio(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Play the radio in the morning, and answer questions."""
    begin = day.at(7.0 if not day.is_weekend else 9.0) + chance.random() * 1800
    for piece in range(int(chance.uniform(20, 60) * 6)):
        if piece == 0:
            station = f"stream.{'radio' if chance.random() < 0.8 else 'jazz'}.example"
    seconds = chance.uniform(1200, 3600)
    life.visit(
        device, station, begin, turns=(up(300), down(int(seconds * 16_000), rate=16_000 * 1.02))
    )
    for _ in range(int(chance.uniform(4, 15))):
        at = day.at(chance.triangular(7, 22.5, 19))
        life.visit(device, "ask.voice.example", at, (int(chance.uniform(4e4, 2e5)), 60_000))


def _storing(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Back up what changed each night, everything on Sunday."""
    at = day.at(2.0) + chance.random() * 600
    amount = chance.uniform(6e9, 12e9) if day.weekday == 6 else chance.lognormvariate(19.1, 0.5)
    life.visit(
        device,
        "store.backup.example",
        at,
        turns=(up(int(amount), rate=4e6), down(5000)),
    )


def _printing(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Be asleep when the laptop wants to print, and wake up."""
    laptop = life.devices["laptop-anna"]
    if not day.is_weekend:
        for _ in range(chance.choice((0, 1, 1, 2))):
            at = day.at(chance.uniform(9, 17))
            at = life.air.attempt(at, life.across(laptop, device, 9100), 3)
            at = life.air.attempt(at + 4, life.across(laptop, device, 631), 2)
            life.local(laptop, device, at + 12, 631, (up(0, messages.http("printer", "/ipp")),))
            pages = up(int(chance.uniform(2e5, 3e6)), pause=1)
            life.local(laptop, device, at + 13, 9100, (pages, down(100)))
    if day.weekday == 1:
        life.visit(device, "supplies.printer-vendor.example", day.at(11.3), (2000, 3000))


_POLLED: Final = (
    ("lamps", 80, 30.0, 300, 2400),
    ("inverter", 502, 60.0, 12, 80),
    ("plug", 9999, 60.0, 120, 400),
    ("thermostat", 80, 120.0, 200, 700),
    ("blinds", 6053, 60.0, 60, 90),
    ("chime", 6053, 120.0, 60, 90),
)


def _polling(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Ask the things at home how they are, again and again, over kept connections."""
    for name, port, every, asked, told in _POLLED:
        count = int(24 * HOUR / every) - 2
        turns = [
            each
            for _ in range(count)
            for each in (up(asked, pause=every - 0.01), down(told, pause=0.01))
        ]
        other = life.devices[name]
        life.local(device, other, day.start + 5 + chance.random() * 20, port, turns)


def _fetching(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Ask for the weather, for news of the house's own software, and sometimes fetch some."""
    at = day.start + chance.random() * HOUR
    while at < day.at(24):
        life.visit(device, "api.weather.example", at, (800, 9000))
        life.visit(device, "alerts.home-project.example", at + 7, (700, 4000))
        if chance.random() < 0.2:
            life.visit(device, "version.home-project.example", at + 60, (700, 3000))
        at += HOUR * (0.95 + chance.random() / 10)
    if day.weekday == 3:
        turns = (up(500), down(int(chance.uniform(3e8, 6e8)), rate=8e6))
        life.visit(device, "images.containers.example", day.at(20.1), turns=turns)


def _searching(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Look for devices as Home Assistant does: SSDP and mDNS questions to everybody."""
    search = (
        b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
        b'MAN: "ssdp:discover"\r\nMX: 4\r\nST: ssdp:all\r\n\r\n'
    )
    for number in range(144):
        at = day.start + number * 600 + chance.random() * 5
        ends = Ends(
            device.link, device.ipv4, 43_210, _GROUP_SSDP, bytes((239, 255, 255, 250)), 1900
        )
        life.air.datagram(at, ends, search)
        asked = messages.question(0, "_googlecast._tcp.local", messages.PTR)
        ends = Ends(device.link, device.ipv4, 5353, _GROUP_MDNS, bytes((224, 0, 0, 251)), 5353)
        life.air.datagram(at + 1, ends, asked)


_GROUP_MDNS: Final = bytes.fromhex("01005e0000fb")
_GROUP_SSDP: Final = bytes.fromhex("01005e7ffffa")


def announce(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Be there: keep the lease, answer ARP, announce services."""
    at = day.start + chance.random() * 1200
    count = 0
    while at < day.at(24):
        if life.is_here(device, at):
            life.air.put(at, arp(device.link, device.ipv4, ROUTER.ipv4))
            life.air.put(at + 0.001, arp(ROUTER.link, ROUTER.ipv4, device.ipv4, to=device.link))
            if device.service and count % 3 == 0:
                ends = Ends(
                    device.link, device.ipv4, 5353, _GROUP_MDNS, bytes((224, 0, 0, 251)), 5353
                )
                said = messages.announcement(device.name, device.service, device.ipv4)
                life.air.datagram(at + 2, ends, said)
            if count % 40 == 7:
                life.lease(device, at + 3, is_new=False)
        count += 1
        at += 1000 + chance.random() * 400


def advertise(life: Life, device: Device, day: Day, chance: random.Random) -> None:
    """Tell of the home's IPv6 prefix, as a router does."""
    prefix = bytes((3, 4, 64, 0xC0)) + (86_400).to_bytes(4, "big") * 2 + bytes(4)
    prefix += bytes.fromhex("20010db800500000") + bytes(8)
    own = bytes.fromhex("fe80") + bytes(13) + b"\1"
    message = b"\x86\0\0\0\x40\0\x07\x08" + bytes(8) + prefix
    everybody = bytes.fromhex("ff02") + bytes(13) + b"\1"
    head = b"\x60\0\0\0" + len(message).to_bytes(2, "big") + b"\x3a\xff" + own + everybody
    for number in range(144):
        frame = ethernet(device.link, bytes.fromhex("333300000001"), 0x86DD, head + message)
        life.air.put(day.start + number * 600 + chance.random() * 60, frame)


_POOL: Final = "{}.pool.ntp.example"

HABITS: Final = (
    Habit("router", "advertise", advertise),
    Habit("plug", "phone home", _kept("mqtt.plugcloud.example", 60, (130, 90))),
    Habit("plug", "time", _time(_POOL.format(0), 3600)),
    Habit("vacuum", "phone home", _kept("ot.vacuum-vendor.example", 30, (90, 70), port=443)),
    Habit("vacuum", "clean", _cleaning),
    Habit("vacuum", "update", _update(1, 1, "fw-cdn.vacuum-files.example", 2e8)),
    Habit("camera", "phone home", _kept("relay.cam-vendor.example", 25, (100, 60), port=443)),
    Habit("camera", "motion", _motion),
    Habit("camera", "watched", _watched),
    Habit("camera", "time", _time("time.cam-vendor.example", 1800)),
    Habit("thermostat", "report", _reports("api.thermo.example", 300, (700, 500))),
    Habit("thermostat", "time", _time(_POOL.format(1), 6 * HOUR)),
    Habit("thermostat", "update", _update(1, 1, "firmware.thermo.example", 1.2e7, 3.4)),
    Habit("inverter", "report", _reports("data.solar-portal.example", 300, (1500, 300), (6, 19))),
    Habit("sensor", "report", _reports("in.sensor-vendor.example", 60, (2000, 250), jitter=0.1)),
    Habit("speaker", "phone home", _kept("gw.voice.example", 55, (80, 80), port=443)),
    Habit("speaker", "radio", _radio),
    Habit("speaker", "time", _time(_POOL.format(2), 2 * HOUR)),
    Habit("nas", "store", _storing),
    Habit("nas", "time", _time(_POOL.format(3), 1800)),
    Habit("nas", "look", _reports("update.nas-vendor.example", 6 * HOUR, (900, 20_000))),
    Habit("printer", "print", _printing),
    Habit("hub", "poll", _polling),
    Habit("hub", "fetch", _fetching),
    Habit("hub", "search", _searching),
    Habit("hub", "cloud", _kept("ws.home-cloud.example", 30, (60, 60), jitter=0.3, port=443)),
    Habit("hub", "time", _time(_POOL.format(0), 1800)),
)
