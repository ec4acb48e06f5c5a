"""A device's profile: whom it talks to and how much it moves, learnt in bounded memory."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..policy.expectations import Expectation
from .bands import Band
from .facet import Facet
from .model import Model
from .needs import MAX_NEEDS, expectations
from .pace import Pace
from .programs import FACETS as OF_GATEWAY, GATEWAY

#: Each facet, and how many values of it are kept.
FACETS: Final[Mapping[str, int]] = {
    "domain": 512,  # registered domains; NAMELESS for peers of which no name is known
    "network": 256,  # AS15169, or the /16 or IPv6 /32 where no file tells
    "country": 128,
    "service": 128,  # tcp/443
    "application": 64,
    "lan_service": 128,  # of peers in the home
    "need": MAX_NEEDS,  # tcp/443 *.example.com
    "outside": 1,  # INTERNET, once it went out
}
#: No hour with less than this is unusual, in bytes.
UPLOAD_FLOOR: Final = 20e6
DOWNLOAD_FLOOR: Final = 500e6
#: Novelty is judged by units of time: a day, or less where less than a week is learnt.
UNITS: Final = 7
_DAY: Final = 86_400.0
_SHORTEST: Final = 60.0
_HOUR: Final = 3600.0


def unit_of(period: float) -> float:
    """Return the unit of time for what is learnt in a period."""
    return max(_SHORTEST, min(_DAY, period / UNITS))


def _limits(who: str) -> Mapping[str, int]:
    """Return the facets of whose profile it is."""
    return {**FACETS, **OF_GATEWAY} if who == GATEWAY else FACETS


def _facets() -> dict[str, Facet]:
    """Return empty facets."""
    return {name: Facet(limit) for name, limit in FACETS.items()}


def _utc(_now: float) -> float:
    """Return the offset of Greenwich."""
    return 0.0


@dataclass(slots=True)
class Profile:
    """What was learnt of one device."""

    who: str
    since: float
    """When learning began, seconds since the epoch."""
    frozen: bool = False
    facets: dict[str, Facet] = field(default_factory=_facets)
    upload: Band = field(default_factory=lambda: Band(UPLOAD_FLOOR))
    download: Band = field(default_factory=lambda: Band(DOWNLOAD_FLOOR))
    pace: Pace = field(default_factory=Pace)
    model: Model | None = field(default=None, compare=False)
    last: float = 0.0
    """When it learnt last."""
    offset: Callable[[float], float] = field(default=_utc, repr=False, compare=False)
    """Seconds that the local time is ahead of UTC, at a time."""

    def __post_init__(self) -> None:
        """Give the gateway's own profile what is learnt of its programs."""
        for name, limit in _limits(self.who).items():
            self.facets.setdefault(name, Facet(limit))

    def is_learning(self, now: float, period: float) -> bool:
        """Return whether the device is still too new to be judged by its habits."""
        return now - self.since < period

    def sure(self, now: float, period: float) -> float:
        """Return from 0 to 1 how sure it is that a new destination is unusual: by time, and by how often one is new."""
        grown = min(1.0, max(0.0, now - self.since) / period) if period > 0 else 1.0
        return round(grown / (1.0 + self.facets["domain"].novelty()), 3)

    def hours(self, now: float) -> float:
        """Return the hours since the epoch, by the local clock."""
        return (now + self.offset(now)) / _HOUR

    def hour(self, now: float) -> int:
        """Return the hour since the epoch, by the local clock."""
        return math.floor(self.hours(now))

    def minute_of_day(self, now: float) -> int:
        """Return the minute of the local day."""
        return int((now + self.offset(now)) % _DAY // 60)

    def be_there(self, now: float, unit: float) -> None:
        """Count a unit of time in which the device was there: also of what it did nothing it did nothing new."""
        number = int(now // unit)
        if number > self.facets["outside"].newest:
            for facet in self.facets.values():
                facet.count_unit(number)

    @property
    def units(self) -> int:
        """In how many units of time the device was there; the older half counts half in the long run."""
        return self.facets["outside"].units

    def needs(self) -> tuple[Expectation, ...]:
        """Return whom it is expected to talk to, if it goes on as it was learnt."""
        return tuple(expectations(self.facets["need"]))

    def join(self, other: "Profile") -> None:
        """Add what was learnt of another device that turned out to be this one."""
        self.since = min(self.since, other.since)
        self.last = max(self.last, other.last)
        for name, facet in self.facets.items():
            facet.join(other.facets[name])
        self.upload.join(other.upload)
        self.download.join(other.download)
        self.pace.join(other.pace)
        if other.model is not None and (
            self.model is None or self.model.windows < other.model.windows
        ):
            self.model = other.model

    def __len__(self) -> int:
        """Return how many values all facets have."""
        return sum(map(len, self.facets.values()))

    def to_wire(self) -> dict[str, Any]:
        """Return it for the disk: 1 kB, and 50 bytes for each value of a facet."""
        return {
            "who": self.who,
            "since": self.since,
            "last": self.last,
            "frozen": self.frozen,
            "facets": {name: facet.to_wire() for name, facet in self.facets.items()},
            "upload": self.upload.to_wire(),
            "download": self.download.to_wire(),
            "pace": self.pace.to_wire(),
            "model": None if self.model is None else self.model.to_wire(),
        }

    @classmethod
    def from_wire(cls, wire: Any) -> "Profile":
        """Read what to_wire returned; raises ValueError."""
        try:
            who, since, last, frozen = (wire[each] for each in ("who", "since", "last", "frozen"))
            known, limits = wire["facets"].items(), _limits(str(who))
            profile = cls(
                str(who),
                float(since),
                bool(frozen),
                facets=_facets()
                | {
                    name: Facet.from_wire(facet, limits[name])
                    for name, facet in known
                    if name in limits
                },
                upload=Band.from_wire(wire["upload"], UPLOAD_FLOOR),
                download=Band.from_wire(wire["download"], DOWNLOAD_FLOOR),
                pace=Pace.from_wire(wire["pace"]),
                last=float(last),
            )
            profile.model = _model(wire.get("model"))
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"no profile: {error!r}") from error
        if not 0 <= profile.since < 1e11 or not 0 <= profile.last < 1e11:
            raise ValueError("no profile: its times are none")
        return profile


def _model(wire: Any) -> Model | None:
    """Read a model of behaviour; raises ValueError."""
    return None if wire is None else Model.from_wire(wire)
