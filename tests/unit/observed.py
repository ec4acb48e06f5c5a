"""A home as detectors ask about it, and flows as they are told of them."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from hearthwall_sensor.detectors.detector import Detector, Home
from hearthwall_sensor.flows.flow import (
    DOWNLOAD,
    TCP,
    TCP_ACK,
    TCP_SYN,
    UPLOAD,
    Counted,
    FlowKey,
)
from hearthwall_sensor.flows.labels import Label
from hearthwall_sensor.learning.profile import Profile
from hearthwall_sensor.network.places import Place
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Flow, Observation
from hearthwall_sensor.policy.policy import DevicePolicy
from hearthwall_sensor.protocol import Outcome, Scope

CAMERA, PLUG, LAPTOP = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"
#: When tests begin: a Thursday noon, UTC.
NOON = 1_750_939_200.0
DAY = 86_400.0


def packed(text: str) -> bytes:
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


def home(
    *,
    profile: Callable[[str], Profile] | None = None,
    policy: DevicePolicy | None = None,
    devices: int = 10,
    settling: bool = False,
) -> Home:
    """Return a home whose devices were learnt for a year, and knew nobody."""
    profiles: dict[str, Profile] = {}
    return Home(
        policy=lambda _: policy or DevicePolicy(),
        profile=profile or (lambda who: profiles.setdefault(who, Profile(who, NOON - 365 * DAY))),
        name=lambda who: {CAMERA: "Camera", PLUG: "Plug", LAPTOP: "Laptop"}.get(who, who),
        own_addresses=lambda: (),
        own=lambda: (),
        owner=lambda _: None,
        is_home=lambda address: address[:13] == packed("192.168.0.0")[:13],
        segment=lambda _: None,
        is_settling=lambda _: settling,
        devices=lambda: devices,
    )


def flow(
    peer: str = "203.0.113.9",
    port: int = 443,
    at: float = NOON,
    *,
    near: int = 50_000,
    protocol: int = TCP,
    name: str | None = None,
    up: int = 500,
    down: int = 700,
    packets: tuple[int, int] = (5, 5),
    scope: Scope = "internet",
    outgoing: bool = True,
    outcome: Outcome | None = None,
    mac: str = CAMERA,
    lasts: float = 0.5,
) -> Flow:
    """Return a flow that began at a time; the ports are the peer's and the device's."""
    key = FlowKey(
        bytes.fromhex(mac.replace(":", "")),
        *(near, port, protocol, 0, packed("192.168.0.10"), packed(peer)),
    )
    opened = TCP_SYN | TCP_ACK if protocol == TCP else 0
    flags = (opened, 0) if outgoing else (0, opened)
    counted = Counted(
        *(int(at * 1e9), int((at + lasts) * 1e9), up, packets[0], 0, 0, 0, flags[0]),
        *(down, packets[1], 0, 0, 0, flags[1], 0, UPLOAD if outgoing else DOWNLOAD),
    )
    if outcome is None and protocol == TCP:
        outcome = "closed"
    label = Label(name=name, source=None if name is None else "dns")
    return Flow(key.pack(), key, counted, label, scope, Place(), outcome, at, at + lasts)


def told(detector: Detector, observations: Iterable[Observation]) -> list[Notice]:
    """Return what a detector makes of observations."""
    handlers: Any = detector.handlers()
    return [
        notice
        for each in observations
        if type(each) in handlers
        for notice in handlers[type(each)](each)
    ]
