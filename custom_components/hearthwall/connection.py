"""A connection to a sensor on a unix socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .bpf.hearthwall_sensor.client import Client, unix_session
from .bpf.hearthwall_sensor.protocol import Role, Status
from .const import CLIENT_NAME


@asynccontextmanager
async def connected(socket: str) -> AsyncIterator[Client]:
    """Yield a client that speaks with the sensor on this socket; raises SensorError.

    A session of Home Assistant's cannot be used: its connections lead to hosts, not to sockets.
    """
    async with unix_session(socket) as session:
        client = Client(session, name=CLIENT_NAME)
        await client.connect()
        try:
            yield client
        finally:
            await client.close()


async def fetch_status(socket: str) -> Status:
    """Return how the sensor on this socket fares; raises SensorError."""
    async with connected(socket) as client:
        return await client.status()


def guarded_interfaces(status: Status, role: Role) -> list[str]:
    """Return what a sensor guards on a side, as it was told to: a bridge stands for its ports."""
    return sorted({each.bridge or each.name for each in status.interfaces if each.role == role})
