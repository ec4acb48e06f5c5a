"""An event as a message of RFC 5424, in which no text from outside can end an element, a line or the message."""

from datetime import UTC, datetime
from typing import Final

from .. import __version__
from ..patterns.words import printable
from ..protocol import Event
from .ecs import Flat, Origin, flat, written
from .facts import PRIORITIES, facts

#: By RFC 5424.
FACILITIES: Final = {"user": 1, "daemon": 3, "auth": 4, "syslog": 5, "authpriv": 10} | {
    f"local{number}": 16 + number for number in range(8)
}

#: Hearthwall has no number of IANA's for private enterprises: this one is for examples (RFC 5612).
SD_ID: Final = "hearthwall@32473"
_BOM: Final = b"\xef\xbb\xbf"
#: Characters of a fact, and bytes that are left for the sentence however many facts there are.
_LONGEST_VALUE: Final = 255
_LEAST_TEXT: Final = 80
#: Every receiver takes so much (RFC 5424).
LEAST_BYTES: Final = 480
_ORIGIN: Final = f'[origin software="hearthwall" swVersion="{__version__[:32]}"]'


def message(event: Event, origin: Origin, *, facility: int, is_ecs: bool, most: int) -> bytes:
    """Return an event's message within so many bytes: what there is no room for is cut, and said."""
    fields = flat(event, origin)
    priority = facility * 8 + PRIORITIES[event.severity]
    head = f"<{priority}>1 {_time(event)} {_host(origin.host)} hearthwall - {_word(event.kind)} "
    start = head.encode("ascii")
    if is_ecs:
        return start + b"- " + written(fields, most - len(start) - 2)
    return _text(start, fields, most)


def _text(start: bytes, fields: Flat, most: int) -> bytes:
    """Return a message with facts as structured data and a sentence for people."""
    text = fields["message"].encode("utf-8")
    if not text.isascii():
        text = _BOM + text
    params = [
        f' {fact.param}="{_value(value)}"'.encode("utf-8", "replace")
        for fact, value in facts(fields)
    ]
    whole = _joined(start, params, text)
    if len(whole) <= most:
        return whole
    cut = b' cut="true"'
    while len(_joined(start, [*params, cut], text[:_LEAST_TEXT])) > most and params:
        params.pop()
    room = most - len(_joined(start, [*params, cut], b""))
    kept = text[:room].decode("utf-8", "ignore").encode()
    return _joined(start, [*params, cut], kept)


def _joined(start: bytes, params: list[bytes], text: bytes) -> bytes:
    """Return a message of its parts."""
    data = b"[" + SD_ID.encode() + b"".join(params) + b"]" + _ORIGIN.encode()
    return start + data + b" " + text


def _time(event: Event) -> str:
    """Return an event's time as RFC 3339 has it."""
    when = datetime.fromtimestamp(event.time, UTC).isoformat(timespec="milliseconds")
    return when.replace("+00:00", "Z")


def _host(name: str) -> str:
    """Return a host's name as a header's field."""
    return _word(name, 255)


def _word(text: str, most: int = 32) -> str:
    """Return a header's field: what prints in ASCII, without spaces."""
    return "".join(each for each in text if "!" <= each <= "~")[:most] or "-"


def _value(text: str) -> str:
    """Return a value between quotes: whatever is no letter is written as such, and three signs have a backslash."""
    said = printable(text)[:_LONGEST_VALUE]
    for sign in ("\\", '"', "]"):
        said = said.replace(sign, f"\\{sign}")
    return said
