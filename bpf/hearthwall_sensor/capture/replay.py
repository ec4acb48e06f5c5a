"""Replays a capture: what the sensor would have told of these packets, by the same parsers and without a clock."""

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable
from typing import BinaryIO, Final

from ..flows.flow import FlowKey, Sample
from ..flows.labels import Labels
from ..flows.observer import Observer
from ..identity.identities import Identities
from ..names.answered import Answered
from ..network.home import Network
from ..notation import mapped
from ..protocol import Replayed, SensorError
from .file import opened, read_packets
from .link import COOKED
from .meter import MAX_FLOWS, Meter
from .packet import Damaged
from .places import INTERNET
from .told import Learnt, Name, epoch, tell_of

_SECOND: Final = 1_000_000_000
#: Flows get the names of answers as often as in a living network, in the capture's time.
_LOOK_INTERVAL: Final = 5 * _SECOND
_MAX_FRESH: Final = 4096
MAX_NAMES: Final = 1_000_000


def parse_lan(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the home's prefixes; raises SensorError `invalid_message`."""
    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            raise SensorError(
                "invalid_message", f"{text} is no prefix such as 192.168.1.0/24 or 2001:db8::/64"
            ) from None
    return tuple(found)


def replay(
    path: str,
    lan: Iterable[str] = (),
    *,
    limit: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Replayed:
    """Return what a capture holds; the same file gives the same answer, to the byte.

    path is `-` for standard input; lan are the home's prefixes, without which private addresses are home; limit is how
    many flows are told of, the largest, or None for all; tell is told where a damaged file can't be read any further.
    Raises SensorError.
    """
    networks = parse_lan(lan)
    with opened(path) as file:
        capture = Capture(networks)
        try:
            capture.read(file)
        except Damaged as damage:
            tell(f"{path} is damaged, and what follows is left out: {damage}")
        except OSError as error:
            raise SensorError("invalid_message", f"{path} can't be read: {error}") from error
    return tell_of(capture.learnt(), limit or MAX_FLOWS)


class Capture:
    """One capture, and what is learnt from it."""

    def __init__(self, lan: Iterable[Network] = ()) -> None:
        """Begin with nothing, in a home with these prefixes."""
        self.counted: Counter[str] = Counter(packets=0, bytes=0, cooked=0)
        self.meter = Meter(self._take_sample, lan, on_flow=self._begin_flow)
        self._identities = Identities(self._is_home)
        self.observer = Observer(
            self._identities, epoch, labels=Labels(MAX_FLOWS), answered=Answered(MAX_NAMES)
        )
        self.observer.on_name = self._take_name
        self._names: dict[Name, None] = {}
        self._fresh: list[tuple[bytes, int]] = []
        self._looked = self._end = 0

    def read(self, file: BinaryIO) -> None:
        """Learn from a file's packets; raises SensorError, OSError, and Damaged where it can't be read further."""
        try:
            for packet in read_packets(file, self.counted):
                self.counted["packets"] += 1
                self.counted["bytes"] += packet.length
                self.counted["cooked"] += packet.link_type in COOKED
                if not 0 <= packet.time - self._looked < _LOOK_INTERVAL:
                    self._look(packet.time)
                self._end = max(self._end, packet.time)
                self.meter.take(packet)
        except Damaged:
            self.counted["damaged"] += 1
            raise
        finally:
            self.meter.finish()
            self._look(self._end)

    def _is_home(self, address: str) -> bool:
        """Return whether an address is the home's."""
        packed = mapped(ipaddress.ip_address(address))
        return self.meter.places[packed] != INTERNET or self.meter.routers.is_on_link(packed)

    def _take_sample(self, sample: Sample) -> None:
        """Learn from a packet's beginning."""
        self.counted["samples"] += 1
        self.observer.take(sample)

    def _begin_flow(self, packed: bytes, first: int) -> None:
        """Note a new flow."""
        self._fresh.append((packed, first))
        if len(self._fresh) >= _MAX_FRESH:
            self._look(self._looked)

    def _look(self, now: int) -> None:
        """Name the flows that have begun, before the answers that named them are forgotten."""
        self._looked = now
        for packed, first in self._fresh:
            key = FlowKey.unpack(packed)
            label = self.observer.label(packed, key, first)
            if label.source == "dns" and label.name is not None:
                self.observer.labels.set_name(packed, label.name)
            self._identities.take_traffic(key.mac, key.address, epoch(first))
        self._fresh.clear()

    def _take_name(
        self, who: bytes | None, name: str, addresses: tuple[bytes, ...], source: str
    ) -> None:
        """Note a name that somebody was told of or announced."""
        if len(self._names) >= MAX_NAMES:
            self.counted["names_too_many"] += 1
            return
        for address in addresses or (None,):
            self._names[Name(who, name, address, source)] = None

    def learnt(self) -> Learnt:
        """Return all that is known at the end."""
        return Learnt(
            self.meter, self.observer, self._identities, self._names, self.counted, self._end
        )
