"""Writes small files in MaxMind's format (version 2.0), so that the reader is tried on real ones."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MARKER = b"\xab\xcd\xefMaxMind.com"


def write(path: Path, records: Mapping[str, Any], *, version: int = 6) -> Path:
    """Write a file that says these things of prefixes; in one of version 6, IPv4 lies in ::/96."""
    nodes: list[list[int | bytes | None]] = [[None, None]]
    for prefix, record in records.items():
        _insert(nodes, _bits(ipaddress.ip_network(prefix), version), _encoded(record))
    data, places = b"", {}
    for node in nodes:
        for each in node:
            if isinstance(each, bytes) and each not in places:
                places[each] = len(data)
                data += each
    tree = b""
    for node in nodes:
        for each in node:
            ends = {None: len(nodes)} | {raw: len(nodes) + 16 + at for raw, at in places.items()}
            tree += (each if isinstance(each, int) else ends[each]).to_bytes(4, "big")
    metadata = {
        "node_count": len(nodes),
        "record_size": 32,
        "ip_version": version,
        "database_type": "Test",
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_800_000_000,
        "languages": ["en"],
        "description": {"en": "test"},
    }
    path.write_bytes(tree + bytes(16) + data + _MARKER + _encoded(metadata))
    return path


def _bits(network: ipaddress.IPv4Network | ipaddress.IPv6Network, version: int) -> str:
    bits = "".join(f"{each:08b}" for each in network.network_address.packed)[: network.prefixlen]
    return "0" * 96 + bits if (network.version, version) == (4, 6) else bits


def _insert(nodes: list[list[int | bytes | None]], bits: str, record: bytes) -> None:
    at = 0
    for bit in bits[:-1]:
        following = nodes[at][int(bit)]
        if not isinstance(following, int):
            nodes.append([following, following])
            following = nodes[at][int(bit)] = len(nodes) - 1
        at = following
    nodes[at][int(bits[-1])] = record


def _encoded(value: Any) -> bytes:
    match value:
        case bool():
            return _head(14, int(value))
        case str():
            raw = value.encode()
            return _head(2, len(raw)) + raw
        case int():
            raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
            return _head(6 if value < 2**32 else 9, len(raw)) + raw
        case list():
            return _head(11, len(value)) + b"".join(map(_encoded, value))
        case dict():
            inside = (_encoded(key) + _encoded(each) for key, each in value.items())
            return _head(7, len(value)) + b"".join(inside)
    raise TypeError(value)


def _head(kind: int, size: int) -> bytes:
    extended = b"" if kind <= 7 else bytes((kind - 7,))
    first = 0 if kind > 7 else kind << 5
    if size < 29:
        return bytes((first | size,)) + extended
    return bytes((first | 29,)) + extended + bytes((size - 29,))
