"""Rules on names: the addresses that blocked and allowed names resolve to, learnt from the answers devices get."""

import itertools
import logging
import struct
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Final, NamedTuple

from ..dissect import dns as answers
from ..flows.flow import DOWNLOAD, FlowKey, Sample
from ..kernel.layouts import FEED_SLOTS, FLAG_AUDIT
from ..kernel.learnt import Learnt, expiry
from ..kernel.tables import Tables
from ..network import home
from ..notation import address_text, boot_ns
from ..protocol import MAX_SHOWN_ADDRESSES, SensorError
from .patterns import Patterns
from .remembered import Chain, Remembered

_LOGGER = logging.getLogger(__name__)

_SECOND: Final = 10**9
#: An address is blocked as long as its time to live, within these bounds, and a grace time says.
MIN_TTL: Final = 60
MAX_TTL: Final = 86_400
GRACE: Final = 300.0
#: A device that may only talk to some names keeps a connection open for longer than a name's time to live.
PEER_GRACE: Final = 86_400 * _SECOND
MAX_RESOLVED: Final = 65_536
MAX_PEERS: Final = 8192
_MAX_SERVERS: Final = 256
_LOOKS: Final = 512
#: Programs ignore what has ended, so that it may lie about for a while.
_SWEEP: Final = 60 * _SECOND

_DNS: Final = 53
_RESOLUTION: Final = struct.Struct("<QI4x")
_PEER: Final = struct.Struct("<II16s")
_PEER_EXPIRES: Final = struct.Struct("<Q")
_PEER_BITS: Final = 32 + 128


class Match(NamedTuple):
    """A device that was told the addresses of a name that rules or feeds are on."""

    slots: frozenset[int]
    name: str
    mac: str
    address: str
    resolved: tuple[str, ...]


class Held(NamedTuple):
    """What the kernel's tables hold of blocked and of allowed names' addresses, keys and values as they are there."""

    resolved: list[tuple[bytes, bytes]]
    peers: list[tuple[bytes, bytes]]


