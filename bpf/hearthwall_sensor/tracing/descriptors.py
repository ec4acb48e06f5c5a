"""Where another process's socket leads, by its descriptor: the kernel's programs see no more of it than its number."""

from typing import Final, NamedTuple

from ..processes import looks


class Ends(NamedTuple):
    """A socket's addresses."""

    address: str | None
    """None for one that is none of the internet's."""
    port: int
    peer: str | None
    """None for one that is not connected."""
    peer_port: int


#: What a socket is that has no ports.
OTHER: Final = Ends(None, 0, None, 0)


def ends(pid: int, fd: int) -> Ends | None:
    """Return the addresses of a process's socket; None where it has gone, OTHER where it is none of the internet's.

    That is how it is now: a descriptor that was closed meanwhile may be another socket's.
    """
    try:
        if fd < 0 or not looks.link("file", pid, fd).startswith("socket:"):
            return None  # nothing is opened here whose closing does something
        address, port, peer, peer_port = looks.link("ends", pid, fd).split(" ")
    except OSError:
        return None
    return Ends(_plain(address), int(port), _plain(peer), int(peer_port))


def _plain(address: str) -> str | None:
    """Return an address without its zone, one of IPv4 as such."""
    return None if address == "-" else address.partition("%")[0].removeprefix("::ffff:")
