"""The evidence that every event shows: by which detector, what was measured against what, and the flows behind it."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final, NamedTuple

from ..observations import Flow
from ..processes.image import PROGRAM

#: So many flows are shown.
MAX_FLOWS: Final = 5


class Measured(NamedTuple):
    """What was measured, against what, and why that is unusual."""

    detector: str
    value: float | str
    threshold: Any
    """Or the expected band, as two numbers. In the unit that `why` names, as the value."""
    window: float
    """In which time, in seconds."""
    why: str
    """A sentence: why that is unusual for this very device."""


def evidence(measured: Measured, flows: Iterable[Flow] = (), **more: Any) -> dict[str, Any]:
    """Return an event's evidence, with up to MAX_FLOWS of the flows, and what else a detector shows."""
    return {
        **measured._asdict(),
        "flows": [_flow(each) for each in islice(flows, MAX_FLOWS)],
        **more,
    }


def _flow(flow: Flow) -> dict[str, Any]:
    """Return what is shown of a flow."""
    return {
        "community_id": flow.community_id,
        "address": flow.address,
        "port": flow.key.port,
        "peer_address": flow.peer,
        "peer_port": flow.key.peer_port,
        "peer_name": flow.label.peer_name,
        "transport": flow.transport,
        "application": flow.application,
        "upload_bytes": flow.counted.upload_bytes,
        "download_bytes": flow.counted.download_bytes,
        "first_seen": round(flow.first, 3),
        "last_seen": round(flow.last, 3),
    }


def about(who: str | None, flow: Flow | None = None) -> dict[str, Any]:
    """Return a notice's fields that say whom it is about: a device, or a program of this host."""
    process = who.removeprefix(PROGRAM) if who is not None and who.startswith(PROGRAM) else None
    return {
        "mac": who if who is not None and is_mac(who) else None,
        "process": process,
        "address": flow.address
        if flow is not None
        else None
        if who is None or process is not None or is_mac(who)
        else who,
        "peer_address": None if flow is None else flow.peer,
        "peer_name": None if flow is None else flow.label.peer_name,
    }


def is_mac(who: str) -> bool:
    """Return whether a device is known by its MAC: no IPv6 address is written with six pairs of digits."""
    return len(who) == 17 and who.count(":") == 5 and all(len(each) == 2 for each in who.split(":"))
