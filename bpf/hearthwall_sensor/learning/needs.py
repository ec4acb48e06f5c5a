"""What a device needs, as far as was seen: whom it calls on which port, fit to be written as a MUD file."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..names.registered import registered_domain
from ..policy.expectations import LOCAL, Expectation
from .facet import Facet

if TYPE_CHECKING:
    from ..detectors.observations import Flow

#: A device with more needs than a MUD file of 48 kB can say is none that such a file is for.
MAX_NEEDS: Final = 48
#: What was kept on disk may be damaged.
_PORT: Final = re.compile(r"\d{1,5}", re.ASCII)


def need(flow: "Flow") -> str:
    """Return whom a flow is to, and how: the transport and port, and a domain, an address or LOCAL."""
    if flow.scope != "internet":
        peer = LOCAL
    elif flow.label.peer_name is None:
        peer = flow.peer
    else:
        domain = registered_domain(flow.label.peer_name)
        peer = domain if domain == flow.label.peer_name else f"*.{domain}"
    return f"{flow.service} {peer}"


def expectations(needs: Facet) -> Iterator[Expectation]:
    """Yield what a device that goes on as it was learnt is expected to do, the most frequent at the head."""
    for value, seen in sorted(needs, key=lambda each: (-each[1].flows, each[0])):
        service, _, peer = value.partition(" ")
        transport, _, port = service.partition("/")
        if not seen.known or (transport in ("tcp", "udp")) is not bool(port):
            continue
        if transport.startswith("icmp"):
            yield Expectation(peer, "icmp", None, None)
        elif _PORT.fullmatch(port) and int(port) <= 65535:
            yield Expectation(peer, transport, (int(port), int(port)), "device")
