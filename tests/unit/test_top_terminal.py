"""`top` on a real terminal of every size and kind, as a process of its own, with the sensor's own server."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.requests import AddBlock, GetFlows, RemoveBlock
from tests.devices import CAMERA
from tests.unit.household import Household, Serving, flow
from tests.unit.terminal import LAUNCHER, Terminal, top

FAST = ("--interval", "0.5")


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path / "s.sock", Household()).start()
    yield serving
    serving.stop()


@pytest.fixture
def terminal(serving: Serving) -> Iterator[Terminal]:
    with top(serving.socket, *FAST) as terminal:
        terminal.shows("q quit")
        yield terminal


def once(serving: Serving, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-I", str(LAUNCHER), "top", "--socket", serving.socket, *arguments]
    return subprocess.run(
        line, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30, check=False
    )


def choose_camera(terminal: Terminal) -> None:
    terminal.press("down", "down")
    terminal.shows("flows of camera")


def test_devices_and_flows_stand_there_with_their_rates(terminal: Terminal) -> None:
    assert terminal.lines[0].startswith("Hearthwall on ")
    terminal.shows(
        r"^up 2\.\d Mbit/s   down (19|20)\.\d Mbit/s   3 devices   3 flows   nothing lost"
    )
    terminal.shows(r"^all devices +2\.\d Mbit +(19|20)\.\d Mbit")
    terminal.shows(r"^camera +(1\.9|2\.\d) Mbit +\d\.\d kbit")
    terminal.shows(r"^storage\.vendor\.example:443 +(1\.9|2\.\d) Mbit .* tls +open")
    terminal.shows(r"^<- \[2001:db8::9\]:443 .*refused")


def test_b_cuts_the_chosen_device_off_and_u_releases_it(
    serving: Serving, terminal: Terminal
) -> None:
    choose_camera(terminal)
    terminal.press("b")
    terminal.shows(r"Cut off camera \(00:00:5e:00:53:21\)\?")
    assert not [each for each in serving.household.received if isinstance(each, AddBlock)]
    terminal.press("m", "d", "d", "y")
    terminal.shows(r"camera is cut off for good \(no_internet\)")
    terminal.shows(r"^camera .* no_internet")
    (order,) = [each for each in serving.household.received if isinstance(each, AddBlock)]
    assert (order.target, order.mode, order.duration) == (CAMERA, "no_internet", None)
    terminal.press("u")
    terminal.shows("ends its rule: no_internet")
    assert not [each for each in serving.household.received if isinstance(each, RemoveBlock)]
    terminal.press("y")
    terminal.shows("camera is released")
    assert terminal.wait(
        lambda: not re.search(r"^camera .* no_internet", terminal.text, re.MULTILINE)
    )
    assert [each for each in serving.household.received if isinstance(each, RemoveBlock)]


def test_a_refusal_is_told(serving: Serving, terminal: Terminal) -> None:
    serving.household.errors["block"] = SensorError("protected_target", "this is\x1b[2J you")
    choose_camera(terminal)
    terminal.press("b", "y")
    terminal.shows(r"Refused: this is\?\[2J you")


def test_flows_are_asked_for_of_the_chosen_device(serving: Serving, terminal: Terminal) -> None:
    choose_camera(terminal)
    assert terminal.wait(
        lambda: any(
            isinstance(each, GetFlows) and each.devices == (CAMERA,)
            for each in serving.household.received
        )
    )
    assert "video.example" not in terminal.text


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 10), (250, 60), (20, 4), (1, 1)])
def test_any_size_is_drawn_and_can_be_pulled_to(serving: Serving, columns: int, lines: int) -> None:
    with top(serving.socket, *FAST, columns=columns, lines=lines) as first:
        assert first.wait(lambda: first.written)
        time.sleep(0.5)
        first.press("?", "x", "down", "down", "b", "n", "tab", "/", "escape")
        time.sleep(0.3)
        first.resize(80, 24)
        first.shows(r"^flows of camera")
        first.resize(columns, lines)
        time.sleep(0.3)
        first.resize(100, 30)
        first.shows(r"^Hearthwall on .*\d\d:\d\d:\d\d$")
        assert first.wait(lambda: first.lines[-1] == "" or "q quit" in first.lines[-1])
        first.press("q")
        assert first.ended() == 0


@pytest.mark.parametrize("kind", ["linux", "xterm", "xterm-256color", "screen", "vt100", "vt220"])
def test_kinds_of_terminals(serving: Serving, kind: str) -> None:
    with top(serving.socket, *FAST, environment={"TERM": kind}) as terminal:
        terminal.shows("^camera")
        terminal.press("down", "down")
        terminal.shows("^flows of camera")
        terminal.press("q")
        assert terminal.ended() == 0


@pytest.mark.parametrize("kind", ["dumb", "no-such-terminal", ""])
def test_a_terminal_that_cant_be_drawn_on_is_told_in_a_sentence(
    serving: Serving, kind: str
) -> None:
    with top(serving.socket, environment={"TERM": kind}, columns=150) as terminal:
        assert terminal.ended() == 1
        terminal.shows("can't be drawn on: try TERM=xterm, or `top --once`", 2)


def colours(terminal: Terminal) -> set[str]:
    return {cell.fg for cell in terminal.cells} | {cell.bg for cell in terminal.cells}


def test_colours_only_where_they_are_wanted(serving: Serving) -> None:
    for environment, coloured in (
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "vt100"}, False),
    ):
        with top(serving.socket, *FAST, environment=environment) as terminal:
            terminal.shows("^camera")
            terminal.press("down", "tab")
            time.sleep(0.5)
            assert (colours(terminal) != {"default"}) is coloured, environment


def test_nothing_flickers_and_little_is_sent(serving: Serving, terminal: Terminal) -> None:
    choose_camera(terminal)
    time.sleep(1)
    before = len(terminal.written)
    time.sleep(3)
    sent = terminal.written[before:]
    assert b"\x1b[2J" not in sent
    assert b"\x1b[J" not in sent
    assert 0 < len(sent) < 6 * 80 * 24 / 4, len(sent)


def test_what_devices_wrote_reaches_the_terminal_as_text(serving: Serving) -> None:
    hostile = "\x1b]0;pwned\x07\x9b2J\u202egnp"
    serving.household.flows = [flow(CAMERA, 1, peer_name=hostile, application=hostile)]
    with top(serving.socket, *FAST) as terminal:
        terminal.shows(r"^\?\]0;pwned\?\?2J\?gnp")
        for each in (b"\x1b]0;", b"\xc2\x9b", "\u202e".encode(), b"\x07"):
            assert each not in terminal.written


def test_wide_characters_keep_the_columns_straight(terminal: Terminal) -> None:
    terminal.shows("^电")
    with terminal._lock:
        rows = list(terminal._screen.buffer.values())
        ends = {
            max(x for x, cell in row.items() if x < 42 and cell.data.strip())
            for row in rows
            if row[0].data in {"电", "c", "0"}
        }
    assert len(ends) == 1


def test_a_terminal_without_utf8_gets_question_marks(serving: Serving) -> None:
    # Of xterm, ncurses uses a way to repeat characters that pyte does not know
    environment = {
        "TERM": "linux",
        "LC_ALL": "POSIX",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
    }
    line = [sys.executable, str(LAUNCHER), "top", "--socket", serving.socket, *FAST]
    with Terminal(line, environment=environment) as terminal:
        terminal.shows(r"^\?\?\?\? in the living ~  \d\d\.\d kbit")
        assert terminal.written.isascii()


def test_the_sensor_goes_and_comes_back(serving: Serving, terminal: Terminal) -> None:
    choose_camera(terminal)
    serving.stop()
    terminal.shows(r"The sensor does not run; trying again in \d s")
    terminal.press("b", "y")
    terminal.shows("Refused: no sensor listens")
    serving.start()
    assert terminal.wait(lambda: "trying again" not in terminal.text, 15)
    terminal.shows("^flows of camera")
    terminal.shows(r"^camera +(1\.9|2\.\d) Mbit")


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("q", 0),
        ("\x03", 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
    ],
)
def test_the_terminal_is_as_before_however_it_ends(
    serving: Serving, how: str | signal.Signals, status: int
) -> None:
    with top(serving.socket, *FAST) as terminal:
        terminal.shows("q quit")
        assert terminal.state() != terminal.before
        if isinstance(how, signal.Signals):
            terminal.signal(how)
        else:
            terminal.press(how)
        assert terminal.ended() == status
        assert terminal.state() == terminal.before
        assert terminal.wait(lambda: b"\x1b[?1049l" in terminal.written)
        assert b"Traceback" not in terminal.written


def test_the_terminal_is_as_before_also_after_a_fault(serving: Serving) -> None:
    """A fault in drawing is made by a module that shadows one, as a bug would."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from hearthwall_sensor.top import session\n"
        "def broken(*_): raise RuntimeError('drawing failed')\n"
        "session.frame = broken\n"
        "from hearthwall_sensor.cli import main\n"
        "sys.exit(main(sys.argv[2:]))"
    )
    line = [sys.executable, "-c", code, str(LAUNCHER.parent), "top", "--socket", serving.socket]
    with Terminal(line) as terminal:
        assert terminal.ended() == 1
        terminal.shows("RuntimeError: drawing failed")
        assert terminal.state() == terminal.before
        assert b"\x1b[?1049l" in terminal.written


