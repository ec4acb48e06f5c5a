"""DNS of the lab: answers for the names of its sites over UDP and TCP, and looks names up."""

import asyncio
import socket
from collections.abc import Mapping
from typing import Final

from dnslib import AAAA, CNAME, HTTPS, QTYPE, RCODE, RR, A, DNSError, DNSRecord

from lab import datagram, home

TTL: Final = 60
#: A device that is cut off loses all its packets: ask again soon, give up in time.
ATTEMPTS: Final = 3
ATTEMPT_SECONDS: Final = 1.0
#: A TCP client that says nothing is let go.
IDLE_SECONDS: Final = 30.0

#: Parameters of an HTTPS record (RFC 9460).
_ALPN, _IPV4_HINT, _IPV6_HINT = 1, 4, 6


def _records(site: home.Site) -> dict[str, A | AAAA | HTTPS]:
    """Return what the DNS knows of a site."""
    found: dict[str, A | AAAA | HTTPS] = {"A": A(site.ipv4), "AAAA": AAAA(site.ipv6)}
    if site.http3:
        ipv4, ipv6 = (address.packed for address in site.addresses)
        parameters = [(_ALPN, b"\x02h3\x02h2"), (_IPV4_HINT, ipv4), (_IPV6_HINT, ipv6)]
        found["HTTPS"] = HTTPS(1, [], parameters)
    return found


_RECORDS: Final[Mapping[str, Mapping[str, A | AAAA | HTTPS]]] = {
    name: _records(site) for site in home.SITES.values() for name in site.names
}


def answer(message: bytes) -> bytes | None:
    """Return the answer to a query; None for what is not one."""
    try:
        query = DNSRecord.parse(message)
    except DNSError:
        return None
    if query.header.qr or not query.questions:
        return None
    reply = query.reply()
    name = str(query.q.qname).rstrip(".").lower()
    kind = QTYPE[query.q.qtype]
    owner = query.q.qname
    if (canonical := home.ALIASES.get(name)) is not None:
        reply.add_answer(RR(owner, QTYPE.CNAME, ttl=TTL, rdata=CNAME(canonical)))
        name = owner = canonical
    if (records := _RECORDS.get(name)) is None:
        reply.header.rcode = RCODE.NXDOMAIN
    else:
        for record_kind, data in records.items():
            if kind in (record_kind, "ANY"):
                reply.add_answer(RR(owner, getattr(QTYPE, record_kind), ttl=TTL, rdata=data))
    return bytes(reply.pack())


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one query after the other; over TCP each message is preceded by its length."""
    try:
        while True:
            size = await asyncio.wait_for(reader.readexactly(2), IDLE_SECONDS)
            message = await asyncio.wait_for(
                reader.readexactly(int.from_bytes(size, "big")), IDLE_SECONDS
            )
            if (reply := answer(message)) is None:
                return
            writer.write(len(reply).to_bytes(2, "big") + reply)
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        return
    finally:
        writer.close()


async def start(address: str) -> None:
    """Serve on UDP and TCP."""
    await datagram.start(address, home.DNS_PORT, answer)
    await asyncio.start_server(_converse, address, home.DNS_PORT)


class _Client(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        if not self.reply.done():
            self.reply.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(exc)


async def _ask(query: DNSRecord, server: str) -> DNSRecord:
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(
        _Client, remote_addr=(server, home.DNS_PORT)
    )
    try:
        transport.sendto(query.pack())
        return DNSRecord.parse(await asyncio.wait_for(client.reply, ATTEMPT_SECONDS))
    finally:
        transport.close()


async def resolve(name: str, family: socket.AddressFamily) -> str:
    """Ask the lab's DNS, over the same family, for an address; OSError if there is none."""
    kind, server = ("AAAA", home.DNS.ipv6) if family == socket.AF_INET6 else ("A", home.DNS.ipv4)
    query = DNSRecord.question(name, kind)
    for _ in range(ATTEMPTS):
        try:
            reply = await _ask(query, server)
        except TimeoutError:
            continue
        for record in reply.rr:
            if QTYPE[record.rtype] == kind:
                return str(record.rdata)
        raise OSError(f"{name} has no {kind} record")
    raise OSError(f"{name}: the DNS does not answer")
