"""Detectors: each turns observations of one kind of trouble into events, live and over a capture."""

from collections.abc import Mapping
from typing import Final

from ..kinds import EventKind
from ..observations import LOOK
from ..precedence import Yields
from .address_conflict import AddressConflict
from .address_scan import AddressScan
from .beacon import Beacon
from .behaviour_anomaly import BehaviourAnomaly
from .connection_burst import ConnectionBurst
from .detector import Detector
from .dns_tunnel import DnsTunnel
from .exec_and_connect import ExecAndConnect
from .flood import Flood
from .forbidden_protocol import ForbiddenProtocol
from .local_device_on_internet import LocalDeviceOnInternet
from .new_device import NewDevice
from .port_scan import PortScan
from .rogue_dhcp import RogueDhcp
from .segment_crossing import SegmentCrossing
from .suspicious_syscall import SuspiciousSyscall
from .threat_address import ThreatAddress
from .threat_domain import ThreatDomain
from .unexpected_destination import UnexpectedDestination
from .unexpected_process import UnexpectedProcess
from .volume_anomaly import VolumeAnomaly

#: All of them, as they are told of each observation.
DETECTORS: Final[tuple[type[Detector], ...]] = (
    Beacon,
    BehaviourAnomaly,
    DnsTunnel,
    ConnectionBurst,
    LocalDeviceOnInternet,
    UnexpectedDestination,
    VolumeAnomaly,
    AddressConflict,
    AddressScan,
    Flood,
    ForbiddenProtocol,
    NewDevice,
    PortScan,
    RogueDhcp,
    SegmentCrossing,
    ThreatAddress,
    ThreatDomain,
    ExecAndConnect,
    SuspiciousSyscall,
    UnexpectedProcess,
)

#: Who yields to whom, where both are one thing: what begins many connections is a burst to whoever only counts them,
#: a sweep of the whole network tries many ports of each host, and a worm speaks Telnet where its scan found somebody.
#: What was just put here and run is also new.
YIELDS: Final[Mapping[EventKind, Yields]] = {
    "connection_burst": Yields(
        frozenset(("address_scan", "dns_tunnel", "flood", "port_scan")), 2 * LOOK
    ),
    "port_scan": Yields(frozenset(("address_scan",))),
    "address_scan": Yields(frozenset(("forbidden_protocol",)), same="service"),
    "unexpected_process": Yields(frozenset(("exec_and_connect", "suspicious_syscall"))),
}
