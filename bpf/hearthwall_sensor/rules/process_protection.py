"""Programs that no rule may cut off unless it is forced: the gateway, or its repair, depends on them."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ..program_paths import path_text
from ..protocol import SensorError
from ..targets import Target, path_of, pid_of
from ..trust import Trust
from .running import Host, Running

#: What makes this host a gateway, by the name of the executable, with what each does.
NEEDED: Final[Mapping[bytes, str]] = {
    b"systemd-networkd": "which gives this gateway its addresses",
    b"systemd-resolved": "which finds names for this gateway",
    b"NetworkManager": "which gives this gateway its addresses",
    b"connmand": "which gives this gateway its addresses",
    b"dhclient": "which gives this gateway its addresses",
    b"dhcpcd": "which gives this gateway its addresses",
    b"udhcpc": "which gives this gateway its addresses",
    b"pppd": "which connects this gateway to the internet",
    b"dnsmasq": "which gives the home its addresses and names",
    b"dhcpd": "which gives the home its addresses",
    b"kea-dhcp4": "which gives the home its addresses",
    b"kea-dhcp6": "which gives the home its addresses",
    b"odhcpd": "which gives the home its addresses",
    b"radvd": "which gives the home its addresses",
    b"unbound": "which finds names for the home",
    b"named": "which finds names for the home",
    b"hostapd": "which is the home's wireless network",
}
#: Of these, those with an open connection are how somebody is logged in.
LOGIN: Final = (b"sshd", b"sshd-session", b"dropbear")
HOME_ASSISTANT_PORT: Final = 8123
#: Where a name says what a program is: nobody but root puts a file there.
_SYSTEM: Final = (b"/usr/", b"/bin/", b"/sbin/", b"/lib/", b"/opt/")


class Needed(NamedTuple):
    """A process that is needed, and what it is."""

    process: Running
    why: str


class Seen(NamedTuple):
    """What runs on this host, and which of it is needed."""

    processes: Mapping[int, Running]
    needed: tuple[Needed, ...]


class ProcessProtection:
    """Knows which processes the gateway and its repair depend on."""

    def __init__(
        self,
        clients: Callable[[], Iterable[int]],
        host: Host | None = None,
        sensor: int | None = None,
    ) -> None:
        """Take who subscribes at the sensor's socket, what runs here, and the sensor's own number."""
        self._clients = clients
        self._host = host or Host()
        self._sensor = sensor or os.getpid()

    def look(self) -> Seen:
        """Return what runs now: it takes as long as there are processes, so it is for a thread."""
        processes = self._host.processes()
        return Seen(processes, tuple(self._needed(processes)))

    def _needed(self, processes: Mapping[int, Running]) -> Iterable[Needed]:
        """Yield the processes that are needed."""
        clients, sockets = set(self._clients()), self._host.sockets()
        listening = sockets.listening.get(HOME_ASSISTANT_PORT, frozenset())
        for process in processes.values():
            name = process.executable.rpartition(b"/")[2]
            if process.pid == self._sensor:
                yield Needed(process, "Hearthwall's own")
            elif process.pid == 1:
                yield Needed(process, "the first process")
            elif process.pid in clients:
                yield Needed(process, "connected to Hearthwall, as Home Assistant is")
            elif listening and self._host.holds_any(process.pid, listening):
                yield Needed(process, f"what listens on port {HOME_ASSISTANT_PORT}: Home Assistant")
            elif name in LOGIN and self._host.holds_any(process.pid, sockets.established):
                yield Needed(process, "how somebody is logged in here")
            elif name in NEEDED and _is_of_the_system(process.executable):
                yield Needed(process, f"{name.decode()}, {NEEDED[name]}")

    def check(self, target: Target, seen: Seen, *, children: bool, force: bool) -> None:
        """Raise SensorError `protected_target` if a rule on a target would hold a process that is needed, with why.

        force overrides this, but for the sensor itself, which the kernel would leave out anyway.
        """
        if target.kind == "pid" and pid_of(target) == self._sensor:
            raise SensorError(
                "protected_target",
                f"process {self._sensor} is Hearthwall's own: nothing overrides this",
            )
        if force:
            return
        held = _held(target, seen.processes)
        if children:
            held = _with_children(held, seen.processes)
        for needed in seen.needed:
            if needed.process.pid in held or self._is_about(target, needed.process):
                raise SensorError("protected_target", _refusal(target, needed))
        name = path_of(target).rpartition(b"/")[2] if target.kind == "exe" else b""
        if name in NEEDED and _is_of_the_system(path_of(target)):
            raise SensorError(
                "protected_target",
                f"{target.value} is {name.decode()}, {NEEDED[name]}; force overrides this",
            )

    def _is_about(self, target: Target, process: Running) -> bool:
        """Return whether a rule is on the path of a needed process or of the script that it runs."""
        return target.kind != "pid" and any(
            _lies_in(target, path) for path in self._host.paths_of(process)
        )


def _lies_in(target: Target, path: bytes) -> bool:
    """Return whether a path is an executable, or lies in a folder."""
    wanted = path_of(target)
    return path == wanted if target.kind == "exe" else path.startswith(wanted + b"/")


def _held(target: Target, processes: Mapping[int, Running]) -> set[int]:
    """Return the processes that a rule on a target is about."""
    if target.kind == "pid":
        return {pid_of(target)}
    return {each.pid for each in processes.values() if _lies_in(target, each.executable)}


def _with_children(pids: set[int], processes: Mapping[int, Running]) -> set[int]:
    """Return processes with all that they have started."""
    by_parent: dict[int, list[int]] = {}
    for each in processes.values():
        by_parent.setdefault(each.parent, []).append(each.pid)
    found, new = set(pids), list(pids)
    while new:
        for child in by_parent.get(new.pop(), ()):
            if child not in found:
                found.add(child)
                new.append(child)
    return found


def _refusal(target: Target, needed: Needed) -> str:
    """Return why a rule is refused."""
    who = f"{path_text(needed.process.executable)[:100]} (process {needed.process.pid})"
    return f"{target.value} would cut off {who}: it is {needed.why}; force overrides this"


def _is_of_the_system(path: bytes) -> bool:
    """Return whether a program is one that nobody but root could have put there under this name."""
    if not path.startswith(_SYSTEM):
        return False
    try:
        return Trust().doubt(Path(os.fsdecode(path))) is None
    except OSError:  # in a container: the path is all that there is
        return True
