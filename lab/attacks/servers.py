"""Whom the attacks' clients talk to, on one address: python3 -I servers.py ADDRESS CERTIFICATE KEY."""

import asyncio
import signal
import ssl
import sys
from collections.abc import Mapping
from typing import Final

IDLE_SECONDS: Final = 60.0

_NO: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"
#: Port → what is said at once, and what is answered to each message.
SERVERS: Final[Mapping[int, tuple[bytes, bytes]]] = {
    23: (b"\xff\xfd\x18\xff\xfb\x01\xff\xfb\x03\r\nBusyBox login: ", b"\r\nPassword: "),
    80: (b"", _NO),
    445: (
        b"",
        bytes.fromhex("00000080fe534d4240000100000000000000000001000000") + bytes(108),
    ),
    1080: (b"", b"\x05\x00"),
    3333: (b"", b'{"id":1,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}\n'),
    6667: (
        b":irc.herd.example NOTICE AUTH :*** Looking up your hostname\r\n",
        b":irc.herd.example 001 plug4711 :Welcome\r\n",
    ),
    6881: (b"", b"\x13BitTorrent protocol" + bytes(8) + b"h" * 20 + b"-qB4500-" + b"q" * 12),
    8080: (b"", _NO),
    8443: (b"", b'{"id":1,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}\n'),
}
TOR_PORT: Final = 9001


async def _serve(address: str, port: int, greeting: bytes, answer: bytes) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(greeting)
            while await asyncio.wait_for(reader.read(4096), IDLE_SECONDS):
                writer.write(answer)
                await writer.drain()
        except OSError:
            return
        finally:
            writer.close()

    await asyncio.start_server(converse, address, port)


async def _relay(address: str, context: ssl.SSLContext) -> None:
    """Serve what answers a greeting over TLS."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await asyncio.wait_for(reader.read(4096), IDLE_SECONDS):
                writer.write(b"\0\0\7\0\4\0\4\0\5")
        except OSError:
            return
        finally:
            writer.close()

    await asyncio.start_server(converse, address, TOR_PORT, ssl=context)


async def serve(address: str, certificate: str, key: str) -> None:
    """Serve until SIGTERM; prints a line when ready."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    for port, (greeting, answer) in SERVERS.items():
        await _serve(address, port, greeting, answer)
    await _relay(address, context)
    print("serving", flush=True)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
