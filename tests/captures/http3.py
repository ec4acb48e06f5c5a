"""A server and a client for HTTP/3, in QUIC version 1 or 2; also with a hello too long for one packet."""

import argparse
import asyncio
import ssl

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, QuicEvent
from aioquic.quic.packet import QuicProtocolVersion

PORT = 443
VERSIONS = {1: QuicProtocolVersion.VERSION_1, 2: QuicProtocolVersion.VERSION_2}
PAGE = b"<title>HTTP/3</title><img src=https://web.lab.example/>"


class Http3(QuicConnectionProtocol):
    """Either end of a connection."""

    http: H3Connection | None = None
    answered: asyncio.Future[bytes] | None = None

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated) and self.http is None:
            self.http = H3Connection(self._quic)
        if self.http is not None:
            for each in self.http.handle_event(event):
                self.take(each)

    def take(self, event: H3Event) -> None:
        assert self.http is not None
        if self.answered is None and isinstance(event, HeadersReceived):
            stream = event.stream_id
            self.http.send_headers(stream, [(b":status", b"200"), (b"content-type", b"text/html")])
            self.http.send_data(stream, PAGE, end_stream=True)
            self.transmit()
        elif isinstance(event, DataReceived) and self.answered and not self.answered.done():
            self.answered.set_result(event.data)

    async def get(self, name: str) -> bytes:
        self.answered = asyncio.get_running_loop().create_future()
        self.http = self.http or H3Connection(self._quic)
        stream = self._quic.get_next_available_stream_id()
        head = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", name.encode())]
        self.http.send_headers(stream, [*head, (b":path", b"/")], end_stream=True)
        self.transmit()
        return await asyncio.wait_for(self.answered, 5)


async def _serve(options: argparse.Namespace) -> None:
    configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    configuration.load_cert_chain(options.certificate, options.key)
    for address in options.addresses:
        await serve(address, PORT, configuration=configuration, create_protocol=Http3)
    print("ready", flush=True)
    await asyncio.Event().wait()


async def _get(options: argparse.Namespace) -> None:
    await asyncio.gather(*(_get_one(*page.split(",")) for page in options.pages))


async def _get_one(address: str, name: str, version: str, length: str) -> None:
    """Fetch a page with so many protocols more in the hello that nobody speaks."""
    others = [f"no-protocol-of-this-name-{number:04}" for number in range(int(length))]
    configuration = QuicConfiguration(
        is_client=True,
        alpn_protocols=[*H3_ALPN, *others],
        server_name=name,
        verify_mode=ssl.CERT_NONE,
        original_version=VERSIONS[int(version)],
        supported_versions=[VERSIONS[int(version)]],
    )
    async with connect(
        address, PORT, configuration=configuration, create_protocol=Http3, wait_connected=True
    ) as client:
        assert isinstance(client, Http3)
        print((await client.get(name)).decode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    server = commands.add_parser("serve")
    for name in ("certificate", "key"):
        server.add_argument(name)
    server.add_argument("addresses", nargs="+")
    server.set_defaults(run=_serve)
    client = commands.add_parser("get")
    client.add_argument("pages", nargs="+", metavar="ADDRESS,NAME,VERSION,LENGTH")
    client.set_defaults(run=_get)
    options = parser.parse_args()
    asyncio.run(options.run(options))


if __name__ == "__main__":
    main()
