"""The oracle: what becomes of a frame by the meaning of the rules, plainly and slowly."""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Final, Literal, NamedTuple

from hearthwall_sensor.kernel.layouts import ROLE_HOME_ASSISTANT
from hearthwall_sensor.network.home import NEVER_INTERNET

from .frame import ARP, EAPOL, ICMP, ICMPV6, IPV4, IPV6, MAPPED, PPPOE, TCP, UDP, Frame
from .rules import Prefix, Rule, RuleSet, Target

type Outcome = Literal["pass", "drop", "redirect"]
type End = Literal["mac", "near", "far"]

#: Ethernet's least length with two tags: an ARP frame that is longer carries something else.
MAX_ARP: Final = 68
#: Multicast listeners' messages, and what neighbours say; by who says it.
LISTENER: Final = {True: (131, 132, 143), False: (130,)}
NEIGHBOUR: Final = {True: (133, 135, 136), False: (134, 135, 136, 137)}
#: A second's worth beyond the rate is no flood yet.
FLOOD_TOLERANCE: Final = 10**9


class Look(NamedTuple):
    """Where a program stands: a packet goes up, away from its device, or comes down to it."""

    direction: str
    side: str
    upload: bool
    early: bool
    statistic: str
    tagged: bool = False


LOOKS: Final = {
    "gate": Look("from_lan", "lan", True, True, "dropped_gate"),
    "gate_wan": Look("from_wan", "wan", False, True, "dropped_wan"),
    "gate_vlan": Look("", "", True, True, "", True),
    "meter_ingress": Look("from_lan", "lan", True, False, "dropped_ingress"),
    "meter_egress": Look("to_lan", "lan", False, False, "dropped_egress"),
    "wan_ingress": Look("from_wan", "wan", False, False, "dropped_wan"),
    "wan_egress": Look("to_wan", "wan", True, False, "dropped_wan"),
}

_NEVER_INTERNET: Final = [
    Prefix(
        each.version,
        int(each.network_address) | (MAPPED if each.version == 4 else 0),
        each.prefixlen,
    )
    for each in NEVER_INTERNET
]


def version_of(address: int) -> int:
    """Return the family of an address as it is written here."""
    return 4 if address >> 32 == MAPPED >> 32 else 6


@cache
def _is_never_internet(address: int) -> bool:
    return any(each.holds(version_of(address), address) for each in _NEVER_INTERNET)


class Oracle:
    """Judges frames under a set of rules at one moment, and counts."""

    def __init__(self, rules: RuleSet, now: int) -> None:
        self.rules = rules
        self.now = now
        self.statistics: Counter[str] = Counter()
        self._flood_debts: Counter[tuple[object, ...]] = Counter()

    def verdict(self, frame: Frame, program: str, segment: int = 0) -> Outcome:
        """Return what a program does with a frame; one of more segments than one if segment says their size."""
        look = LOOKS[program]
        if look.tagged:
            side = self.rules.vlans.get(frame.vlan) if frame.vlan else None
            if side is None:
                return "pass"
            look = LOOKS["gate" if side == "lan" else "gate_wan"]
        outcome = Sight(self, frame, look, segment).outcome()
        if outcome == "redirect":
            self.statistics["redirected"] += 1
        return outcome

    def is_home(self, address: int) -> bool:
        """Return whether an address is the home's, or no internet address at all."""
        if _is_never_internet(address):
            return True
        return any(each.holds(version_of(address), address) for each in self.rules.home_networks)

    def role(self, address: int) -> int:
        """Return why an address is never dropped, 0 for no reason."""
        return self.rules.protected_addresses.get(address, 0)

    def overflows(self, source: tuple[object, ...], side: str, kind: str) -> bool:
        """Take a packet of a source that may flood; return whether it is one too many."""
        cost = self.rules.floods.get((side, kind), 0)
        key = (side, kind, *source)
        if not cost:
            return False
        if self._flood_debts[key] > FLOOD_TOLERANCE:
            return True
        self._flood_debts[key] += cost
        return False


