"""Who may be cut off for an event: the device that did it, or the peer; never whom it was only done to."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, Protocol

from ..kinds import KINDS
from ..learning.programs import SHELLS, container_of, name_of
from ..notice import whose
from ..observations import Observation
from ..processes.image import PROGRAM
from .resolvers import SeenServers

#: What a detector's evidence says of who did it, where the kind's own answer is not the right one.
_PEER: Final = "peer"
_DEVICE: Final = "device"
#: Programs that run much else: one process of theirs is stopped, not all.
_INTERPRETERS: Final = (
    *(
        "python*",
        "perl*",
        "ruby*",
        "php*",
        "lua*",
        "node",
        "nodejs",
        "java",
        "tclsh*",
        "awk",
        "?awk",
    ),
    *("socat", "env", *sorted(SHELLS)),
)
#: What a program is called that runs from memory: no file that somebody else needs has such a path.
_MEMORY: Final = "/memfd:"


class Told(Protocol):
    """What an event says of whom it is about, before it has a number and after."""

    @property
    def time(self) -> float | None:
        """When it happened, seconds since the epoch."""

    @property
    def kind(self) -> str:
        """The kind."""

    @property
    def mac(self) -> str | None:
        """The device."""

    @property
    def address(self) -> str | None:
        """The device's address, or a stranger's."""

    @property
    def peer_address(self) -> str | None:
        """The far end."""

    @property
    def process(self) -> str | None:
        """The program of this host, if it is about one."""

    @property
    def subject(self) -> str:
        """What it is about beside the device."""

    @property
    def evidence(self) -> Mapping[str, Any]:
        """What was measured."""


class Blame:
    """Tells of an event who may be cut off for it: for responses that the policy wants, and for advice to a person."""

    def __init__(
        self,
        is_home: Callable[[str], bool],
        is_protected: Callable[[str], bool],
        is_settled: Callable[[str], bool] = lambda _: True,
        is_there: Callable[[int, float | None], bool] = lambda _pid, _time: True,
    ) -> None:
        """Take what tells of an address whether it is the home's, or nobody may block it, and of a device's age.

        `is_there` tells whether the process that had a number at a time still runs.
        """
        self._is_there = is_there
        self._is_home = is_home
        self._is_protected = is_protected
        self.is_settled = is_settled
        #: A device must not get the DNS server of all others blocked by misusing it.
        self._servers = SeenServers(is_settled)

    def take(self, observation: Observation) -> None:
        """Learn whom the home needs."""
        self._servers.take(observation)

    def whom(self, told: Told) -> str | None:
        """Return who did it, as a rule names it; None also for what a person or the policy has ordered."""
        kind = KINDS.get(told.kind)  # type: ignore[call-overload]
        if kind is not None and kind.by_rules:
            return None
        return self.culprit(told) or self.program(told)

    def culprit(self, told: Told) -> str | None:
        """Return the device that did it: not one that something was only done to, or perhaps was."""
        if told.evidence.get("blame", _DEVICE) != _DEVICE or told.process is not None:
            return None
        if told.mac is not None:
            return told.mac
        address = told.address
        return address if address is not None and self._is_home(address) else None

    def program(self, told: Told) -> str | None:
        """Return what stops the program of this host that did it, as a rule names it: its file, or the process alone.

        A file in a container has a name that another one outside may have, too, and an interpreter runs much else.
        Nothing stops a process that has ended; but what ran from memory may come again.
        """
        if told.process is None or told.evidence.get("blame", _DEVICE) != _DEVICE:
            return None
        path, container = container_of(told.process)
        if not self._is_process(told):
            return PROGRAM + path
        pid = told.evidence.get("pid")
        if isinstance(pid, int) and pid > 1 and self._is_there(pid, told.time):
            return f"pid:{pid}"
        return PROGRAM + path if container is None and path.startswith(_MEMORY) else None

    def has_ended(self, told: Told) -> bool:
        """Return whether only a process could be stopped for an event, and it has ended."""
        pid = told.evidence.get("pid")
        is_one = told.process is not None and isinstance(pid, int) and self._is_process(told)
        return is_one and not self._is_there(int(pid or 0), told.time)

    @staticmethod
    def _is_process(told: Told) -> bool:
        """Return whether one process is to be stopped, and not its program wherever it runs."""
        path, container = container_of(told.process or "")
        return (
            container is not None
            or told.evidence.get("stops") == "process"
            or any(fnmatchcase(name_of(path), each) for each in _INTERPRETERS)
        )

    def peer(self, told: Told) -> str | None:
        """Return the peer that can be blocked: a name where a feed lists it, else an address outside of the home.

        A host that a device attacks is not to be cut off for it, and neither is the resolver that a tunnel
        leads through, nor a DNS server that others use.
        """
        subject = told.subject
        if subject.startswith("domain "):
            if told.kind == "threat_domain":
                return subject.removeprefix("domain ")
            if told.kind == "dns_tunnel":
                return None
        peer = told.peer_address
        if (
            peer is None
            or not self._is_trouble(told)
            or self._is_home(peer)
            or self._is_protected(peer)
        ):
            return None
        return (
            None
            if self._servers.is_used(peer, whose(told.mac, told.process, told.address))
            else peer
        )

    @staticmethod
    def _is_trouble(told: Told) -> bool:
        """Return whether the peer itself is the trouble, and not one that was attacked, or whom anybody may talk to."""
        blame = told.evidence.get("blame")
        kind = KINDS.get(told.kind)  # type: ignore[call-overload]
        return blame == _PEER or (blame != _DEVICE and kind is not None and kind.blames_peer)
