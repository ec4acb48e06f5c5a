"""The command that takes a sensor out of the kernel, with its help or without it."""

import argparse
import contextlib
from pathlib import Path
from typing import Any, Final

from ..protocol import DEFAULT_SOCKET, DEFAULT_STATE_DIR, SensorError
from ..requests import Unload
from . import display
from .command import Command, Options, ask

#: How long a sensor may take to end once it was asked to, in seconds.
_PATIENCE: Final = 10.0


def _run(options: Options) -> Any:
    """Take everything out of the kernel, with the running sensors' help or without it."""
    from .. import privileges
    from ..kernel import pins
    from ..unloading import require_anything

    privileges.require_root("unload")
    if options.all:
        return unload_all(forget=options.forget)
    sockets = (
        [options.socket] if options.config is None else sockets_of(options.config, options.socket)
    )
    if sockets == [DEFAULT_SOCKET]:
        require_anything(pins.Pins(DEFAULT_SOCKET))
    return [unload_one(each, forget=options.forget) for each in sockets]


def sockets_of(config: str, otherwise: str) -> list[str]:
    """Return the socket that a settings' file names.

    One with a mistake names none. Then the kernel tells which sensors have the usual state: it is theirs, and whoever
    is cut off must not be told that all is well. Raises SensorError `invalid_message` where only others are there.
    """
    from .. import settings
    from ..kernel import pins

    try:
        return [settings.read(config, {}).socket]
    except SensorError as error:
        sockets = pins.loaded()
        found = [each for each in sockets if pins.Pins(each).state == Path(DEFAULT_STATE_DIR)]
        if sockets and not found and Path(config).exists():
            raise SensorError(
                "invalid_message",
                f"{error.message}. So it is not known whether its sensor is that of {', '.join(sockets)}: mend"
                " the settings, or move them away",
            ) from error
    return found or [otherwise]


def unload_all(*, forget: bool) -> list[dict[str, Any]]:
    """Take out what every sensor left, also those that nobody knows any more."""
    from ..kernel import pins
    from ..unloading import state_of, unload_orphans

    sockets = pins.loaded()
    usual = pins.Pins(DEFAULT_SOCKET)
    if usual.socket not in sockets and state_of(usual) is not None:
        sockets.append(usual.socket)
    done = [unload_one(each, forget=forget) for each in sockets]
    if interfaces := unload_orphans():
        done.append(_done(None, found=True, interfaces=interfaces))
    return done


def _done(socket: str | None, **what: Any) -> dict[str, Any]:
    """Return what is told of one sensor that was taken out, None for one whose socket is not known."""
    from ..kernel.pins import loaded

    told = {"found": False, "interfaces": [], "killed": None}
    told |= {"rules_kept": None, "rules_forgotten": False}
    return {"socket": socket, **told, **what, "others": loaded()}


def unload_one(socket: str, *, forget: bool) -> dict[str, Any]:
    """Take out what one sensor left.

    One that still runs is asked, and does it as it ends; one that does not answer is killed.
    """
    from .. import holding
    from ..kernel.pins import Pins
    from ..rules.rules import RULES_FILE
    from ..server import claimed
    from ..unloading import state_of, unload

    own = Pins(socket)
    found, state = own.path.is_dir(), state_of(own)
    rules = None if state is None else state / RULES_FILE
    had_rules = rules is not None and rules.exists()
    wait, killed = _PATIENCE, None
    try:
        ask(lambda _: Unload(forget=forget))(argparse.Namespace(socket=socket))
    except SensorError as error:
        if error.code not in ("not_running", "timeout"):
            raise
        wait = 0.0 if error.code == "timeout" else _PATIENCE
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(claimed(socket, wait=wait))
        except SensorError as error:
            if error.code != "already_running":
                raise
            killed = holding.kill(socket)
            stack.enter_context(claimed(socket, wait=_PATIENCE))
        interfaces = unload(own, forget=forget)
    return _done(
        socket,
        found=found or bool(interfaces),
        interfaces=interfaces,
        killed=killed,
        rules_kept=str(rules) if rules is not None and rules.exists() else None,
        rules_forgotten=had_rules and rules is not None and not rules.exists(),
    )


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
