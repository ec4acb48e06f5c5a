"""In which systemd unit and which container a process is, by the text of its /proc/PID/cgroup."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from .masking import printable

#: More of the file is not looked at.
READ_BYTES: Final = 4096
_MOST_PARTS: Final = 64
_LONGEST_NAME: Final = 64
#: So much of a container's id is its name, as everywhere.
_ID_DIGITS: Final = 12


class Membership(NamedTuple):
    """Where a process belongs; None for nowhere."""

    unit: str | None = None
    container: str | None = None


_NOWHERE: Final = Membership()

#: The folders of a container, by one part of the path. What watches it (`conmon`, `lxc.monitor`) is outside.
_CONTAINERS: Final = (
    # Docker, Podman, containerd, CRI-O with systemd's cgroups; `/docker/<id>`, `/kubepods/…/<id>` without
    re.compile(
        r"(?:(?:docker|libpod|cri-containerd|crio|containerd|nerdctl)[-:])?([0-9a-f]{64})(?:\.scope)?"
    ),
    # containerd without systemd in the kubelet's folder
    re.compile(r".*:cri-containerd:([0-9a-f]{64})"),
    re.compile(r"lxc\.payload\.(.+)"),
)
#: …and by two: the folder, and the container's in it.
_IN_FOLDER: Final = (
    (re.compile(r"lxc|lxc\.payload"), re.compile(r"(.+)")),
    (re.compile(r"systemd-nspawn@(.+)\.service"), re.compile(r"payload")),
)
_UNIT: Final = re.compile(r"_?(.+\.(?:service|scope|socket|mount|swap))")
_MANAGER: Final = re.compile(r"user@\d+\.service")
_ESCAPE: Final = re.compile(r"\\x([2-7][0-9a-f])")


def membership(text: bytes) -> Membership:
    """Return the unit and the container that the file names; never raises."""
    path = _path(text[:READ_BYTES].decode("utf-8", "surrogateescape"))
    parts = [each for each in path.split("/")[: _MOST_PARTS + 1] if each not in {"", ".", ".."}]
    inside, container = _container(parts)
    return Membership(_unit(parts[inside:]), container)


def _path(text: str) -> str:
    """Return the path in cgroup v2, else in systemd's hierarchy of v1, else in any."""
    ways: dict[int, str] = {}
    for line in text.split("\n"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if path.strip("/"):
            rank = 0 if number == "0" else 1 if controllers == "name=systemd" else 2
            ways.setdefault(rank, path.removesuffix(" (deleted)"))
    return ways[min(ways)] if ways else ""


def _container(parts: Sequence[str]) -> tuple[int, str | None]:
    """Return where the inside of the outermost container begins, and its name: none can choose what is above it."""
    for at, part in enumerate(parts):
        for pattern in _CONTAINERS:
            if (found := pattern.fullmatch(part)) is not None:
                return at + 1, _name(found[1])
        if at + 1 == len(parts):
            continue
        for folder, pattern in _IN_FOLDER:
            outer, inner = folder.fullmatch(part), pattern.fullmatch(parts[at + 1])
            if outer is not None and inner is not None:
                return at + 2, _name((*outer.groups(), *inner.groups())[0])
    return 0, None


def _name(text: str) -> str:
    """Return a container's name: an id is cut to the digits that people know it by."""
    is_id = re.fullmatch(r"[0-9a-f]{64}", text) is not None
    return text[:_ID_DIGITS] if is_id else _unescaped(text)


def _unit(parts: Sequence[str]) -> str | None:
    """Return the unit: the outermost, but that of a user's own manager where it has none in it."""
    units = [found[1] for each in parts if (found := _UNIT.fullmatch(each)) is not None]
    if not units:
        return None
    own = units[1:2] if _MANAGER.fullmatch(units[0]) else []
    return _unescaped((own or units)[0])


def _unescaped(text: str) -> str:
    """Return a name with systemd's escapes undone, fit to be shown."""
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return printable(plain.encode("utf-8", "surrogateescape"), _LONGEST_NAME)
