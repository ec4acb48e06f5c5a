"""What detectors are told of a capture, and the events that come of it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.capture import detecting, replay as module
from hearthwall_sensor.capture.events import Events
from hearthwall_sensor.capture.replay import Capture, replay
from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.kinds import KINDS
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import (
    LOOK,
    Appeared,
    Began,
    Look,
    Moved,
    Observation,
    Settled,
    Spoke,
)
from hearthwall_sensor.protocol import Replayed
from tests.gateway.sensor_process import command
from tests.unit.captures import address, cooked, ethernet, mac, pcap, tcp, udp
from tests.unit.test_capture_replay import BEGIN, CAMERA, IP, IP2, PEER, ROUTER, TV, home

SECOND = 10**9
Frames = list[tuple[int, bytes]]


def told(
    monkeypatch: pytest.MonkeyPatch, path: Path, frames: Frames, **more: Any
) -> list[Observation]:
    """Return all observations of a capture."""
    found: list[Observation] = []

    def take(_: object, observation: Observation) -> None:
        found.append(observation)

    monkeypatch.setattr(detecting.Detection, "take", take)
    file = path / "a.pcap"
    file.write_bytes(pcap(frames, **more))
    replay(str(file))
    return found


def times(found: list[Observation], kind: type[Observation]) -> list[float]:
    return [each.time - BEGIN / SECOND for each in found if isinstance(each, kind)]


def test_a_capture_is_looked_at_as_often_as_a_living_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = told(monkeypatch, tmp_path, home())
    assert times(found, Look) == [5.0, 7.0, 12.0]
    found = [each for each in found if not isinstance(each, Look) and each.who != ROUTER]
    assert times(found, Began) == [5.0, 5.0, 7.0, 7.0]
    begun = [each.flow.packed for each in found if isinstance(each, Began)]
    assert len(set(begun)) == len(begun)
    assert sorted(times(found, Settled)) == [5.0, 12.0, 12.0, 12.0]
    cloud = next(e for e in found if isinstance(e, Began) and e.flow.peer == PEER)
    assert (cloud.who, cloud.flow.label.name, cloud.flow.scope) == (
        CAMERA,
        "cloud.example",
        "internet",
    )
    appeared = [each.who for each in found if isinstance(each, Appeared)]
    assert appeared == [CAMERA], "the television only listens"


def test_what_moved_adds_up_to_the_devices_totals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = told(monkeypatch, tmp_path, home())
    moved = [each for each in found if isinstance(each, Moved) and each.who == CAMERA]
    (camera, _) = replay(str(tmp_path / "a.pcap")).devices
    assert sum(each.all_upload for each in moved) == camera.upload_bytes
    assert sum(each.all_download for each in moved) == camera.download_bytes
    assert sum(each.upload_packets for each in moved) == camera.upload_packets
    internet = camera.by_scope["internet"]
    assert sum(each.upload for each in moved) == internet.upload_bytes
    assert sum(each.download for each in moved) == internet.download_bytes
    assert moved[0].seconds == LOOK


def test_a_long_silence_is_no_thousand_looks_and_a_flow_settles_in_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = (IP, 40000, PEER, 443)
    syn = ethernet(CAMERA, ROUTER, tcp(there, 0x02, 99))
    hours = 3600 * SECOND
    frames = [(BEGIN, syn), (BEGIN + 10 * hours, syn)]
    found = told(monkeypatch, tmp_path, frames)
    assert times(found, Settled) == [5.0, 36_005.0]
    assert [time for time in times(found, Look) if time < 36_000] == [5.0]
    assert 36_000.0 in times(found, Look), (
        "what is judged by the clock is judged before what follows"
    )


def test_time_that_runs_backwards_does_not_run_backwards_for_detectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = home()
    earlier = [(time - 3600 * SECOND, frame) for time, frame in home()]
    found = told(monkeypatch, tmp_path, frames + earlier)
    latest = 0.0
    for each in found:
        assert each.time >= latest - LOOK
        latest = max(latest, each.time)
    assert all(each.seconds >= 0 for each in found if isinstance(each, Moved))


def test_without_macs_a_device_is_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [(BEGIN, tcp((IP, 40000, PEER, 443), 0x02, 99))]
    found = told(monkeypatch, tmp_path, frames, link_type=101)
    assert {each.who for each in found if isinstance(each, Began | Settled | Moved)} == {IP}


@pytest.mark.parametrize("again", [1, 6])
def test_a_device_that_is_named_late_moves_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: int
) -> None:
    """A cooked capture tells a receiver's MAC only when it has sent something itself."""
    hello = udp(PEER, 53, IP, 1000, b"x" * 50)
    frames = [
        (BEGIN, cooked(ROUTER, hello, 0)),
        (BEGIN + again * SECOND, cooked(ROUTER, hello, 0)),
        (BEGIN + 7 * SECOND, cooked(CAMERA, udp(IP, 1000, PEER, 53), 0)),
    ]
    found = told(monkeypatch, tmp_path, frames, link_type=113)
    moved = [each for each in found if isinstance(each, Moved)]
    assert sum(each.download_packets for each in moved) == 2
    assert sum(each.upload_packets for each in moved) == 1


