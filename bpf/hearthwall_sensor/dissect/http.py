"""HTTP and what looks like it: whom a request is for, and what a UPnP description calls its device."""

import re
from typing import Final

from .startline import MAX_HEADERS, MAX_LINE, StartLine, header, start_line
from .written import host, text

#: So much of a response's body is looked through.
_MAX_BODY: Final = 4096
_MAX_NAME: Final = 64
_BEGINNING: Final = re.compile(
    rb"(?:GET|POST|PUT|HEAD|OPTIONS|DELETE|PATCH|CONNECT|TRACE|PRI|NOTIFY|M-SEARCH|(?:UN)?SUBSCRIBE|"
    rb"PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|"
    rb"DESCRIBE|SETUP|PLAY|PAUSE|TEARDOWN|ANNOUNCE|RECORD|[GS]ET_PARAMETER|"
    rb"REGISTER|INVITE|ACK|BYE|CANCEL|MESSAGE|REFER|PUBLISH) [!-~\x80-\xff]"
    rb"|(?:HTTP|RTSP|SIP)/[0-9]\.[0-9] "
)
_AUTHORITY: Final = re.compile(rb"(?i:http|ws)s?://([^/?#]*)")
_APPLICATIONS: Final = {"HTTP": "http", "RTSP": "rtsp", "SIP": "sip"}
_FRIENDLY: Final = re.compile(rb"<friendlyName>([^<]{1,256})</friendlyName>")
_FRIENDLY_SIZE: Final = 256 + 31
_ENTITY: Final = re.compile("&(?:#([0-9]{1,5})|#x([0-9A-Fa-f]{1,4})|(amp|lt|gt|quot|apos));")
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def begins(data: bytes) -> bool:
    """Return whether this may be the beginning of a request or a response."""
    return _BEGINNING.match(data) is not None


class Message:
    """A request or a response that comes in pieces: what it says so far."""

    __slots__ = (
        "_buffer",
        "_headers",
        "_is_tunnel",
        "_looked",
        "_start",
        "_type",
        "application",
        "ended",
        "friendly_name",
        "malformed",
        "name",
        "tunnel",
    )

    def __init__(self) -> None:
        """Begin with no byte of it."""
        self.application: str | None = None
        """http, rtsp or sip, once the first line was read."""
        self.name: str | None = None
        """Of the host that a request is for: the target's where that is a whole one, else the header's."""
        self.friendly_name: str | None = None
        """What a UPnP description calls its device."""
        self.ended = False
        """Whether there is nothing more to be learnt."""
        self.malformed = False
        self.tunnel: bytes | None = None
        """What follows on a CONNECT: the beginning of another conversation."""
        self._buffer = bytearray()
        self._looked = 0
        self._start: StartLine | None = None
        self._headers = 0
        self._type = b""
        self._is_tunnel = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._buffer += data
        while not self.ended and self._headers >= 0:
            end = self._buffer.find(b"\n", self._looked, MAX_LINE)
            if end < 0:
                self._looked = min(len(self._buffer), MAX_LINE)
                if self._looked == MAX_LINE:
                    self._end(malformed=True)
                return
            line = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            self._looked = 0
            self._take_line(line)
        if not self.ended:
            self._look_for_name(len(data))

    def _take_line(self, line: bytes) -> None:
        """Take the first line or a header."""
        if self._start is None:
            self._begin(line)
        elif line in (b"\r\n", b"\n"):
            self._end_headers()
        elif line[:1] not in b" \t":  # else the one before goes on
            self._headers += 1
            each = header(line)
            if each is None or self._headers > MAX_HEADERS:
                self._end(malformed=True)
            elif each[0] == b"host" and self.name is None and self._start.protocol == "HTTP":
                self.name = _host_of(each[1])
            elif each[0] == b"content-type":
                self._type = each[1].lower()

    def _begin(self, line: bytes) -> None:
        """Take the first line."""
        self._start = start = start_line(line)
        if start is None:
            self._end(malformed=True)
            return
        self.application = _APPLICATIONS[start.protocol]
        if start.protocol != "HTTP":
            self._end()
        elif start.method == b"CONNECT":
            self._is_tunnel = True
            self.name = _host_of(start.target or b"")
        elif found := _AUTHORITY.match(start.target or b""):
            self.name = _host_of(found[1])

    def _end_headers(self) -> None:
        """Go on to the body, if there is something to be learnt from it."""
        start = self._start
        if self._is_tunnel:
            self.tunnel = bytes(self._buffer)
        if start is None or start.status != 200 or (self._type and b"xml" not in self._type):
            self._end()
        self._headers = -1

    def _look_for_name(self, added: int) -> None:
        """Look for the device's name in what was added to the body."""
        del self._buffer[_MAX_BODY:]
        since = max(0, len(self._buffer) - added - _FRIENDLY_SIZE)
        if found := _FRIENDLY.search(self._buffer, since):
            self.friendly_name = text(_unescaped(found[1]), _MAX_NAME)
        if found or len(self._buffer) == _MAX_BODY:
            self._end()

    def _end(self, *, malformed: bool = False) -> None:
        """Let go of what was kept."""
        self.ended = True
        self.malformed = malformed
        self._buffer = bytearray()


def _host_of(authority: bytes) -> str | None:
    """Return the host's name in `user@host:port`, None for an address."""
    named = authority.rpartition(b"@")[2]
    return None if named[:1] == b"[" else host(named.partition(b":")[0])


def _unescaped(raw: bytes) -> bytes:
    """Return a text of XML with its entities replaced."""
    decoded = raw.decode("utf-8", "replace")
    return _ENTITY.sub(_character, decoded).encode("utf-8", "replace")


def _character(found: re.Match[str]) -> str:
    """Return the character that an entity stands for."""
    if found[3]:
        return _ENTITIES[found[3]]
    return chr(int(found[1])) if found[1] else chr(int(found[2], 16))
