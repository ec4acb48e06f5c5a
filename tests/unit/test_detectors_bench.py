"""What bench/detectors makes of labels: who fits which, and captures of a home that nobody here has seen."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench import labelled, measured, streams
from bench.judging import Judge
from bench.labelled import LabelError, Labelled, Truth
from bench.measured import Task, same
from hearthwall_sensor.capture.file import read_packets
from hearthwall_sensor.protocol import Event
from tests.unit import captures

PLUG, NAS = "02:00:00:00:00:01", "02:00:00:00:00:02"
BEGIN = 1_700_000_000.0


def event(kind: str = "port_scan", at: float = BEGIN, **more: Any) -> Event:
    fields = {"seq": 1, "severity": "medium", "mac": PLUG, "address": None, "peer_address": None}
    fields |= {"peer_name": None, "process": None, "summary": "", "evidence": {}}
    return Event(time=at, kind=kind, **{**fields, **more})


def judged(truths: Sequence[Truth], *events: Event, **more: Any) -> Judge:
    judge = Judge()
    numbered = [Event(**{**_fields(each), "seq": n}) for n, each in enumerate(events)]
    judge.take("x", truths, numbered, **more)
    return judge


def _fields(each: Event) -> dict[str, Any]:
    return {name: getattr(each, name) for name in each.__slots__}


SCAN = Truth(("port_scan",), (PLUG,), BEGIN, BEGIN + 60)


def test_what_is_found_is_true_and_how_long_it_took() -> None:
    score = judged([SCAN], event(at=BEGIN + 12)).scores["port_scan"]
    assert (score.found, score.alarmed, score.true, score.false) == (1, 1, 1, 0)
    assert (score.recall, score.precision, score.delay) == (1.0, 1.0, 12.0)


@pytest.mark.parametrize(
    "other",
    [
        event(mac=NAS),
        event(at=BEGIN + 60 + labelled.GRACE + 1),
        event(at=BEGIN - labelled.SLACK - 1),
    ],
)
def test_another_device_or_time_is_false_and_the_label_missed(other: Event) -> None:
    judge = judged([SCAN], other)
    score = judge.scores["port_scan"]
    assert (score.found, score.true, score.false) == (0, 0, 1)
    assert len(judge.missed) == len(judge.wrong) == 1


def test_another_kind_meanwhile_is_beside_and_noticed() -> None:
    judge = judged([SCAN], event("beacon", BEGIN + 5))
    assert (judge.scores["port_scan"].otherwise, judge.scores["beacon"].beside) == (1, 1)
    assert judge.scores["beacon"].false == 0


def test_mild_ones_without_a_label_are_counted_apart() -> None:
    score = judged([], event(severity="low")).scores["port_scan"]
    assert (score.false, score.mild, score.precision) == (0, 1, None)


def test_a_mild_one_finds_but_does_not_alarm() -> None:
    score = judged([SCAN], event(severity="low", at=BEGIN)).scores["port_scan"]
    assert (score.found, score.alarmed, score.true) == (1, 0, 1)


def test_one_that_began_before_and_goes_on_is_found_without_a_delay() -> None:
    score = judged([SCAN], event(at=BEGIN - 900, last_time=BEGIN + 10)).scores["port_scan"]
    assert (score.found, score.delays) == (1, [])


def test_a_device_is_the_same_by_its_addresses() -> None:
    devices = {PLUG: ("192.168.1.9", "2001:db8::9")}
    truth = Truth(("port_scan",), ("192.168.1.9",), BEGIN, BEGIN + 60)
    assert judged([truth], event(), same=lambda who: same(devices, who)).scores["port_scan"].found
    assert not judged([truth], event()).scores["port_scan"].found


def test_without_a_device_anybody_fits() -> None:
    assert (
        judged([Truth(("port_scan", "address_scan"), (), BEGIN)], event("address_scan"))
        .scores["port_scan"]
        .found
    )


# Files


def test_times_are_of_the_epoch_the_capture_or_a_calendar(tmp_path: Path) -> None:
    events = [
        {"kind": "beacon", "mac": "02-00-00-00-00-01", "start": 5, "end": 1_700_000_100},
        {"kind": ["flood"], "address": "10.0.0.1", "start": "2023-11-14T22:13:25Z"},
    ]
    (tmp_path / "labels.json").write_text(json.dumps([{"file": "a.pcap", "events": events}]))
    ((one, two),) = [each.events for each in labelled.read(tmp_path)]
    one, two = (each.at(BEGIN, BEGIN + 600) for each in (one, two))
    assert (one.who, one.start, one.end) == ((PLUG,), BEGIN + 5, BEGIN + 100)
    assert (two.who, two.start, two.end) == (("10.0.0.1",), BEGIN + 5, BEGIN + 600)


def test_one_event_needs_no_list(tmp_path: Path) -> None:
    said = {"file": "a.pcap", "kind": "flood", "mac": PLUG, "start": 3}
    (tmp_path / "labels.json").write_text(json.dumps([said]))
    ((truth,),) = [each.events for each in labelled.read(tmp_path)]
    assert (truth.kinds, truth.who, truth.start, truth.end) == (("flood",), (PLUG,), 3.0, None)


def test_a_table_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "file,lan,learning,kind,mac,start,end\n"
        f"a.pcap,10.0.0.0/8 fd00::/8,1h,port_scan|address_scan,{PLUG},5,20\n"
        f"a.pcap,,,beacon,{PLUG},30,\n"
        "b.pcap,,,,,,\n"
    )
    a, b = labelled.read(tmp_path)
    assert (a.lan, a.learning, len(a.events)) == (("10.0.0.0/8", "fd00::/8"), 3600.0, 2)
    assert a.events[0].kinds == ("port_scan", "address_scan")
    assert (b.file.name, b.events) == ("b.pcap", ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "[1]",
        "[{}]",
        '[{"file": "a", "events": [{"kind": "nonsense"}]}]',
        '[{"file": "a", "events": [{}]}]',
        '[{"file": "a", "events": [{"kind": "flood", "start": "soon"}]}]',
        '[{"file": "a", "learning": "long"}]',
    ],
)
def test_what_can_not_be_meant_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(LabelError, match=r"labels\.json"):
        labelled.read(tmp_path)


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="neither"):
        labelled.read(tmp_path)


# Captures


def _scan(begin: float, ports: int = 40) -> list[tuple[int, bytes]]:
    frames = []
    for number in range(ports):
        at = int((begin + number) * 1e9)
        ends = ("192.168.1.9", 40_000 + number, "192.168.1.20", 1 + number)
        back = (*ends[2:], *ends[:2])
        asked, refused = captures.tcp(ends, 2), captures.tcp(back, 20)  # type: ignore[arg-type]
        frames.append((at, captures.ethernet(PLUG, NAS, asked)))
        frames.append((at + 1_000_000, captures.ethernet(NAS, PLUG, refused)))
    return frames


def _calm(begin: float) -> list[tuple[int, bytes]]:
    asked = captures.ethernet(PLUG, NAS, captures.udp("192.168.1.9", 5000, "192.168.1.20", 123))
    told = captures.ethernet(NAS, PLUG, captures.udp("192.168.1.20", 123, "192.168.1.9", 5000))
    return [(int((begin + n) * 1e9), told if n % 2 else asked) for n in range(120)]


def _results(*found: Labelled) -> list[measured.Result]:
    return list(measured.replayed(map(Task, found), 1))


def test_a_capture_after_its_baseline_is_judged_alone(tmp_path: Path) -> None:
    scan, calm = tmp_path / "scan.pcap", tmp_path / "calm.pcap"
    scan.write_bytes(captures.pcap(_scan(BEGIN)))
    calm.write_bytes(captures.pcap(_calm(BEGIN + 9e6)))
    found = Labelled(scan, baseline=(calm,), learning=3600.0)
    (result,) = _results(found)
    assert result.problems == ()
    assert result.packets == 200
    assert result.span == (BEGIN, pytest.approx(BEGIN + 39.001))
    told = {each.kind for each in result.events}
    assert "port_scan" in told
    assert "new_device" not in told
    assert all(each.time >= BEGIN for each in result.events)


def test_a_capture_without_macs_that_is_cut_off_is_judged_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "raw.pcap"
    frames = [(at, frame[14:]) for at, frame in _scan(BEGIN)]
    path.write_bytes(captures.pcap(frames, link_type=101)[:-9])
    (result,) = _results(Labelled(path))
    assert any("damaged" in each for each in result.problems)
    (scan,) = [each for each in result.events if each.kind == "port_scan"]
    assert (scan.mac, scan.address) == (None, "192.168.1.9")


@pytest.mark.parametrize("content", [b"", b"nonsense", captures.pcap([])])
def test_what_is_no_capture_is_a_problem_and_no_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(content)
    (result,) = _results(Labelled(path))
    assert result.packets == 0
    assert result.problems


def test_captures_of_different_links_become_one() -> None:
    ethernet = captures.packets(
        [captures.ethernet(PLUG, NAS, captures.udp("10.0.0.1", 1, "10.0.0.2", 2))]
    )
    raw = captures.packets([captures.udp("10.0.0.1", 1, "10.0.0.2", 2)], link_type=101)
    later = list(streams.shifted(raw, 5 * 10**9))
    file = streams.made(streams.pcapng([*ethernet, *later]))
    assert list(read_packets(file, Counter())) == [*ethernet, *later]
