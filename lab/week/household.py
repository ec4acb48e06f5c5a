"""Who lives in the home of the weeks: every device, its addresses, and when it is there."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zlib import crc32

LAN: Final = ("192.168.50.0/24", "2001:db8:50::/64")
#: Where the things are that need nobody of the others.
THINGS: Final = "192.168.50.128/25"
_PREFIX6: Final = ipaddress.IPv6Address("2001:db8:50::").packed[:8]


@dataclass(frozen=True, slots=True)
class Device:
    """Something at home."""

    name: str
    number: int
    """The last octet of its IPv4 address."""
    mac: str
    has_ipv6: bool = False
    changes_ipv6: bool = False
    """Whether it takes another IPv6 address every day, as phones do."""
    asks_secretly: bool = False
    """Whether it asks a resolver on the internet over TLS, so that nobody sees for what."""
    service: str = ""
    """What it announces by mDNS."""
    since: float = 0.0
    """The day on which it comes, as the first is 0."""
    until: float = 1e9
    visits: tuple[tuple[float, float], ...] = ()
    """When it is there, in days; empty for always."""

    @property
    def link(self) -> bytes:
        """Its MAC."""
        return bytes.fromhex(self.mac.replace(":", ""))

    @property
    def ipv4(self) -> bytes:
        """Its address."""
        return bytes((192, 168, 50, self.number))

    def ipv6(self, day: int) -> bytes:
        """Return its address of a day."""
        if not self.changes_ipv6:
            return _PREFIX6 + bytes(7) + bytes((self.number,))
        return _PREFIX6 + (crc32(f"{self.mac}{day}".encode()) | 2 << 56).to_bytes(8, "big")


def _own(name: str, number: int, **more: object) -> Device:
    """Return a device with a maker's MAC."""
    return Device(name, number, f"00:00:5e:00:53:{number:02x}", **more)  # type: ignore[arg-type]


def _phone(name: str, number: int, **more: object) -> Device:
    """Return a device that makes up its MAC."""
    mac = f"0a:{crc32(name.encode()) & 0xFF:02x}:5e:00:53:{number:02x}"
    return Device(name, number, mac, has_ipv6=True, changes_ipv6=True, **more)  # type: ignore[arg-type]


ROUTER: Final = _own("router", 1, has_ipv6=True)
#: The new phone comes on the second Wednesday's evening.
NEW_PHONE: Final = 9 + 20 / 24


def _guests(week: int) -> tuple[Device, ...]:
    """Return the guests of a week's Saturday, each time others."""
    evening = ((week * 7 + 5 + 18 / 24, week * 7 + 5 + 23.5 / 24),)
    return tuple(
        _phone(f"guest-{week}-{each}", 60 + (week * 2 + each) % 60, visits=evening)
        for each in range(2)
    )


def household(weeks: int) -> Mapping[str, Device]:
    """Return everybody of so many weeks, guests included, by name."""
    devices = (
        ROUTER,
        _own("hub", 10, has_ipv6=True, service="_home-assistant._tcp"),
        _own("nas", 11, has_ipv6=True, service="_smb._tcp"),
        _own("laptop-anna", 12, has_ipv6=True),
        _own("laptop-ben", 13, has_ipv6=True),
        _phone("phone-anna", 14),
        _phone("phone-ben", 15, asks_secretly=True),
        _phone("phone-new", 16, visits=((NEW_PHONE, 1e9),)),
        _own("tablet", 17, has_ipv6=True),
        _own("tv", 20, has_ipv6=True, service="_googlecast._tcp"),
        _own("console", 21, has_ipv6=True),
        _own("speaker", 22, service="_spotify-connect._tcp"),
        _own("camera", 130, service="_rtsp._tcp"),
        _own("plug", 131),
        _own("vacuum", 132, service="_miio._udp"),
        _own("thermostat", 133),
        _own("lamps", 134, service="_hue._tcp"),
        _own("inverter", 135),
        _own("sensor", 136),
        # These two never leave the home
        _own("blinds", 138),
        _own("chime", 139, service="_chime._tcp"),
        _own("printer", 37, service="_ipp._tcp"),
        *(guest for week in range(weeks) for guest in _guests(week)),
    )
    return {each.name: each for each in devices}
