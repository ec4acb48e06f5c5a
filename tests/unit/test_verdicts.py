"""Wherever an event is told, it says whom an order may cut off for it: never whom it was only done to."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from hearthwall_sensor.changes import Changes
from hearthwall_sensor.kernel.layouts import ROLE_GATEWAY
from hearthwall_sensor.network.protection import Protection
from hearthwall_sensor.orders import Orders
from hearthwall_sensor.policy.blame import Blame
from hearthwall_sensor.protocol import Event
from hearthwall_sensor.reports import Reports
from hearthwall_sensor.requests import GetEvents
from tests.devices import CAMERA, TV

ROUTER = TV


def event(seq: int, **fields: Any) -> Event:
    said: dict[str, Any] = {
        "time": 1_700_000_000.0 + seq,
        "kind": "port_scan",
        "severity": "high",
        "mac": CAMERA,
        "address": None,
        "peer_address": "203.0.113.9",
        "peer_name": None,
        "process": None,
        "summary": "ports",
        "evidence": {},
    }
    return Event(seq=seq, **(said | fields))


EVENTS = (
    event(1),
    event(2, evidence={"blame": "peer"}),
    event(3, evidence={"blame": "unknown"}),
    event(4, kind="blocked"),
    event(5, mac=ROUTER),
    event(6, mac=None, process="/usr/bin/curl"),
    event(7, mac=None, address="192.168.20.9"),
    event(8, mac=None, address="203.0.113.7"),
)
CULPRITS = [CAMERA, None, None, None, None, "exe:/usr/bin/curl", "192.168.20.9", None]


@pytest.fixture
def parts() -> Any:
    """The parts that judge, and a journal that has these events."""

    async def select(*_: Any) -> Iterable[Event]:
        return EVENTS

    changes = Changes()
    before = changes.begin()
    for each in EVENTS:
        changes.event(each)
    return SimpleNamespace(
        responder=SimpleNamespace(
            blame=Blame(lambda address: address.startswith("192.168."), lambda _: False)
        ),
        surroundings=SimpleNamespace(protection=Protection({ROUTER: ROLE_GATEWAY}, {})),
        tables=SimpleNamespace(statistics=lambda: {"devices_created": 0}, devices=dict),
        devices=SimpleNamespace(accounts={}),
        journal=SimpleNamespace(select=select),
        chosen=SimpleNamespace(macs=None),
        changes=changes,
        before=before,
    )


def test_in_a_delta(parts: Any) -> None:
    delta = Reports(parts).delta(parts.before)
    assert delta is not None
    assert [each.culprit for each in delta.events] == CULPRITS


async def test_in_a_list(parts: Any) -> None:
    orders = object.__new__(Orders)
    orders._parts = parts
    told = await orders._get_events(GetEvents())
    assert [each["culprit"] for each in told] == CULPRITS
