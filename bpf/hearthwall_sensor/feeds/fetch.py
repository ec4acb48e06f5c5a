"""Getting a list from a file or over HTTP, whole or not at all, and only if it has changed."""

import asyncio
import io
import os
import stat
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import urljoin

from .. import __version__
from ..protocol import SensorError
from . import source as sources
from .source import Header

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_REDIRECTS: Final = 5
TIMEOUT: Final = 60.0
_CONNECT_TIMEOUT: Final = 15.0

_GZIP: Final = b"\x1f\x8b"
#: A packed file may be several in a row; taking each off costs a copy of what follows.
_MAX_MEMBERS: Final = 100
_WEB_PAGES: Final = (b"<!doctype html", b"<html")
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_NOT_MODIFIED: Final = 304
#: Header of an answer → header of the next question.
_VALIDATORS: Final[Mapping[str, str]] = {
    "ETag": "If-None-Match",
    "Last-Modified": "If-Modified-Since",
}
_MAX_VALIDATOR: Final = 512

#: What the server's status means for whoever ordered the list.
_STATUS: Final[Mapping[int, str]] = {
    401: "the server wants a key (401): put it as `Name: value` into a file and name that with --header-file",
    403: "the server refuses the list (403): it may want a key (--header-file), or be asked too often",
    404: "there is no list at this address (404): look up its new one",
    410: "the list is no longer published (410): remove the feed",
    429: "the server is asked too often (429): choose a longer --interval",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A list that has changed, and what tells next time whether it has again."""

    body: BinaryIO
    validators: dict[str, str]
    may_be_quoted: bool = True
    """Whether lines of it may be shown: those of a file that only root reads may not."""


def fetch(
    source: str,
    header_file: str | None,
    validators: Mapping[str, str],
    seconds: float = TIMEOUT,
    may_reach: Callable[[str], bool] | None = None,
) -> Fetched | None:
    """Return a list, or None if it is as it was; raises SensorError with a sentence that says what to do.

    may_reach says of an address whether it may be asked; it is, of each that a name leads to.
    """
    path = sources.path_of(source)
    if path is not None:
        return _read_file(path, validators)
    header = None if header_file is None else sources.read_header(Path(header_file))
    return asyncio.run(_download(source, header, validators, seconds, may_reach))


def _failed(message: str) -> SensorError:
    """Return the error of a list that could not be had."""
    return SensorError("feed_failed", message)


def _too_large() -> SensorError:
    """Return the error of a list that is too large."""
    return _failed(f"the list is larger than {MAX_BYTES >> 20} MB: choose a smaller one")


def _read_file(path: Path, validators: Mapping[str, str]) -> Fetched | None:
    """Read a local file."""
    with sources.open_file(path) as file:
        said = os.fstat(file.fileno())
        if not stat.S_ISREG(said.st_mode):
            raise _failed(f"{path} is no file")
        found = {"file": f"{said.st_ino} {said.st_mtime_ns} {said.st_size}"}
        if found == dict(validators):
            return None
        return Fetched(_unpacked(file.read(MAX_BYTES + 1)), found, sources.is_public(file))


async def _download(
    source: str,
    header: Header | None,
    validators: Mapping[str, str],
    seconds: float,
    may_reach: Callable[[str], bool] | None,
) -> Fetched | None:
    """Get a list over HTTP."""
    # Takes its time to import, and a list in a file does not need it
    import aiohttp

    from .resolving import connector

    try:
        async with (
            asyncio.timeout(seconds),
            aiohttp.ClientSession(
                connector=None if may_reach is None else connector(may_reach),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT),
            ) as session,
        ):
            return await _follow(session, source, header, validators, may_reach)
    except TimeoutError as error:
        raise _failed(f"the list did not arrive within {seconds:.0f} s") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise _failed(
            f"{error.host} is not who it says it is: its certificate is refused"
        ) from error
    except aiohttp.ClientConnectorError as error:
        raise _failed(
            f"{error.host} can't be reached ({error.strerror or 'no connection'})"
        ) from error
    except aiohttp.ClientPayloadError as error:
        raise _failed("the list was cut off on the way") from error
    except (aiohttp.ClientError, ValueError) as error:
        # An error's own words may hold the address with its key
        raise _failed(f"the server's answer makes no sense ({type(error).__name__})") from error


async def _follow(
    session: "ClientSession",
    source: str,
    header: Header | None,
    validators: Mapping[str, str],
    may_reach: Callable[[str], bool] | None,
) -> Fetched | None:
    """Ask for a list, and where the server says that it is elsewhere, there."""
    address = source
    first = sources.parse_url(source)
    for _ in range(MAX_REDIRECTS + 1):
        url = sources.parse_url(address)
        if may_reach is not None:
            sources.check_host(url, may_reach)
        headers = {"User-Agent": f"hearthwall/{__version__}", "Accept-Encoding": "gzip"}
        headers |= {
            question: validators[answer]
            for answer, question in _VALIDATORS.items()
            if answer in validators
        }
        if header is not None and sources.origin(url) == sources.origin(first):
            _check_origin(header, address)
            headers[header.name] = header.value
        async with session.get(address, headers=headers, allow_redirects=False) as response:
            if response.status not in _REDIRECTS:
                return await _take(response, has_header=header is not None)
            address = _redirected(address, response.headers.get("Location", ""))
    raise _failed(f"the server sends from one address to the next, more than {MAX_REDIRECTS} times")


def _check_origin(header: Header, address: str) -> None:
    """Raise SensorError unless a header may go to an address."""
    if not sources.may_carry_secret(sources.parse_url(address)):
        raise _failed("a header is a secret, so it is sent to https:// addresses only")
    if sources.origin(sources.parse_url(header.origin)) != sources.origin(
        sources.parse_url(address)
    ):
        raise _failed("the header's file says that it is for another server")


def _redirected(before: str, location: str) -> str:
    """Return where the server sends; raises SensorError for where no list should lead."""
    address = urljoin(before, location)
    try:
        old, new = sources.parse_url(before), sources.parse_url(address)
    except SensorError as error:
        raise _failed("the server sends to an address that makes no sense") from error
    if old.scheme == "https" and new.scheme == "http":
        raise _failed(
            f"the server sends from https:// to http:// ({new.hostname}), which is refused"
        )
    if sources.is_inside(new) and not sources.is_inside(old):
        raise _failed(f"the server sends into this home ({new.hostname}), which is refused")
    return address


async def _take(response: "ClientResponse", *, has_header: bool) -> Fetched | None:
    """Return what the server answered."""
    status = response.status
    if status == _NOT_MODIFIED:
        return None
    if status != 200:
        if has_header and status in (401, 403):
            raise _failed(f"the server refused the key in the header's file ({status})")
        if status >= 500:
            raise _failed(f"the server has trouble ({status}); it is asked again later")
        raise _failed(_STATUS.get(status, f"the server answered {status} instead of the list"))
    if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", "gzip", ""):
        raise _failed("the server packs the list in a way that it was not asked for")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            raise _too_large()
    found = {name: response.headers.get(name, "") for name in _VALIDATORS}
    kept = {name: text for name, text in found.items() if 0 < len(text) <= _MAX_VALIDATOR}
    return Fetched(_unpacked(bytes(body)), kept)


def _unpacked(body: bytes) -> BinaryIO:
    """Return a list's text, unpacked where it is packed; raises SensorError."""
    parts: list[bytes] = []
    room = MAX_BYTES
    rest = body if body.startswith(_GZIP) else b""
    while rest:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            parts.append(unpacker.decompress(rest, room + 1))
        except zlib.error as error:
            raise _failed("the list is packed, and damaged") from error
        room -= len(parts[-1])
        if room < 0:
            raise _too_large()
        if not unpacker.eof or len(parts) > _MAX_MEMBERS:
            raise _failed("the list was cut off on the way")
        rest = unpacker.unused_data
    text = b"".join(parts) if body.startswith(_GZIP) else body
    if len(text) > MAX_BYTES:
        raise _too_large()
    if text.lstrip()[:64].lower().startswith(_WEB_PAGES):
        raise _failed(
            "there is a web page at this address, not a list: look for the link to the file"
        )
    if not text.strip():
        raise _failed("the list is empty")
    return io.BytesIO(text)
