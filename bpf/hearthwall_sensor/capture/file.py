"""Opens captures, whatever their format, and says what to do about those that can't be read."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from ..protocol import SensorError
from . import pcap, pcapng
from .packet import Packet, Reader, Stream

#: Stands for standard input.
STDIN: Final = "-"
_BUFFER: Final = 256 * 1024
_READERS: Final[dict[bytes, Reader]] = {
    **dict.fromkeys(pcap.MAGIC, pcap.packets),
    pcapng.MAGIC: pcapng.packets,
}
#: What people take for captures, and what makes captures of them.
_OTHERS: Final = {
    b"\x1f\x8b": "it is compressed: gunzip it first",
    b"\x28\xb5\x2f\xfd": "it is compressed: unzstd it first",
    b"\xfd7zX": "it is compressed: unxz it first",
    b"BZh": "it is compressed: bunzip2 it first",
    b"snoop": "it is a snoop file: convert it with `editcap -F pcap`",
    b"GMBU": "it is a Network Monitor file: convert it with `editcap -F pcap`",
    b"\x34\xcd\xb2\xa1": "it is of a patched tcpdump: convert it with `editcap -F pcap`",
    b"\xa1\xb2\xcd\x34": "it is of a patched tcpdump: convert it with `editcap -F pcap`",
}


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Give a file to read; raises SensorError `not_found` or `not_permitted`."""
    if path == STDIN:
        yield sys.stdin.buffer
        return
    try:
        file = open(path, "rb", buffering=_BUFFER)  # noqa: PTH123, SIM115, closed below
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SensorError("not_found", f"there is no file {path}") from error
    except PermissionError as error:
        raise SensorError(
            "not_permitted", f"this user may not read {path}: chmod it, or run this as its owner"
        ) from error
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise SensorError("invalid_message", f"{path} can't be opened: {why}") from error
    with file:
        yield file


def read_packets(file: BinaryIO, counted: Counter[str]) -> Iterator[Packet]:
    """Yield a capture's packets in the order of the file; its memory stays small, however long it is.

    Raises SensorError `invalid_message` for what is no capture, and Damaged behind the last packet that can be read.
    """
    magic = file.read(4)
    reader = _READERS.get(magic)
    if reader is None:
        known = next((text for head, text in _OTHERS.items() if magic.startswith(head[:4])), None)
        what = known or "it begins neither as pcap nor as pcapng do; tcpdump -w makes one"
        raise SensorError(
            "invalid_message", f"this is no capture: {what if magic else 'it is empty'}"
        )
    yield from reader(Stream(file, len(magic)), magic, counted)