class Sight:
    """One frame where one program meets it."""

    def __init__(self, oracle: Oracle, frame: Frame, look: Look, segment: int) -> None:
        self.oracle, self.rules, self.frame, self.look = oracle, oracle.rules, frame, look
        self.device = frame.source_mac if look.direction == "from_lan" else frame.destination_mac
        ends = frame.source, frame.destination
        self.near, self.far = ends if look.upload else ends[::-1]
        self.packets, self.bytes = 1, frame.length
        if segment and frame.length > frame.header_bytes:
            self.packets = -(-(frame.length - frame.header_bytes) // segment)
            self.bytes += (self.packets - 1) * frame.header_bytes

    def outcome(self) -> Outcome:
        """Return the verdict, and count."""
        for end, rule in self._asked():
            outcome = self._apply(rule, end)
            if outcome == "drop":
                self.oracle.statistics[self.look.statistic] += 1
            if outcome != "pass":
                return outcome
        if self.look.early and self._floods():  # what a rule drops is no flood
            self.oracle.statistics["dropped_flood"] += 1
            return "drop"
        return "pass"

    def _asked(self) -> Iterator[tuple[End, Rule]]:
        """Yield the rules in the order in which they are asked."""
        for end, target in self._targets():
            for rule in target.asked(self.frame):
                yield end, rule
        if self.frame.version and not self.look.early:
            for rule in self._listed():
                yield "far", rule

    def _targets(self) -> Iterator[tuple[End, Target]]:
        version = self.frame.version
        if self.look.side == "lan" and self.device in self.rules.macs:
            yield "mac", self.rules.macs[self.device]
        if not version:
            return
        ends: tuple[tuple[End, int], ...] = (("near", self.near), ("far", self.far))
        for end, address in ends:
            if (version, address) in self.rules.addresses:
                yield end, self.rules.addresses[version, address]
        for end, address in ends:
            around = [each for each in self.rules.prefixes if each.holds(version, address)]
            for prefix in sorted(around, key=lambda each: -each.length):
                yield end, self.rules.prefixes[prefix]

    def _listed(self) -> Iterator[Rule]:
        """Yield the rules of the lists that the far end is on: feeds by number, then a blocked name's."""
        slots = set()
        if self.rules.feeds_in:
            for prefix, slot_mask in self.rules.feeds.items():
                if prefix.holds(self.frame.version, self.far):
                    slots |= {slot for slot in range(32) if slot_mask >> slot & 1}
        resolution = self.rules.resolved.get(self.far)
        if resolution is not None and self.oracle.now < resolution.expires:
            slots.add(resolution.slot)
        for slot in sorted(slots):
            if slot in self.rules.lists:
                yield self.rules.lists[slot]

    def _apply(self, rule: Rule, end: End) -> Outcome:
        """Return what a rule does with the packet, and count what it hits."""
        if not self._is_asked_here(rule, end):
            return "pass"
        if not self._covers(rule, end) or self._is_protected(end):
            return "pass"
        upload = self.look.upload != (end == "far")
        if rule.mode == "rate_limit" and (
            rule.limit is None or rule.limit.grants(upload, self.packets, self.bytes)
        ):
            return "pass"
        rule.packets += self.packets
        rule.bytes += self.bytes
        if rule.audit:
            return "pass"
        return "redirect" if rule.mode == "redirect" else "drop"

    def _is_asked_here(self, rule: Rule, end: End) -> bool:
        """Return whether a rule is in force and this program's business.

        One that does not drop looks at each packet once: at the device's own port, or, for a host of
        the internet, at the port of the device that it talks to. One for a single direction sees it
        once in any case.
        """
        if rule.mode is None or rule.direction not in ("any", self.look.direction):
            return False
        if rule.expires and self.oracle.now >= rule.expires:
            return False
        gentle = rule.audit or rule.mode in ("rate_limit", "redirect")
        if self.look.early:
            return not gentle and rule.mode != "allow_only"
        if not gentle or rule.direction != "any":
            return True
        return self.look.side == "lan" and not (end == "far" and self.oracle.is_home(self.far))

    def _is_protected(self, end: End) -> bool:
        if end == "mac":
            return self.device in self.rules.protected_macs
        return self.oracle.role(self.far if end == "far" else self.near) != 0

    def _covers(self, rule: Rule, end: End) -> bool:
        """Return whether a packet to or from the target is one that the rule is against."""
        own, peer = (self.far, self.near) if end == "far" else (self.near, self.far)
        if rule.mode == "no_internet":
            return self._leaves_home() if end == "mac" else not self.oracle.is_home(peer)
        if end != "mac" and not self.oracle.is_home(own):
            return True  # what a rule allows is for hosts of the home
        if self._is_allowed(rule, peer, self.look.upload != (end == "far")):
            return False
        if rule.mode == "allow_only" and self.frame.version:
            return not any(
                each.prefix.holds(version_of(peer), peer)
                and (not each.expires or self.oracle.now < each.expires)
                for each in rule.peers
            )
        return True

    def _leaves_home(self) -> bool:
        """Return whether a device talks to the internet; what can't be read and may be IP, does."""
        if self.frame.version:
            return not self.oracle.is_home(self.far)
        return self.frame.ethertype in (IPV4, IPV6, *PPPOE)

    def _is_allowed(self, rule: Rule, peer: int, upload: bool) -> bool:
        frame = self.frame
        if not frame.version:
            return "addressing" in rule.allow and (
                frame.ethertype == EAPOL or (frame.ethertype == ARP and frame.length <= MAX_ARP)
            )
        if "home_assistant" in rule.allow and self.oracle.role(peer) & ROLE_HOME_ASSISTANT:
            return True
        if not self.oracle.is_home(peer):
            return False
        ports = frame.source_port, frame.destination_port
        if "dns" in rule.allow and frame.protocol in (TCP, UDP) and ports[upload] == 53:
            return True
        return "addressing" in rule.allow and (
            self._is_dhcp(ports if upload else ports[::-1]) or self._is_neighbourly(upload)
        )

    def _is_dhcp(self, own_and_other: tuple[int | None, int | None]) -> bool:
        """Return whether the target speaks DHCP as a client."""
        client_and_server = (68, 67) if self.frame.version == 4 else (546, 547)
        return self.frame.protocol == UDP and own_and_other == client_and_server

    def _is_neighbourly(self, upload: bool) -> bool:
        """Return whether the target is a neighbour or a listener, but no router."""
        if self.frame.version != 6 or self.frame.protocol != ICMPV6:
            return False
        if self.frame.icmp_type in LISTENER[upload]:
            return True
        return self.frame.hop_limit == 255 and self.frame.icmp_type in NEIGHBOUR[upload]

    def _floods(self) -> bool:
        kind, frame, lan = self._flood_kind(), self.frame, self.look.side == "lan"
        if kind is None:
            return False
        source = (frame.source_mac,) if lan else (frame.source,)
        if not self.oracle.overflows(source, self.look.side, kind):
            return False
        return not self.oracle.role(frame.source) and not (
            lan and frame.source_mac in self.rules.protected_macs
        )

    def _flood_kind(self) -> str | None:
        frame = self.frame
        if frame.opens_connection:
            return "syn"
        if frame.version and frame.protocol == UDP:
            return "udp"
        if frame.version == 4 and frame.protocol == ICMP:
            return None if frame.icmp_type == 0 else "icmp"  # an echo's answer
        # 129 is that, too; the others are what the home depends on
        is_needed = frame.icmp_type is not None and 129 <= frame.icmp_type <= 143
        if frame.version == 6 and frame.protocol == ICMPV6 and not is_needed:
            return "icmp"
        return None


def text(address: int) -> str:
    """Return an address as people write it."""
    if version_of(address) == 4:
        return str(ipaddress.IPv4Address(address & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(address))
