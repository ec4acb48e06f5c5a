"""Lists of prefixes like those that people use: mostly hosts, some networks, spread over all addresses."""

import random
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

_LENGTHS: Final = {32: 85, 24: 12, 22: 3}
#: Addresses of the internet, without a range that a feed must not name.
_RANGE: Final = (0x14000000, 0x64000000)


def write(path: Path, prefixes: int, *, seed: int, host: str) -> None:
    """Write a list of so many different prefixes and this host; the same seed gives the same list."""
    numbers = random.Random(seed)  # noqa: S311, nobody's secret
    found = {host}
    while len(found) < prefixes:
        (length,) = numbers.choices(list(_LENGTHS), list(_LENGTHS.values()))
        address = numbers.randrange(*_RANGE) >> 32 - length << 32 - length
        found.add(f"{IPv4Address(address)}/{length}")
    path.write_text("# as published\n" + "\n".join(found) + "\n")
