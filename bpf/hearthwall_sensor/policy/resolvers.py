"""DNS servers that devices use: each is the way out for others than the one that an event is about."""

from collections.abc import Callable
from typing import Final

from ..bounded import make_room
from ..notation import address_text
from ..observations import Answered, Observation, Settled
from ..per_device import PerDevice

#: A server that answered within so many seconds is in use.
_LATELY: Final = 86_400.0
#: Servers of one device: it has two or four. A device that asks many pushes out only its own.
_MAX_SERVERS: Final = 8
#: DNS over TLS and over QUIC.
_ENCRYPTED: Final = frozenset(("tcp/853", "udp/853"))


class SeenServers:
    """Who was answered by which server, and when last."""

    def __init__(self, is_settled: Callable[[str], bool] = lambda _: True) -> None:
        """Take what tells whether a device has been here for long: one that was just invented needs no server."""
        self._is_settled = is_settled
        self._devices: PerDevice[dict[str, float]] = PerDevice(dict)
        self._now = 0.0

    def take(self, observation: Observation) -> None:
        """Note a server that answered."""
        if isinstance(observation, Answered):
            self._note(observation.who, address_text(observation.server), observation.time)
        elif isinstance(observation, Settled):
            flow = observation.flow
            if flow.is_outgoing and flow.service in _ENCRYPTED and not flow.has_failed:
                self._note(observation.who, flow.peer, observation.time)

    def _note(self, who: str, server: str, now: float) -> None:
        """Note a server of a device."""
        self._now = max(self._now, now)
        servers = self._devices.of(who, now)
        servers.pop(server, None)
        servers[server] = now
        make_room(servers, _MAX_SERVERS)

    def is_used(self, server: str, except_by: str | None) -> bool:
        """Return whether any other device uses a server: one alone could make a server of any accomplice."""
        least = self._now - _LATELY
        return any(
            who != except_by and servers.get(server, -_LATELY) >= least and self._is_settled(who)
            for who, servers in self._devices
        )
