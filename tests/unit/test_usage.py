"""Sums over the devices' flows: what is summed, what is told, and that nobody waits for it; and the command."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.flows.flow import TCP, UPLOAD, Counted, FlowKey
from hearthwall_sensor.flows.labels import Label
from hearthwall_sensor.flows.listing import Context
from hearthwall_sensor.flows.observed import device_text
from hearthwall_sensor.flows.summing import summed
from hearthwall_sensor.network.places import Place
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.requests import GetUsage
from hearthwall_sensor.usage import DIMENSIONS, UsageReport, UsageRow
from tests.devices import CAMERA, PHONE, TV
from tests.unit.asking import asked, run, said
from tests.unit.household import Household, Serving
from tests.unit.test_flows import packed

SECOND = 10**9
PLACES = {
    "203.0.113.5": Place("DE", 64500, "Example Net"),
    "198.51.100.7": Place("FR", 64501, None),
}


def entry(
    mac: str, peer: str, up: int, down: int = 0, *, port: int = 40000, to: int = 443, last: int = 50
) -> tuple[bytes, tuple[int, ...]]:
    """Return a TCP connection as the kernel has it, both ways of which have said something."""
    key = FlowKey(
        bytes.fromhex(mac.replace(":", "")), port, to, TCP, 0, packed("192.168.1.5"), packed(peer)
    )
    counted = Counted(*(0, last * SECOND, up, 1, 0, 0, 0, 18), *(down, 1, 0, 0, 0, 18, 0, UPLOAD))
    return key.pack(), tuple(counted)


def context(names: dict[str, str] | None = None) -> Context:
    """Return a world in which peers have these names by address."""
    by_peer = {
        packed(peer): Label("tls", name, "tls", way=UPLOAD) for peer, name in (names or {}).items()
    }
    return Context(
        now=100 * SECOND,
        epoch=lambda nanoseconds: nanoseconds / SECOND,
        label=lambda _, key, __: by_peer.get(key.peer, Label()),
        scope=lambda _: "internet",
        place=lambda address: PLACES.get(address, Place()),
        interfaces=lambda _: None,
    )


def usage(entries: Any, request: GetUsage, names: dict[str, str] | None = None) -> UsageReport:
    return asyncio.run(summed(entries, request, context(names), lambda mac: (mac,), device_text))


ENTRIES = [
    entry(CAMERA, "203.0.113.5", 100, 10),
    entry(CAMERA, "203.0.113.5", 50, 5, port=40001),
    entry(CAMERA, "198.51.100.7", 1, 1, port=40002),
    entry(TV, "203.0.113.5", 7, 3000),
    entry(TV, "2001:db8::7", 2, 2, to=22, last=10),
]
NAMES = {"203.0.113.5": "a.cdn.example.co.uk", "198.51.100.7": "b.cdn.example.co.uk"}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (("mac",), [(TV, 9, 3002, 2), (CAMERA, 151, 16, 3)]),
        (("application",), [("tls", 158, 3016, 4), ("ssh", 2, 2, 1)]),
        (("domain",), [("example.co.uk", 158, 3016, 4), (None, 2, 2, 1)]),
        (("country",), [("DE", 157, 3015, 3), (None, 2, 2, 1), ("FR", 1, 1, 1)]),
        (("network",), [("Example Net", 157, 3015, 3), (None, 2, 2, 1), ("AS64501", 1, 1, 1)]),
        (
            ("peer",),
            [
                ("a.cdn.example.co.uk", 157, 3015, 3),
                ("2001:db8::7", 2, 2, 1),
                ("b.cdn.example.co.uk", 1, 1, 1),
            ],
        ),
    ],
)
def test_by_each_dimension(by: Any, expected: list[tuple[Any, ...]]) -> None:
    report = usage(ENTRIES, GetUsage(by), NAMES)
    assert [
        (getattr(row, by[0]), row.upload_bytes, row.download_bytes, row.flows)
        for row in report.rows
    ] == expected
    assert (report.upload_bytes, report.download_bytes, report.flows) == (160, 3018, 5)
    unasked = set(DIMENSIONS) - set(by)
    assert all(getattr(row, each) is None for row in report.rows for each in unasked)


def test_by_several_and_by_none() -> None:
    report = usage(ENTRIES, GetUsage(("country", "mac")), NAMES)
    assert [(row.country, row.mac) for row in report.rows] == [
        ("DE", TV),
        ("DE", CAMERA),
        (None, TV),
        ("FR", CAMERA),
    ]
    (row,) = usage(ENTRIES, GetUsage()).rows
    assert row == UsageRow(160, 3018, 5)


def test_a_limit_cuts_rows_and_not_totals() -> None:
    report = usage(ENTRIES, GetUsage(("mac",), limit=1))
    assert [row.mac for row in report.rows] == [TV]
    assert report.flows == 5


def test_so_many_of_each() -> None:
    report = usage(ENTRIES, GetUsage(("mac", "peer"), each=1), NAMES)
    assert [(row.mac, row.peer) for row in report.rows] == [
        (TV, "a.cdn.example.co.uk"),
        (CAMERA, "a.cdn.example.co.uk"),
    ]
    assert report.flows == 5


def test_of_some_devices_and_since() -> None:
    assert usage(ENTRIES, GetUsage(("mac",), devices=(CAMERA,))).flows == 3
    report = usage(ENTRIES, GetUsage(("mac",), since=20.0))
    assert (report.flows, report.upload_bytes) == (4, 158)
    assert usage(ENTRIES, GetUsage(("mac",), devices=(PHONE,))) == UsageReport((), 0, 0, 0)


def test_merged_macs_are_one_device() -> None:
    primary = {CAMERA: TV}
    report = asyncio.run(
        summed(
            ENTRIES,
            GetUsage(("mac",), devices=(TV,)),
            context(),
            lambda mac: (TV, CAMERA),
            lambda mac: primary.get(device_text(mac), device_text(mac)),
        )
    )
    assert [(row.mac, row.flows) for row in report.rows] == [(TV, 5)]


@pytest.mark.parametrize(
    "request_",
    [
        GetUsage(("mac", "mac")),
        GetUsage(("mac",), limit=0),
        GetUsage(("mac",), limit=2001),
        GetUsage(("mac",), each=0),
        GetUsage(each=1),
    ],
)
def test_what_makes_no_sense_is_refused(request_: GetUsage) -> None:
    with pytest.raises(SensorError, match=r".") as raised:
        usage(ENTRIES, request_)
    assert raised.value.code == "invalid_message"


@given(
    by=st.lists(st.sampled_from(DIMENSIONS), unique=True),
    moved=st.lists(st.tuples(st.sampled_from((CAMERA, TV)), st.integers(0, 3), st.integers(0, 99))),
)
def test_every_byte_is_in_one_row(by: list[Any], moved: list[tuple[str, int, int]]) -> None:
    entries = [
        entry(mac, f"203.0.113.{peer}", up, 2 * up, port=number)
        for number, (mac, peer, up) in enumerate(moved)
    ]
    report = usage(entries, GetUsage(tuple(by), limit=2000))
    assert sum(row.upload_bytes for row in report.rows) == report.upload_bytes
    assert report.upload_bytes == sum(up for _, _, up in moved)
    assert report.download_bytes == 2 * report.upload_bytes
    assert sum(row.flows for row in report.rows) == report.flows == len(moved)


def test_nobody_waits_for_fifty_thousand_flows() -> None:
    entries = [
        entry(CAMERA, f"203.{number >> 14}.{number >> 7 & 127}.{number & 127}", number % 1000)
        for number in range(50_000)
    ]
    pauses = []

    async def look(done: asyncio.Event) -> None:
        before = time.thread_time()
        while not done.is_set():
            await asyncio.sleep(0)
            # Time of this thread: what other programs take of a busy machine is not the sum's.
            now = time.thread_time()
            pauses.append(now - before)
            before = now

    async def both() -> UsageReport:
        done = asyncio.Event()
        looking = asyncio.create_task(look(done))
        report = await summed(
            entries,
            GetUsage(DIMENSIONS, limit=2000),
            context(),
            lambda mac: (mac,),
            device_text,
        )
        done.set()
        await looking
        return report

    report = asyncio.run(both())
    assert (report.flows, len(report.rows)) == (50_000, 2000)
    assert max(pauses) < 0.02
    assert len(pauses) > 20


# The command


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    household = Household()
    rows = (
        UsageRow(1_500, 2_500_000, 3, mac=CAMERA, country="DE"),
        UsageRow(10, 20, 1, mac=PHONE),
    )
    household.answers["usage"] = UsageReport(rows, 1_600, 2_600_000, 9).to_wire()
    serving = Serving(tmp_path / "s.sock", household).start()
    yield serving
    serving.stop()


def test_sums_are_a_table_with_the_devices_names(serving: Serving) -> None:
    text = said(serving, "usage", "--by", "mac", "--by", "country")
    assert [line.split() for line in text.splitlines()] == [
        ["device", "country", "up", "down", "flows"],
        ["camera", "DE", "1.5", "kB", "2.5", "MB", "3"],
        [PHONE, "-", "10", "B", "20", "B", "1"],
        ["all", "1.6", "kB", "2.6", "MB", "9"],
    ]
    assert asked(serving, GetUsage) == GetUsage(("mac", "country"))


def test_what_is_asked(serving: Serving) -> None:
    said(serving, "usage", "--device", "camera", "--since", "0", "--limit", "5")
    assert asked(serving, GetUsage) == GetUsage(("mac",), (CAMERA,), 0.0, 5)


def test_json_has_what_was_asked_for(serving: Serving) -> None:
    answer = json.loads(said(serving, "usage", "--by", "mac", "--json"))
    assert answer == {
        "rows": [
            {"mac": CAMERA, "upload_bytes": 1_500, "download_bytes": 2_500_000, "flows": 3},
            {"mac": PHONE, "upload_bytes": 10, "download_bytes": 20, "flows": 1},
        ],
        "upload_bytes": 1_600,
        "download_bytes": 2_600_000,
        "flows": 9,
    }


def test_nothing_fits(serving: Serving) -> None:
    serving.household.answers["usage"] = UsageReport((), 0, 0, 0).to_wire()
    assert said(serving, "usage").strip() == "No flow fits."


def test_a_dimension_that_there_is_not(serving: Serving) -> None:
    done = run(serving, "usage", "--by", "device")
    assert done.returncode == 1
    assert "mac" in done.stderr
