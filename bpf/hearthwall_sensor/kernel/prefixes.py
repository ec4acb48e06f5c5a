"""The feeds' prefixes in the kernel: two pairs of tries of which one is in force, and the index before them.

A swap never shows half a list: the idle pair is filled, the index gains the new bits, the pairs change
places, and only when no packet can still be judged by the old pair is it emptied.

A prefix is one number here: its address, then eight bits of length.
"""

import ctypes
import errno
import ipaddress
import itertools
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from typing import Final

from ..protocol import SensorError
from .libbpf import Map, call

#: Longer than any program of ours looks at one packet.
GRACE_SECONDS: Final = 0.1

_MAPPED: Final = bytes(10) + b"\xff\xff"
_IPV4: Final = ("feed_ipv4_a", "feed_ipv4_b")
_IPV6: Final = ("feed_ipv6_a", "feed_ipv6_b")
_PAGE_BYTES: Final = 32
_BATCH: Final = 16_384
#: What a kernel answers that knows no batches for a kind of map; 524 is its own ENOTSUPP.
_NO_BATCHES: Final = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, 524)
#: filter.h's SPREAD_32.
_SPREAD: Final = 0x9E3779B1
_INDEX4_BITS: Final = 24
_INDEX6_BITS: Final = 20


class Prefixes:
    """The feeds' tables of one generation of programs."""

    def __init__(self, table: Callable[[str], Map]) -> None:
        """Take what gives the tables by name."""
        self._ipv4 = [table(name) for name in _IPV4]
        self._ipv6 = [table(name) for name in _IPV6]
        self._index4 = table("feed_index")
        self._index6 = table("feed_index6")

    def replace(
        self,
        ipv4: tuple[Sequence[int], Sequence[int]],
        ipv6: tuple[Sequence[int], Sequence[int]],
        in_force: int,
        switch: Callable[[int], None],
    ) -> None:
        """Put other prefixes with their masks in force; raises SensorError `table_full` and leaves all as it was.

        in_force is the pair that is used now (1, 2 or 0 for none); switch makes the programs use another.
        """
        idle = 2 if in_force == 1 else 1
        self.empty(idle)
        index4, index6 = ipv4_index(ipv4[0]), ipv6_index(ipv6[0])
        try:
            put(self._ipv4[idle - 1], ipv4_keys(ipv4[0]), array("I", ipv4[1]).tobytes())
            put(self._ipv6[idle - 1], ipv6_keys(ipv6[0]), array("I", ipv6[1]).tobytes())
        except SensorError:
            self.empty(idle)
            raise
        _write_index(self._index4, index4, keep=True)
        _write_index(self._index6, index6, keep=True)
        switch(idle if ipv4[0] or ipv6[0] else 0)
        time.sleep(GRACE_SECONDS)
        _write_index(self._index4, index4, keep=False)
        _write_index(self._index6, index6, keep=False)
        self.empty(3 - idle)

    def empty(self, which: int) -> None:
        """Empty a pair of tries that is not in force."""
        for table in (self._ipv4[which - 1], self._ipv6[which - 1]):
            _empty(table)


def entry_of(table: Callable[[str], Map], which: int, address: bytes) -> str:
    """Return the narrowest prefix of a pair of tries that holds an address of sixteen bytes, else the address itself.

    A trie tells what it has for a prefix of a length, or a shorter one: it is asked for ever shorter ones.
    """
    is_ipv4 = address.startswith(_MAPPED)
    host = ipaddress.ip_address(address[12:] if is_ipv4 else address)
    if not which:
        return str(host)
    trie = table((_IPV4 if is_ipv4 else _IPV6)[which - 1])

    packed: bytes = host.packed

    def held(length: int) -> bytes | None:
        return trie.get(length.to_bytes(4, sys.byteorder) + packed)

    length: int = host.max_prefixlen
    found = held(length)
    while found is not None and length and held(length - 1) == found:
        length -= 1
    network = ipaddress.ip_network((host, length), strict=False)
    return str(host) if length == host.max_prefixlen else str(network)


def ipv4_keys(prefixes: Sequence[int]) -> bytes:
    """Return the trie's keys: the length as the CPU has numbers, the address as the wire has them."""
    words = array("I", bytes(8 * len(prefixes)))
    addresses = array("I", (each >> 8 for each in prefixes))
    if sys.byteorder == "little":
        addresses.byteswap()
    words[0::2] = array("I", (each & 255 for each in prefixes))
    words[1::2] = addresses
    return words.tobytes()


def ipv6_keys(prefixes: Sequence[int]) -> bytes:
    """Return the trie's keys, as `ipv4_keys`."""
    return b"".join(
        (each & 255).to_bytes(4, sys.byteorder) + (each >> 8).to_bytes(16, "big")
        for each in prefixes
    )


