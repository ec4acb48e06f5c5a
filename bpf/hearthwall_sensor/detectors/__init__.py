"""Detectors: each turns observations of one kind of trouble into events, live and over a capture."""

from typing import Final

from .beacon import Beacon
from .detector import Detector
from .dns_tunnel import DnsTunnel

#: All of them, as they are told of each observation.
DETECTORS: Final[tuple[type[Detector], ...]] = (DnsTunnel,)
