"""Makes a port of this host lead to Home Assistant, which lives in the gateway's network namespace."""

import asyncio
import contextlib
import os
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from demo.errors import DemoError

LOOPBACK: Final = "127.0.0.1"
HOME_ASSISTANT_PORT: Final = 8123
#: How many ports are tried, from the one that was asked for on.
ATTEMPTS: Final = 50
CHUNK: Final = 64 * 1024


def listen(port: int) -> socket.socket:
    """Take the port, or the next one that is free."""
    for number in range(port, min(port + ATTEMPTS, 65536)):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, number))
            listener.listen()
        except OSError:
            listener.close()
        else:
            return listener
    raise DemoError(f"No port from {port} on is free: name another with --port.")


class Relay:
    """A thread of its own, because a thread can be in another network namespace than its process.

    The listener is made before the thread moves, so that it stays on this host; every connection
    onward is made after, so that it begins on the gateway.
    """

    def __init__(self, port: int, namespace: Path) -> None:
        self._listener = listen(port)
        self.port: int = self._listener.getsockname()[1]
        self._namespace = namespace
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="relay")

    def __enter__(self) -> Self:
        """Begin to relay."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection, and leave the namespace."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with self._namespace.open("rb") as namespace:
            os.setns(namespace.fileno(), os.CLONE_NEWNET)
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(_relay, sock=self._listener)
        await self._stop.wait()
        server.close()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass one connection on, until either side has closed it. A refused one ends at once."""
    with contextlib.closing(writer), contextlib.suppress(OSError):
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, HOME_ASSISTANT_PORT)
        directions = [
            asyncio.create_task(_copy(reader, far_writer)),
            asyncio.create_task(_copy(far_reader, writer)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            far_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(CHUNK):
            writer.write(piece)
            await writer.drain()
