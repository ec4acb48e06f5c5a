"""The commands that put the sensor on this gateway, bring it up to date, and take it away."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..protocol import SensorError
from ..words.cells import clean
from .command import Command, Options
from .unload import sockets_of, unload_one

if TYPE_CHECKING:
    from ..installation.places import Places
    from ..installation.steps import Steps


def _root_argument(parser: argparse.ArgumentParser) -> None:
    """Declare what puts another system together."""
    parser.add_argument(
        "--root",
        metavar="DIR",
        type=Path,
        default=Path("/"),
        help="below this folder, in which a system is put together: nothing is started",
    )


def _install_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `install` takes."""
    parser.add_argument(
        "--interface",
        action="append",
        default=[],
        metavar="IF",
        help="what leads to the home; may be repeated (default: what `check` proposes)",
    )
    parser.add_argument(
        "--wan",
        action="append",
        default=[],
        metavar="IF",
        help="what leads to the internet, to be guarded against what comes from there; may be repeated",
    )
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        metavar="NAME",
        help="let this user talk to the sensor: Home Assistant's, if it is not root; may be repeated",
    )
    parser.add_argument("--no-start", action="store_true", help="do not start it yet")
    _root_argument(parser)


def _install(options: Options) -> Any:
    """Install."""
    from ..installation.install import Wishes, install
    from ..kernel.units import SOURCES

    wishes = Wishes(SOURCES, options.interface, options.wan, options.user, not options.no_start)
    with _begun("install", options) as (places, steps):
        runs = install(places, wishes, steps, _Kernel(places, options))
    return {
        "steps": steps.told,
        "said": "Installed: `sudo hearthwall-sensor status` shows how it fares."
        if runs
        else "Installed.",
    }


def _uninstall_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `uninstall` takes."""
    parser.add_argument(
        "--keep-state",
        action="store_true",
        help="keep the settings, and what was learnt and ordered, for a later installation",
    )
    _root_argument(parser)


def _uninstall(options: Options) -> Any:
    """Take the installation away."""
    from ..installation.uninstall import uninstall

    with _begun("uninstall", options) as (places, steps):
        was_there = uninstall(
            places, steps, _Kernel(places, options), keep_state=options.keep_state
        )
    return {"steps": steps.told, "said": "Uninstalled." if was_there else "Nothing was installed."}


class _Kernel:
    """What the installed sensor has in the kernel, whichever socket its settings say."""

    def __init__(self, places: "Places", options: Options) -> None:
        """Take where it is installed, and the socket that counts without settings."""
        self._config = str(places.config)
        self._usual = options.socket

    @property
    def guards(self) -> bool:
        """Whether anything of it is there; raises SensorError where that can't be told."""
        return bool(self._sockets())

    def unload(self) -> bool:
        """Take it out; return whether it was there. Raises SensorError."""
        from ..kernel.pins import root

        sockets = self._sockets()
        for each in sockets:
            unload_one(each, forget=False)
        with contextlib.suppress(OSError):  # another sensor's are in it, or there is none
            root().rmdir()
        return bool(sockets)

    def _sockets(self) -> list[str]:
        """Return the sockets of what is there."""
        from ..kernel.pins import Pins

        return [each for each in sockets_of(self._config, self._usual) if Pins(each).path.is_dir()]


def _upgrade_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `upgrade` takes."""
    parser.add_argument(
        "--back", action="store_true", help="go back to the version before, which is kept"
    )
    _root_argument(parser)


def _upgrade(options: Options) -> Any:
    """Bring the installation up to date, or take that back."""
    from ..installation import upgrade
    from ..kernel.units import SOURCES

    with _begun("upgrade", options) as (places, steps):
        if options.back:
            upgrade.back(places, steps)
        else:
            upgrade.upgrade(places, SOURCES, steps)
    return {"steps": steps.told, "said": "Gone back." if options.back else "Up to date."}


@contextlib.contextmanager
def _begun(name: str, options: Options) -> "Iterator[tuple[Places, Steps]]":
    """Yield where a command works, and whom it tells of each step; raises SensorError unless that is root's."""
    from .. import privileges
    from ..installation.lock import alone
    from ..installation.places import Places
    from ..installation.steps import Steps

    privileges.require_root(name)
    if not options.root.is_dir():
        raise SensorError("not_found", f"there is no folder {options.root}")

    def tell(sentence: str) -> None:
        if not options.json:
            print(f"- {clean(sentence)}", flush=True)

    places = Places(options.root.resolve())
    try:
        with alone(places, name), Steps(tell) as steps:
            yield places, steps
    except OSError as error:
        raise SensorError("storage_failed", f"{name} could not go on: {error}") from error


def _show(result: dict[str, Any]) -> str:
    """Show the end; the steps were told as they were done."""
    return str(result["said"])


COMMANDS: Final = {
    "install": Command(
        "put the sensor on this gateway: a copy, a unit, a group, settings",
        _install,
        _show,
        _install_arguments,
    ),
    "upgrade": Command(
        "put this version in the place of the installed one, or go back",
        _upgrade,
        _show,
        _upgrade_arguments,
    ),
    "uninstall": Command(
        "take the installed sensor away, and all that it left",
        _uninstall,
        _show,
        _uninstall_arguments,
    ),
}