class Domains:
    """The blocked and the allowed names, and what is known of their addresses.

    Addresses stand in the kernel's tables and nowhere else: there they outlive the sensor.
    """

    def __init__(
        self,
        tables: Tables,
        is_protected: Callable[[str], bool],
        trusts: Callable[[str, int], bool],
        *,
        watch: bool = True,
        grace: float = GRACE,
    ) -> None:
        """Take the kernel's tables, who may never be blocked, and whose answers are believed.

        watch says whether answers are remembered while there is no rule on a name, for the next
        one to take hold of.
        """
        self._tables = tables
        self._is_protected = is_protected
        self._trusts = trusts
        self._watch = watch
        self._grace = round(grace * _SECOND)
        self._resolved = Learnt(tables.map("resolved"), MAX_RESOLVED)
        self._peers = Learnt(tables.map("peers"), MAX_PEERS)
        self._rules: dict[str, int] | None = None
        self._blocked: Patterns[int] = Patterns({})
        self._peer_rules: dict[str, frozenset[int]] | None = None
        self._allowed: Patterns[frozenset[int]] = Patterns({})
        self._feed_match: Callable[[str], int] | None = None
        self._feed_slots: frozenset[int] | None = None
        self._remembered = Remembered()
        self._to_look_at: list[Chain] = []
        self._servers: dict[tuple[bytes, int], bool] = {}
        self._by_slot: dict[int, list[tuple[bytes, int]]] = {}
        self._listed_at = -1
        self._next_sweep = 0
        self._counts = dict.fromkeys(
            (
                "answers",
                "answers_distrusted",
                "answers_unreadable",
                "answers_truncated",
                "answers_matched",
                "addresses_skipped",
                "addresses_refused",
                "slowest_us",
            ),
            0,
        )
        #: Told of every answer that led a device to a blocked name, after its addresses are in force.
        self.on_match: Callable[[Match], None] = lambda _: None

    # What is wanted

    @property
    def wanted(self) -> bool:
        """Whether DNS answers are to be sampled."""
        return bool(self._watch or self._blocks or self._allowed)

    @property
    def _blocks(self) -> bool:
        """Whether anything is on a name that could be blocked."""
        return bool(self._blocked or self._feed_match)

    def set_rules(self, rules: Mapping[str, int]) -> None:
        """Let these be the blocked names, each with its slot in the table of list rules.

        A slot that is left, or that goes over to another name, takes its addresses with it at once;
        the first call after a start leaves what the kernel holds for these slots.
        """
        if rules != self._rules:
            before, self._rules = self._rules or {}, dict(rules)
            self._blocked = Patterns(self._rules)
            fresh = {slot for name, slot in rules.items() if before.get(name) != slot}
            kept = set(rules.values()) - (fresh & set(before.values()))
            removed = self._end(lambda slot: slot >= FEED_SLOTS and slot not in kept)
            self._take_hold(before.items() ^ rules.items(), fresh, removed)
        self._look_again()

    def set_feeds(self, match: Callable[[str], int] | None, slots: Iterable[int]) -> None:
        """Take what says which feeds a name is on, as a mask of slots, and the slots of all feeds."""
        self._feed_match = match
        kept = frozenset(slots)
        if kept != self._feed_slots:
            self._feed_slots = kept
            removed = self._end(lambda slot: slot < FEED_SLOTS and slot not in kept)
            self._take_hold(frozenset(), frozenset(), removed)
        self._look_again()

    def set_peers(self, names: Mapping[str, Iterable[int]]) -> None:
        """Let these be the names that rules allow, each with the rules' ids."""
        wanted = {name: frozenset(rules) for name, rules in names.items()}
        if wanted != self._peer_rules:
            before, self._peer_rules = self._peer_rules or {}, wanted
            self._allowed = Patterns(wanted)
            kept = frozenset(itertools.chain.from_iterable(wanted.values()))
            self._peers.remove_if(lambda key, _: _PEER.unpack(key)[1] not in kept)
            self._take_hold(before.items() ^ wanted.items(), frozenset(), frozenset())
        self._look_again()

    def take_over(self, earlier: Tables) -> None:
        """Take over what an earlier generation of programs knew; slots and rules must have kept their numbers."""
        tables = (Learnt(earlier.map(name), 0) for name in ("resolved", "peers"))
        self.take_back(Held(*(each.entries() for each in tables)))

    def take_back(self, held: Held) -> None:
        """Put in force what an earlier run knew, as far as it has not ended and fits the tables."""
        now = boot_ns()
        for table, entries in ((self._resolved, held.resolved), (self._peers, held.peers)):
            for key, value in entries:
                if table.fits(key, value) and expiry(value) > now:
                    self._put(table, key, value, now)

    def held(self) -> Held:
        """Return what was learnt and is in force."""
        return Held(self._resolved.entries(), self._peers.entries())

    @property
    def changes(self) -> int:
        """How often what is in force has changed."""
        return self._resolved.changes + self._peers.changes

    def _end(self, ended: Callable[[int], bool]) -> Set[bytes]:
        """Remove the addresses of the slots of which this is true, and return them."""
        return self._resolved.remove_if(lambda _, value: ended(_RESOLUTION.unpack(value)[1]))

    def _take_hold(
        self, changed: Set[tuple[str, object]], fresh: Set[int], removed: Set[bytes]
    ) -> None:
        """Apply changed rules to what was resolved in the last hour, and all rules to what another one let go."""
        names = Patterns({name: True for name, _ in changed})
        let_go = frozenset(self._remembered.leading_to(removed)) if removed else frozenset()
        for chain in list(self._remembered) if names or let_go else ():
            if chain in let_go or any(any(names.find(name)) for name in chain[1].split(" ")):
                self._apply(chain, fresh)

    def _look_again(self) -> None:
        """Let the kernel look for what is wanted now; everything remembered is gone through with the next sweeps.

        Asking the feeds for some thousand names takes a while, and orders don't wait for that.
        """
        self._tables.watch_names(resolved=self._blocks, sample=self.wanted)
        self._to_look_at = list(self._remembered)

    def _apply(self, chain: Chain, fresh: Set[int] = frozenset()) -> None:
        """Apply all rules to an answer that is remembered.

        A fresh slot also takes addresses whose time has passed: a device may still use them.
        """
        now = boot_ns()
        known = self._remembered.find(chain, now)
        if known is None:
            return
        names = chain[1].split(" ")
        slots = self._slots(names)
        latest = known.expires if fresh.isdisjoint(slots) else max(known.expires, now)
        for address in known.each():
            self._block(address, slots, latest + self._grace, now)
            self._allow(address, names, known.expires, now)

    # What the devices are told

    def take(self, sample: Sample, key: FlowKey, answer: answers.Answer | None) -> bool:
        """Learn from what a DNS server said to a device; return whether that was an answer to believe.

        The answer is None where it can't be read.
        """
        if sample.direction != DOWNLOAD or key.peer_port != _DNS:
            return False
        self._counts["answers"] += 1
        if not self._believes(key.peer, sample.interface):
            self._counts["answers_distrusted"] += 1
            return False
        if answer is None:
            self._counts["answers_unreadable"] += 1
            return False
        self._counts["answers_truncated"] += answer.truncated
        slots = self._slots(answer.names)
        self._learn(answer, slots)
        if slots:
            self._counts["answers_matched"] += 1
            took = (boot_ns() - sample.time) // 1000
            self._counts["slowest_us"] = max(took, self._counts["slowest_us"])
            self._tell(answer, slots, key.mac.hex(":"), address_text(key.address))
        return True

    def _believes(self, server: bytes, interface: int) -> bool:
        """Return whether a server's answers are believed; asked anew after each sweep."""
        key = server, interface
        if key not in self._servers:
            if len(self._servers) >= _MAX_SERVERS:
                self._servers.clear()
            self._servers[key] = self._trusts(address_text(server), interface)
        return self._servers[key]

    def _slots(self, names: Iterable[str]) -> frozenset[int]:
        """Return the slots of all rules and feeds that any of the names is on."""
        found: set[int] = set()
        for name in names:
            found.update(self._blocked.find(name))
            mask = self._feed_match(name) if self._feed_match else 0
            found.update(slot for slot in range(FEED_SLOTS) if mask >> slot & 1)
        return frozenset(found)

    def _learn(self, answer: answers.Answer, slots: frozenset[int]) -> None:
        """Block and allow an answer's addresses, and remember it."""
        if not answer.addresses:
            return
        now = boot_ns()
        latest = now
        for address, ttl in answer.addresses:
            expires = now + min(max(ttl, MIN_TTL), MAX_TTL) * _SECOND
            latest = max(latest, expires)
            self._block(address, slots, expires + self._grace, now)
            self._allow(address, answer.names, expires, now)
        self._remembered.add(answer, now, latest)

    def _tell(self, answer: answers.Answer, slots: frozenset[int], mac: str, device: str) -> None:
        """Tell what a device was led to, by the first name of the chain that something is on."""
        name = next(each for each in answer.names if self._slots((each,)))
        resolved = tuple(address_text(address) for address, _ in answer.addresses)
        self.on_match(Match(slots, name, mac, device, resolved))

    # What is in force

    def _block(self, address: bytes, slots: frozenset[int], expires: int, now: int) -> None:
        """Put an address in force for the one of these slots that counts most: one that drops, a rule before a feed."""
        if not slots or expires <= now:
            return
        if self._is_exempt(address):
            self._counts["addresses_skipped"] += 1
            return
        slot = min(slots, key=lambda each: (self._audits(each), each < FEED_SLOTS, each))
        held = self._resolved.get(address)
        if held is not None:
            ends, holder = _RESOLUTION.unpack(held)
            weaker = 0 if holder == slot else self._audits(slot) - self._audits(holder)
            if ends > now and (weaker > 0 or (weaker == 0 and ends >= expires)):
                return
        self._put(self._resolved, address, _RESOLUTION.pack(expires, slot), now)

    def _allow(self, address: bytes, names: Iterable[str], expires: int, now: int) -> None:
        """Let the rules that name one of these names let an address pass."""
        if not self._allowed:
            return
        rules = {rule for name in names for each in self._allowed.find(name) for rule in each}
        # Else whoever owns a name could open the way to the home's own devices.
        if rules and self._is_exempt(address):
            self._counts["addresses_skipped"] += 1
            return
        expires += PEER_GRACE
        for rule in rules:
            key = _PEER.pack(_PEER_BITS, rule, address)
            held = self._peers.get(key)
            if held is None or 0 < expiry(held) < expires:
                self._put(self._peers, key, _PEER_EXPIRES.pack(expires), now)

    def _is_exempt(self, address: bytes) -> bool:
        """Return whether no name may decide over an address: it is the home's, nobody's, or must stay reachable."""
        text = address_text(address)
        return home.is_home(text, ()) or self._is_protected(text)

    def _audits(self, slot: int) -> bool:
        """Return whether a slot's rule drops nothing."""
        rule = self._tables.list_rule(slot)
        return rule is None or bool(rule.flags & FLAG_AUDIT)

    def _put(self, table: Learnt, key: bytes, value: bytes, now: int) -> None:
        """Put an entry into one of the tables, and count what finds no room."""
        try:
            table.put(key, value, now)
        except SensorError as error:
            if not self._counts["addresses_refused"]:  # once: who makes them up could fill the log
                _LOGGER.warning("Not every address of a name is in force: %s", error.message)
            self._counts["addresses_refused"] += 1

    def sweep(self) -> None:
        """Look at some of what is remembered, and each minute forget what has ended; called every second."""
        self._servers.clear()
        for chain in self._to_look_at[:_LOOKS]:
            self._apply(chain)
        del self._to_look_at[:_LOOKS]
        now = boot_ns()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP
        self._resolved.sweep(now)
        self._peers.sweep(now)
        self._remembered.sweep(now)

    # What is told

    def addresses(self, slot: int) -> list[str]:
        """Return the addresses that are in force for a slot, as many as are shown to anybody."""
        now = boot_ns()
        if self._listed_at != self._resolved.changes:
            self._listed_at = self._resolved.changes
            self._by_slot = {}
            for key, value in self._resolved.entries():
                ends, holder = _RESOLUTION.unpack(value)
                listed = self._by_slot.setdefault(holder, [])
                if ends > now and len(listed) < MAX_SHOWN_ADDRESSES:
                    listed.append((key, ends))
        return [address_text(key) for key, ends in self._by_slot.get(slot, ()) if ends > now]

    @property
    def statistics(self) -> dict[str, int]:
        """What came and what became of it, since the sensor started; and what is known now."""
        return self._counts | {
            "addresses_evicted": self._resolved.evicted + self._peers.evicted,
            "addresses_blocked": self._resolved.size,
            "addresses_allowed": self._peers.size,
            "names_remembered": len(self._remembered),
            "names_forgotten": self._remembered.forgotten,
        }