# Who is a router


def conversation(near: str, near_ip: str, far_ip: str, port: int) -> Frames:
    there, back = (near_ip, port, far_ip, 443), (far_ip, 443, near_ip, port)
    return [
        (BEGIN, ethernet(near, ROUTER, tcp(there, 0x02, 99))),
        (BEGIN, ethernet(ROUTER, near, tcp(back, 0x12, 999))),
    ]


GLOBAL, GLOBAL2, FAR = "2001:db8:1::21", "2001:db8:1::22", "2001:db8:ffff::9"


@pytest.mark.parametrize(
    "frames",
    [
        conversation(CAMERA, IP, PEER, 1) + conversation(CAMERA, GLOBAL, FAR, 2),
        conversation(TV, IP2, PEER, 1) + conversation(CAMERA, GLOBAL, FAR, 2),
        [
            *conversation(CAMERA, IP, PEER, 1),
            (BEGIN, ethernet(CAMERA, ROUTER, tcp(("198.51.100.7", 1, PEER, 80), 0x02, 1))),
        ],
    ],
)
def test_a_device_is_no_router_for_its_global_addresses_or_made_up_ones(
    tmp_path: Path, frames: Frames
) -> None:
    file = tmp_path / "a.pcap"
    file.write_bytes(pcap(frames))
    capture = Capture()
    with file.open("rb") as opened:
        capture.read(opened)
    assert capture.meter.routers.found() == {mac(ROUTER)}
    assert not capture.detection.is_home(bytes(10) + b"\xff\xff" + address("198.51.100.7"))
    assert not capture.detection.is_home(address(FAR))
    is_known = any(GLOBAL.encode() for _ in frames) and capture.meter.routers.is_on_link(
        address(GLOBAL2)
    )
    assert is_known is (len(frames) == 4)


# Events


def scan(path: Path, ports: int = 40) -> Path:
    """Write a capture in which a camera tries many ports of a television, which refuses."""
    frames = []
    for number in range(ports):
        at = BEGIN + 120 * SECOND + number * SECOND // 10
        there, back = (IP, 50000 + number, IP2, number + 1), (IP2, number + 1, IP, 50000 + number)
        frames += [
            (at, ethernet(CAMERA, TV, tcp(there, 0x02, 99))),
            (at, ethernet(TV, CAMERA, tcp(back, 0x14, 0))),
        ]
    file = path / "scan.pcap"
    file.write_bytes(pcap(home() + frames))
    return file


def test_events_are_numbered_and_have_the_captures_time(tmp_path: Path) -> None:
    file = scan(tmp_path)
    first, second = (json.dumps(replay(str(file)).to_wire()) for _ in range(2))
    assert first == second
    events = replay(str(file)).events
    (event,) = [each for each in events if each.kind == "port_scan"]
    assert [each.seq for each in events] == list(range(1, len(events) + 1))
    assert (event.mac, event.technique) == (CAMERA, KINDS["port_scan"].technique)
    assert 120 <= event.time - BEGIN / SECOND <= 130
    assert Replayed.from_wire(json.loads(first)).events == events


