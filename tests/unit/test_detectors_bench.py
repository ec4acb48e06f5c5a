"""What bench/detectors makes of labels: who fits which, and captures of a home that nobody here has seen."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench import labelled, measured, streams
from bench.detectors import Bench
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


def test_a_table_may_have_comments_blank_lines_and_windows_ends(tmp_path: Path) -> None:
    text = (
        "# by hand\r\nFile;Kind;Device;Start\r\n\r\n"
        "a.pcap;flood;02-00-00-00-00-01;5\r\n;;;\r\n# one more\r\n"
        "a.pcap;beacon;2001:DB8:0::9;\r\n"
    )
    (tmp_path / "labels.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (a,) = labelled.read(tmp_path)
    assert [(each.kinds, each.who) for each in a.events] == [
        (("flood",), (PLUG,)),
        (("beacon",), ("2001:db8::9",)),
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels.csv", "file,kind\n\n# x\na.pcap,port_scn\n", "line 4: port_scn is no kind of"),
        ("labels.csv", "file,kind\na.pcap,port_scn\n", "did you mean port_scan"),
        ("labels.csv", "file,kind,start\na.pcap,flood,soon\n", "line 2: 'soon' is no time"),
        ("labels.csv", "file,kind,start\na.pcap,flood,inf\n", "line 2: 'inf' is no time"),
        ("labels.csv", "file,kind,start,end\na,flood,9,8\n", "line 2: it ends (8) before"),
        ("labels.csv", "file,kind,mac\na,flood,plug\n", "line 2: 'plug' is neither a MAC nor"),
        ("labels.csv", "file,kind\n,flood\n", "line 2: `file` is empty"),
        ("labels.csv", "file,kind\na,flood,1,2\n", "line 2: there are more cells than columns"),
        ("labels.csv", "file,kind,start\na,,5\n", "line 2: it has times, and no kind"),
        ("labels.csv", "file,lan\na,home\n", "line 2: 'home' does not appear to be"),
        ("labels.csv", "a.pcap,flood,5\n", "line 1: the columns' names are expected first"),
        ("labels.csv", "\n", "it is empty"),
        ("labels.json", '[{"file": "b"},\n{"file": "a",\n"kind": "x"}]', "line 2: x is no kind"),
        ("labels.json", '[\n{"file": "a"\n"kind"}]', "line 3: Expecting"),
        ("labels.json", '[{"file": "a"}, 7]', "capture 2 is no object but 7"),
        ("labels.json", '[{"file": "a", "learning": "long"}]', "'long' is no duration such as"),
        ("labels.json", "[" * 100_000, "labels.json: "),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(LabelError) as error:
        labelled.read(tmp_path)
    assert str(tmp_path / name) in str(error.value)
    assert said in str(error.value)


def test_all_mistakes_are_named(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,kind\na,x\nb,flood\nc,y\n")
    with pytest.raises(LabelError) as error:
        labelled.read(tmp_path)
    assert [each.partition(": ")[2][:6] for each in str(error.value).splitlines()] == [
        "line 2",
        "line 4",
    ]


def test_what_is_odd_is_told(tmp_path: Path) -> None:
    for name in ("a.pcap", "b.pcapng"):
        (tmp_path / name).touch()
    (tmp_path / "labels.csv").write_text("file,kind,adress\na.pcap,flood,10.0.0.1\nc.pcap,flood,\n")
    notes: list[str] = []
    found = labelled.read(tmp_path, notes)
    assert notes == [
        "the column 'adress' is not read; did you mean address?",
        "b.pcapng has no label in labels.csv and is not judged",
    ]
    assert labelled.missing(found) == ["c.pcap is not there: its labels (1) are not counted"]


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


def test_strange_captures_cost_no_other_one(tmp_path: Path) -> None:
    frames = _scan(BEGIN)
    raw = [(at, frame[14:]) for at, frame in frames]
    far = [(at + 2_500_000_000 * 10**9, frame) for at, frame in frames]
    made = {
        "scan.pcap": captures.pcap(frames),
        "raw.pcap": captures.pcap(raw, link_type=101),
        "wifi.pcap": captures.pcap(frames, link_type=105),
        "far.pcap": captures.pcap(far),
        "jump.pcap": captures.pcap([(0, frames[0][1]), *frames]),
        "zero.pcap": b"",
    }
    lines = [f"{name},port_scan,192.168.1.9\n" for name in made]
    (tmp_path / "labels.csv").write_text("file,kind,address\n" + "".join(lines))
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.pcap").mkdir()
    bench = Bench(tmp_path, seeds=(), workers=2)
    figures = {each.name: each.value for each in bench.brought(tmp_path)}
    assert figures["all: recall"] == pytest.approx(4 / 6, abs=0.001)
    notes = "\n".join(bench.notes)
    assert "wifi.pcap: 80 packets are of link type 105" in notes
    assert "wifi.pcap: its label port_scan is of 192.168.1.9, who is not in it" in notes
    assert "zero.pcap: this is no capture: it is empty" in notes
    assert "raw.pcap" not in notes


def test_a_label_of_another_time_is_told(tmp_path: Path) -> None:
    (tmp_path / "scan.pcap").write_bytes(captures.pcap(_scan(BEGIN)))
    said = {"file": "scan.pcap", "kind": "port_scan", "mac": PLUG, "start": 9000}
    (tmp_path / "labels.json").write_text(json.dumps([said]))
    bench = Bench(tmp_path, seeds=(), workers=1)
    bench.brought(tmp_path)
    assert "scan.pcap: its label port_scan is of a time before its first or" in bench.notes[0]


def test_a_home_with_public_addresses_is_guessed(tmp_path: Path) -> None:
    frames = []
    for number in range(40):
        at, ends = int((BEGIN + number) * 1e9), ("198.51.100.9", 40_000, "203.0.113.9", number + 1)
        asked = captures.tcp(ends, 2)
        refused = captures.tcp((*ends[2:], *ends[:2]), 20)  # type: ignore[arg-type]
        frames.append((at, captures.ethernet(PLUG, NAS, asked)))
        frames.append((at + 10**6, captures.ethernet(NAS, PLUG, refused)))
    (tmp_path / "a.pcap").write_bytes(captures.pcap(frames))
    (result,) = _results(Labelled(tmp_path / "a.pcap"))
    assert result.problems == ("a.pcap: 198.51.100.0/24 is taken for the home",)
    assert [each.mac for each in result.events if each.kind == "port_scan"] == [PLUG]


def test_captures_of_different_links_become_one() -> None:
    ethernet = captures.packets(
        [captures.ethernet(PLUG, NAS, captures.udp("10.0.0.1", 1, "10.0.0.2", 2))]
    )
    raw = captures.packets([captures.udp("10.0.0.1", 1, "10.0.0.2", 2)], link_type=101)
    later = list(streams.shifted(raw, 5 * 10**9))
    file = streams.made(streams.pcapng([*ethernet, *later]))
    assert list(read_packets(file, Counter())) == [*ethernet, *later]
