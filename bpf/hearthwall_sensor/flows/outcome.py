"""What became of a TCP connection, by the flags that both ends sent."""

from typing import Final

from ..protocol import Outcome
from .flow import TCP_FIN, TCP_RST, TCP_SYN, UPLOAD, Counted

#: An answer may take so long, in nanoseconds.
_PATIENCE: Final = 3 * 10**9


def outcome(counted: Counted, now: int) -> Outcome:
    """Return a connection's outcome as of a time on the flow's own clock.

    It is closed where both ends have said that they are done, or one has and the other cut it short:
    many servers do that to a client that has said goodbye.
    """
    opener, other = counted.upload_flags, counted.download_flags
    answers = counted.download_packets
    if counted.opener != UPLOAD:
        opener, other, answers = other, opener, counted.upload_packets
    if opener & TCP_SYN and not other & TCP_SYN:
        if other & TCP_RST:
            return "refused"
        if not answers:
            return "no_answer" if now - counted.last > _PATIENCE else "open"
    both = opener | other
    if opener & other & TCP_FIN or (both & TCP_FIN and both & TCP_RST):
        return "closed"
    return "reset" if both & TCP_RST else "open"
