"""What is learnt of this host's programs: which of them talked, listened, opened raw sockets or began a shell."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..observations import Bound, Called, Connected, Executed
from ..processes.image import PROGRAM, Image

#: Whose profile all of this is: the gateway's. It began when the first process was seen.
GATEWAY: Final = PROGRAM
#: Each facet of that profile, and how many values of it are kept.
FACETS: Final[Mapping[str, int]] = {
    "talker": 1024,  # /usr/bin/curl, once it called the internet
    "listener": 1024,  # tcp/8080 /usr/bin/python3.11
    "raw": 256,  # /usr/bin/ping, once it opened a raw or packet socket
    "shell": 512,  # /usr/sbin/nginx nginx.service, once it began a shell
}
#: Programs that have a profile of their own, as devices have; invented ones push out each other.
MAX_PROGRAMS: Final = 256
SHELLS: Final = frozenset(
    ("ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "rbash", "sh", "tcsh", "zsh")
)
_IN_CONTAINER: Final = re.compile(r"(.*)@([0-9a-f]{12})", re.ASCII | re.DOTALL)
_AF_PACKET: Final = 17
_SOCK_RAW: Final = 3
#: Of socket()'s type; the other bits are flags.
_TYPE: Final = 0xF


def is_program(who: str) -> bool:
    """Return whether somebody is a program of this host."""
    return who.startswith(PROGRAM)


def container_of(process: str) -> tuple[str, str | None]:
    """Return a program's path, and its container's id if it is in one."""
    match = _IN_CONTAINER.fullmatch(process)
    return (process, None) if match is None else (match[1], match[2])


def name_of(path: str) -> str:
    """Return the last part of a path."""
    return path.rpartition("/")[2]


def lasting(image: Image) -> str:
    """Return what a program is known by for good: a container has another id each time that it is made."""
    return image.executable if image.container is None else f"{image.executable}@*"


def is_raw(called: Called) -> bool:
    """Return whether a raw or packet socket was opened."""
    is_raw_kind = called.number == _AF_PACKET or called.detail & _TYPE == _SOCK_RAW
    return called.call == "socket" and is_raw_kind


def _executed(executed: Executed) -> tuple[str, str] | None:
    """Return who began a shell, and in which unit."""
    image = executed.image
    if image.parent is None or name_of(image.executable) not in SHELLS:
        return None
    return "shell", f"{lasting(image.parent)} {image.unit or ''}".rstrip()


def _connected(connected: Connected) -> tuple[str, str] | None:
    """Return who called the internet."""
    is_call = connected.is_outgoing and connected.scope == "internet"
    return ("talker", lasting(connected.image)) if is_call else None


def _bound(bound: Bound) -> tuple[str, str] | None:
    """Return who listens on what."""
    return "listener", f"{bound.service} {lasting(bound.image)}"


def _called(called: Called) -> tuple[str, str] | None:
    """Return who opened a raw socket."""
    return ("raw", lasting(called.image)) if is_raw(called) else None


_TRAITS: Final[Mapping[type[Any], Callable[[Any], tuple[str, str] | None]]] = {
    Executed: _executed,
    Connected: _connected,
    Bound: _bound,
    Called: _called,
}


def trait(observation: Any) -> tuple[str, str] | None:
    """Return the facet and the value that an observation of a process tells of, None for nothing."""
    read = _TRAITS.get(type(observation))
    return None if read is None else read(observation)
