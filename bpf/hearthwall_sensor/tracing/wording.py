"""Numbers of system calls as words: errors, families and types of sockets, flags, requests."""

import errno
import os
import socket
from typing import Final

#: What the kernel says to itself: it begins again, or would have.
_RESTARTS: Final = {
    512: "ERESTARTSYS",
    513: "ERESTARTNOINTR",
    514: "ERESTARTNOHAND",
    516: "ERESTART_RESTARTBLOCK",
}
_FAMILIES: Final = {
    int(value): name.removeprefix("AF_").lower()
    for name, value in sorted(vars(socket).items())
    if name.startswith("AF_")
} | {44: "xdp", 38: "alg", 17: "packet"}
_TYPES: Final = {
    1: "stream",
    2: "dgram",
    3: "raw",
    4: "rdm",
    5: "seqpacket",
    6: "dccp",
    10: "packet",
}
_TYPE_BITS: Final = 15
_FLAGS: Final = {
    value: name
    for name in ("O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND", "O_NOFOLLOW", "O_TMPFILE")
    if (value := getattr(os, name, 0))
}
_ACCESS: Final = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR")
_REQUESTS: Final = {
    0: "traceme",
    1: "peektext",
    2: "peekdata",
    3: "peekuser",
    4: "poketext",
    5: "pokedata",
    6: "pokeuser",
    7: "cont",
    8: "kill",
    9: "singlestep",
    12: "getregs",
    13: "setregs",
    16: "attach",
    17: "detach",
    24: "syscall",
    0x4200: "setoptions",
    0x4204: "getregset",
    0x4205: "setregset",
    0x4206: "seize",
    0x4207: "interrupt",
    0x4208: "listen",
}


def error(result: int) -> str | None:
    """Return the name of what went wrong, None where nothing did."""
    if result >= 0:
        return None
    return errno.errorcode.get(-result) or _RESTARTS.get(-result) or f"error {-result}"


def sort_of_socket(family: int, kind: int, protocol: int) -> str:
    """Return what a socket is asked to be, such as `inet stream`."""
    words = [_FAMILIES.get(family, f"family {family}")]
    words.append(_TYPES.get(kind & _TYPE_BITS, f"type {kind & _TYPE_BITS}"))
    if protocol:
        words.append(f"protocol {protocol}")
    return " ".join(words)


def flags(value: int) -> str:
    """Return how a file is opened."""
    if not value:
        return "rename"
    return "|".join(
        (_ACCESS[value & 3], *(name for bit, name in _FLAGS.items() if value & bit == bit))
    )


def request(number: int) -> str:
    """Return what ptrace is asked to do."""
    return _REQUESTS.get(number, f"request {number}")
