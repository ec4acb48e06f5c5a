"""Events as sinks get them, and what a sink knows of its sensor."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hearthwall_sensor.protocol import Event
from hearthwall_sensor.sinks.sink import Call, SinkContext

MAC = "02:00:5e:10:00:01"
FLOW: dict[str, Any] = {
    "community_id": "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
    "address": "192.168.10.21",
    "port": 51234,
    "peer_address": "203.0.113.9",
    "peer_port": 443,
    "peer_name": "bad.example",
    "transport": "tcp",
    "application": "tls",
    "upload_bytes": 1200,
    "download_bytes": 5000,
    "first_seen": 1_790_000_000.25,
    "last_seen": 1_790_000_009.0,
}
#: What a name or a program could be called by somebody who wants to forge a line, an element or a document.
HOSTILE = 'x"]\n<13>1 - - - - - [a b="c"] \r\n\x00\x1b[2J\u2028\ud800{"a":1}\\'


def event(seq: int = 7, **changes: Any) -> Event:
    """Return an event."""
    usual = Event(
        seq=seq,
        time=1_790_000_010.123,
        kind="unexpected_destination",
        severity="medium",
        mac=MAC,
        address="192.168.10.21",
        peer_address="203.0.113.9",
        peer_name="bad.example",
        process=None,
        summary=f"event {seq}",
        evidence={
            "detector": "unexpected_destination",
            "value": 15,
            "threshold": 12.5,
            "window": 60.0,
            "why": "it never did that",
            "flows": [FLOW],
            "country": "ZZ",
        },
        technique="T1071.004",
        subject="tcp/443",
    )
    return replace(usual, **changes)


def process_event(**changes: Any) -> Event:
    """Return an event about a program of the gateway."""
    usual = event(
        kind="suspicious_syscall",
        severity="high",
        mac=None,
        address=None,
        peer_name=None,
        process="/usr/bin/bash@4f1b9a6b7e0c",
        technique="T1059.004",
        evidence={
            "detector": "suspicious_syscall",
            "pattern": "reverse_shell",
            "value": 2,
            "threshold": 2,
            "window": 0.5,
            "why": "shells do not",
            "flows": [],
            "pid": 4242,
            "chain": [
                {"executable": "/usr/bin/bash", "pid": 4242, "command_line": "bash -i"},
                {"executable": "/usr/sbin/nginx", "pid": 800, "command_line": "nginx"},
            ],
            "connections": [
                {name: FLOW[name] for name in ("community_id", "address", "port", "transport")}
                | {"peer_address": "203.0.113.9", "peer_port": 4444}
            ],
        },
    )
    return replace(usual, **changes)


async def nothing(_: Any) -> Any:
    """Answer as a journal without any event does."""
    return []


def context(
    state: Path = Path("/nonexistent"),
    device: str | None = "garden camera",
    maker: str | None = "Some Maker",
    call: Call = nothing,
) -> SinkContext:
    """Return what a sink may know; every device has one name and one maker."""
    return SinkContext(
        name="siem",
        sensor_id="5e0f",
        state_dir=state,
        call=call,
        devices=tuple,
        device_name=lambda _: device,
        device_maker=lambda _: maker,
    )
