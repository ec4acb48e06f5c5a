"""What is told and exported of MUD files: nothing that an attack did, unless the user said that it is fine."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hearthwall_sensor.mud import reading
from hearthwall_sensor.mud.unwanted import Unwanted
from hearthwall_sensor.mud_orders import MudOrders
from hearthwall_sensor.policy.expectations import LOCAL, Expectation
from hearthwall_sensor.protocol import Event
from hearthwall_sensor.requests import AcceptEvent, GetMud, RevokeAccepted
from tests.devices import CAMERA
from tests.unit.test_policy_orders import Sensor as Policed, notice

CLOUD, EVIL = "tcp/443 *.vendor.example", "tcp/6667 203.0.113.66"


def flow(peer: str, port: int, name: str | None = None, transport: str = "tcp") -> dict[str, Any]:
    return {
        "peer_address": peer,
        "peer_port": port,
        "peer_name": name,
        "transport": transport,
        "address": "192.168.20.21",
        "port": 40_000,
    }


def event(*flows: dict[str, Any], **fields: Any) -> Event:
    said = {
        "seq": 7,
        "time": 1.0,
        "kind": "beacon",
        "severity": "medium",
        "mac": CAMERA,
        "address": None,
        "peer_address": None,
        "peer_name": None,
        "process": None,
        "summary": "",
        "evidence": {"flows": list(flows)},
    }
    return Event(**(said | fields))


def expected(peer: str, port: int = 443, transport: str = "tcp") -> Expectation:
    return Expectation(peer, transport, (port, port), "device")


@pytest.mark.parametrize(
    ("told", "what", "is_told"),
    [
        (event(flow("203.0.113.9", 443)), expected("203.0.113.9"), True),
        (event(flow("203.0.113.9", 443)), expected("203.0.113.9", 80), False),
        (event(flow("203.0.113.9", 443, "a.b.example")), expected("*.b.example"), True),
        (event(flow("203.0.113.9", 443, "b.example")), expected("*.b.example"), True),
        (event(flow("203.0.113.9", 443, "ab.example")), expected("*.b.example"), False),
        (event(flow("192.168.1.9", 445)), expected(LOCAL, 445), True),
        (event(flow("203.0.113.9", 445)), expected(LOCAL, 445), False),
        (event(flow("192.168.1.1", 53, transport="udp")), expected(LOCAL, 53, "udp"), False),
        (
            event(flow("2001:db8::9", 0, transport="icmpv6")),
            Expectation("2001:db8::9", "icmp"),
            True,
        ),
        (event(peer_name="b.example"), expected("b.example", 80), True),
        (event(peer_address="203.0.113.9"), expected("203.0.113.9", 80), True),
        (event(peer_address="192.168.1.9"), expected(LOCAL), False),
        (event(evidence={}), expected("b.example"), False),
    ],
)
def test_what_an_event_tells_of(told: Event, what: Expectation, is_told: bool) -> None:
    found = Unwanted([told], lambda address: address.startswith("192.168.")).event(what)
    assert found == (7 if is_told else None)


def scan(host: str, **fields: Any) -> Event:
    """A scan of many ports of a host, of which few are shown."""
    evidence = {"flows": [flow(host, 22)], "target": host, "transport": "tcp"}
    return event(kind="port_scan", severity="high", evidence=evidence | fields)


def sweep(service: str, *hosts: str) -> Event:
    """A scan of many hosts, of which few are shown."""
    evidence = {"flows": [], "service": service, "hosts": list(hosts), "open_hosts": []}
    return event(kind="address_scan", severity="high", evidence=evidence)


@pytest.mark.parametrize(
    ("told", "what", "is_told"),
    [
        (scan("192.168.1.9"), expected(LOCAL, 8080), True),
        (scan("192.168.1.9"), expected(LOCAL, 53), False),
        (scan("192.168.1.9"), expected(LOCAL, 5683, "udp"), False),
        (scan("192.168.1.9"), expected("b.example", 8080), False),
        (scan("203.0.113.9"), expected("203.0.113.9", 8080), True),
        (scan("203.0.113.9"), expected("203.0.113.8", 8080), False),
        (scan("192.168.1.9", blame="peer"), expected(LOCAL, 8080), False),
        (sweep("tcp/445", "192.168.1.9"), expected(LOCAL, 445), True),
        (sweep("tcp/445", "192.168.1.9"), expected(LOCAL, 80), False),
        (sweep("tcp/23", "203.0.113.1"), expected("203.0.113.99", 23), True),
        (sweep("tcp/23", "203.0.113.1"), expected("*.vendor.example", 23), False),
        (sweep("icmp", "192.168.1.9"), Expectation(LOCAL, "icmp"), True),
    ],
)
def test_all_that_a_scan_tried_is_unwanted(told: Event, what: Expectation, is_told: bool) -> None:
    found = Unwanted([told], lambda address: address.startswith("192.168.")).event(what)
    assert found == (7 if is_told else None)


class Sensor(Policed):
    """Beside that, what orders about MUD files need."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.descriptions = SimpleNamespace(of=lambda _: None, announced=lambda _: None)
        parts: Any = SimpleNamespace(**vars(self))
        device = SimpleNamespace(name="camera", hostname=None, vendor=None)
        reports: Any = SimpleNamespace(device=lambda _: device)
        self.orders.answers |= MudOrders(parts, reports).answers

    async def exported(self) -> tuple[set[str], tuple[str, ...]]:
        """Return the peers of what is exported, and what is kept out of it."""
        answer = await self(GetMud(CAMERA))
        return {each.peer for each in reading.read(answer["learnt"]).expected}, answer["kept_out"]


