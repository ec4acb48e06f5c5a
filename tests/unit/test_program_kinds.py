"""Which kinds of events there are of programs, and that each of these is told."""

from collections.abc import Callable
from typing import Any

import pytest

from hearthwall_sensor.detection import Consequences, Detection
from hearthwall_sensor.detectors import DETECTORS
from hearthwall_sensor.kinds import KINDS
from hearthwall_sensor.network.places import Place
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import (
    Appeared,
    Began,
    Listed,
    Look,
    Met,
    Moved,
    Observation,
    Settled,
    Spoke,
)
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.observed import DAY, NOON, flow, home
from tests.unit.processes import AGENT, NOBODY

# Which kinds: the table and what is told

TOLD_OF_PROGRAMS = {
    *("threat_address", "threat_domain", "forbidden_protocol", "unexpected_destination"),
    *("port_scan", "address_scan", "connection_burst", "volume_anomaly", "beacon"),
    *("unexpected_process", "suspicious_syscall", "exec_and_connect"),
}


def ports(count: int) -> list[Observation]:
    return [
        Settled(NOON + each, AGENT, tried("192.168.0.7", 1000 + each, each))
        for each in range(count)
    ]


def tried(peer: str, port: int, near: int) -> Any:
    return flow(
        peer,
        port,
        NOON + near,
        near=40_000 + near,
        outcome="refused",
        scope="lan",
        down=0,
        packets=(1, 1),
        mac=NOBODY,
    )


def hosts(count: int) -> list[Observation]:
    return [
        Settled(NOON + each, AGENT, tried(f"192.168.0.{20 + each}", 445, each))
        for each in range(count)
    ]


def burst() -> list[Observation]:
    begun: list[Observation] = [
        Began(NOON + each / 100, AGENT, flow(near=each, at=NOON + each / 100, mac=NOBODY))
        for each in range(2000)
    ]
    return [*begun, Look(NOON + 21), Look(NOON + 40)]


def beat() -> list[Observation]:
    return [
        Began(at, AGENT, flow("198.51.100.7", at=at, near=each, mac=NOBODY))
        for each, at in ((each, NOON + 60.0 * each) for each in range(40))
    ]


def listed(**fields: Any) -> list[Observation]:
    said: dict[str, Any] = {
        "time": NOON,
        "who": AGENT,
        "address": "192.168.0.1",
        "peer": "203.0.113.66",
        "name": None,
        "via": "packets",
        "feeds": ("drop",),
        "entry": "203.0.113.66",
        "listed_since": NOON - DAY,
        "packets": 5,
        "bytes": 500,
    }
    return [Listed(**(said | fields)), Look(NOON + 5)]


def spoke() -> list[Observation]:
    found = flow("203.0.113.9", 4444, mac=NOBODY)
    return [
        Began(NOON, AGENT, found),
        Spoke(NOON, AGENT, found.packed, found.key, "stratum", "internet", None, True),
    ]


def moved() -> list[Observation]:
    return [Moved(NOON, AGENT, 5.0, 900_000_000, 0, 9000, 0, 900_000_000, 0)]


SCENES: dict[str, Callable[[], list[Observation]]] = {
    "port_scan": lambda: ports(40),
    "address_scan": lambda: hosts(40),
    "connection_burst": burst,
    "beacon": beat,
    "threat_address": listed,
    "threat_domain": lambda: listed(name="bad.example", peer=None, via="tls", entry="bad.example"),
    "forbidden_protocol": spoke,
    "unexpected_destination": lambda: [
        Met(NOON, AGENT, flow(mac=NOBODY)._replace(place=Place(country="XX")))
    ],
    "volume_anomaly": moved,
}


def test_which_kinds_are_told_of_programs() -> None:
    assert {name for name, kind in KINDS.items() if kind.of_programs} == TOLD_OF_PROGRAMS
    assert (
        set(SCENES)
        | {
            "unexpected_process",
            "suspicious_syscall",
            "exec_and_connect",
        }
        == TOLD_OF_PROGRAMS
    )


def judged(observations: list[Observation]) -> list[Notice]:
    told: list[Notice] = []
    known = home(policy=DevicePolicy(countries=frozenset(("DE",))))
    detection = Detection(DETECTORS, known, Consequences(told.append))
    for each in observations:
        detection.take(each)
    detection.finish()
    assert not detection.failed
    return told


@pytest.mark.parametrize("kind", SCENES)
def test_a_program_is_judged_as_a_device_is(kind: str) -> None:
    told = [each for each in judged(SCENES[kind]()) if each.kind == kind]
    assert told
    for each in told:
        assert (each.mac, each.process, each.who) == (None, "/usr/bin/agent", AGENT)
        assert each.summary.startswith(AGENT)


def test_what_only_devices_do_is_not_asked_of_programs() -> None:
    spoofed = flow("192.168.0.9", scope="lan", mac=NOBODY)
    assert not judged(
        [
            Appeared(NOON, AGENT, False),
            Look(NOON + 60),
            *(Began(NOON + each, AGENT, spoofed) for each in range(90)),
        ]
    )
