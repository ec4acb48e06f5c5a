"""A connection to a sensor: on a unix socket of this host, or over TLS to another host."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.json import json_loads

from .bpf.hearthwall_sensor import pairing_client
from .bpf.hearthwall_sensor.client import Client, Endpoint, unix_session
from .bpf.hearthwall_sensor.protocol import HOME_ASSISTANT, Hello, Role, SensorError, Status
from .const import CONF_FINGERPRINT, CONF_SOCKET


@asynccontextmanager
async def connected(hass: HomeAssistant, data: Mapping[str, Any]) -> AsyncIterator[Client]:
    """Yield a client that speaks with the sensor that an entry's data names; raises SensorError."""
    if CONF_HOST in data:
        # The certificate is the sensor's own: its fingerprint is checked in place of who signed it.
        session = async_get_clientsession(hass)
        async with _speaking(_client(session, _endpoint(data))) as client:
            yield client
        return
    # A session of Home Assistant's cannot be used here: its connections lead to hosts, not to sockets.
    async with (
        unix_session(data[CONF_SOCKET]) as session,
        _speaking(_client(session)) as client,
    ):
        yield client


async def probe(hass: HomeAssistant, data: Mapping[str, Any]) -> tuple[Hello, Status]:
    """Return who the sensor is and how it fares; raises SensorError."""
    async with connected(hass, data) as client:
        status = await client.status()
        if client.hello is None:  # pragma: no cover, a client that is connected has heard it
            raise SensorError("invalid_message")
        return client.hello, status


async def pair(hass: HomeAssistant, host: str, port: int, code: str) -> dict[str, Any]:
    """Return an entry's data for a sensor on another host that shows a code; raises SensorError."""
    given = await pairing_client.pair(async_get_clientsession(hass), host, port, code)
    return {
        CONF_HOST: host,
        CONF_PORT: port,
        CONF_TOKEN: given.token,
        CONF_FINGERPRINT: given.fingerprint,
    }


def guarded_interfaces(status: Status, role: Role) -> list[str]:
    """Return what a sensor guards on a side, as it was told to: a bridge stands for its ports."""
    return sorted({each.bridge or each.name for each in status.interfaces if each.role == role})


@asynccontextmanager
async def _speaking(client: Client) -> AsyncIterator[Client]:
    """Yield a client while it is connected."""
    await client.connect()
    try:
        yield client
    finally:
        await client.close()


def _client(session: ClientSession, endpoint: Endpoint | None = None) -> Client:
    """Return a client that reads JSON as Home Assistant does, which is faster than the standard library."""
    return Client(session, name=HOME_ASSISTANT, endpoint=endpoint, loads=json_loads)


def _endpoint(data: Mapping[str, Any]) -> Endpoint:
    """Return where an entry's sensor is."""
    return Endpoint(
        data[CONF_HOST],
        data[CONF_PORT],
        data[CONF_TOKEN],
        bytes.fromhex(data[CONF_FINGERPRINT]),
    )
