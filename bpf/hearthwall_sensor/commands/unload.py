"""The command that takes a sensor out of the kernel, with its help or without it."""

import argparse
import contextlib
from typing import Any, Final

from ..protocol import DEFAULT_SOCKET, SensorError
from ..requests import Unload
from . import display
from .command import Command, Options, ask


def _run(options: Options) -> Any:
    """Take everything out of the kernel, with the running sensors' help or without it."""
    from .. import privileges
    from ..kernel import pins
    from ..unloading import require_anything

    privileges.require_root("unload")
    if options.all:
        return [unload_one(each, forget=options.forget) for each in pins.loaded()]
    socket = options.socket if options.config is None else socket_of(options.config, options.socket)
    if socket == DEFAULT_SOCKET:
        require_anything(pins.Pins(socket))
    return [unload_one(socket, forget=options.forget)]


def socket_of(config: str, otherwise: str) -> str:
    """Return the socket that a settings' file names; one that can't be read says nothing."""
    from .. import settings

    with contextlib.suppress(SensorError):
        return settings.read(config, {}).socket
    return otherwise


def unload_one(socket: str, *, forget: bool) -> dict[str, Any]:
    """Take out what one sensor left; one that still runs is asked, and does it as it ends."""
    from ..kernel.pins import Pins, loaded
    from ..rules.rules import RULES_FILE
    from ..server import claimed
    from ..unloading import unload

    own = Pins(socket)
    found, state = own.path.is_dir(), own.state
    rules = None if state is None else state / RULES_FILE
    had_rules = rules is not None and rules.exists()
    try:
        ask(lambda _: Unload(forget=forget))(argparse.Namespace(socket=socket))
    except SensorError as error:
        if error.code != "not_running":
            raise
    with claimed(socket, wait=10.0):
        unload(own, forget=forget)
    return {
        "socket": socket,
        "found": found,
        "rules_kept": str(rules) if rules is not None and rules.exists() else None,
        "rules_forgotten": had_rules and rules is not None and not rules.exists(),
        "others": loaded(),
    }


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `unload` takes."""
    parser.add_argument(
        "--forget",
        action="store_true",
        help="forget rules and feeds too; else the next run puts them back",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="of the sensor that has these settings, whichever socket they say",
    )
    parser.add_argument("--all", action="store_true", help="of every sensor on this host")


COMMANDS: Final = {
    "unload": Command("take everything out of the kernel", _run, display.unloaded, _arguments)
}
