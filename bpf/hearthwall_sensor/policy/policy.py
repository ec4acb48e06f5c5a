"""What a policy may say of a device, with what holds where it says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ..kinds import EventKind, Severity
from ..network.home import Network
from .expectations import Expectations

DetectorMode = Literal["on", "off", "audit"]
Sensitivity = Literal["low", "normal", "high"]
Answer = Literal["none", "quarantine", "block_peer", "block_process"]
PatternMode = Literal["on", "off"]

#: Thresholds are multiplied by this.
SENSITIVITIES: Final[Mapping[Sensitivity, float]] = {"low": 2.0, "normal": 1.0, "high": 0.5}
#: What no device of a home speaks to the internet unless somebody says so.
FORBIDDEN: Final = frozenset(("stratum", "irc", "tor", "socks", "bittorrent", "telnet", "smb"))
LEARNING: Final = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Response:
    """What is done by itself when an event of a kind, at least so severe, is told: for `duration` seconds."""

    kind: EventKind | None
    """None for all kinds."""
    severity: Severity
    action: Answer
    duration: float

    def fits(self, process: str | None) -> bool:
        """Return whether it can be done about a device, or a program: one is quarantined, the other stopped."""
        return self.action != ("quarantine" if process is not None else "block_process")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the network."""

    name: str
    networks: tuple[Network, ...]
    may_reach: frozenset[str] | None = None
    """The segments that devices in this one may reach, None where nobody says."""


@dataclass(frozen=True, slots=True)
class DevicePolicy:
    """What holds for one device: its own section's words before its labels', before those for all."""

    local: bool | None = None
    """Whether it is expected to stay in the home; None where nobody says."""
    allowed_protocols: frozenset[str] = frozenset()
    """Of the forbidden ones, those that it may speak to the internet."""
    forbidden_protocols: frozenset[str] = FORBIDDEN
    countries: frozenset[str] | None = None
    """Where its peers may be (ISO 3166), None for anywhere."""
    quiet_hours: tuple[tuple[int, int], ...] = ()
    """When it is expected to be still: from and to, in minutes of the local day."""
    sensitivity: Sensitivity = "normal"
    detectors: Mapping[EventKind, DetectorMode] = field(default_factory=dict)
    """Of those that are not simply on."""
    responses: tuple[Response, ...] = ()
    learning: float = LEARNING
    """How long a device is learnt before its habits are judged by, in seconds."""
    may_reach: frozenset[str] | None = None
    """The segments that the device itself may reach, None where nobody says."""
    segments_reach: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The segments that each segment may reach, where somebody says."""
    mud_from_device: bool = False
    """Whether the MUD file that the device names is fetched."""
    expected: Expectations | None = None
    """Whom its MUD file lets it talk to, None without one."""
    labels: tuple[str, ...] = ()
    patterns: Mapping[str, PatternMode] = field(default_factory=dict)
    """Of those that are not simply on."""

    @property
    def factor(self) -> float:
        """What thresholds are multiplied by."""
        return SENSITIVITIES[self.sensitivity]

    def mode(self, kind: EventKind) -> DetectorMode:
        """Return whether a detector's events are told, dropped, or only noted."""
        return self.detectors.get(kind, "on")

    def reach(self, own: str) -> frozenset[str] | None:
        """Return the segments that the device may reach from its own one, None where nobody says."""
        return self.segments_reach.get(own) if self.may_reach is None else self.may_reach
