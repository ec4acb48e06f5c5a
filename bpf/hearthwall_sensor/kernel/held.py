"""Kernel objects that this process keeps alive itself, where there is no bpffs to pin them in: in an app's container.

Each has a path, as if it were pinned, and an empty file there, so that folders are gone through in the one way. What
is held ends with the process. By then its programs are on interfaces, which keep them, and they their tables.
"""

import array
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

#: What lies below is held; in a container it is as new as the container.
FOLDER: Final = Path("/run/hearthwall/unpinned")
#: A message carries 253 descriptors at most (SCM_MAX_FD).
_AT_ONCE: Final = 128
_MESSAGE: Final = 1 << 16

#: The descriptors by their paths.
_held: dict[str, int] = {}


def is_held(path: str | Path) -> bool:
    """Return whether what has this path is held, and not pinned."""
    return Path(path).is_relative_to(FOLDER)


def hold(path: str, fd: int) -> None:
    """Keep an object alive under a path, by a descriptor of its own; raises FileExistsError, as bpffs does."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    if (before := _held.pop(path, None)) is not None:
        os.close(before)
    _held[path] = os.dup(fd)


def opened(path: str) -> int:
    """Return a new descriptor of what is held under a path; raises FileNotFoundError."""
    forget()
    if path not in _held:
        raise FileNotFoundError(f"{path} is not held by this process")
    return os.dup(_held[path])


def forget() -> None:
    """Let go of what has lost its file."""
    for path in [each for each in _held if not os.path.lexists(each)]:
        os.close(_held.pop(path))


# For and from the sensor's children


def descriptors(folder: str | Path) -> dict[str, int]:
    """Return what is held in a folder, by path: for a child that is to inherit it."""
    return {path: fd for path, fd in _held.items() if Path(path).parent == Path(folder)}


def inherit(descriptors_: Mapping[str, int]) -> None:
    """Take over what the parent holds, as its child."""
    _held.update(descriptors_)


def give(channel: socket.socket, objects: Mapping[str, int]) -> None:
    """Hand descriptors over to the parent, by name; raises OSError."""
    names = list(objects)
    for at in range(0, len(names), _AT_ONCE):
        some = names[at : at + _AT_ONCE]
        ancillary = array.array("i", [objects[each] for each in some])
        channel.sendmsg(
            [json.dumps(some).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, ancillary)]
        )


def take(channel: socket.socket, folder: str | Path) -> None:
    """Hold in a new folder what a child has handed over before it ended; raises OSError."""
    Path(folder).mkdir(0o700)
    while True:
        said, fds, _, _ = socket.recv_fds(channel, _MESSAGE, _AT_ONCE)
        if not said:
            return
        for name, fd in zip(json.loads(said), fds, strict=True):
            hold(f"{folder}/{name}", fd)
            os.close(fd)
