"""All families of metrics that there are: the one table from which they are told, documented and tested."""

from typing import Final

from . import of_devices, of_home, of_rules, of_sensor, of_sinks
from .family import Family

FAMILIES: Final[tuple[Family, ...]] = (
    *of_sensor.FAMILIES,
    *of_home.FAMILIES,
    *of_rules.FAMILIES,
    *of_sinks.FAMILIES,
    *of_devices.FAMILIES,
)
