"""Attempts to reach a port of a host, as scans are made of them: what became of each, in bounded memory."""

from collections import Counter
from collections.abc import Hashable
from itertools import islice
from typing import Final, Literal, NamedTuple

from ..bounded import make_room
from ..flows.flow import ICMP, ICMPV6, TCP, TCP_ACK, TCP_RST, TCP_SYN, UDP, UPLOAD
from ..observations import Flow, Settled
from .evidence import MAX_FLOWS

#: Zeek's window (misc/scan), in seconds.
FAST: Final = 300.0
#: nmap -T0 sends one probe in five minutes.
SLOW: Final = 86_400.0
#: Of those with whom the device spoke or failed, so many must have failed: twice as many, and nearly all.
_SHARES: Final = ((FAST, 2 / 3), (SLOW, 0.9))
#: The same scan is told again after so long, in seconds, for its count.
AGAIN: Final = 60.0
#: What a second scan of a device is told as within so long of the first: that one, going on. Later it is another one.
SAME: Final = FAST

#: Values of a group, groups of a device, and values of all its groups. A value takes about 150 bytes: a device that
#: does its worst takes 80 kB, and MAX_SCANNERS of them 20 MB.
_MAX_VALUES: Final = 256
_MAX_GROUPS: Final = 64
_MAX_ALL: Final = 512
MAX_SCANNERS: Final = 256

Fate = Literal["failed", "found", "used"]
"""Nobody answered or with a refusal; there is somebody, to whom nothing was said; they spoke."""

#: Types of ICMP's and ICMPv6's echo.
ECHO: Final = {ICMP: 8, ICMPV6: 128}
#: traceroute's packets, each to the next port.
_TRACEROUTE: Final = range(33_434, 33_535)
#: Answers to searches by multicast go there, as packets that nobody answers.
_ASKERS_PORTS: Final = 32_768
#: Where such answers come from, beside the ports of servers.
_ANSWERERS: Final = frozenset((1900, 3702, 5353, 5355))
#: What is known by its bytes to be no probe: peers that are tried to get through NAT, or browsers that a firewall
#: keeps from QUIC.
_NO_PROBES: Final = frozenset(
    (
        *("bittorrent", "dtls", "ipsec", "llmnr", "mdns", "openvpn", "quic", "rtcp", "rtp", "sip"),
        *("ssdp", "stun", "wireguard"),
    )
)
#: A probe is sent a few times; who sends more to a port that doesn't answer has something to say.
_PROBES: Final = 5
#: The largest header of a TCP packet without data on Ethernet, with its options.
_NO_DATA: Final = 94


class Attempt(NamedTuple):
    """An attempt."""

    host: bytes
    """Whom it was made at."""
    transport: str
    port: int
    """0 for an echo."""
    fate: Fate


def attempt(settled: Settled) -> Attempt | None:
    """Return the attempt that a flow was, None for what has nothing to do with scans.

    A device's own are those at anybody; those at it are of interest from the internet, since at home their sender
    is a device too.
    """
    flow = settled.flow
    if not flow.is_outgoing and flow.scope != "internet":
        return None
    host = flow.key.peer if flow.is_outgoing else flow.key.address
    if is_group(host, is_home=flow.scope != "internet"):
        return None
    protocol = flow.key.protocol
    fate = (
        _tcp(flow)
        if protocol == TCP
        else _udp(flow)
        if protocol == UDP
        else _echo(flow)
        if protocol in ECHO
        else None
    )
    if fate is None:
        return None
    transport, port = (flow.transport, flow.server_port) if protocol in (TCP, UDP) else ("icmp", 0)
    return Attempt(host, transport, port, fate)


def is_group(address: bytes, *, is_home: bool) -> bool:
    """Return whether an address is no single host's: multicast, broadcast, or at home most probably a broadcast."""
    if address[:12] != bytes(10) + b"\xff\xff":
        return address[0] == 0xFF
    return address[12] >= 224 or (is_home and address[15] == 255)


def _flags(flow: Flow) -> int:
    """Return TCP's flags of the side that opened it."""
    return flow.counted.upload_flags if flow.is_outgoing else flow.counted.download_flags


def _tcp(flow: Flow) -> Fate | None:
    """Return what became of a connection; None where it is not over, or its beginning was not seen."""
    flags = _flags(flow)
    if not flags & (TCP_SYN | TCP_ACK | TCP_RST):
        return "failed"  # no connection begins so: nmap's FIN, NULL and Xmas scans
    if not flags & TCP_SYN:
        return None
    if flow.has_failed:
        return "failed"
    counted = flow.counted
    answers = counted.download_packets if flow.counted.opener == UPLOAD else counted.upload_packets
    if not answers:
        return None
    size = max(
        counted.upload_bytes / max(counted.upload_packets, 1),
        counted.download_bytes / max(counted.download_packets, 1),
    )
    return "found" if flow.outcome != "open" and size <= _NO_DATA else "used"


def _udp(flow: Flow) -> Fate | None:
    """Return what became of datagrams."""
    if not flow.has_failed:
        return "used"
    counted = flow.counted
    port, own = flow.server_port, flow.key.port if flow.is_outgoing else flow.key.peer_port
    is_answer = own < 1024 or own in _ANSWERERS or port >= _ASKERS_PORTS
    if (
        max(counted.upload_packets, counted.download_packets) > _PROBES
        or port in _TRACEROUTE
        or flow.label.application in _NO_PROBES
        or (flow.scope != "internet" and is_answer)
        or (flow.scope == "internet" and port == 443)
    ):
        return None
    return "failed"


def _echo(flow: Flow) -> Fate | None:
    """Return what became of pings."""
    if flow.key.port != ECHO[flow.key.protocol] or not flow.is_outgoing:
        return None
    return "failed" if flow.has_failed else "used"


class Verdict(NamedTuple):
    """That a group is a scan."""

    tried: int
    """Different values that failed or were found."""
    failed: int
    found: tuple[Hashable, ...]
    """Values where somebody was there, whether spoken with or not."""
    window: float


class Group:
    """What was tried of one host or of one port: the values are ports or hosts."""

    __slots__ = ("_values", "told")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._values: dict[Hashable, tuple[float, Fate]] = {}
        self.told = float("-inf")
        """When it was told of."""

    def add(self, value: Hashable, fate: Fate, now: float) -> None:
        """Note what became of an attempt, in place of what became of the one before."""
        self._values.pop(value, None)
        self._values[value] = (now, fate)
        while next(iter(self._values.values()))[0] < now - SLOW:
            del self._values[next(iter(self._values))]
        make_room(self._values, _MAX_VALUES)

    def judge(self, now: float, threshold: float, slow_threshold: float) -> Verdict | None:
        """Return whether it is a scan, by one of the two windows."""
        if len(self._values) < min(threshold, slow_threshold):
            return None
        for (window, share), least in zip(_SHARES, (threshold, slow_threshold), strict=True):
            fates = Counter(fate for at, fate in self._values.values() if at >= now - window)
            tried = fates["failed"] + fates["found"]
            is_failing = fates["failed"] >= share * (fates["failed"] + fates["used"])
            if tried >= least and is_failing and 2 * fates["failed"] >= tried:
                return Verdict(tried, fates["failed"], self._found(now - window), window)
        return None

    def _found(self, since: float) -> tuple[Hashable, ...]:
        """Return the values where somebody was there."""
        return tuple(
            value for value, (at, fate) in self._values.items() if fate != "failed" and at >= since
        )

    def latest(self, count: int) -> list[Hashable]:
        """Return the values that failed last."""
        failed = [value for value, (_, fate) in reversed(self._values.items()) if fate == "failed"]
        return failed[:count]

    def __len__(self) -> int:
        """Return how many values there are."""
        return len(self._values)


class Groups:
    """All that one device tried."""

    __slots__ = ("_all", "_groups", "_subject", "flows")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._groups: dict[Hashable, Group] = {}
        self._all = 0
        self._subject: tuple[str, float] | None = None
        self.flows: list[Flow] = []
        """The latest that failed."""

    def add(self, key: Hashable, value: Hashable, fate: Fate, now: float) -> Group | None:
        """Note an attempt; return its group, None where nothing of the group has failed yet."""
        group = self._groups.get(key)
        if group is None:
            if fate != "failed":
                return None
            group = Group()
        self._groups.pop(key, None)
        self._groups[key] = group  # at the end
        before = len(group)
        group.add(value, fate, now)
        self._all += len(group) - before
        self._make_room()
        return group

    def _make_room(self) -> None:
        """Let go of groups where there are too many, or too much in them: of the older half the smallest.

        One that grows is not among these, so that who tries others in between does not hide what is tried.
        """
        while len(self._groups) > 1 and (len(self._groups) > _MAX_GROUPS or self._all > _MAX_ALL):
            older = islice(self._groups, len(self._groups) // 2)
            smallest = min(older, key=lambda key: len(self._groups[key]))
            self._all -= len(self._groups.pop(smallest))

    def note(self, flow: Flow) -> None:
        """Keep a flow to be shown."""
        self.flows = [flow, *self.flows[: MAX_FLOWS - 1]]

    def subject(self, subject: str, now: float) -> str:
        """Return the subject to tell a scan under: that of the one that was told before, if it goes on."""
        if self._subject is not None and now - self._subject[1] <= SAME:
            subject = self._subject[0]
        self._subject = (subject, now)
        return subject

    def __len__(self) -> int:
        """Return how many values there are."""
        return self._all
