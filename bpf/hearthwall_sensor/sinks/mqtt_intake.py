"""What an MQTT broker sends, looked at before paho takes it in: it keeps what it is sent, however much that is."""

import time
from collections.abc import Callable
from typing import Final

#: Longest packet that is taken in (bytes): orders that are longer than any can be are still answered.
LONGEST_PACKET: Final = 256 * 1024
#: Packets that are taken in at once, and then each second: more than acknowledgements of all that is published need.
BURST: Final = 1000
PER_SECOND: Final = 1000.0
#: So many bytes count as one packet more.
_BYTES: Final = 4096
#: Seconds between looks whether there is room again.
_PAUSE: Final = 0.02
#: Bytes of a length, of which each but the last has its first bit set.
_LONGEST_LENGTH: Final = 4
_PUBLISH: Final = 3
#: What a broker may answer a client that publishes and subscribes with QoS 1 at most: CONNACK, PUBLISH, PUBACK,
#: SUBACK and PINGRESP.
_EXPECTED: Final = frozenset((2, _PUBLISH, 4, 9, 13))


class Intake:
    """Follows the packets in a stream of bytes, and slows down whoever sends too many."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin before the first packet."""
        self._clock = clock
        self._sleep = sleep
        self._room = float(BURST)
        self._then = clock()
        #: What is left of a packet's body.
        self._left = 0
        #: What is there of a packet's head: its type, and its length as far as that has come.
        self._head: list[int] = []
        #: Why the connection was ended.
        self.problem: str | None = None

    def look(self, data: bytes) -> None:
        """Look at what came next; raises ConnectionAbortedError for what is not to be taken in."""
        at = 0
        while at < len(data):
            if self._left:
                passed = min(self._left, len(data) - at)
                self._left -= passed
                at += passed
                continue
            self._take(data[at])
            at += 1

    def _take(self, byte: int) -> None:
        """Take a byte of a packet's head."""
        self._head.append(byte)
        if len(self._head) == 1:
            self._judge(byte)
        elif byte < 0x80:
            self._left = sum(
                (each & 0x7F) << 7 * place for place, each in enumerate(self._head[1:])
            )
            self._head.clear()
            self._room -= self._left // _BYTES
            if self._left > LONGEST_PACKET:
                self._end("the broker sends a packet that is too long")
        elif len(self._head) > _LONGEST_LENGTH:
            self._end("the broker speaks no MQTT 3.1.1")

    def _judge(self, first: int) -> None:
        """Look at a packet's first byte, and wait for its turn."""
        kind, quality = first >> 4, first >> 1 & 3
        if kind not in _EXPECTED or (kind == _PUBLISH and quality > 1):
            self._end("the broker sends what nobody asked for")
        while not self._has_room():
            self._sleep(_PAUSE)

    def _has_room(self) -> bool:
        """Return whether one more packet may come now."""
        now = self._clock()
        self._room = min(float(BURST), self._room + (now - self._then) * PER_SECOND)
        self._then = now
        if self._room < 1:
            return False
        self._room -= 1
        return True

    def _end(self, why: str) -> None:
        """Raise ConnectionAbortedError."""
        self.problem = why
        raise ConnectionAbortedError(why)
