"""Everything that tshark finds in a capture, and a second question where it found no name and replay did."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.capture_oracle import answers, conversations, names
from tests.capture_oracle.answers import Answers
from tests.capture_oracle.conversations import TCP, Key, Traffic
from tests.capture_oracle.names import Names, Said
from tests.capture_oracle.replayed import Replayed
from tests.capture_oracle.tshark import BETWEEN, Tshark

#: tshark is not asked about more ports.
_MAX_PORTS: Final = 64
#: By a name's source: what tshark calls the port and the protocol.
_DISSECTORS: Final = {
    "tls": ("tcp.port", "tls"),
    "http": ("tcp.port", "http"),
    "quic": ("udp.port", "quic"),
}
_PIECES: Final = ("frame.number", "quic.dcid", "quic.crypto.offset")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What tshark found."""

    traffic: Traffic
    names: Names
    answers: Answers


def gather(tshark: Tshark, capture: Path, replayed: Replayed) -> Evidence:
    """Ask tshark what is in a capture; raises OracleError."""
    traffic = conversations.read(tshark, capture)
    found = names.read(tshark, capture, traffic)
    _ask_again(tshark, capture, traffic, found, replayed)
    return Evidence(traffic, found, answers.read(tshark, capture, traffic))


def _ask_again(
    tshark: Tshark, capture: Path, traffic: Traffic, found: Names, replayed: Replayed
) -> None:
    """Let tshark read ports as what replay took them for, whole or in pieces, where it saw nothing by itself."""
    asked: dict[str, set[Key]] = {}
    for flow in replayed.flows:
        port, protocol = _DISSECTORS.get(flow.source or "", ("", ""))
        if protocol and flow.key not in found.said:
            for end in (flow.key.low, flow.key.high):
                asked.setdefault(f"{port}=={end.port},{protocol}", set()).add(flow.key)
    wanted = set().union(*asked.values())
    for apart in (False, True):
        if wanted:
            again = names.read(
                tshark, capture, traffic, sorted(asked)[:_MAX_PORTS], apart=apart
            ).said
            found.said.update({key: again[key] for key in wanted & again.keys()})
            wanted -= again.keys()
    missed = {flow.key for flow in replayed.flows if flow.source in _DISSECTORS} - found.said.keys()
    if missed:
        _excuse(tshark, capture, traffic, found, missed)


def _excuse(
    tshark: Tshark, capture: Path, traffic: Traffic, found: Names, missed: set[Key]
) -> None:
    """Find out where tshark could not put a hello or request together, so that it can't say that there is none."""
    offsets: dict[tuple[Key, str], int] = {}
    choice = "tcp.analysis.lost_segment || quic.crypto.offset"
    for number, identity, pieces in tshark.streams(capture, _PIECES, choice):
        packet = traffic.by_number.get(int(number))
        if packet is None or packet.key not in missed:
            continue
        key = packet.key
        in_order = key.protocol != TCP
        for offset in map(int, pieces.split(BETWEEN) if pieces else ()):
            in_order = in_order and offset >= offsets.get((key, identity), 0)
            offsets[key, identity] = offset
        if not in_order:
            missed.discard(key)
            found.said[key] = Said(is_unknown=True)
            found.left_out["names that tshark can't put together"] += 1
