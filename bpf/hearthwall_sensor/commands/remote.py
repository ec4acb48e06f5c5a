"""The commands for other hosts: who may talk to the sensor from there, and how it says where it is."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, get_args

from ..protocol import DEFAULT_STATE_DIR, REMOTE_ACCESS, SensorError, Status, TokenRole
from ..requests import GetStatus
from ..words.cells import clean, table
from .command import Command, Options, ask
from .service import how_to_be_reached, how_to_listen, how_to_start, is_installed

#: What whoever has a token may, by its role.
MAY: Final = {
    "operate": "see everything and give orders",
    "read": "see everything, and give no orders",
    "metrics": "read /metrics, and nothing else",
}
#: Whom a token is for, where that is not a Home Assistant.
_FOR: Final = {
    "metrics": "For Prometheus, which reads the token from a file and asks for the certificate (`certificate`):"
}
_FOR_HOME_ASSISTANT: Final = (
    "In Home Assistant: Settings, Devices & services, Add integration, Hearthwall, another host:"
)


def _run(options: Options) -> Any:
    """Make, list or revoke."""
    from .. import privileges
    from ..remote import tokens

    privileges.require_root("token")
    state = state_folder(options)
    if options.list:
        return {"tokens": [_shown(each) for each in tokens.listed(state)]}
    if options.name is None:
        raise SensorError("invalid_message", "say whom the token is for, or --list")
    if options.revoke:
        return {"revoked": _shown(tokens.revoke(state, options.name))}
    return _make(options, state)


def _make(options: Options, state: Path) -> dict[str, Any]:
    """Return a new token, with all else that Home Assistant asks for."""
    from .. import files
    from ..remote import certificate, tokens

    status = require_sensor(options, state)
    files.private_folder(state)
    fingerprint = certificate.fingerprint(certificate.ensure(state))
    listening, addresses = (None, []) if status is None else reached(status)
    return {
        "name": options.name,
        "role": options.role,
        "token": tokens.create(state, options.name, options.role),
        "addresses": addresses,
        "port": None if listening is None else listening[1],
        "fingerprint": fingerprint,
        "not_reached": not_reached(status, options.socket),
    }


def state_folder(options: Options) -> Path:
    """Return the state folder that is said, that of the sensor that was started here, or the usual one."""
    from ..kernel.pins import Pins

    if options.state_dir is not None:
        return Path(options.state_dir)
    return Pins(options.socket).state or Path(DEFAULT_STATE_DIR)


def require_sensor(options: Options, state: Path) -> Status | None:
    """Return how the running sensor fares, None where one is installed or was; raises SensorError `not_running`.

    Nothing is to be made where no sensor is: nobody would use it, or know that it lies there.
    """
    from ..remote.sensor_id import ID_FILE

    try:
        return Status.from_wire(ask(lambda _: GetStatus())(options))
    except SensorError as error:
        if is_installed() or (state / ID_FILE).exists():
            return None
        raise SensorError(
            "not_running",
            f"there is no sensor on this host, neither on {options.socket} nor in {state};"
            f" {how_to_start(options.socket)}",
        ) from error


def not_reached(status: Status | None, socket: str) -> str | None:
    """Return why other hosts don't reach a sensor, and what to do about it; None if they do."""
    if status is None:
        return f"no sensor listens on {socket}; {how_to_start(socket)}"
    if status.listening is not None:
        return None
    if REMOTE_ACCESS in status.missing:
        return f"{status.missing[REMOTE_ACCESS]}; {how_to_be_reached()}"
    return f"the sensor does not listen for other hosts: {how_to_listen()}"


def reached(status: Status) -> tuple[tuple[str, int] | None, list[str]]:
    """Return where a sensor listens and the addresses that the home reaches it by, if it does."""
    from ..network import topology
    from ..remote.remote import reached_by
    from ..settings import parse_endpoint

    if status.listening is None:
        return None, []
    listening = parse_endpoint(status.listening)
    guarded = [each.name for each in status.interfaces if each.role == "lan"]
    return listening, reached_by(listening[0], topology.read(), guarded)


def _shown(token: Any) -> dict[str, Any]:
    """Return what is told of a token: its hash is nobody's business."""
    return {key: value for key, value in asdict(token).items() if key != "sha256"}


def _show(result: dict[str, Any]) -> str:
    """Show what was done."""
    from ..words.amounts import ago

    if "tokens" in result:
        rows = [
            (clean(each["name"]), each["role"], ago(each["created"])) for each in result["tokens"]
        ]
        return table(("name", "role", "made"), rows) if rows else "There is no token."
    if "revoked" in result:
        return f"{clean(result['revoked']['name'])}: revoked. Who is connected by it is cut off."
    said = {
        "Address": " or ".join(result["addresses"]),
        "Port": result["port"],
        "Token": result["token"],
        "Fingerprint": result["fingerprint"],
    }
    asked = "\n".join(f"  {name:<13}{value}" for name, value in said.items() if value)
    return "\n".join(
        (
            _FOR.get(result["role"], _FOR_HOME_ASSISTANT),
            "",
            asked,
            "",
            f"Whoever shows the token may {MAY[result['role']]}. It is not shown again.",
            *_yet(result["not_reached"]),
        )
    )


def _yet(why: str | None) -> list[str]:
    """Return what is still to be done until other hosts reach the sensor."""
    return [] if why is None else [clean(f"That leads nowhere yet: {why}.")]


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `token` takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="whom the token is for")
    parser.add_argument(
        "--list", action="store_true", help="list the tokens, which can't be read back"
    )
    parser.add_argument(
        "--revoke", action="store_true", help="take it back, and cut off who is connected by it"
    )
    parser.add_argument(
        "--role",
        choices=get_args(TokenRole),
        default="operate",
        help="what it lets its client do: give orders (default), read only, or read nothing but metrics",
    )
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        help="the sensor's state folder (default: that of the sensor on this socket)",
    )


def _announce(_: Options) -> Any:
    """Say by mDNS where the sensor is: what `run --listen` has a child do."""
    from ..remote.announcement import run

    run()


COMMANDS: Final = {
    "token": Command(
        "make a token for a Home Assistant on another host, list or revoke them",
        _run,
        _show,
        _arguments,
    ),
    "announce": Command("say by mDNS where the sensor is (run --listen does this)", _announce, str),
}
