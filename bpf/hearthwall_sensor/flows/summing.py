"""Sums over the devices' flows: how much moved, by what they have in common."""

import asyncio
import heapq
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Final, NamedTuple

from ..names.registered import registered_domain
from ..notation import address_text
from ..protocol import SensorError
from ..requests import GetFlows, GetUsage
from ..usage import Dimension, UsageReport, UsageRow
from .flow import Counted, FlowKey
from .labels import Label
from .listing import Choice, Context, application_of

#: Flows that are summed before the clock is looked at: a peer whose place has to be read from a file takes 200 µs.
_AT_ONCE: Final = 16
#: Others wait for so long at most, in seconds.
_SPAN: Final = 0.005

_Of = tuple[str | None, ...]


class _Looked(NamedTuple):
    """A flow that is looked at."""

    key: FlowKey
    counted: Counted
    label: Label
    context: Context


class _Sums:
    """What flows that are alike have moved together.

    In arrays: 50,000 objects would have Python look through all that it has for garbage, which takes 50 ms.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.places: dict[_Of, int] = {}
        self.upload, self.download, self.flows = array("Q"), array("Q"), array("Q")

    def add(self, of: _Of, upload: int, download: int) -> None:
        """Count a flow."""
        place = self.places.setdefault(of, len(self.flows))
        if place == len(self.flows):
            for each in (self.upload, self.download, self.flows):
                each.append(0)
        self.upload[place] += upload
        self.download[place] += download
        self.flows[place] += 1


async def summed(
    entries: Iterable[tuple[bytes, tuple[int, ...]]],
    request: GetUsage,
    context: Context,
    macs_of: Callable[[str], Iterable[str]],
    device: Callable[[bytes], str],
) -> UsageReport:
    """Return the sums that a request asks for; raises SensorError `invalid_message`.

    A full table takes a second. Orders and answers do not wait for it.
    """
    choice = _choice(request, macs_of)
    of_each = [_OF[each](device) for each in request.by]
    sums = _Sums()
    began = time.monotonic()
    for number, (packed, values) in enumerate(entries):
        if number % _AT_ONCE == 0 and time.monotonic() - began > _SPAN:
            await asyncio.sleep(0)
            began = time.monotonic()
        counted = Counted._make(values)
        if not choice.takes_device(packed) or (
            choice.since is not None and context.epoch(counted.last) < choice.since
        ):
            continue
        key = FlowKey.unpack(packed)
        flow = _Looked(key, counted, context.label(packed, key, counted.first), context)
        of = tuple([tell(flow) for tell in of_each])
        sums.add(of, counted.upload_bytes, counted.download_bytes)
    # In a thread the others get their turn meanwhile.
    return await asyncio.to_thread(_report, sums, request)


def _choice(request: GetUsage, macs_of: Callable[[str], Iterable[str]]) -> Choice:
    """Return which flows count; raises SensorError `invalid_message`."""
    if len(set(request.by)) < len(request.by):
        raise SensorError("invalid_message", "flows are summed by each dimension once")
    if request.each is not None and (request.each < 1 or not request.by):
        raise SensorError("invalid_message", "each is 1 or more, of a dimension")
    asked = GetFlows(devices=request.devices, since=request.since, limit=request.limit)
    return Choice(asked, macs_of)


# By what flows are alike


def _mac(device: Callable[[bytes], str]) -> Callable[[_Looked], str | None]:
    """Return what tells a flow's device: the one that its MAC stands for."""
    return lambda flow: device(flow.key.mac)


def _application(_: object) -> Callable[[_Looked], str | None]:
    """Return what tells a flow's application."""
    return lambda flow: application_of(flow.key, flow.counted, flow.label, flow.context.now)


def _domain(_: object) -> Callable[[_Looked], str | None]:
    """Return what tells whose the peer's name is."""
    return lambda flow: flow.label.peer_name and registered_domain(flow.label.peer_name)


def _peer(_: object) -> Callable[[_Looked], str | None]:
    """Return what tells the peer's name, else its address."""
    return lambda flow: flow.label.peer_name or address_text(flow.key.peer)


def _country(_: object) -> Callable[[_Looked], str | None]:
    """Return what tells the peer's country."""
    return lambda flow: flow.context.place(address_text(flow.key.peer)).country


def _network(_: object) -> Callable[[_Looked], str | None]:
    """Return what tells who runs the peer's network, by its number where no file has a name."""

    def network(flow: _Looked) -> str | None:
        place = flow.context.place(address_text(flow.key.peer))
        return place.as_name or (None if place.as_number is None else f"AS{place.as_number}")

    return network


_Tell = Callable[[_Looked], str | None]
_OF: Final[Mapping[Dimension, Callable[[Callable[[bytes], str]], _Tell]]] = {
    "mac": _mac,
    "application": _application,
    "domain": _domain,
    "peer": _peer,
    "country": _country,
    "network": _network,
}


# What is told


def _report(sums: _Sums, request: GetUsage) -> UsageReport:
    """Return the largest sums, and all together."""
    values = list(sums.places)

    def order(place: int) -> tuple[int, tuple[str, ...]]:
        """Sort by the bytes; the values decide between equals, so that the same flows give one order."""
        of = tuple([each or "" for each in values[place]])
        return sums.upload[place] + sums.download[place], of

    places: Iterable[int] = range(len(values))
    if request.each is not None:
        by_first: defaultdict[str | None, list[int]] = defaultdict(list)
        for place in places:
            by_first[values[place][0]].append(place)
        largest = [heapq.nlargest(request.each, alike, key=order) for alike in by_first.values()]
        places = chain.from_iterable(largest)
    return UsageReport(
        tuple(
            UsageRow(
                sums.upload[place],
                sums.download[place],
                sums.flows[place],
                **dict(zip(request.by, values[place], strict=True)),
            )
            for place in heapq.nlargest(request.limit, places, key=order)
        ),
        sum(sums.upload),
        sum(sums.download),
        sum(sums.flows),
    )
