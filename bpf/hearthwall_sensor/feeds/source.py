"""Where a list comes from: a file or an http(s) address, and the secret that may go along."""

import ipaddress
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import SplitResult, urlsplit

from ..notation import is_here
from ..protocol import SensorError
from ..targets import parse_domain

#: Files that hold a header are named so on purpose: no order can have another secret of this host sent.
HEADER_SUFFIX: Final = ".header"
_MAX_SOURCE: Final = 2000
_MAX_HEADER: Final = 8192
#: Addresses that stand for IPv4 ones (RFC 6052).
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Header:
    """A header that goes along, and the only origin that may get it."""

    name: str
    value: str
    origin: str

    def __repr__(self) -> str:
        """Return the name only: the value is a secret."""
        return f"Header({self.name})"


def check_source(source: str, header_file: str | None) -> None:
    """Raise SensorError `invalid_feed` if a list can't come from there."""
    if len(source) > _MAX_SOURCE or not source.isprintable():
        raise SensorError("invalid_feed", f"a source is at most {_MAX_SOURCE} printable characters")
    if path_of(source) is not None:
        if header_file is not None:
            raise SensorError("invalid_feed", "a header goes along with an https:// address only")
        return
    url = parse_url(source)
    if header_file is None:
        return
    if not Path(header_file).is_absolute() or not header_file.endswith(HEADER_SUFFIX):
        raise SensorError(
            "invalid_feed",
            f"the header's file is named by its whole path, which ends in {HEADER_SUFFIX}",
        )
    if not may_carry_secret(url):
        raise SensorError(
            "invalid_feed", "a header is a secret, so it is sent to https:// addresses only"
        )


def path_of(source: str) -> Path | None:
    """Return the file that a source names, None for an http(s) address."""
    if source.startswith("/"):
        return Path(source)
    if source.startswith("file:///"):
        return Path(source.removeprefix("file://"))
    return None


def parse_url(text: str) -> SplitResult:
    """Return an http(s) address in its parts; raises SensorError `invalid_feed`."""
    try:
        url = urlsplit(text)
        url.port  # noqa: B018, raises where it is no number
    except ValueError:
        url = urlsplit("")
    if url.scheme not in ("http", "https") or not url.hostname or " " in text:
        raise SensorError(
            "invalid_feed",
            f"{shown(text)[:80]!r} is neither a file's whole path nor an http:// or https:// address",
        )
    if "@" in url.netloc:
        raise SensorError(
            "invalid_feed", "put no password into the address: use --header-file for what is secret"
        )
    return url


def origin(url: SplitResult) -> tuple[str, str, int]:
    """Return scheme, host and port: whoever gets a secret."""
    return url.scheme, url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def may_carry_secret(url: SplitResult) -> bool:
    """Return whether nobody on the way reads what is sent."""
    return url.scheme == "https" or is_loopback(url)


def is_loopback(url: SplitResult) -> bool:
    """Return whether an address means this host."""
    return is_here(url.hostname or "")


def is_inside(url: SplitResult) -> bool:
    """Return whether an address says that it means this host or something in the home."""
    try:
        return not ipaddress.ip_address(url.hostname or "").is_global
    except ValueError:
        return url.hostname == "localhost"


def is_outside(text: str) -> bool:
    """Return whether an address is one of the internet, also where it wraps another one."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        packed = int(address)
        teredo = address.teredo
        wrapped = (
            address.ipv4_mapped,
            address.sixtofour,
            None if teredo is None else teredo[1],
            ipaddress.IPv4Address(packed & 0xFFFFFFFF) if address in _NAT64 else None,
        )
        if any(each is not None and not is_outside(str(each)) for each in wrapped):
            return False
        if address.ipv4_mapped is not None:
            return True
    return address.is_global and not address.is_multicast


def check_host(url: SplitResult, may_reach: Callable[[str], bool]) -> None:
    """Raise SensorError unless a host is a domain's name, or an address that may be reached.

    What is neither, such as 127.1, a resolver may well take for an address.
    """
    host = url.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        fits = "*" not in host and _is_domain(host)
    else:
        fits = may_reach(host)
    if not fits:
        raise SensorError(
            "feed_failed", f"{host[:80]} is no host of the internet, which is refused"
        )


def _is_domain(host: str) -> bool:
    """Return whether a host is named by a domain of more than one label."""
    try:
        parse_domain(host)
    except SensorError:
        return False
    return True


def shown(source: str) -> str:
    """Return a source as listings and logs tell it: what follows a ? may be a key."""
    address, question, _ = source.partition("?")
    if path_of(source) is not None:
        return source
    return address.partition("#")[0] + ("?…" if question else "")


def open_file(path: Path, flags: int = 0) -> BinaryIO:
    """Open a file that somebody named, and never wait for one that is none; raises SensorError."""
    try:
        return open(
            path, "rb", opener=lambda name, base: os.open(name, base | flags | os.O_NONBLOCK)
        )
    except OSError as error:
        raise SensorError("feed_failed", f"{path} can't be read: {error.strerror}") from error


def read_header(path: Path) -> Header:
    """Read `Name: value` from a file, and from a second line its origin; raises SensorError.

    Without an origin whoever may order a feed could have the secret sent to a server of their own.
    """
    with open_file(path, os.O_NOFOLLOW) as file:
        said = os.fstat(file.fileno())
        if (
            not stat.S_ISREG(said.st_mode)
            or said.st_uid != os.geteuid()
            or said.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        ):
            raise SensorError(
                "unsafe_files", f"{path} must be root's alone: chown root, then chmod 600"
            )
        lines = file.read(_MAX_HEADER).decode("latin-1").splitlines()
    name, _, value = lines[0].partition(":") if lines else ("", "", "")
    if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value.strip()):
        raise SensorError(
            "feed_failed", f"the first line of {path} is not `Name: value`, such as `Auth-Key: …`"
        )
    origin_line = lines[1].strip() if lines[1:] else ""
    if not origin_line:
        raise SensorError(
            "feed_failed",
            f"the second line of {path} has to say which server may get it, such as https://lists.example/",
        )
    return Header(name, value.strip(), origin_line)


def is_public(file: BinaryIO) -> bool:
    """Return whether everybody on this host may read an open file: only then may a listing quote it.

    It is asked of what is open, since whoever owns a link may have it lead elsewhere by now.
    """
    try:
        real = Path(f"/proc/self/fd/{file.fileno()}").readlink()
        return bool(os.fstat(file.fileno()).st_mode & stat.S_IROTH) and all(
            each.stat().st_mode & stat.S_IXOTH for each in real.parents
        )
    except OSError:
        return False
