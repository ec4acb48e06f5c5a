"""Capture files of all formats and links, made from frames and from other captures."""

import struct
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from scapy.packet import Packet
from scapy.utils import RawPcapReader

ETHERNET, NULL, RAW = 1, 0, 101
#: Time between packets that nobody has timed.
_STEP_US = 1500
_FAMILIES = {4: 2, 6: 30}  # macOS


def write(
    path: Path, frames: Iterable[tuple[int, int, bytes]], link: int, order: str = "<"
) -> None:
    """Write a pcap of frames with their moment in microseconds and length on the wire, in either byte order."""
    with path.open("wb") as file:
        file.write(struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link))
        for moment, length, data in frames:
            head = struct.pack(
                order + "IIII", moment // 1_000_000, moment % 1_000_000, len(data), length
            )
            file.write(head + data)


def write_frames(path: Path, frames: Iterable[Packet]) -> None:
    """Write a pcap of scapy's frames, padded as Ethernet pads."""
    packed = (bytes(frame).ljust(60, b"\0") for frame in frames)
    begin = int(time.time() * 1_000_000)
    timed = ((begin + n * _STEP_US, len(data), data) for n, data in enumerate(packed))
    write(path, timed, ETHERNET)


def _ip_packets(source: Path) -> Iterator[tuple[int, int, bytes]]:
    """Yield a pcap's IP packets without Ethernet's header."""
    with RawPcapReader(str(source)) as reader:
        for data, about in reader:
            if data[12:14] in (b"\x08\x00", b"\x86\xdd"):
                yield about.sec * 1_000_000 + about.usec, about.wirelen - 14, data[14:]


def raw(source: Path, path: Path) -> None:
    """Write the IP packets of a capture with nothing before them."""
    write(path, _ip_packets(source), RAW)


def null(source: Path, path: Path) -> None:
    """Write them as a BSD loopback interface has them, in the other byte order."""
    write(
        path,
        (
            (moment, length + 4, struct.pack(">I", _FAMILIES[data[0] >> 4]) + data)
            for moment, length, data in _ip_packets(source)
        ),
        NULL,
        ">",
    )


def nanoseconds(source: Path, path: Path) -> None:
    """Write a capture with finer times."""
    subprocess.run(["editcap", "-F", "nsecpcap", str(source), str(path)], check=True)


def cut(source: Path, path: Path) -> None:
    """Write a capture of which only the packets' first bytes are left."""
    subprocess.run(["editcap", "-s", "96", str(source), str(path)], check=True)


def mixed(sources: Iterable[Path], path: Path) -> None:
    """Write several captures with several links into one pcapng."""
    subprocess.run(["mergecap", "-w", str(path), *map(str, sources)], check=True)