def test_a_few_ports_are_no_event(tmp_path: Path) -> None:
    events = replay(str(scan(tmp_path, ports=8))).events
    assert [each for each in events if each.kind == "port_scan"] == []


def test_the_policy_switches_a_detector_off(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[all]\ndetectors = { port_scan = "off" }\n')
    policy.chmod(0o600)
    events = replay(str(scan(tmp_path)), policy=str(policy)).events
    assert [each for each in events if each.kind == "port_scan"] == []


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ("203.0.113.0/24\n", "threat_address"),
        ("cloud.example\n", "threat_domain"),
        ("127.0.0.1 cloud.example\n", "threat_domain"),
    ],
)
def test_what_a_list_has_is_an_event(tmp_path: Path, lines: str, kind: str) -> None:
    (tmp_path / "bad.txt").write_text(lines)
    file = tmp_path / "home.pcap"
    file.write_bytes(pcap(home()))
    assert [each.kind for each in replay(str(file)).events] == []
    (event,) = replay(str(file), feeds=(str(tmp_path / "bad.txt"),)).events
    assert (event.kind, event.mac) == (kind, CAMERA)
    assert "bad.txt" in event.summary


def test_a_list_may_hold_addresses_and_domains(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("203.0.113.9\ncloud.example\n")
    file = tmp_path / "home.pcap"
    file.write_bytes(pcap(home()))
    events = replay(str(file), feeds=(str(tmp_path / "bad.txt"),)).events
    assert {each.kind for each in events} == {"threat_address", "threat_domain"}


@pytest.mark.parametrize(
    ("option", "content", "why"),
    [
        ("policy", None, "no file"),
        ("policy", "all = [", "line 1|end of document"),
        ("policy", "[all]\nlocl = true\n", "'locl'"),
        ("feeds", None, "No such file"),
        ("feeds", "the quick brown\nfox jumps\n", "no list: read as .*, 2 of its lines"),
        ("feeds", "\n", "empty"),
        ("geo", None, "No such file"),
        ("geo", "no database", "tells no country"),
    ],
)
def test_what_is_given_and_can_not_be_read_ends_the_replay(
    tmp_path: Path, option: str, content: str | None, why: str
) -> None:
    given = tmp_path / "given"
    if content is not None:
        given.write_text(content)
    refused(tmp_path, option, given, why)


@pytest.mark.parametrize("option", ["policy", "feeds", "geo"])
def test_a_folder_is_none_of_these(tmp_path: Path, option: str) -> None:
    (tmp_path / "given").mkdir()
    refused(tmp_path, option, tmp_path / "given", "directory")


def refused(tmp_path: Path, option: str, given: Path, why: str) -> None:
    """Replay with what can't be read, and look at the error."""
    file = tmp_path / "home.pcap"
    file.write_bytes(pcap(home()))
    path: Any = str(given) if option == "policy" else (str(given),)
    with pytest.raises(SensorError, match=why) as error:
        replay(str(file), **{option: path})
    assert str(given) in error.value.message
    assert "[Errno" not in error.value.message


def test_lines_of_a_list_that_can_not_be_used_are_told_of(tmp_path: Path) -> None:
    file, bad = tmp_path / "home.pcap", tmp_path / "bad.txt"
    file.write_bytes(pcap(home()))
    bad.write_text("203.0.113.9\n!!\n")
    told: list[str] = []
    replay(str(file), feeds=(str(bad),), tell=told.append)
    (said,) = told
    assert said.startswith(str(bad))
    assert "1 of its lines" in said
    assert "'!!'" in said


def test_a_policy_that_decides_nothing_may_be_anybody_s(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[all]\ndetectors = { port_scan = "off" }\n')
    policy.chmod(0o666)
    events = replay(str(scan(tmp_path)), policy=str(policy)).events
    assert [each for each in events if each.kind == "port_scan"] == []


def public_scan(path: Path, near: str, far: str, before: Frames = []) -> Path:  # noqa: B006, it stays empty
    """Write a capture of a device that tries many ports of a host of the internet."""
    frames = list(before)
    for number in range(40):
        at = BEGIN + 120 * SECOND + number * SECOND // 10
        there, back = (
            (near, 50000 + number, far, number + 1),
            (far, number + 1, near, 50000 + number),
        )
        frames += [
            (at, ethernet(CAMERA, ROUTER, tcp(there, 0x02, 99))),
            (at, ethernet(ROUTER, CAMERA, tcp(back, 0x14, 0))),
        ]
    file = path / "public.pcap"
    file.write_bytes(pcap(frames))
    return file


@pytest.mark.parametrize(
    ("near", "far", "network"),
    [
        ("198.51.100.7", PEER, "198.51.100.0/24"),
        ("2001:db8:5::7", "2001:db8:6::1", "2001:db8:5::/64"),
    ],
)
def test_without_private_addresses_the_home_is_guessed(
    tmp_path: Path, near: str, far: str, network: str
) -> None:
    told: list[str] = []
    found = replay(str(public_scan(tmp_path, near, far)), tell=told.append)
    assert [each.mac for each in found.events if each.kind == "port_scan"] == [CAMERA]
    assert found.home == (network,)
    assert network in told[0]


def test_a_home_that_can_be_told_is_not_guessed_and_the_rest_is_told_of(tmp_path: Path) -> None:
    told: list[str] = []
    found = replay(str(public_scan(tmp_path, "198.51.100.7", PEER, home())), tell=told.append)
    assert found.home == ("192.168.1.0/24",)
    (said,) = told
    assert said.startswith("40 of its 44 flows")
    assert said.endswith("--lan 198.51.100.0/24")


def test_what_shows_no_home_at_all_is_told_of(tmp_path: Path) -> None:
    frames = [
        (BEGIN + n, ethernet(CAMERA, ROUTER, udp(f"198.51.{n}.7", 1, f"203.0.{n}.9", 2)))
        for n in range(9)
    ]
    (tmp_path / "a.pcap").write_bytes(pcap(frames))
    told: list[str] = []
    found = replay(str(tmp_path / "a.pcap"), tell=told.append)
    assert (found.home, found.events) == ((), ())
    assert "nothing of it could be taken for the home" in told[0]


def test_what_is_piped_in_is_not_guessed_about(tmp_path: Path) -> None:
    file = public_scan(tmp_path, "198.51.100.7", PEER)
    done = subprocess.run(
        [*command("replay"), "-", "--json"],
        input=file.read_bytes(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["home"] == []
    assert b"--lan 198.51.100.0/24" in done.stderr


def test_repeats_are_counted_with_the_event() -> None:
    events = Events()
    notice = Notice("port_scan", "medium", "It scans.", {}, CAMERA, subject="tcp")
    for now in (10.0, 20.0, 30.0):
        events.note(notice, now)
    events.note(Notice("port_scan", "high", "It scans.", {}, CAMERA, subject="tcp"), 40.0)
    first, second = events.all()
    assert (first.seq, first.time, first.count, first.last_time) == (1, 10.0, 3, 30.0)
    assert (second.seq, second.count, second.last_time) == (2, 1, None)


def test_a_detector_that_fails_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr("hearthwall_sensor.detectors.port_scan.PortScan._settled", fail)
    file = tmp_path / "home.pcap"
    file.write_bytes(pcap(home()))
    assert replay(str(file)).counted["detectors_failed"] > 0


def test_what_is_spoken_is_told_before_the_flow_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.LOOK == LOOK
    found = told(monkeypatch, tmp_path, home())
    spoken = next(i for i, each in enumerate(found) if isinstance(each, Spoke))
    assert spoken < next(i for i, each in enumerate(found) if isinstance(each, Began))
