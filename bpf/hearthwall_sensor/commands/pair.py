"""The command that lets a client on another host in by a code, and shows what becomes of it."""

import argparse
import asyncio
import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, get_args

from ..protocol import PairedRole, SensorError
from ..requests import MAX_MINUTES, Pair
from ..words.cells import clean
from .command import Command, Options, converse, whole
from .remote import MAY, not_reached, reached
from .typed import typed

if TYPE_CHECKING:
    from ..client import Client

#: What is said of each thing that may happen to a code.
_SENTENCES: Final = {
    "wrong_code": "Somebody at {address} tried a wrong code. {left} more and this one ends.",
    "code_burnt": "Wrong codes were tried too often, last from {address}: this code does not hold any more. If it"
    " was not you who mistyped it, somebody in the home is guessing.",
    "interfered": "The right code came from {address}, but with another certificate than this sensor's: somebody"
    " stands between both and passes on what they say. This code does not hold any more, and no token was given.",
    "lost": "The code was right, but the other side went away before it had its token, which was taken back.",
    "expired": "Nobody came in time: this code does not hold any more.",
    "replaced": "Another `pair` was started: this code does not hold any more.",
    "paired": "Paired: {name} at {address} may now {may}. `{revoke}` takes that back.",
}
#: How each end is told to a script.
_ENDS: Final = {
    "code_burnt": "code_burnt",
    "interfered": "interfered",
    "lost": "unreachable",
    "expired": "timeout",
    "replaced": "no_code",
}


async def _pair(client: "Client", options: Options) -> Any:
    """Show a code, wait for whoever types it, and tell what happens."""
    status = await client.status()
    if (why := not_reached(status, options.socket)) is not None:
        raise SensorError("missing_capability", why)
    happened: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    offered = await client.pair(
        Pair(options.role, options.name, options.minutes), happened.put_nowait
    )
    listening, addresses = reached(status)
    port = None if listening is None else listening[1]
    offered |= {"addresses": addresses, "port": port}
    _tell(options, offered, _shown(offered))
    closed = asyncio.ensure_future(client.wait_closed())
    while True:
        news = asyncio.ensure_future(happened.get())
        await asyncio.wait({closed, news}, return_when=asyncio.FIRST_COMPLETED)
        if not news.done():
            news.cancel()
            raise SensorError("not_running", "the sensor has ended, and the code with it")
        said = news.result()
        sentence = _sentence(said, offered, options.socket)
        if said["what"] in _ENDS:
            closed.cancel()
            raise SensorError(_ENDS[said["what"]], sentence)
        _tell(options, said, sentence)
        if said["what"] == "paired":
            closed.cancel()
            return None


def _tell(options: Options, document: dict[str, Any], text: str) -> None:
    """Print one thing at once."""
    print(json.dumps(document) if options.json else text, flush=True)


def _sentence(news: dict[str, Any], offered: dict[str, Any], socket: str) -> str:
    """Return what happened, in words."""
    said = {
        "name": repr(offered["name"]),
        "may": MAY[offered["role"]],
        "revoke": typed(socket, ("token", offered["name"], "--revoke")),
    }
    return clean(_SENTENCES[news["what"]].format(**(news | said)))


def _shown(offered: dict[str, Any]) -> str:
    """Return the code, and what to do with it."""
    until = datetime.fromtimestamp(offered["expires"]).astimezone()
    place = {"Address": " or ".join(offered["addresses"]), "Port": offered["port"]}
    asked = "\n".join(f"  {name:<9}{value}" for name, value in place.items() if value)
    return "\n".join(
        (
            "In Home Assistant: Settings, Devices & services. Choose Hearthwall among what was found there, or Add",
            "integration, Hearthwall, another host, and type:",
            "",
            f"{asked}\n  {'Code':<9}{offered['code']}",
            "",
            f"It holds until {until:%H:%M:%S}, once. Whoever types it may {MAY[offered['role']]}.",
            "Waiting. Ctrl-C ends the code." if sys.stdout.isatty() else "Waiting.",
        )
    )


def _run(options: Options) -> Any:
    """Pair, as root."""
    from .. import privileges

    privileges.require_root("pair")
    return converse(_pair)(options)


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `pair` takes."""
    parser.add_argument(
        "--role",
        choices=get_args(PairedRole),
        default="operate",
        help="what the other side may: give orders (default), or read only",
    )
    parser.add_argument(
        "--name",
        metavar="NAME",
        help="whom it is for, as `token --list` shows it (default: Home Assistant)",
    )
    parser.add_argument(
        "--minutes",
        metavar="N",
        type=whole(1, MAX_MINUTES),
        default=5,
        help="how long the code holds (default 5)",
    )
    parser.epilog = (
        "The code is in the running sensor's memory only. It holds once, for some minutes, until five wrong ones"
        " were tried, and not after this command has ended."
    )


COMMANDS: Final = {
    "pair": Command(
        "let a Home Assistant on another host in by a code that is typed there",
        _run,
        str,
        _arguments,
    )
}
