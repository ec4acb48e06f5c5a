# ruff: noqa: RUF001
"""What `events` asks, and how it shows people the answer; a real process and the sensor's own server."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.commands.events import _follow, show
from hearthwall_sensor.protocol import Device, Event, SensorError, Snapshot
from hearthwall_sensor.requests import GetEvents, Request
from hearthwall_sensor.words.cells import clean, width, wrapped
from tests.devices import CAMERA, PHONE, TV
from tests.unit.household import Household, Serving, device
from tests.unit.terminal import Terminal

LAUNCHER = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"


def event(seq: int, **fields: Any) -> Event:
    said: dict[str, Any] = {
        "time": time.mktime((2026, 5, 4, 14, 30, seq, 0, 0, -1)),
        "kind": "port_scan",
        "severity": "high",
        "mac": CAMERA,
        "address": "192.168.20.21",
        "peer_address": "192.168.10.1",
        "peer_name": None,
        "process": None,
        "summary": f"number {seq}",
        "evidence": {"value": 3},
    }
    return Event(seq=seq, **(said | fields))


class Eventful(Household):
    """A household in which something happens."""

    def __init__(self) -> None:
        super().__init__()
        self.events = [event(1), event(2, mac=PHONE), event(3, mac=None, kind="flood")]
        self.answers["accepted"] = []

    def snapshot(self) -> Snapshot:
        return Snapshot(0, self.status, self._devices(), (), last_event=2)

    async def answer(self, request: Request) -> Any:
        if not isinstance(request, GetEvents):
            return await super().answer(request)
        self.received.append(request)
        found = [each for each in self.events if each.seq > request.since]
        return [each.to_wire() for each in found]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path / "s.sock", Eventful()).start()
    yield serving
    serving.stop()


def line(serving: Serving, *arguments: str) -> list[str]:
    return [sys.executable, "-I", str(LAUNCHER), "events", "--socket", serving.socket, *arguments]


def run(serving: Serving, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line(serving, *arguments), capture_output=True, text=True, timeout=30, check=False
    )


def asked(serving: Serving) -> GetEvents:
    (request,) = [each for each in serving.household.received if isinstance(each, GetEvents)]
    return request


def household(serving: Serving) -> Eventful:
    assert isinstance(serving.household, Eventful)
    return serving.household


def test_json_is_the_list_of_event(serving: Serving) -> None:
    said = json.loads(run(serving, "--json").stdout)
    assert said == [each.to_wire() for each in household(serving).events]
    assert {"technique", "count", "last_time", "subject"} <= said[0].keys()
    assert asked(serving) == GetEvents(latest=True)


def test_a_pipe_gets_a_line_for_each_with_the_devices_names(serving: Serving) -> None:
    household(serving).events = [
        event(1),
        event(2, count=12, last_time=event(50).time),
        event(3, count=2, last_time=event(3).time + 86400, mac=None, peer_name="\x1b[2Jpool"),
    ]
    first, second, third = run(serving).stdout.splitlines()
    assert " ".join(first.split()) == (
        "1 2026-05-04 14:30:01 high port_scan camera -> 192.168.10.1 number 1"
    )
    assert "port_scan  ×12, last 14:30:50            camera " in second
    assert "×2, last 2026-05-05 14:30:03  192.168.20.21  -> ?[2Jpool" in third
    for words in (("camera", "camera", "192.168.20.21"), ("number 1", "number 2", "number 3")):
        pairs = zip((first, second, third), words, strict=True)
        assert len({line.index(word) for line, word in pairs}) == 1, "in columns"


def test_columns_that_say_nothing_are_left_out_and_a_long_name_moves_only_its_line() -> None:
    events = [event(1).to_wire(), event(2, peer_name="x" * 90).to_wire()]
    first, second = show(events, {CAMERA: "camera"}).splitlines()
    assert first.startswith(
        "     1  2026-05-04 14:30:01  high      port_scan  camera  -> 192.168.10.1 "
    )
    assert first.index("number") < second.index("number")


def test_what_was_accepted_is_marked_and_only_then_there_is_a_column(serving: Serving) -> None:
    assert "accepted" not in run(serving).stdout
    serving.household.answers["accepted"] = [{"seq": 2}]
    assert ["accepted" in each for each in run(serving).stdout.splitlines()] == [False, True, False]
    assert "accepted" not in run(serving, "--json").stdout


def test_options_reach_the_sensor(serving: Serving) -> None:
    done = run(
        serving,
        *("--since", "1", "--limit", "7", "--severity", "medium", "--kind", "flood"),
        *("--kind", "port_scan", "--device", "Camera", "--device", TV.upper()),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert asked(serving) == GetEvents(1, 7, (CAMERA, TV), ("flood", "port_scan"), "medium")


@pytest.mark.parametrize(
    "arguments",
    [
        *(("--kind", "unheard_of"), ("--severity", "dreadful"), ("--device", "nobody")),
        *(("--limit", "0"), ("--limit", "1001"), ("--limit", "many"), ("--since", "-1")),
    ],
)
def test_what_there_is_not_is_refused(serving: Serving, arguments: tuple[str, ...]) -> None:
    done = run(serving, *arguments)
    assert done.returncode != 0
    assert arguments[1] in done.stderr


def test_nothing_has_happened(serving: Serving) -> None:
    household(serving).events = []
    assert run(serving).stdout == "Nothing has happened.\n"


def test_a_sentence_goes_on_in_the_next_line_of_a_terminal(serving: Serving) -> None:
    summary = "The camera tried 214 ports of 192.168.10.1 in five minutes, and 214 of them failed."
    household(serving).events = [event(1, summary=summary)]
    with Terminal(line(serving), columns=40) as terminal:
        terminal.shows("failed.")
        shown = [each.rstrip() for each in terminal.lines]
    assert shown[0] == "     1  2026-05-04 14:30:01  high      ~"
    assert shown[1:5] == [
        "        The camera tried 214 ports of",
        "        192.168.10.1 in five minutes,",
        "        and 214 of them failed.",
        "",
    ]


def test_follow_tells_what_is_new(serving: Serving) -> None:
    arguments = ("--follow", "--json", "--severity", "low")
    with subprocess.Popen(line(serving, *arguments), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["seq"] == 3
        process.terminate()
    first = next(each for each in household(serving).received if isinstance(each, GetEvents))
    assert first == GetEvents(2, severity="low")


async def test_follow_learns_names_as_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    class Sensor:
        async def subscribe(self, _: object) -> Snapshot:
            return Eventful().snapshot()

        async def wait_closed(self) -> None:
            pass

        async def call(self, asked: GetEvents) -> list[dict[str, Any]]:
            return [event(3).to_wire()] if asked.since < 3 else []

        async def devices(self) -> list[Device]:
            return [device(CAMERA, name="Front Door")]

    said = dict.fromkeys(("since", "json", "socket"))
    options = argparse.Namespace(**said, limit=9, kind=[], severity="info")
    with pytest.raises(SensorError):
        await _follow(Sensor(), options, (), {})  # type: ignore[arg-type]
    out = capsys.readouterr().out
    assert "Front Door" in out
    assert CAMERA not in out


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("--kind", "port_scans"), "did you mean port_scan"),
        (("--severity", "hgh"), "did you mean high"),
        (("--severity", "zzz"), "there are info, low, medium, high, critical"),
        (("--since", "10m"), "is no event's number"),
        (("--device", "cam"), "did you mean camera?"),
    ],
)
def test_what_is_nearly_right_is_guessed(
    serving: Serving, arguments: tuple[str, ...], meant: str
) -> None:
    assert meant in run(serving, *arguments).stderr


def test_follow_ends_with_the_sensor(serving: Serving) -> None:
    with subprocess.Popen(
        line(serving, "--follow"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "number 3" in process.stdout.readline()
        serving.stop()
        assert process.wait(20) == 1
        assert process.stderr is not None
        assert process.stderr.read() == (
            f"hearthwall-sensor: the sensor on {serving.socket} has ended, so nothing more is told\n"
        )


def test_a_command_or_device_that_is_nearly_there_is_named(serving: Serving) -> None:
    assert (
        "there is no device camra; did you mean camera?" in run(serving, "--device", "camra").stderr
    )
    assert "`devices` lists them" in run(serving, "--device", "toaster").stderr
    for wrong, hint in (("evnts", "did you mean events?"), ("xyzzy", "--help lists them")):
        done = subprocess.run(
            [sys.executable, "-I", str(LAUNCHER), wrong],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert f"there is no command {wrong}; " in done.stderr
        assert hint in done.stderr


@given(st.text(), st.integers(1, 30))
def test_wrapped_text_fits_and_loses_nothing(text: str, columns: int) -> None:
    shown = clean(text)
    lines = wrapped(shown, columns)
    assert all(width(each) <= max(columns, 2) for each in lines)
    assert "".join("".join(lines).split()) == "".join(shown.split())


def test_words_stay_whole_where_they_fit() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("a verylongword b", 5) == ["a", "veryl", "ongwo", "rd b"]
    assert wrapped("", 5) == []
