"""What `replay` finds in a capture: its document, as it prints it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.capture_oracle.conversations import TRANSPORTS, End, Key, key_of
from tests.capture_oracle.errors import OracleError

_SENSOR: Final = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow, seen from its device."""

    key: Key
    device: End
    peer: End
    mac: str | None
    community_id: str
    upload: tuple[int, int]
    """Bytes and packets."""
    download: tuple[int, int]
    name: str | None
    """The peer's."""
    served_as: str | None
    """What the peer called the device."""
    source: str | None
    is_peer_at_home: bool


@dataclass(frozen=True, slots=True)
class Replayed:
    """A capture as replay sees it; names are `(name, address or None, source)`."""

    flows: tuple[Flow, ...]
    names: frozenset[tuple[str, str | None, str]]
    counted: Mapping[str, int]
    devices: frozenset[str]
    """Addresses."""


def run(capture: Path, networks: Sequence[str]) -> Any:
    """Run replay and return its document; raises OracleError."""
    line = [str(_SENSOR), "replay", str(capture), "--json"]
    for network in networks:
        line += ["--lan", network]
    done = subprocess.run(line, capture_output=True, check=False)
    said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    try:
        document = json.loads(done.stdout)
    except ValueError:
        raise OracleError(f"replay of {capture} printed no JSON: {said}") from None
    if done.returncode or "error" in document:
        raise OracleError(f"replay of {capture} failed: {document.get('error') or said}")
    return document


def load(path: Path) -> Any:
    """Return a document that replay printed before; raises OracleError."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise OracleError(f"{path}: {error}") from None


def read(document: Any) -> Replayed:
    """Read replay's document; raises OracleError where it is not what the protocol says."""
    try:
        names = frozenset(
            (each["name"], each["address"], each["source"]) for each in document["names"]
        )
        flows = tuple(_flow(each) for each in document["flows"])
        devices = frozenset(
            address for each in document["devices"] for address in each["addresses"]
        )
        return Replayed(flows, names, document["counted"], devices)
    except (KeyError, TypeError, ValueError) as error:
        raise OracleError(f"replay's document is not as promised: {error!r}") from error


def _flow(told: Mapping[str, Any]) -> Flow:
    transport = told["transport"]
    protocol = TRANSPORTS.get(transport)
    if protocol is None:
        protocol = int(transport.removeprefix("ip-"))
    device = End(told["address"], told["port"])
    peer = End(told["peer_address"], told["peer_port"])
    upload = told["upload_bytes"], told["upload_packets"]
    ends = (device, peer) if upload[1] else (peer, device)
    return Flow(
        key=key_of(protocol, *ends),
        device=device,
        peer=peer,
        mac=told["mac"],
        community_id=told["community_id"],
        upload=upload,
        download=(told["download_bytes"], told["download_packets"]),
        name=told["peer_name"],
        served_as=told["served_as"],
        source=told["name_source"],
        is_peer_at_home=told["scope"] == "lan",
    )