def ipv4_index(prefixes: Sequence[int]) -> bytearray:
    """Return a bit for each /24 that a prefix touches."""
    index = bytearray(1 << _INDEX4_BITS - 3)
    for prefix in prefixes:
        number, length = prefix >> 16, prefix & 255
        if length > 20:
            for each in range(number, number + (1 << max(0, 24 - length))):
                index[each >> 3] |= 1 << (each & 7)
        else:  # whole bytes
            size = 1 << 21 - length
            index[number >> 3 : (number >> 3) + size] = b"\xff" * size
    return index


def ipv6_index(prefixes: Sequence[int]) -> bytearray:
    """Return a bit for each hash of the first 32 bits that an address within a prefix can have."""
    index = bytearray(1 << _INDEX6_BITS - 3)
    every = b"\xff" * len(index)
    work = 0
    for first, group in itertools.groupby(prefixes, key=lambda each: each >> 104):
        length = min(each & 255 for each in group)
        covered = 1 << max(0, 32 - length)
        work += covered
        # Shorter than /20 a prefix touches nearly all hashes; so do many that are a little longer
        if length < _INDEX6_BITS or work > 1 << _INDEX6_BITS:
            return bytearray(every)
        for each in range(first, first + covered):
            number = (each * _SPREAD & 0xFFFFFFFF) >> 32 - _INDEX6_BITS
            index[number >> 3] |= 1 << (number & 7)
    return index


def put(table: Map, keys: bytes, values: bytes) -> None:
    """Put many entries, in batches where the kernel can; raises SensorError `table_full`."""
    size, width = table.key_size, table.value_size
    number = len(keys) // size
    batches = True
    for begin in range(0, number, _BATCH):
        count = min(_BATCH, number - begin)
        some_keys = keys[begin * size : (begin + count) * size]
        some_values = values[begin * width : (begin + count) * width]
        if batches:
            batches = _batch("bpf_map_update_batch", table, some_keys, some_values)
        if not batches:
            for at in range(count):
                table.put(
                    some_keys[at * size : (at + 1) * size],
                    some_values[at * width : (at + 1) * width],
                )


def _batch(name: str, table: Map, keys: bytes, *values: bytes) -> bool:
    """Update or delete a batch; return whether the kernel knows how. Raises SensorError `table_full`."""
    count = ctypes.c_uint32(len(keys) // table.key_size)
    try:
        call(name, table.fd, keys, *values, ctypes.byref(count), None)
    except OSError as error:
        if error.errno in _NO_BATCHES:
            return False
        if error.errno in (errno.E2BIG, errno.ENOSPC, errno.ENOMEM):
            raise SensorError(
                "table_full", "the feeds have more prefixes than the kernel's tables take"
            ) from error
        raise
    return True


def _read(table: Map, most: int) -> tuple[bytes, bytes] | None:
    """Return the keys and values of the first entries; None where the kernel knows no batches."""
    keys = ctypes.create_string_buffer(table.key_size * most)
    values = ctypes.create_string_buffer(table.value_size * most)
    following = ctypes.create_string_buffer(max(table.key_size, 8))
    count = ctypes.c_uint32(most)
    try:
        call(
            "bpf_map_lookup_batch",
            table.fd,
            None,
            following,
            keys,
            values,
            ctypes.byref(count),
            None,
        )
    except OSError as error:
        if error.errno in _NO_BATCHES:
            return None
        if error.errno != errno.ENOENT:  # the end, which comes with the last entries
            raise
    return keys.raw[: count.value * table.key_size], values.raw[: count.value * table.value_size]


def _empty(table: Map) -> None:
    """Delete all entries."""
    while (found := _read(table, _BATCH)) is not None:
        keys, _ = found
        if not keys:
            return
        if not _batch("bpf_map_delete_batch", table, keys):
            break
    for key in list(table.keys()):
        table.delete(key)


def _write_index(table: Map, wanted: bytearray, *, keep: bool) -> None:
    """Make an index what is wanted, or, with keep, that and what it is; pages that are so already stay untouched."""
    pages = len(wanted) // _PAGE_BYTES
    found = _read(table, pages)
    if found is None:
        numbers = (number.to_bytes(4, sys.byteorder) for number in range(pages))
        held = b"".join(table.get(number) or bytes(_PAGE_BYTES) for number in numbers)
    else:
        held = found[1]
    if keep:
        both = int.from_bytes(held, "little") | int.from_bytes(wanted, "little")
        target = both.to_bytes(len(held), "little")
    else:
        target = bytes(wanted)
    if target == held:
        return
    changed = [
        number
        for number, at in enumerate(range(0, len(held), _PAGE_BYTES))
        if held[at : at + _PAGE_BYTES] != target[at : at + _PAGE_BYTES]
    ]
    values = b"".join(target[each * _PAGE_BYTES : (each + 1) * _PAGE_BYTES] for each in changed)
    put(table, array("I", changed).tobytes(), values)
