"""Puts what was learnt from a capture into the protocol's words."""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final, NamedTuple

from ..devices import MAX_ACCOUNTS, Account, describe as describe_device
from ..flows.flow import DOWNLOAD, UPLOAD, Counted
from ..flows.listing import Context, describe
from ..flows.observer import Observer
from ..identity.identities import Identities, Known
from ..identity.vendors import Vendors
from ..network.places import Places
from ..notation import address_text
from ..protocol import SCOPES, Device, Event, Replayed, ResolvedName, Scope
from .guessing import as_network, network_of
from .link import NO_MAC
from .meter import ADDRESS, MAC, PEER, Meter
from .places import INTERNET
from .sampling import BYTES, FIRST, LAST, PACKETS, WAYS

_SECOND: Final = 1_000_000_000
#: Networks of the home that are told of.
_MAX_NETWORKS: Final = 16
#: Where a flow's or device's bytes and packets stand, in the order of an account's scopes.
_AMOUNTS: Final = tuple(
    WAYS[direction] + each for direction in (UPLOAD, DOWNLOAD) for each in (BYTES, PACKETS)
)


class Name(NamedTuple):
    """A name that somebody was told of or announced."""

    who: bytes | None
    """A MAC, an address where there are none, None where it is not known."""
    name: str
    address: bytes | None
    source: str


class Learnt(NamedTuple):
    """Everything that is known at a capture's end."""

    meter: Meter
    observer: Observer
    identities: Identities
    names: Collection[Name]
    counted: Counter[str]
    events: tuple[Event, ...]
    end: int
    """The time of the last packet."""


def epoch(time: int) -> float:
    """Return nanoseconds as seconds."""
    return time / _SECOND


def tell_of(learnt: Learnt, limit: int) -> Replayed:
    """Return everything, of the flows at most so many: the largest, in the order in which they began."""
    scope = _scopes(learnt.meter)
    context = Context(
        now=learnt.end,
        epoch=epoch,
        label=learnt.observer.label,
        scope=scope,
        place=Places(()).find,
        interfaces=lambda _: None,
    )
    chosen = list(learnt.meter.flows.items())
    counted = _counts(learnt)
    if limit < len(chosen):
        counted["flows_not_listed"] = len(chosen) - limit
        chosen.sort(key=lambda each: (-sum(each[1][way + BYTES] for way in WAYS.values()), each[0]))
        del chosen[limit:]
    chosen.sort(key=lambda each: (each[1][FIRST], each[0]))
    return Replayed(
        devices=tuple(_devices(learnt, scope, counted)),
        flows=tuple(describe(key, Counted._make(flow), context) for key, flow in chosen),
        events=learnt.events,
        names=tuple(_names(learnt.names)),
        counted=dict(sorted(counted.items())),
        home=_home(learnt.meter),
    )


def _home(meter: Meter) -> tuple[str, ...]:
    """Return the networks that were taken for the home: those that were named, else those of the devices."""
    if meter.places.named:
        return tuple(map(str, meter.places.named))
    found = Counter(
        network_of(key[ADDRESS])
        for key in meter.flows
        if meter.places.is_routed(key[ADDRESS]) or meter.routers.is_on_link(key[ADDRESS])
    )
    return tuple(str(as_network(each)) for each, _ in found.most_common(_MAX_NETWORKS))


def strangers(meter: Meter) -> tuple[int, str]:
    """Return how many flows have no end in the home, and the network that most of their devices are in."""
    places, routers = meter.places, meter.routers
    found = Counter(
        network_of(key[ADDRESS])
        for key in meter.flows
        if places[key[ADDRESS]] == INTERNET and not routers.is_on_link(key[ADDRESS])
    )
    return found.total(), next((str(as_network(each)) for each, _ in found.most_common(1)), "")


def _scopes(meter: Meter) -> Callable[[bytes], Scope]:
    """Return what tells where an address is, seen from a device."""
    gateways, places = meter.routers.addresses(), meter.places

    def scope(address: bytes) -> Scope:
        if places[address] == INTERNET:
            return "internet"
        return "gateway" if address in gateways else "lan"

    return scope


