"""The group whose members may talk to the sensor, by the tools that every Debian has for that."""

import subprocess
from pathlib import Path

from ..protocol import SensorError
from . import placing
from .places import GROUP, Places


def members(places: Places) -> list[str] | None:
    """Return who is listed in the group, None where there is no such group."""
    for line in _lines(places, "group"):
        name, _, rest = line.partition(":")
        if name == GROUP:
            return [each for each in rest.rpartition(":")[2].split(",") if each]
    return None


def name_of(places: Places, user: str) -> str:
    """Return the name of a user who is given by it or by number; raises SensorError `not_found`."""
    for line in _lines(places, "passwd"):
        name, _, number, *_ = (*line.split(":"), "", "")
        if name and user in (name, number):
            return name
    raise SensorError("not_found", f"there is no user {user!r} on this host")


def _lines(places: Places, name: str) -> list[str]:
    """Return the lines of a file of accounts, in which people's names may be in any encoding."""
    content = placing.content(places.within(Path("/etc", name)))
    return [] if content is None else content.split("\n")


def make(places: Places) -> None:
    """Make the group; raises SensorError `storage_failed`."""
    _run("groupadd", *_prefix(places), "--system", GROUP)


def remove(places: Places) -> None:
    """Remove the group; raises SensorError `storage_failed`."""
    _run("groupdel", *_prefix(places), GROUP)


def join(places: Places, user: str) -> None:
    """Have a user join the group; raises SensorError `storage_failed`."""
    _run("usermod", *_prefix(places), "--append", "--groups", GROUP, user)


def leave(places: Places, user: str) -> None:
    """Have a user leave the group; raises SensorError `storage_failed`."""
    root = () if places.is_this_host else ("--root", str(places.root))
    _run("gpasswd", *root, "--delete", user, GROUP)


def _prefix(places: Places) -> tuple[str, ...]:
    """Return what has a tool change another system's files."""
    return () if places.is_this_host else ("--prefix", str(places.root))


def _run(tool: str, *words: str) -> None:
    """Run one of shadow's tools; raises SensorError `storage_failed` with what it said."""
    try:
        done = subprocess.run([tool, *words], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SensorError(
            "missing_capability", f"there is no {tool}: apt-get install passwd"
        ) from error
    if done.returncode != 0:
        raise SensorError("storage_failed", f"{tool} failed: {done.stderr.strip()[-300:]}")
