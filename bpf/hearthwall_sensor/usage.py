"""What a sensor tells of how much moved between whom, summed over its flows; part of the protocol."""

import typing
from dataclasses import dataclass
from typing import Final, Literal

from .wire import Message

#: By what flows can be summed.
Dimension = Literal["mac", "application", "domain", "peer", "country", "network"]
DIMENSIONS: Final[tuple[Dimension, ...]] = typing.get_args(Dimension)


@dataclass(frozen=True, slots=True)
class UsageRow(Message):
    """What flows that are alike have moved together, in wire bytes as seen from the device.

    What was not asked for is null, as is what is not known: `domain` (the registered domain of the peer's
    name), `country` (ISO 3166) and `network` (who runs the autonomous system). `peer` is the name, else the address.
    """

    upload_bytes: int
    download_bytes: int
    flows: int
    mac: str | None = None
    application: str | None = None
    domain: str | None = None
    peer: str | None = None
    country: str | None = None
    network: str | None = None


@dataclass(frozen=True, slots=True)
class UsageReport(Message):
    """What the devices' flows have moved: rows, those with the most bytes at the head, and all together.

    What a limit left out is in the totals.
    """

    rows: tuple[UsageRow, ...]
    upload_bytes: int
    download_bytes: int
    flows: int
