"""Replays a capture: what the sensor would have told of these packets, by the same parsers and without a clock."""

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable
from typing import BinaryIO, Final

from ..flows.flow import FlowKey, Sample
from ..flows.labels import Labels
from ..flows.observed import device_text
from ..flows.observer import Observer
from ..flows.witness import Witness
from ..identity.identities import Identities
from ..names.answered import Answered
from ..network.home import Network
from ..notation import mapped
from ..observations import LOOK
from ..protocol import Replayed, SensorError
from .circumstances import Circumstances
from .detecting import CaptureDetection
from .file import opened, read_packets
from .guessing import guess
from .link import COOKED
from .looks import Looks
from .meter import MAX_FLOWS, Meter
from .packet import Damaged
from .sampling import OPENER
from .told import Learnt, Name, epoch, strangers, tell_of

_SECOND: Final = 1_000_000_000
#: Flows get the names of answers as often as in a living network, in the capture's time.
_LOOK_INTERVAL: Final = round(LOOK * _SECOND)
_MAX_FRESH: Final = 4096
MAX_NAMES: Final = 1_000_000
#: Where so many of the flows have no end in the home, a part of it was probably taken for the internet.
_STRANGE: Final = 0.1


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


def replay(  # noqa: PLR0913, what a command line may say
    path: str,
    lan: Iterable[str] = (),
    *,
    policy: str | None = None,
    feeds: Iterable[str] = (),
    geo: Iterable[str] = (),
    limit: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Replayed:
    """Return what a capture holds; the same files give the same answer, to the byte.

    path is `-` for standard input; lan are the home's prefixes, without which private addresses are home; policy is a
    policy's file, feeds are lists of known-bad peers, geo tells where peers are; limit is how many flows are told of,
    the largest, or None for all; tell is told where a damaged file can't be read any further. Raises SensorError.
    """
    named = parse_lan(lan)
    with opened(path) as file:
        home = named or guessed(file)
        given = Circumstances(home, policy, tuple(feeds), tuple(geo))
        capture = Capture(given)
        for each in capture.detection.left_out:
            tell(each)
        try:
            capture.read(file)
        except Damaged as damage:
            tell(f"{path} is damaged, and what follows is left out: {damage}")
        except OSError as error:
            raise SensorError("invalid_message", f"{path} can't be read: {error}") from error
    if home != named:
        tell(f"no private address is in it: {home[0]} is taken for the home; --lan names another")
    elif hint := _hint(capture.meter):
        tell(hint)
    return tell_of(capture.learnt(), limit or MAX_FLOWS)


def guessed(file: BinaryIO) -> tuple[Network, ...]:
    """Return what must be the home where no private address tells; the file is then where it was."""
    if not file.seekable():
        return ()
    begin = file.tell()
    try:
        return guess(file)
    finally:
        file.seek(begin)


def _hint(meter: Meter) -> str | None:
    """Return what to do where the home could not be told, or not all of it."""
    flows, network = strangers(meter)
    if not flows or flows < _STRANGE * len(meter.flows):
        return None
    if flows == len(meter.flows):
        what = "nothing of it could be taken for the home, so that little is noticed"
    else:
        what = f"{flows} of its {len(meter.flows)} flows have no end in the home"
    return f"{what}: name the home's networks, such as --lan {network}"


class Capture:
    """One capture, and what is learnt from it."""

    def __init__(self, given: Circumstances = Circumstances()) -> None:  # noqa: B008, it can't be changed
        """Begin with nothing, in a home of which so much is known; raises SensorError for files that can't be read."""
        self.counted: Counter[str] = Counter(packets=0, bytes=0, cooked=0)
        self.meter = Meter(self._take_sample, given.lan, on_flow=self._begin_flow)
        self._identities = Identities(self._is_home)
        self.observer = Observer(
            self._identities, epoch, labels=Labels(MAX_FLOWS), answered=Answered(MAX_NAMES)
        )
        self.observer.on_name = self._take_name
        self.detection = CaptureDetection(given, self.meter, self._identities, epoch)
        world, self._tell = self.detection.world, self.detection.take
        self.observer.witness = Witness(self._tell, world, self._opener)
        self._looks = Looks(self.meter, self.observer, world, self._meet_flow)
        self._names: dict[Name, None] = {}
        self._looked: int | None = None
        #: The time of the last look; it never runs backwards, as that of packets may.
        self._clock = 0
        self._end = 0

    def read(self, file: BinaryIO) -> None:
        """Learn from a file's packets; raises SensorError, OSError, and Damaged where it can't be read further."""
        try:
            for packet in read_packets(file, self.counted):
                self.counted["packets"] += 1
                self.counted["bytes"] += packet.length
                self.counted["cooked"] += packet.link_type in COOKED
                if self._looked is None or not 0 <= packet.time - self._looked < _LOOK_INTERVAL:
                    self._advance(packet.time)
                self._end = max(self._end, packet.time)
                self.meter.take(packet)
        except Damaged:
            self.counted["damaged"] += 1
            raise
        finally:
            self.meter.finish()
            self._look(self._end)
            # As if the network was silent from then on
            self._look(self._end + _LOOK_INTERVAL)
            self.detection.finish()

    def _advance(self, time: int) -> None:
        """Look as often as the sensor would have until a packet's time; where nothing moved, once is enough."""
        if self._looked is None or time < self._looked:
            if self._looked is not None:
                self._look(self._end)
            self._looked = time
            return
        while time - self._looked >= _LOOK_INTERVAL:
            looks = (time - self._looked) // _LOOK_INTERVAL
            self._looked += _LOOK_INTERVAL * (looks if self._looks.is_idle else 1)
            self._look(self._looked)

    def _look(self, now: int) -> None:
        """Look at the flows."""
        self._clock = max(self._clock, now)
        for observation in self._looks.look(self._clock):
            self._tell(observation)

    def _is_home(self, address: str) -> bool:
        """Return whether an address is the home's."""
        return self.detection.is_home(mapped(ipaddress.ip_address(address)))

    def _take_sample(self, sample: Sample) -> None:
        """Learn from a packet's beginning."""
        self.counted["samples"] += 1
        self.observer.take(sample)

    def _opener(self, packed: bytes) -> int | None:
        """Return the direction that opened a flow."""
        flow = self.meter.flows.get(packed)
        return None if flow is None else flow[OPENER]

    def _begin_flow(self, packed: bytes, first: int) -> None:
        """Note a new flow, and look at all new ones where there are many."""
        if self._looks.begin(packed) >= _MAX_FRESH:
            for observation in self._looks.meet(max(self._clock, first)):
                self._tell(observation)

    def _meet_flow(self, key: FlowKey, first: int) -> None:
        """Learn who uses an address."""
        self._identities.take_traffic(key.mac, key.address, epoch(first))

    def _take_name(
        self, who: bytes | None, name: str, addresses: tuple[bytes, ...], source: str
    ) -> None:
        """Note a name that somebody was told of or announced."""
        if who is not None and source == "dns":
            self.detection.name_said(device_text(who), name, "dns", resolved=addresses)
        if len(self._names) >= MAX_NAMES:
            self.counted["names_too_many"] += 1
            return
        for address in addresses or (None,):
            self._names[Name(who, name, address, source)] = None

    def learnt(self) -> Learnt:
        """Return all that is known at the end."""
        return Learnt(
            self.meter,
            self.observer,
            self._identities,
            self._names,
            self.counted + Counter(self.detection.counted),
            self.detection.events,
            self._end,
        )
