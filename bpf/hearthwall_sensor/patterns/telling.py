"""A pattern that came to its end, as a notice: what happened, and the processes, files and connections behind it."""

import ipaddress
from collections.abc import Callable
from typing import Any, Final

from ..detectors.evidence import Measured, about, evidence
from ..flows.community_id import community_id
from ..flows.flow import TCP, UDP, FlowKey
from ..learning.programs import name_of
from ..notation import address_text
from ..notice import Notice
from ..observations import Bound, Called, Connected, Executed
from .pattern import Pattern
from .standard_input import Input
from .words import Seen, chain, printable, shown, words

_PROTOCOLS: Final = {"tcp": TCP, "udp": UDP}
_NOWHERE: Final = bytes(16)
#: Of a file's path in the evidence.
_PATH: Final = 500


def subject(pattern: Pattern, seen: Seen) -> str:
    """Return what an event is about beside the program."""
    return " ".join(filter(None, (pattern.name, pattern.about.format_map(words(seen)))))


def notice(
    pattern: Pattern,
    seen: Seen,
    stdin: Input | None = None,
    executable: Callable[[int], str | None] = lambda _: None,
) -> Notice:
    """Return what there is to tell; of a process that another one is about, what it executes is asked for."""
    last, said = seen[-1], words(seen)
    held = _held(seen, executable)
    if held and held["executable"]:
        said["other"] += f" ({shown(held['executable'])})"
    connections = [each for each in seen if isinstance(each, Connected)]
    if stdin is not None and stdin.peer_port and not connections and isinstance(last, Executed):
        connections = [_typed(last, stdin)]
        peer = address_text(stdin.peer)
        said["input"] += f" with {peer}"
        if ipaddress.ip_address(peer).is_loopback:
            said["whoever"] = "another program of this host, or somebody who comes through one,"
    image = last.image
    if pattern.blames == "parent" and image.parent is not None:
        image = image.parent
    doer = last.image.pid if isinstance(last, Executed) else last.pid
    stops, pid = _to_stop(pattern, seen)
    if image is not last.image:
        pid = image.pid
    connected = next(iter(connections), None)
    measured = Measured(
        detector=pattern.kind,
        value=len(seen),
        threshold=len(pattern.steps),
        window=round(last.time - seen[0].time, 3),
        why=pattern.why.format_map(said),
    )
    return Notice(
        pattern.kind,
        pattern.severity,
        pattern.says.format_map(said),
        evidence(
            measured,
            (),
            pattern=pattern.name,
            pid=pid,
            stops=stops,
            chain=chain(last.image, doer),
            files=_files(seen),
            connections=[_connection(each) for each in connections],
            **({"held": held} if held else {}),
            listeners=[each.service for each in seen if isinstance(each, Bound)],
        ),
        **about(image.program)
        | {"peer_address": None if connected is None else address_text(connected.peer)},
        subject=subject(pattern, seen),
        time=last.time,
        technique=pattern.technique,
    )


def _typed(executed: Executed, stdin: Input) -> Connected:
    """Return the connection that is a process's standard input."""
    return Connected(
        executed.time,
        executed.who,
        executed.image,
        executed.image.pid,
        *stdin[1:],
        scope="internet",
        is_outgoing=True,
    )


def _held(seen: Seen, executable: Callable[[int], str | None]) -> dict[str, Any]:
    """Return the process that another one took hold of."""
    called = next((each for each in seen if isinstance(each, Called)), None)
    if called is None or called.call != "ptrace":
        return {}
    path = executable(called.number)
    return {
        "pid": called.number,
        "executable": None if path is None else printable(path)[:_PATH],
    }


def _to_stop(pattern: Pattern, seen: Seen) -> tuple[str, int]:
    """Return what a response stops, `program` or `process`, and the process.

    A program that a written file uses, or runs in, is no part of it: what ran the file is stopped then.
    """
    last = seen[-1]
    pid = last.image.pid if isinstance(last, Executed) else last.pid
    run = next((each.image for each in reversed(seen) if isinstance(each, Executed)), None)
    if run is None or isinstance(last, Executed):
        return pattern.stops, pid
    if run.number != last.image.number:
        return "process", run.pid
    wrote = next((each for each in seen if isinstance(each, Called) and each.path), None)
    is_itself = wrote is None or name_of(wrote.path) in (name_of(run.executable), "")
    return (pattern.stops, pid) if is_itself else ("process", run.pid)


def _files(seen: Seen) -> list[dict[str, Any]]:
    """Return the files that were written, and by whom."""
    return [
        {
            "path": printable(each.path)[:_PATH],
            "call": each.call,
            "by": printable(each.image.executable)[:_PATH],
            "pid": each.pid,
        }
        for each in seen
        if isinstance(each, Called) and each.path
    ]


def _connection(connected: Connected) -> dict[str, Any]:
    """Return what is shown of a connection; its Community ID as soon as both ends are known."""
    is_known = connected.address != _NOWHERE and connected.port > 0
    protocol = _PROTOCOLS.get(connected.transport)
    key = (
        None
        if protocol is None or not is_known
        else FlowKey(
            bytes(6),
            *(connected.port, connected.peer_port, protocol, 0),
            connected.address,
            connected.peer,
        )
    )
    return {
        "community_id": None if key is None else community_id(key),
        "address": address_text(connected.address) if is_known else None,
        "port": connected.port if is_known else None,
        "peer_address": address_text(connected.peer),
        "peer_port": connected.peer_port,
        "transport": connected.transport,
    }
