"""What the household calls its six devices, and where they stand."""

from dataclasses import dataclass
from typing import Final

from lab import DEVICES


@dataclass(frozen=True, slots=True)
class Member:
    """A device of the lab as its owner knows it. What is carried around has no area."""

    host: str
    name: str
    area: str | None = None

    @property
    def mac(self) -> str:
        """Return the MAC by which the sensor knows it."""
        return DEVICES[self.host].mac


CAMERA: Final = Member("camera", "Camera", "Garden")
TV: Final = Member("tv", "TV", "Living Room")

HOUSEHOLD: Final = (
    CAMERA,
    TV,
    Member("laptop", "Laptop"),
    Member("phone", "Phone"),
    Member("plug", "Plug", "Kitchen"),
    Member("vacuum", "Vacuum", "Hall"),
)
AREA_ICONS: Final = {"Garden": "mdi:flower", "Hall": "mdi:door"}
