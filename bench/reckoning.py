"""Whether everything adds up in a flood of new flows: bytes, flows, and samples that were seen or lost."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench import household
from bench.figures import Figure
from bench.replay import Replay, Sent, generator
from bench.router import LAN, Router
from bench.running import Running, running
from hearthwall_sensor.flows.flow import Counted
from hearthwall_sensor.kernel.flow_table import FlowTable
from hearthwall_sensor.kernel.tables import Tables

#: So many new flows a second are no flood.
_CALM: Final = 1_000
_RATE: Final = 20_000
#: One visit of each device, and as many as the table has room for.
_ONCE: Final = household.DEVICES * household.FLOWS_PER_VISIT
_FLOOD: Final = _ONCE * 24
_OVERFLOW: Final = _ONCE * 16
_TIMEOUT: Final = 60.0
_LOOKED: Final = 6.0
_ANSWERS_PER_VISIT: Final = 4

_AMOUNTS: Final = ("upload_bytes", "upload_packets", "download_bytes", "download_packets")


class Books(NamedTuple):
    """What the kernel and the sensor say at one time."""

    created: int
    present: int
    sampled: int
    lost: int
    limited: int
    bytes: int
    answers: int


def _books(sensor: Running, tables: Tables) -> Books:
    """Read them."""
    flows = [Counted._make(values) for _, values in FlowTable(tables).read()]
    statistics, status = tables.statistics(), sensor.ask("status")
    return Books(
        created=statistics["flows_created"],
        present=len(flows),
        sampled=sum(each.upload_sampled + each.download_sampled for each in flows),
        lost=statistics["samples_lost"],
        limited=statistics["samples_limited"],
        bytes=sum(each.upload_bytes + each.download_bytes for each in flows),
        answers=status["names"]["answers"],
    )


def _digest(sensor: Running) -> None:
    """Wait until the sensor has read all samples that it has got."""
    deadline, before = time.monotonic() + _TIMEOUT, -1
    while (now := sensor.ask("status")["names"]["answers"]) != before:
        if time.monotonic() > deadline:
            raise TimeoutError("the sensor does not come to an end with its samples")
        before = now
        time.sleep(1.0)


def _unaccounted(sensor: Running, amounts: Mapping[str, tuple[int, ...]]) -> int:
    """Return how many bytes and packets of all devices' differ from what was sent."""
    devices: list[dict[str, Any]] = sensor.ask("devices")
    told = {each["mac"]: tuple(each[name] for name in _AMOUNTS) for each in devices}
    return sum(
        abs(mine - sent)
        for mac, amount in amounts.items()
        for mine, sent in zip(told.get(mac, (0, 0, 0, 0)), amount, strict=True)
    )


def _flood(sent: Sent, calm: Books, before: Books, after: Books, sent_bytes: int) -> list[Figure]:
    """Return the figures of a flood, by what one calm visit of each device led to."""
    times = sent.flows // _ONCE
    due = (calm.sampled + calm.limited) * times
    lost, limited = after.lost - before.lost, after.limited - before.limited
    decided = after.sampled - before.sampled + limited
    answers_due = household.DEVICES * _ANSWERS_PER_VISIT * times
    missing = answers_due - (after.answers - before.answers)
    pace = f"{sent.rate:,.0f} new flows/s"
    return [
        Figure(
            f"flows at {pace}, not in the table",
            sent.flows - (after.created - before.created),
            "flows",
            0.0,
        ),
        Figure(
            f"bytes of flows at {pace}, not in the table", sent_bytes - after.bytes, "bytes", 0.0
        ),
        Figure(f"samples due at {pace}", due, "samples"),
        Figure(f"samples lost at {pace}, as status says", round(lost / due * 100, 2), "%"),
        Figure(
            f"samples above a device's budget at {pace}, as status says",
            round(limited / due * 100, 2),
            "%",
        ),
        Figure(f"samples at {pace} that nobody speaks of", abs(due - decided), "samples", 0.0),
        Figure(
            f"DNS answers at {pace}, of {answers_due}, that the sensor did not get",
            missing,
            "answers",
        ),
        Figure(
            "of these, more than were counted as lost",
            max(0, missing - lost - limited),
            "answers",
            0.0,
        ),
    ]


def measure(folder: Path) -> list[Figure]:
    """Return the figures of a flood."""
    router = Router(folder)
    household.move_in(router)
    with (
        generator(router) as replay,
        running(router.gateway, LAN, router.folder / "sensor") as sensor,
        sensor.tables() as tables,
    ):
        return _measure(replay, sensor, tables)


def _measure(replay: Replay, sensor: Running, tables: Tables) -> list[Figure]:
    """Send, and compare."""
    visits = household.visits()
    replay.send(visits, _CALM, _ONCE)
    _digest(sensor)
    calm = _books(sensor, tables)
    if calm.lost or calm.created != _ONCE:
        raise AssertionError(f"already {_CALM} new flows a second are too many: {calm}")
    sent = replay.send(visits, _RATE, _FLOOD)
    _digest(sensor)
    after = _books(sensor, tables)
    amounts = replay.amounts()
    total = sum(upload + download for upload, _, download, _ in amounts.values())
    figures = [
        Figure(
            "bytes and packets of devices, not accounted for",
            _unaccounted(sensor, amounts),
            "",
            0.0,
        ),
        *_flood(sent, calm, calm, after, total),
    ]
    more = replay.send(visits, _RATE, _OVERFLOW)
    _digest(sensor)
    time.sleep(_LOOKED)
    last = _books(sensor, tables)
    evicted = sensor.ask("status")["lost"]["flows_evicted"]
    gone = _ONCE + sent.flows + more.flows - last.present
    return [
        *figures,
        Figure("flows that gave way to others in a table that is full", gone, "flows"),
        Figure("of these, not in status", gone - evicted, "flows", 0.0),
    ]
