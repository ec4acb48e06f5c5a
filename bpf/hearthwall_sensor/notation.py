"""MACs, addresses and times: as the kernel has them, and as people write them."""

import ipaddress
import time
from functools import lru_cache
from pathlib import Path
from typing import Final

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Return what tells one start of this host from another."""
    return _BOOT_ID.read_text().strip()


def boot_ns() -> int:
    """Return the kernel programs' clock: nanoseconds since boot, suspend included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def epoch(nanoseconds: int | None) -> float | None:
    """Return a time since boot as seconds since the epoch, by the clock as it stands now."""
    if nanoseconds is None:
        return None
    return round(time.time() + (nanoseconds - boot_ns()) / 1e9, 3)


def mac_bytes(mac: str) -> bytes:
    """Return a MAC's six bytes."""
    return bytes.fromhex(mac.replace(":", ""))


def mac_text(key: bytes) -> str:
    """Return the MAC at the beginning of a key."""
    return key[:6].hex(":")


@lru_cache(maxsize=4096)
def address_text(key: bytes) -> str:
    """Return the address that sixteen bytes mean."""
    address = ipaddress.IPv6Address(key)
    return str(address.ipv4_mapped or address)


def plain_address(text: str) -> str:
    """Return an address as it is written everywhere: without an interface, and IPv4 as such; raises ValueError."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address)


def is_here(host: str) -> bool:
    """Return whether a host, by address or name, is this one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bytes:
    """Return sixteen bytes for both families, IPv4 as ::ffff:a.b.c.d."""
    return address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed
