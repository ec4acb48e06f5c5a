"""DNS tunnels: data that is carried in the names that a device asks for, below somebody's domain."""

import math
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ..flows.flow import UDP
from ..names.registered import registered_domain
from ..notation import address_text
from ..notice import Notice
from ..observations import Answered, Asked, Began, Flow, Observation, Settled
from ..per_device import PerDevice
from .detector import Detector, Handler, Home
from .evidence import MAX_FLOWS, Measured, about, evidence


class _Pattern(NamedTuple):
    """What a tunnel looks like in a window; an ordinary domain stays below one of the numbers."""

    window: float
    names: int
    """Different names below the domain: a page has some dozen below a few, and asks again for the same."""
    carried: float
    """Characters of each name that were not in the one before: 63 are a full label."""
    is_odd: bool
    """Whether most questions are of types that carry much and that hardly any device asks for."""
    lasts: float = 0.0


# iodine asks some 30 questions of NULL or TXT while it says hello, dnscat2 one a second while it waits, dns2tcp
# several. Its shortest names carry 10 characters. Where only addresses are asked for, names must be long: what pages
# and trackers invent (a hash of 32 digits for each page) is neither so long nor so frequent, and a page that tests
# for leaks asks for a hundred names within seconds.
_PATTERNS: Final = (
    _Pattern(60.0, 15, 8.0, is_odd=True),
    _Pattern(600.0, 40, 8.0, is_odd=True),
    _Pattern(60.0, 24, 34.0, is_odd=False, lasts=20.0),
    _Pattern(600.0, 80, 40.0, is_odd=False, lasts=20.0),
)
#: CNAME, NULL, MX, TXT, KEY, SRV, ANY, and the PRIVATE that iodine begins with.
_ODD: Final = frozenset((5, 10, 15, 16, 25, 33, 255, 65_399))
#: So large a share of the names is asked for by odd types.
_MOST: Final = 0.5

#: Questions are counted in steps of so many seconds.
_STEP: Final = 30.0
_MAX_STEPS: Final = int(_PATTERNS[1].window / _STEP)
#: Names are told apart by a bit each: counting ends at about so many in a window, at 130 bytes a step.
_BITS: Final = 1024
#: Domains that are watched for each device; those with the fewest names give way, so that only a device that asks
#: below as many new ones between two questions hides a tunnel (it stands out otherwise). Full: half a megabyte.
_MAX_DOMAINS: Final = 64
#: Devices that ask: 1024 that fill all their tables are no home.
_MAX_DEVICES: Final = 256
#: The same tunnel is told again after so long, in seconds, for its count.
_AGAIN: Final = 60.0

#: Checks of mail's and files' reputation put what they ask about into names, as tunnels do.
_REPUTATION: Final = frozenset(
    (
        *("barracudacentral.org", "cymru.com", "dnswl.org", "e5.sk", "mcafee.com", "sophosxl.com"),
        *("sophosxl.net", "spamcop.net", "spamhaus.net", "spamhaus.org", "surbl.org"),
        *("symantec.com", "trendmicro.com", "uribl.com", "webrootcloudav.com"),
    )
)
#: Questions that stay in the home, and those for an address's name.
_HOME: Final = (".arpa", ".local", ".localhost", ".lan", ".internal")
_ESCAPED: Final = re.compile(r"\\\d{3}")
#: No domain ends in such a label: dnscat2 without a domain puts its data there.
_LONGEST_TLD: Final = 24

#: Over port 53 something else than DNS goes in packets of such a size, at least so many: iodine, where it reaches
#: its server without a resolver, and VPNs. Questions are shorter than 150 bytes.
_RAW_BYTES: Final = 250
_RAW_PACKETS: Final = 50


class _Step:
    """What was asked below a domain within a step."""

    __slots__ = (
        *("answer_bytes", "asked", "bits", "bytes", "carried", "entropy"),
        *("last", "missing", "names", "odd", "since"),
    )

    def __init__(self, since: float) -> None:
        """Begin at a time."""
        self.since = self.last = since
        self.bits = 0
        self.names = self.odd = self.carried = self.asked = 0
        self.bytes = self.answer_bytes = self.missing = 0
        self.entropy = 0.0


class _Domain:
    """What a device asked for below a domain within the longest window."""

    __slots__ = ("before", "names", "steps", "told")

    def __init__(self) -> None:
        """Begin with nothing."""
        #: Mostly one or two, for which a deque would take six times as much.
        self.steps: list[_Step] = []
        self.before: tuple[str, ...] = ()
        self.names = 0
        self.told = -math.inf

    def step(self, now: float) -> _Step:
        """Return what to count in."""
        while self.steps and self.steps[0].since <= now - _PATTERNS[1].window:
            self.names -= self.steps.pop(0).names
        if not self.steps or now >= self.steps[-1].since + _STEP:
            if len(self.steps) >= _MAX_STEPS:
                self.names -= self.steps.pop(0).names
            self.steps.append(_Step(now))
        return self.steps[-1]

    def add(self, asked: Asked, labels: tuple[str, ...]) -> bool:
        """Count a question; return whether its name is a new one."""
        step = self.step(asked.time)
        step.last = asked.time
        step.asked += 1
        step.bytes += asked.size
        bit = 1 << (hash(labels) % _BITS)
        if any(each.bits & bit for each in self.steps):
            return False
        # The first name has nothing to be compared with: what is constant in it would weigh on the mean
        fresh = _fresh(labels, self.before) if self.before else labels[0]
        self.before = labels
        step.bits |= bit
        step.names += 1
        self.names += 1
        step.odd += asked.kind in _ODD and not any(each.startswith("_") for each in labels)
        step.carried += len(fresh)
        step.entropy += _entropy(fresh)
        return True


class _Device:
    """The domains that a device asked below, and its latest flows to DNS servers."""

    __slots__ = ("domains", "flows")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.domains: dict[str, _Domain] = {}
        self.flows: deque[Flow] = deque(maxlen=MAX_FLOWS)

    def domain(self, name: str) -> _Domain:
        """Return a domain, in place of the one with the fewest names if there are too many."""
        known = self.domains.get(name)
        if known is None:
            if len(self.domains) >= _MAX_DOMAINS:
                # The first of them is the one that was there for the longest time
                del self.domains[min(self.domains, key=lambda each: self.domains[each].names)]
            known = self.domains[name] = _Domain()
        return known


class DnsTunnel(Detector):
    """Many long names that nobody chose, below one domain."""

    kind = "dns_tunnel"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._devices = PerDevice(_Device, _MAX_DEVICES)

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Questions and answers; flows only to show them, and where they are too fat for DNS."""
        return {
            Asked: self._asked,
            Answered: self._answered,
            Began: self._began,
            Settled: self._settled,
        }

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._devices.forget(who)

    def _asked(self, asked: Asked) -> Iterator[Notice]:
        """Count a question, and tell what has become a tunnel."""
        name, labels = _parts(asked.name)
        if not labels or name in _REPUTATION or _is_reversed(labels):
            return
        device = self._devices.of(asked.who, asked.time)
        domain = device.domain(name)
        if not domain.add(asked, labels) or asked.time < domain.told + _AGAIN:
            return
        factor = self.home.policy(asked.who).factor
        if domain.names < factor * min(each.names for each in _PATTERNS):
            return
        for each in _PATTERNS:
            pattern = each._replace(names=math.ceil(each.names * factor))
            seen = _Seen.of(domain.steps, asked.time - pattern.window)
            if seen.is_like(pattern):
                domain.told = asked.time
                yield self._tell(asked, name, pattern, seen, device.flows)
                return

    def _tell(
        self, asked: Asked, name: str, pattern: _Pattern, seen: "_Seen", flows: Iterable[Flow]
    ) -> Notice:
        """Return the event."""
        subject = f"domain {name}" if name else "names without a domain"
        below = f"below {name}" if name else "that end in no domain"
        who = self.home.name(asked.who)
        types = f", {seen.odd} of them by types that hardly any device asks for" * pattern.is_odd
        why = (
            f"{who} asked for {seen.names} different names {below} within {seen.seconds:.0f} s, with"
            f" {seen.carried:.0f} new characters each{types}; ordinary are fewer than {pattern.names}"
            f" such names in {pattern.window:.0f} s."
        )
        return Notice(
            self.kind,
            "high",
            f"{who} seems to carry data in DNS questions {below}",
            evidence(
                Measured(self.kind, seen.names, pattern.names, pattern.window, why),
                [each for each in flows if each.key.peer == asked.server],
                domain=name,
                server=address_text(asked.server),
                example=asked.name,
                questions=seen.asked,
                characters=round(seen.carried, 1),
                entropy=round(seen.entropy, 2),
                odd_types=seen.odd,
                question_bytes=seen.bytes,
                answer_bytes=seen.answer_bytes,
                without_address=seen.missing,
            ),
            **{**about(asked.who), "peer_name": name or None},
            subject=subject,
            time=asked.time,
        )

    def _answered(self, answered: Answered) -> Iterable[Notice]:
        """Count an answer, for evidence."""
        device = self._devices.find(answered.who)
        domain = device and device.domains.get(_parts(answered.name)[0])
        if domain:
            step = domain.step(answered.time)
            step.answer_bytes += answered.size
            step.missing += not answered.addresses
        return ()

    def _began(self, began: Began) -> Iterable[Notice]:
        """Remember a flow to a DNS server."""
        if began.flow.is_outgoing and began.flow.server_port == 53:
            self._devices.of(began.who, began.time).flows.append(began.flow)
        return ()

    def _settled(self, settled: Settled) -> Iterator[Notice]:
        """Tell a flow to the internet that has DNS's port and packets as DNS has none."""
        flow, counted = settled.flow, settled.flow.counted
        if flow.server_port != 53 or flow.key.protocol != UDP or not flow.is_outgoing:
            return
        packets = counted.upload_packets
        mean = counted.upload_bytes / max(packets, 1)
        factor = self.home.policy(settled.who).factor
        if flow.scope != "internet" or packets < _RAW_PACKETS * factor or mean < _RAW_BYTES:
            return
        who = self.home.name(settled.who)
        why = (
            f"{who} sent {packets} packets of {mean:.0f} bytes on average to port 53 of {flow.peer};"
            " questions are shorter than 150 bytes."
        )
        yield Notice(
            self.kind,
            "medium",
            f"{who} sends something else than DNS to the DNS port of {flow.peer}",
            evidence(
                Measured(self.kind, round(mean), _RAW_BYTES, flow.last - flow.first, why), (flow,)
            ),
            **about(settled.who, flow),
            subject=f"server {flow.peer}",
            time=settled.time,
        )


