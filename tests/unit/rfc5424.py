"""A strict reader of RFC 5424: what it takes, other receivers take; written after the RFC's grammar alone."""

import re
from dataclasses import dataclass

_NAME = r"[!#-<>-\\^-~]{1,32}"  # SD-NAME: no =, ], " nor space
_HEADER = re.compile(
    r"<(?P<priority>0|[1-9]\d{0,2})>1"
    r" (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d))"
    r" (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) (?P<process>[!-~]{1,128}) (?P<kind>[!-~]{1,32}) "
)
_ELEMENT = re.compile(rf"\[(?P<id>{_NAME})")
_PARAM = re.compile(rf' (?P<name>{_NAME})="(?P<value>(?:\\.|[^"\\\]])*)"', re.DOTALL)
_BOM = "\ufeff"


@dataclass(frozen=True)
class Message:
    """One message."""

    facility: int
    severity: int
    time: str
    host: str
    app: str
    kind: str
    data: dict[str, dict[str, str]]
    text: str


def parse(octets: bytes) -> Message:
    """Return what a message says; raises ValueError for one that breaks a rule."""
    said = octets.decode("utf-8")
    header = _HEADER.match(said)
    if header is None or int(header["priority"]) > 191:
        raise ValueError(f"no header: {said[:100]!r}")
    data, rest = _data(said[header.end() :])
    if rest and not rest.startswith(" "):
        raise ValueError(f"no space before the message: {rest[:40]!r}")
    text = rest[1:]
    if not text.isascii() and not text.startswith(_BOM):
        raise ValueError("a message in UTF-8 begins with a byte order mark")
    priority = int(header["priority"])
    return Message(
        *(priority // 8, priority % 8, header["time"], header["host"], header["app"]),
        *(header["kind"], data, text.removeprefix(_BOM)),
    )


def _data(said: str) -> tuple[dict[str, dict[str, str]], str]:
    """Return the elements of structured data, and what follows them."""
    if said.startswith("-"):
        return {}, said[1:]
    found: dict[str, dict[str, str]] = {}
    while element := _ELEMENT.match(said):
        said = said[element.end() :]
        params: dict[str, str] = {}
        while param := _PARAM.match(said):
            params[param["name"]] = re.sub(r'\\(["\\\]])', r"\1", param["value"])
            said = said[param.end() :]
        if not said.startswith("]") or element["id"] in found:
            raise ValueError(f"no end of an element: {said[:40]!r}")
        found[element["id"]] = params
        said = said[1:]
    if not found:
        raise ValueError(f"no structured data: {said[:40]!r}")
    return found, said
