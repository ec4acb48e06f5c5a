"""The intrusions that are put into a week that is otherwise peaceful: what, by whom, when, and what they are called."""

import random
from collections.abc import Iterable
from typing import Final, NamedTuple

from lab.week import falsehoods, messages, misuse
from lab.week.household import Device
from lab.week.internet import ABROAD
from lab.week.life import BEGIN, DAY, HOUR, Life
from lab.week.misuse import Misuse
from lab.week.wire import down, up

_LISTED_PEER: Final = ABROAD["SC"].ipv4("listed", "listed")
#: What is on the list of known-bad addresses and names.
LISTED: Final = ("evil-panel.example", ".".join(map(str, _LISTED_PEER)))


class Intrusion(NamedTuple):
    """One intrusion, before it is carried out."""

    kind: str
    variant: str
    device: str
    day: int
    """Of the judged week."""
    hour: float
    go: Misuse


class Label(NamedTuple):
    """What was carried out, and when."""

    kind: str
    variant: str
    macs: tuple[str, ...]
    """The device's, and that of whoever suffers if an event may as well name that one."""
    start: float
    end: float


def _visit_listed(life: Life, device: Device, at: float, _chance: random.Random) -> float:
    """Exchange packets with a listed address."""
    return misuse.raw(life, device, _LISTED_PEER, 443, at, (up(500), down(500)))


def _ask_listed(life: Life, device: Device, at: float, _chance: random.Random) -> float:
    """Ask for a listed name, which does not exist any more."""
    life.ask(device, LISTED[0], at, messages.A, (), exists=False)
    return at + 1