@pytest.fixture
async def sensor(tmp_path: Path) -> AsyncIterator[Sensor]:
    sensor = Sensor(tmp_path)
    needs = sensor.profiles.of(CAMERA, sensor.now).facets["need"]
    for each in (CLOUD, EVIL):
        needs.note(each, sensor.now, 60.0, learning=True)
    yield sensor
    await asyncio.sleep(0)
    sensor.close()


async def tell(sensor: Sensor, severity: str = "medium") -> int:
    evidence = {"detector": "x", "value": 1.0, "flows": [flow("203.0.113.66", 6667)]}
    sensor.journal.note(notice("network x", evidence=evidence, severity=severity))
    (told,) = await sensor.journal.write()
    return told.seq


async def test_what_a_grave_event_tells_of_is_exported_only_once_it_is_accepted(
    sensor: Sensor,
) -> None:
    assert await sensor.exported() == ({"*.vendor.example", "203.0.113.66"}, ())
    seq = await tell(sensor)
    peers, (kept_out,) = await sensor.exported()
    assert peers == {"*.vendor.example"}
    assert kept_out == f"it may call 203.0.113.66: tcp port 6667 (event {seq})"
    await sensor(AcceptEvent(seq))
    assert await sensor.exported() == ({"*.vendor.example", "203.0.113.66"}, ())
    await sensor(RevokeAccepted(1))
    assert (await sensor.exported())[0] == {"*.vendor.example"}


async def test_what_was_accepted_and_is_revoked_is_no_need(sensor: Sensor) -> None:
    seq = await tell(sensor, "low")
    assert "203.0.113.66" in (await sensor.exported())[0]
    await sensor(AcceptEvent(seq))
    await sensor(RevokeAccepted(1))
    assert await sensor.exported() == ({"*.vendor.example"}, ())
    kept = {each.who: each for each in sensor.store.profiles()}[CAMERA]
    assert not kept.facets["need"].is_known(EVIL)


async def test_what_is_accepted_becomes_a_need(sensor: Sensor) -> None:
    sensor.profiles.of(CAMERA, sensor.now).facets["need"].doubt(EVIL)
    assert "203.0.113.66" not in (await sensor.exported())[0]
    await sensor(AcceptEvent(await tell(sensor)))
    assert "203.0.113.66" in (await sensor.exported())[0]


async def test_events_that_leave_nothing_out_are_counted(sensor: Sensor) -> None:
    assert (await sensor(GetMud(CAMERA)))["events"] == 0
    seq = await tell(sensor, "low")
    sensor.journal.note(notice("new", kind="new_device", severity="info"))
    sensor.journal.note(notice("id 1", kind="blocked", severity="info"))
    await sensor.journal.write()
    assert (await sensor(GetMud(CAMERA)))["events"] == 1
    await sensor(AcceptEvent(seq))
    assert (await sensor(GetMud(CAMERA)))["events"] == 0
