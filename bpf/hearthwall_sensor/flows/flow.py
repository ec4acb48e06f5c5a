"""A flow and a sample as the kernel programs record them: the layouts of tables.h, and their meaning.

A flow is seen from a device: `upload` leaves it, `download` reaches it. Two devices that talk with
each other have a flow each. Addresses have sixteen bytes, IPv4 as ::ffff:a.b.c.d; times are
nanoseconds, since boot where the kernel recorded them and since the epoch in a capture.
"""

import struct
from typing import Final, NamedTuple

#: Directions, seen from the device.
UPLOAD: Final = 0
DOWNLOAD: Final = 1

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58
SCTP: Final = 132

TCP_FIN: Final = 0x01
TCP_SYN: Final = 0x02
TCP_RST: Final = 0x04
TCP_ACK: Final = 0x10

_new: Final = tuple.__new__
#: `struct flow_key`.
KEY: Final = struct.Struct("<6sHHBB16s16s")


class FlowKey(NamedTuple):
    """What a flow is known by.

    Ports are 0 where there are none. ICMP has its type and that of its answer in their place, so that
    question and answer are one flow (Community ID v1); where a type has no answer, type and code,
    and `one_way` is 1 for upload, 2 for download.
    """

    mac: bytes
    """The device's, six bytes; zeros where a capture has none."""
    port: int
    peer_port: int
    protocol: int
    one_way: int
    address: bytes
    peer: bytes

    @classmethod
    def unpack(cls, packed: bytes) -> "FlowKey":
        """Read the kernel's key."""
        return _new(
            cls, KEY.unpack(packed)
        )  # as _make, which counts the fields again: half the time

    def pack(self) -> bytes:
        """Return the kernel's key."""
        return KEY.pack(*self)


#: `struct flow`.
COUNTED: Final = struct.Struct("<QQQQIHBBQQIHBBIB3x")


class Counted(NamedTuple):
    """What was counted of a flow. Bytes are the wire's: Ethernet header included, checksum not."""

    first: int
    last: int
    upload_bytes: int
    upload_packets: int
    upload_start: int
    """TCP's sequence number where this way's stream of bytes begins."""
    upload_window: int
    """So many bytes from there are of interest for samples."""
    upload_sampled: int
    """Packets that were sampled, at most 255."""
    upload_flags: int
    """TCP's flags of all packets."""
    download_bytes: int
    download_packets: int
    download_start: int
    download_window: int
    download_sampled: int
    download_flags: int
    interface: int
    """The device's port, 0 in a capture."""
    opener: int
    """The direction of the first packet, or of TCP's SYN."""


#: What a sample holds.
SAMPLE_PAYLOAD: Final = 0
SAMPLE_ARP: Final = 1
SAMPLE_ND: Final = 2

#: `struct sample`, without the data behind it.
SAMPLE: Final = struct.Struct("<Q44sIIHHBB6s")
#: More of a packet is not copied.
SAMPLE_BYTES: Final = 4096


class Sample(NamedTuple):
    """The beginning of one packet's payload.

    Of ARP it is the ARP packet, of ND the ICMPv6 message, and else what TCP or UDP carry.
    """

    time: int
    key: bytes
    """The flow's; of ARP only the MAC is set."""
    interface: int
    """Where the packet came in, 0 for what this host says."""
    offset: int
    """Of TCP: where the data stands in this way's stream, which begins at 0; else 0."""
    wire_length: int
    """The payload's length in the packet; `data` may hold less of it."""
    direction: int
    kind: int
    sender: bytes
    """The source MAC of the frame, six bytes."""
    data: bytes


def read_sample(record: bytes) -> Sample | None:
    """Read the kernel's record, None for one that is cut off."""
    if len(record) < SAMPLE.size:
        return None
    time, key, interface, offset, length, wire_length, direction, kind, sender = SAMPLE.unpack_from(
        record
    )
    data = record[SAMPLE.size : SAMPLE.size + length]
    return Sample(time, key, interface, offset, wire_length, direction, kind, sender, data)
