"""What a device needs, as far as was seen: whom it calls on which port, fit to be written as a MUD file."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ..names.registered import registered_domain
from ..observations import Flow
from ..policy.expectations import LOCAL, Expectation
from .facet import Facet

#: A device with more needs than a MUD file of 48 kB can say is none that such a file is for.
MAX_NEEDS: Final = 48
#: What was kept on disk may be damaged.
_PORT: Final = re.compile(r"\d{1,5}", re.ASCII)


def need(flow: Flow) -> str:
    """Return whom a flow is to, and how: the transport and port, and a domain, an address or LOCAL."""
    return _need(flow.service, flow.peer, flow.label.peer_name, is_home=flow.scope != "internet")


def told_needs(evidence: Mapping[str, Any], is_home: Callable[[str], bool]) -> Iterator[str]:
    """Yield the same of the flows that a device opened and an event shows."""
    flows = evidence.get("flows")
    for each in flows if isinstance(flows, list) else ():
        transport, peer, name = (each.get(of) for of in ("transport", "peer_address", "peer_name"))
        if isinstance(transport, str) and isinstance(peer, str):
            port = f"/{each.get('peer_port')}" if transport in ("tcp", "udp") else ""
            yield _need(transport + port, peer, name, is_home=is_home(peer))


def _need(service: str, peer: str, name: str | None, *, is_home: bool) -> str:
    """Return a need."""
    if is_home:
        peer = LOCAL
    elif name is not None:
        domain = registered_domain(name)
        peer = domain if domain == name else f"*.{domain}"
    return f"{service} {peer}"


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
