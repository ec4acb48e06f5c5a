"""DNS over TCP: the messages that samples of a connection complete."""

from collections import OrderedDict
from typing import Final

from ..dissect.dns import TcpMessages
from .flow import Sample

#: Directions of connections that are put together at one time; each holds one message at most.
_MAX_OPEN: Final = 128


class Streams:
    """The connections in which DNS is spoken."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: OrderedDict[tuple[bytes, int], TcpMessages] = OrderedDict()

    def take(self, sample: Sample) -> list[bytes] | None:
        """Return the messages that a sample completes, None where its connection speaks no DNS."""
        where = sample.key, sample.direction
        if sample.offset == 0:
            self._open.pop(where, None)  # a connection begun anew
        messages = self._open.pop(where, None) or TcpMessages()
        self._open[where] = messages
        if len(self._open) > _MAX_OPEN:
            self._open.popitem(last=False)
        return messages.feed(sample.offset, sample.data)