def _counts(learnt: Learnt) -> dict[str, int]:
    """Return what was counted by what it is, sorted."""
    found = learnt.counted + learnt.meter.counted
    for kind, number in learnt.observer.labels.malformed.items():
        found[f"malformed_{kind}"] += number
    found["flows"] = len(learnt.meter.flows)
    for name in ("packets", "bytes"):
        found[name] += 0
    return dict(sorted(found.items()))


# Devices


def _devices(
    learnt: Learnt, scope: Callable[[bytes], Scope], counted: dict[str, int]
) -> Iterator[Device]:
    """Yield the devices by MAC, routers only where there is nobody else; not more than any home has."""
    totals = _totals(learnt.meter, scope)
    told = totals.keys() - learnt.meter.routers.found() or totals.keys()
    if len(told) > MAX_ACCOUNTS:
        counted["devices_not_listed"] = len(told) - MAX_ACCOUNTS
        told = _that_matter(told, totals, {each.mac for each in learnt.events})
    vendors = Vendors()
    for who in sorted(told, key=lambda each: (len(each), each)):
        account = _account(who, totals[who])
        if len(who) == len(NO_MAC):
            known = learnt.identities.known(account.mac)
            known = known._replace(vendor=vendors.find(account.mac))
        else:
            known = Known(addresses=(address_text(who),))
        yield describe_device([account], known, None, None)


def _that_matter(
    told: Iterable[bytes], totals: Mapping[bytes, list[int]], in_events: Container[str | None]
) -> set[bytes]:
    """Return as many devices as a home may have: those of events, then those with the most bytes."""

    def order(who: bytes) -> tuple[bool, int, bytes]:
        return who.hex(":") in in_events, sum(totals[who][:-2:2]), who

    return set(heapq.nlargest(MAX_ACCOUNTS, told, key=order))


def _totals(meter: Meter, scope: Callable[[bytes], Scope]) -> dict[bytes, list[int]]:
    """Return what each device moved, scope by scope, and when, by MAC, or by address where it has none.

    There may be many: each takes one list.
    """
    totals: dict[bytes, list[int]] = {}
    flows = (
        (key[MAC] if key[MAC] != NO_MAC else key[ADDRESS], scope(key[PEER]), flow)
        for key, flow in meter.flows.items()
    )
    others: Iterator[tuple[bytes, Scope, list[int]]] = (
        (mac, "lan", counters) for mac, counters in meter.others.items()
    )
    for who, where, counters in chain(flows, others):
        row = totals.get(who)
        if row is None:
            nothing = [0] * (len(SCOPES) * len(_AMOUNTS))
            row = totals[who] = [*nothing, counters[FIRST], counters[LAST]]
        begin = SCOPES.index(where) * len(_AMOUNTS)
        for i, each in enumerate(_AMOUNTS, begin):
            row[i] += counters[each]
        row[-2:] = min(row[-2], counters[FIRST]), max(row[-1], counters[LAST])
    return totals


def _account(who: bytes, row: list[int]) -> Account:
    """Return one device's totals."""
    *amounts, first, last = row
    return Account(
        mac=(who if len(who) == len(NO_MAC) else NO_MAC).hex(":"),
        first_seen=epoch(first),
        last_seen=epoch(last),
        scopes=tuple(
            (amounts[i], amounts[i + 1], amounts[i + 2], amounts[i + 3])
            for i in range(0, len(amounts), len(_AMOUNTS))
        ),
    )


# Names


def _names(names: Collection[Name]) -> list[ResolvedName]:
    """Return the names: without an address or somebody who was told only where nothing better is known."""
    with_address = {(each.who, each.name) for each in names if each.address is not None}
    with_device = {each[1:] for each in names if each.who is not None}
    found = (
        ResolvedName(
            mac=each.who.hex(":") if each.who is not None and len(each.who) == 6 else None,
            name=each.name,
            address=None if each.address is None else address_text(each.address),
            source="mdns" if each.source == "mdns" else "dns",
        )
        for each in names
        # Both ends of a question may be in the home: then the one that asked is told of
        if (each.address is not None or (each.who, each.name) not in with_address)
        and (each.who is not None or each[1:] not in with_device)
    )
    return sorted(
        set(found), key=lambda each: (each.mac or "", each.name, each.address or "", each.source)
    )
