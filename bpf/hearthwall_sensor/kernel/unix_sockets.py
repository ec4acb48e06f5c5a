"""Whose a unix socket is that listens, as the kernel tells without connecting to it (unix_diag)."""

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from typing import Final

_NETLINK_SOCK_DIAG: Final = 4
#: What asks, and each answer of a dump: SOCK_DIAG_BY_FAMILY.
_BY_FAMILY: Final = 20
_REQUEST_DUMP: Final = 0x301
_DONE: Final = (2, 3)  # NLMSG_ERROR, NLMSG_DONE
_HEADER: Final = struct.Struct("=IHHII")
#: `struct unix_diag_req`: family, protocol, states, inode, what to show, cookie.
_REQUEST: Final = struct.Struct("=BBxxIIIII")
_LISTENING: Final = 1 << 10
_SHOW_NAME_AND_UID: Final = 0x41
_NO_COOKIE: Final = 0xFFFFFFFF
#: `struct unix_diag_msg`, before the attributes.
_ANSWER_BYTES: Final = 16
_ATTRIBUTE: Final = struct.Struct("=HH")
_NAME: Final = 0
_UID: Final = 7
_UID_VALUE: Final = struct.Struct("=I")
_MESSAGE: Final = 1 << 16
_TIMEOUT: Final = 2.0


def listener_user(name: str) -> int | None:
    """Return the user whose socket listens under a name; None where there is none, or the kernel does not say."""
    with contextlib.suppress(OSError, struct.error):
        for attributes in _listening():
            if attributes.get(_NAME) == os.fsencode(name) and _UID in attributes:
                return int(_UID_VALUE.unpack(attributes[_UID])[0])
    return None


def _listening() -> Iterator[dict[int, bytes]]:
    """Yield what the kernel tells of each unix socket that listens in this network namespace; raises OSError."""
    asked = _REQUEST.pack(
        socket.AF_UNIX, 0, _LISTENING, 0, _SHOW_NAME_AND_UID, _NO_COOKIE, _NO_COOKIE
    )
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(_TIMEOUT)
        kernel.send(
            _HEADER.pack(_HEADER.size + len(asked), _BY_FAMILY, _REQUEST_DUMP, 1, 0) + asked
        )
        while True:
            for kind, body in _messages(kernel.recv(_MESSAGE)):
                if kind in _DONE:
                    return
                yield dict(_attributes(body[_ANSWER_BYTES:]))


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the messages of a datagram, by kind."""
    while len(data) >= _HEADER.size:
        length, kind, *_others = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : length]
        data = data[_aligned(max(length, _HEADER.size)) :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield a message's attributes."""
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        yield kind, data[_ATTRIBUTE.size : length]
        data = data[_aligned(max(length, _ATTRIBUTE.size)) :]


def _aligned(length: int) -> int:
    """Return where what follows begins."""
    return length + 3 & ~3
