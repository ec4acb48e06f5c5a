"""What a rule is about and how long it lasts, as people write them."""

import ipaddress
import math
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from .errors import SensorError
from .program_paths import path_bytes, path_text

#: Of this host: an executable's file, a folder of them, a process by its number.
ProcessKind = Literal["exe", "dir", "pid"]
TargetKind = Literal["mac", "ipv4", "ipv6", "ipv4_network", "ipv6_network", "domain"] | ProcessKind
PROCESS_KINDS: Final[tuple[ProcessKind, ...]] = typing.get_args(ProcessKind)
TARGET_KINDS: Final[tuple[TargetKind, ...]] = (
    *("mac", "ipv4", "ipv6", "ipv4_network", "ipv6_network", "domain"),
    *PROCESS_KINDS,
)

#: Widest prefixes that a rule takes: one mistyped digit must not cut off half of the internet.
SHORTEST_PREFIX: Final[Mapping[int, int]] = {4: 8, 6: 16}
#: The longest path that a rule takes: with a slash or a zero it is the key of a table in the kernel.
MAX_PATH_BYTES: Final = 250
_MAX_PID: Final = 1 << 22
#: A rule that ends later than this may as well have no end.
MAX_DURATION: Final = 366 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Target:
    """What a rule is about; `value` is canonical: two ways to write one target compare equal."""

    kind: TargetKind
    value: str


_MAC = re.compile(r"[0-9a-f]{2}([:-]?)(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}", re.ASCII)


def parse_mac(text: str) -> str:
    """Return a unicast MAC as `aa:bb:cc:dd:ee:ff`; takes colons, dashes or nothing between the bytes.

    Raises SensorError `invalid_target` or, for group addresses and zero, `protected_target`.
    """
    lowered = text.strip().lower()
    if not _MAC.fullmatch(lowered):
        raise SensorError(
            "invalid_target", f"{text[:80]!r} is not a MAC address such as 00:00:5e:00:53:21"
        )
    digits = lowered.replace(":", "").replace("-", "")
    if int(digits[:2], 16) & 1 or int(digits, 16) == 0:
        raise SensorError(
            "protected_target", f"{text} is a broadcast, multicast or null MAC, not a device's"
        )
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)


def parse_target(text: str) -> Target:
    """Return the target that a person wrote.

    A MAC, an address, a prefix (CIDR), a domain or `*.domain`; of this host `exe:/path`, `dir:/path` or `pid:N`.
    Raises SensorError `invalid_target`, or `protected_target` for addresses that belong to no single host.
    """
    stripped = text.strip()
    if _MAC.fullmatch(stripped.lower()):
        return Target("mac", parse_mac(stripped))
    kind, colon, rest = stripped.partition(":")
    if colon and kind in _PROCESSES:
        return _PROCESSES[kind](rest)
    if stripped.startswith("/"):
        raise SensorError(
            "invalid_target",
            f"{text[:80]!r}: of a program write exe:/path, of a folder's programs dir:/path",
        )
    if "/" in stripped:
        return _parse_network(stripped)
    try:
        address = ipaddress.ip_address(stripped)
    except ValueError:
        return Target("domain", parse_domain(stripped))
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            raise SensorError(
                "invalid_target", f"{text[:80]!r}: write the address without its zone"
            )
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
    if (
        address.is_multicast
        or address.is_unspecified
        or address.is_loopback
        or str(address) == "255.255.255.255"
    ):
        raise SensorError(
            "protected_target", f"{address} is a broadcast, multicast, null or loopback address"
        )
    return Target("ipv4" if address.version == 4 else "ipv6", str(address))


