"""What `replay` counted, in words."""

from collections.abc import Mapping
from typing import Final

#: What is counted → one of it, and several. Packets, bytes and flows are told of beforehand.
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "cooked": ("packet captured on all interfaces", "packets captured on all interfaces"),
    "damaged": ("damage, behind which nothing was read", "damages"),
    "detectors_failed": (
        "observation that a detector failed at",
        "observations that a detector failed at",
    ),
    "devices_not_listed": ("device not listed", "devices not listed"),
    "events_too_many": ("event beyond those listed", "events beyond those listed"),
    "flows_not_listed": ("flow not listed", "flows not listed"),
    "flows_too_many_bytes": (
        "byte of flows beyond those kept",
        "bytes of flows beyond those kept",
    ),
    "flows_too_many_packets": (
        "packet of flows beyond those kept",
        "packets of flows beyond those kept",
    ),
    "large_blocks": ("block too large to be read", "blocks too large to be read"),
    "malformed_blocks": ("block that makes no sense", "blocks that make no sense"),
    "names_too_many": ("name beyond those kept", "names beyond those kept"),
    "not_ip": ("frame that is no IP", "frames that are no IP"),
    "samples": ("packet looked into", "packets looked into"),
    "too_short": ("packet too short to be one", "packets too short to be any"),
    "without_time": ("packet without a time", "packets without a time"),
}
_TOLD: Final = frozenset(("packets", "bytes", "flows"))
_LINK: Final = "link_type_"
_MALFORMED: Final = "malformed_"


def number(count: int, one: str, several: str) -> str:
    """Return how many there are of something."""
    return f"{count} {one if count == 1 else several}"


def sentence(counted: Mapping[str, int]) -> str:
    """Return all that was counted, an empty text for nothing."""
    told = [_part(name, count) for name, count in counted.items() if count and name not in _TOLD]
    return f"Counted: {'; '.join(told)}." if told else ""


def _part(name: str, count: int) -> str:
    """Return one count."""
    if name in _WORDS:
        return number(count, *_WORDS[name])
    if name.startswith(_LINK):
        kind = name.removeprefix(_LINK)
        what = f"of link type {kind}, which is not read"
        return number(count, f"packet {what}", f"packets {what}")
    if name.startswith(_MALFORMED):
        what = f"of {name.removeprefix(_MALFORMED)} that made no sense"
        return number(count, f"packet {what}", f"packets {what}")
    what = name.replace("_", " ")
    return number(count, what, what)
