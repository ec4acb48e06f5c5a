"""A connection to a syslog server over TCP or TLS, that knows what the server's kernel has acknowledged."""

import asyncio
import fcntl
import socket
import ssl
import struct
import termios
from collections.abc import Sequence
from typing import Final

from .sink import SinkError
from .tls import Trust, reason

_CONNECT_WITHIN: Final = 20.0
#: A server whose host acknowledges nothing, and answers nothing, for so long (seconds) is gone.
_GIVE_UP_AFTER: Final = 30.0
#: Seconds between looks at what is unacknowledged: the first, and the longest.
_LOOK: Final = 0.002
_LONGEST_LOOK: Final = 0.2
_ESTABLISHED: Final = 1
#: A new connection counts only once it has stood for so long (seconds): a server that wants another certificate of ours
#: says so after the handshake, of TLS 1.3 and of servers that look at it themselves; and a proxy takes connections
#: before it knows whether there is a server.
_PROBATION: Final = 1.0
#: It is longer where the server is slow or far away: so many times as long as it took to connect, and at most so long.
_ROUNDS: Final = 2
_LONGEST_PROBATION: Final = 5.0


class Stream:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection that stands; `connect` makes one."""
        self._writer = writer
        self._socket: socket.socket = writer.get_extra_info("socket")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        self._end = asyncio.ensure_future(_until_end(reader))

    @classmethod
    async def connect(cls, host: str, port: int, trust: Trust | None) -> "Stream":
        """Connect, and see that the server keeps the connection; raises OSError and SinkError.

        With TLS nothing is sent before the server has shown who it is.
        """
        began = asyncio.get_running_loop().time()
        context = None if trust is None else await asyncio.to_thread(trust.context)
        name = None if trust is None else trust.server_name or host
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                reader, writer = await asyncio.open_connection(
                    host, port, ssl=context, server_hostname=name
                )
        except TimeoutError:
            raise SinkError("the server does not answer") from None
        except ssl.SSLError as error:
            raise SinkError(reason(error)) from error
        stream = cls(reader, writer)
        try:
            await stream._prove_itself(_ROUNDS * (asyncio.get_running_loop().time() - began))
        except BaseException:
            stream.close()
            raise
        return stream

    async def _prove_itself(self, seconds: float) -> None:
        """Return when the server has had the time to refuse us; raises SinkError if it did."""
        probation = min(max(seconds, _PROBATION), _LONGEST_PROBATION)
        await asyncio.wait({self._end}, timeout=probation)
        self._check()

    def write(self, messages: Sequence[bytes]) -> None:
        """Begin to send messages, with their lengths before them; raises OSError and SinkError."""
        self._check()
        self._writer.write(b"".join(b"%d %b" % (len(each), each) for each in messages))

    async def acknowledged(self) -> None:
        """Return when the server's kernel has all that was written; raises OSError and SinkError.

        However long a server does not read: to end that connection would lose what its kernel holds for it.
        """
        loop = asyncio.get_running_loop()
        pause, before, since, quiet = _LOOK, -1, loop.time(), 0
        while quiet < 2:  # between two looks TLS may hand on more
            await asyncio.sleep(pause)
            self._check()
            left = self._unacknowledged()
            if left != before:
                before, since = left, loop.time()
            elif left and loop.time() - since > _GIVE_UP_AFTER and self._is_unanswered():
                raise SinkError("the server does not answer any more")
            quiet = quiet + 1 if left == 0 else 0
            pause = _LOOK if quiet else min(2 * pause, _LONGEST_LOOK)

    def _check(self) -> None:
        """Raise SinkError for a connection that has ended, also if only the server's side has."""
        has_ended = self._end.done()
        why = self._end.result() if has_ended and not self._end.cancelled() else None
        if has_ended or self._writer.is_closing() or self._info()[0] != _ESTABLISHED:
            raise SinkError("the server closed the connection" + (f": {why}" if why else ""))

    def _is_unanswered(self) -> bool:
        """Return whether the server's host is silent, and not just full of what the server does not read."""
        _, _, retransmits, probes = self._info()
        return retransmits > 0 or probes > 1

    def _info(self) -> bytes:
        """Return the connection's state, and how often what was sent, or asked while it is full, was not answered."""
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 4)

    def _unacknowledged(self) -> int:
        """Return how many bytes the server's kernel does not have yet."""
        waiting = self._writer.transport.get_write_buffer_size()
        answer = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4))
        return int(waiting + struct.unpack("i", answer)[0])

    def close(self) -> None:
        """End the connection; what is not acknowledged is sent again over another one."""
        self._end.cancel()
        self._writer.close()
        # One that does not read would keep us waiting for a goodbye.
        asyncio.get_running_loop().call_later(1.0, self._writer.transport.abort)


async def _until_end(reader: asyncio.StreamReader) -> str | None:
    """Return when the server has ended the connection, and why if it said so; nothing else is for us to read."""
    try:
        while await reader.read(4096):
            pass
    except OSError as error:
        return reason(error)
    return None