#: Kind, variant, device, day, hour, what.
INTRUSIONS: Final = tuple(
    Intrusion(*each)
    for each in (
        ("threat_address", "connection", "tablet", 0, 11.0, _visit_listed),
        (
            "threat_domain",
            "below a listed name",
            "laptop-ben",
            0,
            20.1,
            misuse.elsewhere(f"www.{LISTED[0]}", (500, 500), 1),
        ),
        ("threat_domain", "a question only", "tv", 1, 12.0, _ask_listed),
        (
            "forbidden_protocol",
            "stratum",
            "nas",
            0,
            13.0,
            misuse.speak(3333, "pool.coins.example", *misuse.STRATUM),
        ),
        (
            "forbidden_protocol",
            "monero's login",
            "laptop-ben",
            3,
            3.0,
            misuse.speak(443, None, *misuse.MONERO),
        ),
        ("forbidden_protocol", "irc", "camera", 1, 4.0, misuse.speak(6667, None, *misuse.IRC)),
        ("forbidden_protocol", "telnet", "plug", 2, 5.0, misuse.speak(23, None, *misuse.TELNET)),
        ("forbidden_protocol", "socks", "tv", 3, 5.0, misuse.speak(1080, None, *misuse.SOCKS)),
        ("forbidden_protocol", "smb", "tablet", 4, 6.0, misuse.speak(445, None, *misuse.SMB)),
        ("forbidden_protocol", "tor", "nas", 5, 7.0, misuse.speak(9001, None, *misuse.TOR)),
        ("forbidden_protocol", "bittorrent", "laptop-ben", 5, 15.0, misuse.bittorrent),
        (
            "unexpected_destination",
            "another country",
            "plug",
            0,
            15.2,
            misuse.abroad("RU", 443, (900, 700), "api.relay-ru.example"),
        ),
        (
            "unexpected_destination",
            "no name",
            "thermostat",
            1,
            9.2,
            misuse.abroad("VN", 8081, (400, 300), None),
        ),
        (
            "unexpected_destination",
            "a name in KP",
            "camera",
            2,
            16.0,
            misuse.abroad("KP", 443, (5000, 900), "cam.watch-kp.example"),
        ),
        (
            "unexpected_destination",
            "an odd port",
            "sensor",
            3,
            8.4,
            misuse.abroad("NG", 4444, (300, 300), None),
        ),
        (
            "unexpected_destination",
            "a service of people",
            "vacuum",
            4,
            13.3,
            misuse.elsewhere("www.rofapi.example", (4000, 30_000)),
        ),
        (
            "local_device_on_internet",
            "tls",
            "blinds",
            0,
            10.0,
            misuse.elsewhere("cloud.blinds-vendor.example", (800, 600)),
        ),
        (
            "local_device_on_internet",
            "no name",
            "chime",
            2,
            10.5,
            misuse.abroad("PA", 9000, (200, 100), None, 2),
        ),
        (
            "local_device_on_internet",
            "once, small",
            "lamps",
            3,
            2.0,
            misuse.elsewhere("x.bodati.example", (200, 200), 1),
        ),
        ("segment_crossing", "smb", "camera", 3, 12.0, misuse.crossing("nas", 445)),
        ("segment_crossing", "ssh", "inverter", 4, 1.0, misuse.crossing("laptop-anna", 22)),
        (
            "segment_crossing",
            "a false source",
            "sensor",
            5,
            12.0,
            misuse.spoofed(bytes((10, 66, 0, 9)), 40),
        ),
        (
            "segment_crossing",
            "an address of the rooms",
            "thermostat",
            6,
            5.0,
            misuse.spoofed(bytes((192, 168, 50, 99)), 40),
        ),
        ("port_scan", "fast", "laptop-ben", 1, 21.0, misuse.port_scan(0.02, 400, "nas")),
        ("port_scan", "slow", "tablet", 2, 13.0, misuse.port_scan(15, 80, "hub")),
        (
            "port_scan",
            "no answers",
            "tv",
            2,
            9.0,
            misuse.port_scan(0.5, 100, "printer", answered=False),
        ),
        ("port_scan", "udp", "console", 1, 10.0, misuse.udp_scan(0.4, 120, "nas")),
        ("port_scan", "ipv6", "laptop-anna", 2, 18.0, misuse.port_scan(0.2, 100, "nas", six=True)),
        ("address_scan", "telnet, fast", "camera", 4, 3.0, misuse.host_scan(0.05, 1500, 23)),
        ("address_scan", "ssh, slow", "inverter", 0, 7.0, misuse.host_scan(8, 150, 22)),
        ("address_scan", "udp", "vacuum", 5, 4.0, misuse.udp_host_scan(0.5, 200, 161)),
        ("address_scan", "ipv6", "nas", 4, 5.5, misuse.host_scan(0.5, 200, 5555, six=True)),
        ("address_scan", "at home", "speaker", 3, 15.0, misuse.sweep(0.2, 445)),
        ("connection_burst", "one site", "thermostat", 3, 20.0, misuse.burst(0.15, 1200, 1)),
        ("connection_burst", "many sites", "nas", 6, 9.0, misuse.burst(0.25, 1500, 30)),
        ("connection_burst", "slower", "speaker", 6, 13.0, misuse.burst(0.8, 900, 12)),
        ("flood", "syn", "plug", 4, 22.0, misuse.flood("syn", 4000, 6)),
        ("flood", "udp", "vacuum", 2, 3.0, misuse.flood("udp", 4000, 6)),
        ("flood", "icmp", "tv", 5, 3.0, misuse.flood("icmp", 4000, 6, "nas")),
        (
            "volume_anomaly",
            "exfiltration, fast",
            "sensor",
            1,
            3.0,
            misuse.carry(2e8, 120, is_up=True),
        ),
        (
            "volume_anomaly",
            "exfiltration, slow",
            "thermostat",
            5,
            1.0,
            misuse.carry(6e8, 3 * HOUR, is_up=True, pieces=12),
        ),
        (
            "volume_anomaly",
            "to the usual cloud",
            "camera",
            5,
            2.0,
            misuse.carry(3e9, 1800, is_up=True, pieces=40, name="clips.cam-vendor.example"),
        ),
        ("volume_anomaly", "download", "plug", 5, 14.0, misuse.carry(1.5e9, 600, is_up=False)),
        (
            "volume_anomaly",
            "laptop, by night",
            "laptop-ben",
            6,
            3.5,
            misuse.carry(2e10, 2 * HOUR, is_up=True, pieces=8),
        ),
        ("behaviour_anomaly", "proxy", "inverter", 5, 20.5, misuse.proxying(2.5, 8)),
        ("behaviour_anomaly", "proxy by day", "camera", 6, 10.0, misuse.proxying(3, 12)),
        (
            "behaviour_anomaly",
            "trickle to the usual cloud",
            "speaker",
            5,
            2.0,
            misuse.trickle(3, 20, 60_000, "ask.voice.example"),
        ),
        ("beacon", "1 min, even", "laptop-ben", 2, 9.0, misuse.beacon(60, 0.01, 7)),
        ("beacon", "5 min, 10 %", "tablet", 5, 0.5, misuse.beacon(300, 0.1, 16, number=51)),
        ("beacon", "2 min, 20 %", "nas", 2, 11.0, misuse.beacon(120, 0.2, 9, number=52)),
        (
            "beacon",
            "ipv6",
            "laptop-anna",
            4,
            18.0,
            misuse.beacon(90, 0.05, 8, how="ipv6", number=53),
        ),
        ("beacon", "http", "console", 3, 8.0, misuse.beacon(120, 0.1, 8, how="http", number=54)),
        ("beacon", "udp", "printer", 1, 14.0, misuse.beacon(60, 0.1, 6, how="udp", number=55)),
        ("beacon", "15 min, 10 %", "tv", 6, 0.2, misuse.beacon(900, 0.1, 22, number=56)),
        (
            "dns_tunnel",
            "null, fast",
            "tablet",
            1,
            16.0,
            misuse.tunnel(messages.NULL, 0.08, 1500, 180, "t.bafi.example"),
        ),
        (
            "dns_tunnel",
            "txt",
            "laptop-ben",
            4,
            11.0,
            misuse.tunnel(messages.TXT, 0.5, 600, 100, "d.kobe.example", "0123456789abcdef"),
        ),
        (
            "dns_tunnel",
            "addresses only",
            "nas",
            3,
            10.0,
            misuse.tunnel(messages.A, 1.0, 500, 56, "a.lumi.example"),
        ),
        (
            "dns_tunnel",
            "slow",
            "printer",
            3,
            9.0,
            misuse.tunnel(messages.TXT, 6, 500, 90, "s.deso.example"),
        ),
        (
            "address_conflict",
            "the router's, by arp",
            "laptop-ben",
            6,
            18.0,
            falsehoods.arp_spoof("phone-anna", 2, 60),
        ),
        ("address_conflict", "the router's, by nd", "console", 5, 12.0, falsehoods.nd_spoof(3, 40)),
        (
            "address_conflict",
            "by mistake",
            "tablet",
            6,
            12.0,
            falsehoods.same_address("printer", 6),
        ),
        ("rogue_dhcp", "dhcp", "console", 2, 19.0, falsehoods.false_dhcp(5)),
        ("rogue_dhcp", "router advertisement", "tablet", 3, 19.0, falsehoods.false_router(5)),
    )
)


#: Two who claim one address are both told of.
_AS_WELL: Final[dict[str, tuple[str, ...]]] = {"by mistake": ("printer",)}


def carry_out(life: Life, chosen: Iterable[Intrusion], first_day: int) -> list[Label]:
    """Put intrusions into a life's air, the judged week beginning on a day; return what they are."""
    labels = []
    for each in chosen:
        start = BEGIN + (first_day + each.day) * DAY + each.hour * HOUR
        device = life.devices[each.device]
        end = each.go(life, device, start, life.chance("intrusion", each.kind, each.variant))
        macs = (device.mac, *(life.devices[name].mac for name in _AS_WELL.get(each.variant, ())))
        labels.append(Label(each.kind, each.variant, macs, start, end))
    return labels


def arrivals(life: Life, first_day: int, days: int) -> list[Label]:
    """Return who comes to the home for the first time in the judged days: that is told, and no harm."""
    found = []
    for device in life.devices.values():
        for begin, _ in device.visits:
            if first_day <= begin < first_day + days:
                start = BEGIN + begin * DAY
                found.append(Label("new_device", device.name, (device.mac,), start, start + HOUR))
    return found
