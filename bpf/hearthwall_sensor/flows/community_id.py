"""Community ID v1: one name for a flow in every tool that sees it (Zeek, Suricata, Elastic)."""

import base64
import hashlib
import struct
from typing import Final

from .flow import ICMP, ICMPV6, SCTP, TCP, UDP, FlowKey

_MAPPED: Final = bytes(10) + b"\xff\xff"
#: Protocols whose flows are told apart by ports; of ICMP they are the types.
_WITH_PORTS: Final = frozenset((ICMP, TCP, UDP, ICMPV6, SCTP))
_SEED: Final = bytes(2)


def community_id(key: FlowKey) -> str:
    """Return a flow's Community ID with seed 0: the same from both ends."""
    ends = [(_shortest(key.address), key.port), (_shortest(key.peer), key.peer_port)]
    if key.one_way == 2:  # the peer is the sender
        ends.reverse()
    if not key.one_way:
        ends.sort()
    (source, source_port), (destination, destination_port) = ends
    text = _SEED + source + destination + bytes((key.protocol, 0))
    # A later fragment has no ports, nor has its name any, as for others who give it one
    if key.protocol in _WITH_PORTS and (source_port or destination_port or key.one_way):
        text += struct.pack("!HH", source_port, destination_port)
    digest = hashlib.sha1(text, usedforsecurity=False).digest()
    return f"1:{base64.b64encode(digest).decode()}"


def _shortest(address: bytes) -> bytes:
    """Return four bytes for IPv4, sixteen for IPv6."""
    return address[12:] if address.startswith(_MAPPED) else address
