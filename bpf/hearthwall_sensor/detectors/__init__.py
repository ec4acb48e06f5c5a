"""Detectors: each turns observations of one kind of trouble into events, live and over a capture."""

from typing import Final

from .address_conflict import AddressConflict
from .address_scan import AddressScan
from .beacon import Beacon
from .behaviour_anomaly import BehaviourAnomaly
from .connection_burst import ConnectionBurst
from .detector import Detector
from .dns_tunnel import DnsTunnel
from .flood import Flood
from .forbidden_protocol import ForbiddenProtocol
from .local_device_on_internet import LocalDeviceOnInternet
from .new_device import NewDevice
from .port_scan import PortScan
from .rogue_dhcp import RogueDhcp
from .segment_crossing import SegmentCrossing
from .threat_address import ThreatAddress
from .threat_domain import ThreatDomain
from .unexpected_destination import UnexpectedDestination
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
)
