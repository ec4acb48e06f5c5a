"""Writes a Manufacturer Usage Description (RFC 8520) of what a device was seen to need."""

import ipaddress
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..policy.expectations import LOCAL, Expectation
from .reading import ACLS, MUD, is_address

_NUMBERS: Final = {
    "ipv4": {"tcp": 6, "udp": 17, "icmp": 1},
    "ipv6": {"tcp": 6, "udp": 17, "icmp": 58},
}
#: How long a reader may keep the file, in hours: RFC 8520 wants 1 to 168.
_CACHE_HOURS: Final = 48
#: Lists of access: the policy they are for, and whether it is what the device sends.
_LISTS: Final = {"from": ("from-device-policy", True), "to": ("to-device-policy", False)}


def write(expected: Iterable[Expectation], *, system: str, url: str, when: float) -> dict[str, Any]:
    """Return the document; url is where it is to be found, when the time (seconds since the epoch) of its making."""
    entries = list(expected)
    families = [
        family for family in ("ipv4", "ipv6") if any(_fits(each, family) for each in entries)
    ]
    policies: dict[str, Any] = {}
    lists = []
    for way, (policy, sends) in _LISTS.items():
        names = [f"learnt-{family}-{way}" for family in families]
        policies[policy] = {"access-lists": {"access-list": [{"name": each} for each in names]}}
        lists += [
            _list(name, family, [each for each in entries if _fits(each, family)], sends=sends)
            for name, family in zip(names, families, strict=True)
        ]
    head = {
        "mud-version": 1,
        "mud-url": url,
        "last-update": datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds"),
        "cache-validity": _CACHE_HOURS,
        "is-supported": True,
        "systeminfo": system[:60],
        **policies,
    }
    return {MUD: head, ACLS: {"acl": lists}}


def _fits(expectation: Expectation, family: str) -> bool:
    """Return whether an expectation can be said of a family of addresses."""
    if not is_address(expectation.peer):
        return True
    return ipaddress.ip_network(expectation.peer).version == (4 if family == "ipv4" else 6)


def _list(
    name: str, family: str, entries: Iterable[Expectation], *, sends: bool
) -> Mapping[str, Any]:
    """Return one list of access."""
    aces = [
        {
            "name": f"{name}-{number}",
            "matches": _matches(each, family, sends=sends),
            "actions": {"forwarding": "accept"},
        }
        for number, each in enumerate(entries)
    ]
    return {"name": name, "type": f"{family}-acl-type", "aces": {"ace": aces}}


def _matches(expectation: Expectation, family: str, *, sends: bool) -> dict[str, Any]:
    """Return what an entry takes: the peer, the transport and the called side's port."""
    far, short = ("destination", "dst") if sends else ("source", "src")
    address: dict[str, Any] = {}
    found: dict[str, Any] = {}
    if expectation.peer == LOCAL:
        found[MUD] = {"local-networks": [None]}
    elif is_address(expectation.peer):
        address[f"{far}-{family}-network"] = str(ipaddress.ip_network(expectation.peer))
    else:
        address[f"ietf-acldns:{short}-dnsname"] = expectation.peer
    if expectation.transport is not None:
        address["protocol"] = _NUMBERS[family][expectation.transport]
    if address:
        found[family] = address
    if expectation.transport in ("tcp", "udp"):
        found[expectation.transport] = _layer(expectation, far, sends=sends)
    return found


def _layer(expectation: Expectation, far: str, *, sends: bool) -> dict[str, Any]:
    """Return the part of a match that is about ports."""
    layer: dict[str, Any] = {}
    if expectation.ports is not None:
        near = "source" if sends else "destination"
        end = near if expectation.opened_by == "peer" else far
        low, high = expectation.ports
        layer[f"{end}-port"] = (
            {"operator": "eq", "port": low}
            if low == high
            else {"operator": "range", "lower-port": low, "upper-port": high}
        )
    if expectation.transport == "tcp" and expectation.opened_by is not None:
        way = "from-device" if expectation.opened_by == "device" else "to-device"
        layer["ietf-mud:direction-initiated"] = way
    return layer
