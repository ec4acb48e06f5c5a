"""What a command of the command line is, and how it talks to the running sensor."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ERRORS
from ..protocol import SensorError
from ..requests import Request

if TYPE_CHECKING:
    from ..client import Client

Options = argparse.Namespace


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what it says of itself, its own arguments, what it does, and how that is shown to people."""

    description: str
    run: Callable[[Options], Any]
    """Returns what `--json` prints, None where it has printed all itself; raises SensorError."""
    show: Callable[[Any], str]
    arguments: Callable[[argparse.ArgumentParser], None] = lambda _: None


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a number of an option, and says which there are if it is none of them."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(
                f"{text[:40]!r} is no number from {least:,} to {most:,}"
            )
        return number

    return read


def ask(make: Callable[[Options], Request]) -> Callable[[Options], Any]:
    """Return what sends one request to the running sensor."""

    async def talk(client: "Client", options: Options) -> Any:
        return await client.call(make(options))

    return converse(talk)


def converse(talk: Callable[["Client", Options], Awaitable[Any]]) -> Callable[[Options], Any]:
    """Return what connects to the running sensor and talks to it."""
    return lambda options: explained(_connected(talk, options), options)


def explained(talk: Coroutine[Any, Any, Any], options: Options) -> Any:
    """Run a conversation with the sensor; where there is none, the error says how to start one."""
    from . import service

    try:
        return asyncio.run(talk)
    except SensorError as error:
        if error.message == ERRORS["not_running"]:  # not one that ended meanwhile
            raise SensorError(
                "not_running",
                f"no sensor listens on {options.socket}; {service.how_to_start(options.socket)}",
            ) from error
        if error.message == ERRORS["not_permitted"]:
            raise SensorError(
                "not_permitted",
                f"{error.message}: say sudo before the command; or {service.how_to_be_let_in()}",
            ) from error
        raise


async def _connected(talk: Callable[["Client", Options], Awaitable[Any]], options: Options) -> Any:
    """Talk over a connection of its own."""
    from ..client import Client, unix_session

    async with unix_session(options.socket) as session:
        client = Client(session, name="command line")
        await client.connect()
        try:
            return await talk(client, options)
        finally:
            await client.close()
