"""Several captures as one: what each begins after the one before, read back as a single pcapng without a file."""

import io
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from hearthwall_sensor.capture.file import opened, read_packets
from hearthwall_sensor.capture.packet import Damaged, Packet
from hearthwall_sensor.protocol import SensorError

_SECTION: Final = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
#: An interface whose times are nanoseconds: option if_tsresol 9, end of options.
_INTERFACE: Final = struct.Struct("<IIHHIHHB3xHHI")
_PACKET: Final = struct.Struct("<IIIIIII")
_END: Final = struct.Struct("<I")
_BUFFER: Final = 256 * 1024


class Made(io.RawIOBase):
    """A file whose bytes are made when they are read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Take what makes them."""
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Give the next bytes."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def made(pieces: Iterator[bytes]) -> BinaryIO:
    """Return a buffered file of bytes that are made when they are read."""
    return io.BufferedReader(Made(pieces), _BUFFER)


def packets(path: Path, problems: list[str]) -> Iterator[Packet]:
    """Yield a capture's packets; where it can't be read any further, that is a problem and no error."""
    try:
        with opened(str(path)) as file:
            yield from read_packets(file, Counter())
    except Damaged as damage:
        problems.append(f"{path.name} is damaged: {damage}")
    except (SensorError, OSError) as error:
        problems.append(f"{path.name}: {error}")


def span(path: Path) -> tuple[int, int] | None:
    """Return the earliest and the latest time of a capture, None where it has no packet."""
    first = last = None
    for packet in packets(path, []):
        first = packet.time if first is None else min(first, packet.time)
        last = packet.time if last is None else max(last, packet.time)
    return None if first is None or last is None else (first, last)


def shifted(found: Iterable[Packet], by: int) -> Iterator[Packet]:
    """Yield packets so many nanoseconds later."""
    return (packet._replace(time=max(0, packet.time + by)) for packet in found)


def pcapng(found: Iterable[Packet]) -> Iterator[bytes]:
    """Yield packets of whatever links as one pcapng."""
    yield _SECTION
    interfaces: dict[int, int] = {}
    for time, length, link_type, data in found:
        number = interfaces.get(link_type)
        if number is None:
            number = interfaces[link_type] = len(interfaces)
            yield _INTERFACE.pack(1, 32, link_type, 0, 0, 9, 1, 9, 0, 0, 32)
        padding = -len(data) % 4
        size = 32 + len(data) + padding
        head = _PACKET.pack(6, size, number, time >> 32, time & 0xFFFFFFFF, len(data), length)
        yield b"".join((head, data, bytes(padding), _END.pack(size)))
