"""What `trace` asks, and how it shows people what it is told; a real process and the sensor's own server."""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.commands.trace import _arguments, _user, what
from hearthwall_sensor.requests import Trace
from hearthwall_sensor.tracing.traced import Traced
from tests.unit.household import Household, Serving
from tests.unit.terminal import Terminal

LAUNCHER = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"


def traced(**fields: Any) -> dict[str, Any]:
    said = {"time": 1_700_000_000.5, "call": "connect", "pid": 7, "uid": 0, "comm": "curl"}
    said |= {
        "executable": "/usr/bin/curl",
        "address": "192.0.2.1",
        "port": 443,
        "duration_us": 12.34,
    }
    return Traced(**(said | fields)).to_wire()  # type: ignore[arg-type]


class Traceable(Household):
    """A household whose processes call something twice, and lose two lines before that."""

    def __init__(self) -> None:
        super().__init__()
        self.traces: list[Trace] = []
        self.ended = threading.Event()
        self.lines = [traced(), traced(comm="\x1b[2J", result=-111, error="ECONNREFUSED")]

    async def trace(
        self, request: Trace, tell: Callable[[Sequence[dict[str, Any]], int], bool]
    ) -> Callable[[], None]:
        self.traces.append(request)
        asyncio.get_running_loop().call_later(0.05, tell, self.lines, 2)
        return self.ended.set


@pytest.fixture
def household() -> Traceable:
    return Traceable()


@pytest.fixture
def serving(household: Traceable, tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path / "s.sock", household).start()
    yield serving
    serving.stop()


def line(serving: Serving, *arguments: str) -> list[str]:
    return [
        *(sys.executable, "-I", str(LAUNCHER), "trace", "connect"),
        *("--socket", serving.socket, *arguments),
    ]


def run(serving: Serving, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line(serving, *arguments), capture_output=True, text=True, timeout=30, check=False
    )


def test_it_ends_after_so_many_lines_and_the_trace_with_it(
    serving: Serving, household: Traceable
) -> None:
    done = run(serving, "--count", "2", "--pid", "7", "--uid", "root", "--failed", "--port", "443")
    assert done.returncode == 0, done.stderr
    assert household.traces == [Trace("connect", pid=7, uid=0, port=443, failed=True)]
    assert household.ended.wait(5)
    heads, lost, first, second = done.stdout.splitlines()
    assert heads.split() == ["time", "pid", "user", "comm", "result", "took", "what"]
    assert "2 lines were lost" in lost
    assert first.endswith("192.0.2.1:443  by /usr/bin/curl")
    assert " root " in first
    assert "12.3 µs" in first
    assert "ECONNREFUSED" in second
    assert "\x1b" not in done.stdout


def test_json_is_a_document_on_each_line(serving: Serving, household: Traceable) -> None:
    done = run(serving, "--count", "2", "--json")
    assert list(map(json.loads, done.stdout.splitlines())) == [{"lost": 2}, *household.lines]


def test_it_ends_after_a_time(serving: Serving, household: Traceable) -> None:
    begun = time.monotonic()
    assert run(serving, "--duration", "1s").returncode == 0
    assert 1 < time.monotonic() - begun < 10
    assert household.ended.wait(5)


def test_a_client_that_vanishes_ends_its_trace(serving: Serving, household: Traceable) -> None:
    with subprocess.Popen(line(serving), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "time" in process.stdout.readline()
        assert not household.ended.is_set()
        process.kill()
    assert household.ended.wait(5)


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["usual", "background"])
def inherited(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let what is started inherit what a shell gives its foreground and its background."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("inherited")
def test_ctrl_c_ends_it_on_a_terminal_that_its_lines_fit(
    serving: Serving, household: Traceable
) -> None:
    with Terminal(line(serving)) as terminal:
        terminal.shows("ECONNREFUSED .* 192.0.2.1:443")
        assert len(list(filter(None, terminal.lines))) == 4  # none is broken
        terminal.press("\x03")
        assert terminal.ended() == 130
    assert household.ended.wait(5)


def test_words_that_are_nearly_right(serving: Serving) -> None:
    for arguments, hint in (
        (("--uid", "nobody-at-all"), "there is no user 'nobody-at-all'"),
        (("--port", "0"), "1 to 65,535"),
        (("--count", "x"), "is no number"),
    ):
        assert hint in run(serving, *arguments).stderr
    done = subprocess.run(
        [sys.executable, "-I", str(LAUNCHER), "trace", "conect"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "did you mean connect" in done.stderr


def test_a_user_is_a_number_or_a_name() -> None:
    assert (_user("0"), _user("root"), _user("4000000000")) == (0, 0, 4_000_000_000)
    with pytest.raises(argparse.ArgumentTypeError):
        _user("5000000000")


def test_what_is_said_of_both_ends() -> None:
    accepted = traced(
        call="accept", address="2001:db8::1", port=5, local_address="192.0.2.9", local_port=80
    )
    assert what(accepted).startswith("192.0.2.9:80 <- [2001:db8::1]:5  by ")
    nobody = traced(call="send", address=None, local_address="192.0.2.9", local_port=80)
    assert what(nobody).startswith("192.0.2.9:80 -> ?  by ")
    contained = traced(container="0123456789ab", unit="docker.service", path="/x", address=None)
    assert what(contained) == "/x  by /usr/bin/curl@0123456789ab  (docker.service)"


def test_help_says_that_json_streams() -> None:
    parser = argparse.ArgumentParser()
    _arguments(parser)
    assert "document on each line" in " ".join(parser.format_help().split())


def test_a_file_that_is_not_there_is_said(serving: Serving, household: Traceable) -> None:
    done = run(serving, "--count", "2", "--exe", "/no/such")
    assert "There is no file /no/such here" in done.stderr
    assert household.traces[0].executable == "/no/such"
