"""What `flows` asks, and how it shows people the answer; a real process and the sensor's own server."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.commands.flows import parse_since
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.requests import GetFlows
from hearthwall_sensor.words.cells import width
from tests.devices import CAMERA, TV
from tests.unit.household import Household, Serving, flow

LAUNCHER = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path / "s.sock", Household()).start()
    yield serving
    serving.stop()


def run(serving: Serving, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-I", str(LAUNCHER), "flows", "--socket", serving.socket, *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=30, check=False)


def lines(serving: Serving, *arguments: str) -> list[str]:
    done = run(serving, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def asked(serving: Serving) -> GetFlows:
    (request,) = [each for each in serving.household.received if isinstance(each, GetFlows)]
    return request


def test_flows_are_shown_with_the_names_of_both_ends(serving: Serving) -> None:
    serving.household.rates.clear()
    serving.household.flow_rates.clear()
    head, camera, tv, phone = lines(serving)
    assert head.split() == [
        *("device", "peer", "application", "transport", "up", "down", "outcome", "seen")
    ]
    assert camera.split()[:4] == ["camera", "->", "storage.vendor.example:443", "tls"]
    assert tv.startswith("电视 in the living room  ->  video.example:443 ")
    assert phone.split()[:4] == ["02:00:5e:00:53:12", "<-", "[2001:db8::9]:443", "tls"]
    assert "refused" in phone
    assert len({width(line[: line.index("tcp")]) for line in (camera, phone)}) == 1
    assert width(tv[: tv.index("udp")]) == width(camera[: camera.index("tcp")])


def test_json_is_the_list_of_flow(serving: Serving) -> None:
    serving.household.flow_rates.clear()
    said = json.loads(run(serving, "--json").stdout)
    assert said == [each.to_wire() for each in serving.household.flows]
    assert len(json.loads(run(serving, "--json", "--limit", "1").stdout)) == 1


def test_options_reach_the_sensor(serving: Serving) -> None:
    before = time.time() - 600
    lines(
        serving,
        *("--device", CAMERA.upper().replace(":", "-"), "--device", TV),
        *("--peer", "*.vendor.example", "--since", "10m", "--limit", "7"),
    )
    request = asked(serving)
    assert (request.devices, request.peer, request.limit) == ((CAMERA, TV), "*.vendor.example", 7)
    assert request.since is not None
    assert before <= request.since <= time.time() - 600


def test_what_a_peer_wrote_does_not_reach_the_terminal_raw(serving: Serving) -> None:
    hostile = "\x1b]0;pwned\x07\x9b2J\u202egnp.exe"
    serving.household.flows = [
        flow(CAMERA, 1, peer_name=hostile, application=hostile, as_name=hostile, country="D\n")
    ]
    text = run(serving).stdout
    assert text.count("\n") == 2
    assert all(each.isprintable() for line in text.splitlines() for each in line)


def test_columns_that_say_something_are_there(serving: Serving) -> None:
    serving.household.flows = [
        flow(CAMERA, 1, country="DE", as_number=64500, encrypted_hello=True),
        flow(None, 8, transport="icmp", peer_port=0, application="icmp", outcome="no_answer"),
    ]
    head, tls, ping = lines(serving)
    assert "country" in head
    assert "network" in head
    assert "tls+ech" in tls
    assert "DE       AS64500" in tls
    assert ping.startswith("192.168.20.21  ->  203.0.113.9 ")
    assert "no answer" in ping


def test_nothing_seen_and_a_refusal_are_said_in_words(serving: Serving) -> None:
    serving.household.flows = []
    assert lines(serving) == ["No flow has been seen yet."]
    serving.household.errors["flows"] = SensorError("invalid_message", "limit is 1 to 10000")
    done = run(serving)
    assert (done.returncode, done.stderr) == (1, "hearthwall-sensor: limit is 1 to 10000\n")
    assert "no number from 1 to 2,000" in run(serving, "--limit", "0").stderr
    assert json.loads(run(serving, "--json").stdout)["error"]["code"] == "invalid_message"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10m", timedelta(minutes=10)),
        ("10m ago", timedelta(minutes=10)),
        ("600", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
    ],
)
def test_since_is_a_duration(text: str, meant: timedelta) -> None:
    assert parse_since(text) == pytest.approx(time.time() - meant.total_seconds(), abs=2)


def test_since_says_which_forms_it_takes(serving: Serving) -> None:
    said = run(serving, "--since", "last week").stderr
    assert said.startswith("hearthwall-sensor: 'last week' is no time")
    for form in ("10m", "14:30", "2026-05-04", "2026-05-04T14:30", "seconds since the epoch"):
        assert form in said


def test_since_is_a_time() -> None:
    local = datetime(2026, 5, 4, 14, 30).astimezone()
    for text in ("2026-05-04T14:30", "2026-05-04 14:30:00", local.isoformat()):
        assert parse_since(text) == local.timestamp()
    assert parse_since("2026-05-04T14:30Z") == 1777905000.0
    assert parse_since("1777905000") == 1777905000.0


@pytest.mark.parametrize("minutes", [-30, 30])
def test_a_time_of_day_is_the_last_one_that_was(minutes: int) -> None:
    now = datetime.now().astimezone().replace(second=0, microsecond=0)
    meant = parse_since(f"{now + timedelta(minutes=minutes):%H:%M}")
    assert 0 <= time.time() - meant <= 25 * 3600
    assert datetime.fromtimestamp(meant).astimezone().minute == (now.minute + minutes) % 60


def test_an_hour_may_have_one_digit() -> None:
    assert parse_since("9:05") == parse_since("09:05:00")


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "-10m", "2026-13-01", "1" * 40])
def test_nonsense_is_refused(text: Any) -> None:
    with pytest.raises(SensorError) as caught:
        parse_since(text)
    assert caught.value.code == "invalid_duration"


def test_a_device_is_asked_for_by_its_name(serving: Serving) -> None:
    lines(serving, "--device", "CAMERA")
    assert asked(serving).devices == (CAMERA,)


def test_an_unknown_device_is_an_error_that_says_where_they_are_listed(serving: Serving) -> None:
    for each in ("02:00:5e:00:53:99", "nobody"):
        done = run(serving, "--device", each)
        assert done.returncode != 0
        assert f"there is no device {each}; `devices` lists them" in done.stderr


def test_every_peer_is_asked_for_by_leaving_the_option_out(serving: Serving) -> None:
    done = run(serving, "--peer", "*")
    assert done.returncode != 0
    assert "*.name" in done.stderr


def test_since_the_beginning() -> None:
    assert parse_since("0") == 0.0
