"""What to tell people of a sensor that is a service of this host, and of any other where there is no service."""

import os
import pwd
from pathlib import Path
from typing import Any, Final

from ..installation.places import CONFIG, GROUP, PACKAGED, PROGRAM, UNIT
from ..protocol import DEFAULT_SOCKET, SensorError

_SERVICE: Final = UNIT.removesuffix(".service")
#: The units that systemd starts it by: of `install`, and of Debian's package.
_UNITS: Final = (Path("/etc/systemd/system", UNIT), Path("/usr/lib/systemd/system", UNIT))
_ENDPOINT: Final = "192.168.1.1:8447"


def _settings(name: str) -> Any:
    """Return one of the service's settings, None where they can't be read, as by whoever is not root."""
    from .. import settings

    try:
        return getattr(settings.read(str(CONFIG), {}), name)
    except SensorError:
        return None


def is_installed() -> bool:
    """Return whether the sensor is a service of this host."""
    return any(each.exists() for each in _UNITS)


def how_to_start(socket: str) -> str:
    """Return what to do where no sensor listens on a socket."""
    if not is_installed() or socket != DEFAULT_SOCKET:
        return "start one with `run --interface br-lan`"
    named = _settings("socket") or socket
    if named != socket:
        return f"{CONFIG} names another one: say --socket {named}"
    return f"`systemctl status {_SERVICE}` says why, `sudo systemctl start {_SERVICE}` starts it"


def how_to_be_let_in() -> str:
    """Return what lets a user talk to the sensor."""
    if not is_installed():
        return "start the sensor with `run --group` and a group that this user is in"
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # one of another system, such as a container's
        user = "NAME"
    if PACKAGED.is_dir():
        return f"`sudo adduser {user} {GROUP}` lets this user talk to it after the next log-in"
    return f"`sudo {PROGRAM} install --user {user}` lets this user talk to it after the next log-in"


def how_to_restart() -> str:
    """Return what has the sensor begin anew."""
    return (
        f"sudo systemctl restart {_SERVICE}" if is_installed() else "end `run` and start it again"
    )


def how_to_be_reached() -> str:
    """Return what to do where the sensor is to listen for other hosts and they can't reach it."""
    if not is_installed():
        return "it listens once that is mended; another address is `run --listen ADDRESS:PORT`"
    return (
        f"it listens once that is mended; another address is listen in {CONFIG}, and then say"
        f" sudo systemctl restart {_SERVICE}"
    )


def how_to_listen() -> str:
    """Return what has the sensor listen for other hosts."""
    if not is_installed():
        return f"start it with `run --listen ADDRESS:PORT`, such as --listen {_ENDPOINT}"
    if _settings("listen") is not None:
        return f"{CONFIG} says where, so `systemctl status {_SERVICE}` says why not, or it waits to be restarted"
    return (
        f'write listen = "{_ENDPOINT}", with this gateway\'s address, into {CONFIG} above the first [[sink]], and say'
        f" sudo systemctl restart {_SERVICE}"
    )