def _parse_network(text: str) -> Target:
    """Return a prefix as a target, one of a single host as that host."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise SensorError(
            "invalid_target", f"{text[:80]!r} is not a prefix such as 203.0.113.0/24"
        ) from None
    if network.prefixlen == network.max_prefixlen:
        return parse_target(str(network.network_address))
    if network.prefixlen < SHORTEST_PREFIX[network.version]:
        raise SensorError(
            "invalid_target",
            f"{network} is too wide: a rule takes /{SHORTEST_PREFIX[network.version]} and longer",
        )
    if network.is_multicast or network.is_loopback:
        raise SensorError("protected_target", f"{network} is multicast or loopback")
    return Target("ipv4_network" if network.version == 4 else "ipv6_network", str(network))


def path_of(target: Target) -> bytes:
    """Return the path that a rule on an executable or a folder is about."""
    return path_bytes(target.value.partition(":")[2])


def pid_of(target: Target) -> int:
    """Return the number of the process that a rule is about."""
    return int(target.value.partition(":")[2])


def path_target(kind: ProcessKind, path: bytes) -> Target:
    """Return the target that an executable or a folder is; raises SensorError `invalid_target`."""
    shown = path_text(path)[:80]
    parts = [each for each in path.split(b"/") if each not in (b"", b".")]
    if not path.startswith(b"/"):
        raise SensorError("invalid_target", f"{kind}:{shown}: write the whole path, from / on")
    if b".." in parts:
        raise SensorError("invalid_target", f"{kind}:{shown}: write the path without ..")
    if b"\0" in path:
        raise SensorError("invalid_target", f"{kind}:{shown}: no path has a zero in it")
    if not parts:
        raise SensorError(
            "invalid_target", f"{kind}:{shown} is too wide: name an executable or its folder"
        )
    if kind == "exe" and path.endswith((b"/", b"/.")):
        raise SensorError("invalid_target", f"exe:{shown} is a folder: write dir:{shown}")
    canonical = b"/" + b"/".join(parts)
    if len(canonical) > MAX_PATH_BYTES:
        raise SensorError(
            "invalid_target",
            f"{kind}:{shown}… is too long: a rule takes paths of at most {MAX_PATH_BYTES} bytes",
        )
    return Target(kind, f"{kind}:{path_text(canonical)}")


def _parse_path(kind: ProcessKind, text: str) -> Target:
    """Return the executable or folder that a person wrote."""
    try:
        path = path_bytes(text)
    except (ValueError, UnicodeError):
        raise SensorError(
            "invalid_target",
            f"{text[:80]!r} has control characters: write each of their bytes as \\xNN",
        ) from None
    return path_target(kind, path)


def _parse_pid(text: str) -> Target:
    """Return the process whose number a person wrote."""
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:12]) <= _MAX_PID:
        raise SensorError("invalid_target", f"pid:{text[:20]!r} is not a process such as pid:1234")
    return Target("pid", f"pid:{int(text)}")


_PROCESSES: Final[Mapping[str, Callable[[str], Target]]] = {
    "exe": lambda text: _parse_path("exe", text),
    "dir": lambda text: _parse_path("dir", text),
    "pid": _parse_pid,
}


def parse_peer(text: str) -> str:
    """Return an address, a prefix or a domain that a host may talk to; groups such as multicast DNS's too.

    Raises SensorError `invalid_target`.
    """
    stripped = text.strip()
    try:
        network = ipaddress.ip_network(stripped, strict=False)
    except ValueError:
        if "/" in stripped or _MAC.fullmatch(stripped.lower()):
            raise SensorError(
                "invalid_target",
                f"{text[:80]!r} is no peer: write an address, a prefix or a domain",
            ) from None
        return parse_domain(stripped)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen == network.max_prefixlen:
        return str(mapped)
    if network.prefixlen < SHORTEST_PREFIX[network.version]:
        raise SensorError(
            "invalid_target",
            f"{network} is too wide: a peer takes /{SHORTEST_PREFIX[network.version]} and longer",
        )
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address if single else network)


def parse_domain(text: str) -> str:
    """Return a domain, or `*.` and a domain, in lower case and ASCII; raises SensorError `invalid_target`."""
    stripped = text.strip().lower().removesuffix(".")
    star = "*." if stripped.startswith("*.") else ""
    name = stripped.removeprefix("*.")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            name = ""
    labels = name.split(".")
    whole = len(labels) > 1 and len(name) <= 253 and all(map(_LABEL.fullmatch, labels))
    if not whole or labels[-1].isdigit():
        raise SensorError(
            "invalid_target",
            f"{text[:80]!r} is neither a MAC, an IP address, a prefix such as 203.0.113.0/24"
            " nor a domain such as example.org or *.example.org",
        )
    return star + name


_DURATION_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> float:
    """Return the seconds in `90s`, `10m`, `2h`, `7d` or a plain number of seconds.

    Raises SensorError `invalid_duration`.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd]?)", text.strip(), re.ASCII)
    if match is None:
        raise SensorError(
            "invalid_duration", f"{text[:80]!r} is not a duration such as 90s, 10m, 2h or 7d"
        )
    return check_duration(float(match[1]) * _DURATION_UNITS[match[2] or "s"])


def check_duration(seconds: float) -> float:
    """Return seconds if they lie in (0, MAX_DURATION]; raises SensorError `invalid_duration`."""
    if not math.isfinite(seconds) or not 0 < seconds <= MAX_DURATION:
        raise SensorError(
            "invalid_duration",
            f"a duration is more than 0 and at most {MAX_DURATION / 86400:.0f} days",
        )
    return seconds