def test_it_ends_when_the_terminal_does(serving: Serving) -> None:
    with top(serving.socket, *FAST) as terminal:
        terminal.shows("q quit")
        terminal.hang_up()
        assert terminal.ended() in {129, 120}  # Python's own, where it can't write any more


def test_it_ends_with_its_terminal_also_where_no_signal_tells(serving: Serving) -> None:
    with top(serving.socket, *FAST, controlling=False) as terminal:
        terminal.shows("q quit")
        terminal.hang_up()
        assert terminal.ended() in {0, 120}


def test_once_prints_one_picture_for_scripts(serving: Serving) -> None:
    done = once(serving, "--once", *FAST)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^camera +(1\.9|2\.\d) Mbit", done.stdout, re.MULTILINE)
    assert re.search(r"^video\.example:443 .*(19|20)\.\d Mbit", done.stdout, re.MULTILINE)
    assert "\x1b" not in done.stdout
    document = json.loads(once(serving, "--once", "--json", *FAST).stdout)
    assert [each["name"] or each["hostname"] for each in document["devices"][1:2]] == ["camera"]
    assert document["flows"][0]["download_rate"] == pytest.approx(2_500_000, rel=0.2)
    assert document["upload_rate"] == pytest.approx(260_000, rel=0.2)


def test_without_a_terminal_and_with_json_it_says_what_to_do(serving: Serving) -> None:
    done = once(serving)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip().endswith(
        "top needs a terminal; `top --once` prints one picture of it"
    )
    error = json.loads(once(serving, "--json").stdout)["error"]
    assert "top --once --json" in error["message"]
    assert once(serving, "--once", "--interval", "0").returncode == 1


def test_without_a_sensor_it_says_so_and_takes_no_screen(tmp_path: Path) -> None:
    with top(str(tmp_path / "none")) as terminal:
        assert terminal.ended() == 1
        terminal.shows("no sensor listens on")
        assert b"\x1b[" not in terminal.written
