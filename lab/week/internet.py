"""The internet of the weeks: networks with owners and countries, and where each name leads at which time.

All names end in `.example`. Addresses are made up, spread over as many networks as a home really talks to; nothing is
ever sent there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple
from zlib import crc32

Kind = Literal["cdn", "cloud", "hoster", "pool"]

_FIRST_OCTETS: Final = (
    *(23, 31, 34, 45, 51, 52, 62, 77, 80, 81, 82, 84, 88, 91, 93, 94, 104, 108, 130, 138, 142, 151),
    *(157, 185, 188, 193, 194, 195, 199, 204, 212, 213, 216, 217),
)


@dataclass(frozen=True, slots=True)
class Network:
    """An owner of addresses: some IPv4 prefixes of sixteen bits, an IPv6 prefix of 32."""

    name: str
    kind: Kind
    country: str
    number: int
    """Of its autonomous system."""
    blocks: tuple[tuple[int, int], ...]

    @property
    def prefixes(self) -> Iterator[str]:
        """Its prefixes as text."""
        yield from (f"{first}.{second}.0.0/16" for first, second in self.blocks)
        yield f"2a0{self.number % 8}:{self.number:x}::/32"

    def ipv4(self, customer: str, host: str) -> bytes:
        """Return an address of a customer's: all of a customer's lie in a few neighbouring blocks."""
        chosen = crc32(f"{self.name} {customer}".encode())
        first, second = self.blocks[(chosen + crc32(host.encode()) % 2) % len(self.blocks)]
        low = crc32(host.encode()) >> 3
        third = low & 0xFF if self.kind != "hoster" else chosen & 0xFF
        return bytes((first, second, third, (low >> 8) % 253 + 1))

    def ipv6(self, customer: str, host: str) -> bytes:
        """Return the same of IPv6."""
        chosen, low = crc32(customer.encode()), crc32(host.encode())
        head = (0x2A00 | self.number % 8).to_bytes(2, "big") + self.number.to_bytes(2, "big")
        return head + chosen.to_bytes(4, "big") + bytes(4) + low.to_bytes(4, "big")


def _networks() -> Iterator[Network]:
    """Yield the owners, the same in every run."""
    kinds: tuple[tuple[Kind, int, int, tuple[str, ...]], ...] = (
        ("cdn", 5, 5, ("US", "US", "DE", "NL", "US")),
        ("cloud", 3, 8, ("DE", "IE", "US")),
        ("hoster", 60, 1, ("DE", "DE", "DE", "NL", "FR", "GB", "US", "US", "PL", "SE", "IT", "CH")),
        # Where nobody of this home has to do with anybody
        ("hoster", 6, 1, ("KP", "RU", "SC", "VN", "NG", "PA")),
    )
    at = 0
    for kind, count, blocks, countries in kinds:
        for each in range(count):
            own = tuple(
                (_FIRST_OCTETS[n % len(_FIRST_OCTETS)], 16 + n * 7 % 200)
                for n in range(at, at + blocks)
            )
            country = countries[each % len(countries)]
            at += blocks
            yield Network(f"{kind}-{country.lower()}-{at}", kind, country, 0x1000 + at, own)


NETWORKS: Final = tuple(_networks())
_BY_KIND: Final = {
    kind: tuple(each for each in NETWORKS if each.kind == kind) for kind in ("cdn", "cloud")
}
_HOSTERS: Final = tuple(each for each in NETWORKS if each.kind == "hoster")[:60]
ABROAD: Final = {each.country: each for each in NETWORKS[-6:]}
_TTL: Final[dict[Kind, int]] = {"cdn": 60, "cloud": 60, "hoster": 3600, "pool": 130}
_HOUR: Final = 3600.0
#: Of a balanced service: addresses at one time, and how long each of them lasts.
_BALANCED: Final = 6
_LASTING: Final = 4 * 24 * _HOUR


class Answer(NamedTuple):
    """Where a name leads."""

    ipv4: tuple[bytes, ...]
    ipv6: tuple[bytes, ...]
    ttl: int


#: Names whose place is chosen; that of others follows from the name.
SITES: Final[dict[str, tuple[Kind, int]]] = {
    "plugcloud.example": ("cloud", 0),
    "vacuum-vendor.example": ("cloud", 1),
    "cam-vendor.example": ("cloud", 2),
    "sensor-vendor.example": ("hoster", 7),
    "thermo.example": ("cloud", 0),
    "solar-portal.example": ("hoster", 9),
    "voice.example": ("cloud", 2),
    "tv-vendor.example": ("cloud", 1),
    "films.example": ("cdn", 1),
    "videos.example": ("cdn", 0),
    "newfilms.example": ("cdn", 3),
    "phone-os.example": ("cdn", 2),
    "pushes.example": ("cloud", 2),
    "backup.example": ("cloud", 0),
    "meet.example": ("cloud", 1),
    "games.example": ("cdn", 4),
    "home-cloud.example": ("cloud", 0),
    "pool.ntp.example": ("pool", 0),
}


def registered(name: str) -> str:
    """Return the domain that somebody registered."""
    if name.endswith("pool.ntp.example"):
        return "pool.ntp.example"
    return ".".join(name.split(".")[-2:])


@lru_cache(65_536)
def place(domain: str) -> tuple[Kind, Network]:
    """Return what serves a domain, and in which network."""
    kind, number = SITES.get(domain, ("hoster", -1))
    if kind in ("cdn", "cloud"):
        return kind, _BY_KIND[kind][number]
    if kind == "pool":
        return kind, _HOSTERS[0]
    if number >= 0:
        return kind, _HOSTERS[number]
    chosen = crc32(domain.encode())
    if chosen % 10 < 5:
        return "cdn", _BY_KIND["cdn"][chosen // 10 % len(_BY_KIND["cdn"])]
    if chosen % 10 < 7:
        return "cloud", _BY_KIND["cloud"][chosen // 10 % len(_BY_KIND["cloud"])]
    return "hoster", _HOSTERS[chosen // 10 % len(_HOSTERS)]


def resolve(name: str, when: float) -> Answer:
    """Return where a name leads at a time."""
    domain = registered(name)
    kind, network = place(domain)
    if kind == "pool":
        slot = int(when // 130)
        picked = [_HOSTERS[crc32(f"{name}{slot}{n}".encode()) % len(_HOSTERS)] for n in range(4)]
        return Answer(
            tuple(each.ipv4(each.name, f"{slot}{each.name}") for each in picked), (), _TTL[kind]
        )
    if kind == "cdn":
        hosts = [f"{domain} {int(when // (6 * _HOUR)) % 5} {n}" for n in range(2)]
    elif kind == "cloud":
        begin = int(when // 300) + crc32(name.encode())
        hosts = [
            f"{name} {n} {int(when / _LASTING + n / _BALANCED)}"
            for n in ((begin + each) % _BALANCED for each in range(3))
        ]
    else:
        hosts = [domain]
    has_ipv6 = kind == "cdn" or crc32(domain.encode()) % 100 < 40
    return Answer(
        tuple(network.ipv4(domain, each) for each in hosts),
        tuple(network.ipv6(domain, each) for each in hosts) if has_ipv6 else (),
        _TTL[kind],
    )


_CONSONANTS: Final = "bdfghklmnprstvwz"
_VOWELS: Final = "aeio"


@lru_cache(65_536)
def domain_of_rank(rank: int, kind: str = "") -> str:
    """Return the name of the n-th most popular site."""
    number = crc32(f"{kind}{rank}".encode())
    parts = []
    for _ in range(2 + number % 3):
        number, at = divmod(number * 7 + 3, len(_CONSONANTS) * len(_VOWELS))
        parts.append(_CONSONANTS[at // len(_VOWELS)] + _VOWELS[at % len(_VOWELS)])
    return f"{''.join(parts)}{rank % 10 if rank > 400 else ''}{kind}.example"
