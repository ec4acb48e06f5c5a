"""Start lines and headers of HTTP and what looks like it: RTSP, SIP, SSDP."""

import re
from typing import Final, NamedTuple

#: A request line or a header longer than this is nobody's.
MAX_LINE: Final = 4096
MAX_HEADERS: Final = 100

_REQUEST: Final = re.compile(
    rb"([A-Z][A-Z_-]{1,19}) ([!-~\x80-\xff]+) (HTTP|RTSP|SIP)/[0-9]\.[0-9]\r?\n"
)
_RESPONSE: Final = re.compile(rb"(HTTP|RTSP|SIP)/[0-9]\.[0-9] ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")


class StartLine(NamedTuple):
    """The first line of a request, or of a response, which has neither method nor target."""

    protocol: str
    """HTTP, RTSP or SIP."""
    method: bytes | None
    target: bytes | None
    status: int | None
    end: int
    """Where the next line begins."""


def start_line(data: bytes) -> StartLine | None:
    """Return the start line at the beginning, None where there is none, or not yet all of it."""
    if found := _REQUEST.match(data, 0, MAX_LINE):
        return StartLine(found[3].decode(), found[1], found[2], None, found.end())
    if found := _RESPONSE.match(data, 0, MAX_LINE):
        return StartLine(found[1].decode(), None, None, int(found[2]), found.end())
    return None


def header(line: bytes) -> tuple[bytes, bytes] | None:
    """Return a header's name in lower case and its value, None for a line that is no header."""
    name, colon, value = line.partition(b":")
    name = name.strip().lower()
    if not colon or not name or b"\0" in line:
        return None
    return name, value.strip()


def headers(data: bytes) -> dict[bytes, bytes] | None:
    """Return the headers up to an empty line or the end, the first of each name; None where a line is none."""
    found: dict[bytes, bytes] = {}
    for line in data[:MAX_LINE].split(b"\n", MAX_HEADERS)[:MAX_HEADERS]:
        if line in (b"", b"\r"):
            break
        if line[:1] in b" \t":  # the one before goes on
            continue
        each = header(line)
        if each is None:
            return None
        found.setdefault(*each)
    return found
