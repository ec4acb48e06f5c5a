"""Detectors: each turns observations of one kind of trouble into events, live and over a capture."""

from typing import Final

from .beacon import Beacon
from .connection_burst import ConnectionBurst
from .detector import Detector
from .dns_tunnel import DnsTunnel
from .local_device_on_internet import LocalDeviceOnInternet
from .unexpected_destination import UnexpectedDestination
from .volume_anomaly import VolumeAnomaly

#: All of them, as they are told of each observation.
DETECTORS: Final[tuple[type[Detector], ...]] = (
    DnsTunnel,
    ConnectionBurst,
    LocalDeviceOnInternet,
    UnexpectedDestination,
    VolumeAnomaly,
)