class _Seen(NamedTuple):
    """What was asked below a domain within a window."""

    names: int
    asked: int
    odd: int
    carried: float
    """Of each name, as the entropy."""
    entropy: float
    bytes: int
    answer_bytes: int
    missing: int
    seconds: float

    @classmethod
    def of(cls, steps: Iterable[_Step], since: float) -> "_Seen":
        """Sum up steps that began since a time."""
        those = [each for each in steps if each.since > since]
        names = sum(each.names for each in those)
        return cls(
            names,
            sum(each.asked for each in those),
            sum(each.odd for each in those),
            sum(each.carried for each in those) / max(names, 1),
            sum(each.entropy for each in those) / max(names, 1),
            sum(each.bytes for each in those),
            sum(each.answer_bytes for each in those),
            sum(each.missing for each in those),
            those[-1].last - those[0].since if those else 0.0,
        )

    def is_like(self, pattern: _Pattern) -> bool:
        """Return whether it is a tunnel."""
        return (
            self.names >= pattern.names
            and self.carried >= pattern.carried
            and (not pattern.is_odd or self.odd >= _MOST * self.names)
            and self.seconds >= pattern.lasts
        )


def _parts(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the registered domain and the labels below it; no labels where nothing can be carried."""
    if name.endswith(_HOME):
        return name, ()
    plain = _ESCAPED.sub("?", name) if "\\" in name else name
    labels = tuple(plain.split("."))
    last = labels[-1]
    is_junk = len(last) > _LONGEST_TLD or not (last.isalpha() or last.startswith("xn--"))
    if is_junk:
        return "", labels
    domain = registered_domain(plain)
    return domain, labels[: len(labels) - domain.count(".") - 1]


def _fresh(labels: tuple[str, ...], before: tuple[str, ...]) -> str:
    """Return what of a name was not at the same place, from the end, in the one before."""
    same = 0
    for ours, theirs in zip(reversed(labels), reversed(before), strict=False):
        if ours != theirs:
            break
        same += 1
    return "".join(labels[: len(labels) - same])


def _is_reversed(labels: tuple[str, ...]) -> bool:
    """Return whether a name begins with an address written backwards, as lists of mail servers are asked."""
    is_v4 = len(labels) >= 4 and all(each.isdigit() and len(each) <= 3 for each in labels[:4])
    return is_v4 or (len(labels) >= 32 and all(len(each) == 1 for each in labels[:32]))


def _entropy(text: str) -> float:
    """Return the bits that each character of a text has."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())
