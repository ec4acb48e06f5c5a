"""Being a host of the lab for a while: sockets that are made then are that host's."""

import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Iterator

import aiohttp

from hearthwall_sensor.client import Client, Endpoint
from lab import Lab


@contextlib.contextmanager
def inside(lab: Lab, host: str) -> Iterator[None]:
    """Be on a host, with all sockets that are made from here."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(lab.netns(host), os.O_RDONLY)
    try:
        os.setns(there, os.CLONE_NEWNET)
        yield
    finally:
        os.setns(before, os.CLONE_NEWNET)
        os.close(before)
        os.close(there)


@contextlib.asynccontextmanager
async def talking(lab: Lab, host: str, endpoint: Endpoint) -> AsyncIterator[Client]:
    """Yield a client on a host that is connected to a sensor elsewhere; raises SensorError."""
    with inside(lab, host):
        async with aiohttp.ClientSession() as session:
            client = Client(session, name="test", endpoint=endpoint)
            await client.connect()
            try:
                yield client
            finally:
                await client.close()


def trusting(**limits: ssl.TLSVersion) -> ssl.SSLContext:
    """Return what speaks TLS with anybody, as an attacker does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, version in limits.items():
        setattr(context, name, version)
    return context
