"""SSDP: what UPnP devices announce, and what those that look for them say of themselves."""

from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from .startline import headers, start_line
from .written import text

_MAX_TEXT: Final = 512
_MAX_NAME: Final = 64
_METHODS: Final = (b"NOTIFY", b"M-SEARCH")
#: Headers that hold what a person calls the sender: UPnP's of control points, and LG's.
_NAMES: Final = (b"cpfn.upnp.org", b"dlnadevicename.lge.com")


class Announcement(NamedTuple):
    """What a message says of its sender; each None where it says nothing of it."""

    server: str | None
    """System, UPnP version and product; of a search, what the program calls itself."""
    location: str | None
    """Where the description of the device is."""
    usn: str | None
    """The unique name of the device or of one of its services."""
    friendly_name: str | None


def parse(data: bytes) -> Announcement | None:
    """Return what an announcement, a search or its answer says, None for what is none; never raises."""
    start = start_line(data)
    if start is None or start.protocol != "HTTP" or start.method not in (None, *_METHODS):
        return None
    found = headers(data[start.end :])
    if found is None:
        return None
    names = (unquote_to_bytes(found[each]) for each in _NAMES if each in found)
    return Announcement(
        _told(found.get(b"server") or found.get(b"user-agent")),
        _told(found.get(b"location")),
        _told(found.get(b"usn")),
        next((each for each in (text(raw, _MAX_NAME) for raw in names) if each), None),
    )


def _told(value: bytes | None) -> str | None:
    """Return a header's value as text."""
    return None if value is None else text(value[: 4 * _MAX_TEXT], _MAX_TEXT)
