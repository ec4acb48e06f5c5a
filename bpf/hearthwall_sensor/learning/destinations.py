"""Where a flow goes, as the facets of a profile name it."""

from typing import Final

from ..names.registered import registered_domain
from ..notation import address_text
from ..observations import Flow
from .needs import need

#: What a device that stays in the home may still need of the internet: names, the time, and whether anybody is there.
BASICS: Final = frozenset(("udp/53", "tcp/53", "udp/123", "icmp", "icmpv6"))
#: The domain of a peer without a name.
NAMELESS: Final = "-"
#: What a device that goes out is known for.
INTERNET: Final = "internet"
_MAPPED: Final = bytes(10) + b"\xff\xff"


def habits(flow: Flow) -> dict[str, str]:
    """Return a flow's value for each facet that it tells something of."""
    if flow.scope != "internet":
        return {"lan_service": flow.service, "need": need(flow)}
    name = flow.label.peer_name
    found = {
        "domain": NAMELESS if name is None else registered_domain(name),
        "network": network(flow),
        "service": flow.service,
        "application": flow.application,
        "need": need(flow),
    }
    if flow.service not in BASICS:
        found["outside"] = INTERNET
    if flow.place.country is not None:
        found["country"] = flow.place.country
    return found


def network(flow: Flow) -> str:
    """Return the network of a flow's peer: its autonomous system, else its /16, or /32 of IPv6."""
    if flow.place.as_number is not None:
        return f"AS{flow.place.as_number}"
    peer = flow.key.peer
    if peer[:12] == _MAPPED:
        return f"{address_text(_MAPPED + peer[12:14] + bytes(2))}/16"
    return f"{address_text(peer[:4] + bytes(12))}/32"
