"""Traces of real processes on a real kernel: what calls said, what came of them, and nothing left behind."""

import json
import os
import signal
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from hearthwall_sensor.kernel import loader, pins
from hearthwall_sensor.kernel.call_layouts import TABLES, TRACE, TRACING
from hearthwall_sensor.kernel.libbpf import Map
from lab import Lab
from tests.gateway.cgroup import TestCgroup
from tests.gateway.sensor_process import SensorProcess, command, until

pytestmark = pytest.mark.lab

PYTHON = str(Path("/usr/bin/python3").resolve())


@pytest.fixture(scope="module")
def cgroup() -> Iterator[TestCgroup]:
    """A cgroup for the tests' processes."""
    made = TestCgroup.make()
    yield made
    made.clean()


@pytest.fixture(scope="module")
def sensor(
    lab: Lab, cgroup: TestCgroup, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SensorProcess]:
    """One sensor for all tests."""
    sensor = SensorProcess(lab, tmp_path_factory.mktemp("trace"))
    sensor.start("--cgroup", str(cgroup.path))
    yield sensor
    sensor.clean()


def links(sensor: SensorProcess) -> int:
    """Return how many programs a sensor holds in their places."""
    found = 0
    for each in Path(f"/proc/{sensor.pid}/fd").iterdir():
        try:
            found += str(each.readlink()) == "anon_inode:bpf_link"
        except FileNotFoundError:
            continue
    return found


def running(sensor: SensorProcess) -> int:
    """Return for how many traces the kernel's programs look."""
    folder = pins.Pins(sensor.socket).generation(loader.generation())
    key_size, value_size, _ = TABLES["tracing"]
    table: Map = Map.pinned(str(folder / "tracing"), key_size, value_size)
    held = table.get(bytes(4)) or b""
    table.close()
    traces, *_ = TRACING.unpack(held)
    return sum(call != 0 for _, _, _, call, *_ in TRACE.iter_unpack(traces))


class Tracing:
    """One `trace --json`, from when its programs are in their places."""

    def __init__(self, sensor: SensorProcess, *arguments: str) -> None:
        self.sensor = sensor
        self.before = running(sensor)
        line = command("trace", *arguments, "--json", "--socket", sensor.socket)
        self.process = subprocess.Popen(
            sensor.lab.argv(sensor.host, line), stdout=subprocess.PIPE, text=True
        )
        assert until(lambda: running(sensor) > self.before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        assert until(lambda: running(self.sensor) <= self.before), "it goes on"

    def next(self) -> dict[str, Any]:
        """Return the next line's document."""
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def all(self) -> list[dict[str, Any]]:
        """End it as Ctrl-C does; return the documents of the lines that are left."""
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=20)
        assert self.process.returncode in {130, -signal.SIGINT}
        return [json.loads(each) for each in said.splitlines()]


@pytest.fixture
def python(lab: Lab, cgroup: TestCgroup) -> Any:
    """Runs Python in the cgroup to its end, and returns what it said."""

    def run(script: str) -> str:
        line = cgroup.argv([PYTHON, "-I", "-c", textwrap.dedent(script)])
        return lab.run("gateway", line, timeout=60).stdout.strip()

    return run


def test_connections_with_what_came_of_them(sensor: SensorProcess, python: Any) -> None:
    with Tracing(sensor, "connect") as tracing:
        said = python(
            r"""
            import os, socket
            server = socket.create_server(("127.0.0.1", 0))
            port = server.getsockname()[1]
            socket.create_connection(("127.0.0.1", port))
            for family, peer in (
                (socket.AF_INET, ("127.0.0.1", 1)),
                (socket.AF_INET6, ("::1", 1)),
                (socket.AF_UNIX, "/nowhere/\x1b[31m"),
            ):
                socket.socket(family).connect_ex(peer)
            print(os.getpid(), port)
            """
        )
        pid, port = map(int, said.split())
        good, refused, refused6, unix = (tracing.next() for _ in range(4))
        assert (good["address"], good["port"], good["error"]) == ("127.0.0.1", port, None)
        assert {each["pid"] for each in (good, refused, refused6, unix)} == {pid}
        assert (good["executable"], good["uid"], good["comm"]) == (PYTHON, 0, Path(PYTHON).name)
        assert 0 < good["duration_us"] < 1e6
        assert (refused["address"], refused["error"]) == ("127.0.0.1", "ECONNREFUSED")
        assert (refused6["address"], refused6["error"]) == ("::1", "ECONNREFUSED")
        assert (unix["path"], unix["error"]) == ("/nowhere/\\x1b[31m", "ENOENT")


CONNECTS = """
    import socket
    server = socket.create_server(("127.0.0.1", {port}))
    socket.socket().connect_ex(("127.0.0.1", 1))
    socket.create_connection(("127.0.0.1", {port}))
    socket.socket().connect_ex(("127.0.0.1", 2))
"""


@pytest.mark.parametrize(
    ("arguments", "ports"),
    [
        ((), [1, 8471, 2]),
        (("--failed",), [1, 2]),
        (("--port", "8471"), [8471]),
        (("--port", "2", "--failed"), [2]),
        (("--exe", PYTHON), [1, 8471, 2]),
        (("--exe", "/usr/bin/true"), []),
        (("--comm", Path(PYTHON).name, "--uid", "root"), [1, 8471, 2]),
        (("--comm", "python"), []),
        (("--uid", "nobody"), []),
        (("--pid", str(os.getpid())), []),
    ],
)
def test_only_what_is_asked_for(
    sensor: SensorProcess, python: Any, arguments: tuple[str, ...], ports: list[int]
) -> None:
    with Tracing(sensor, "connect", *arguments) as tracing:
        with Tracing(sensor, "connect") as everything:
            python(CONNECTS.format(port=8471))
            assert [everything.next()["port"] for _ in range(3)] == [1, 8471, 2]
        assert [each["port"] for each in tracing.all()] == ports


def test_an_accept_that_asks_for_no_address_has_its_peer(
    sensor: SensorProcess, python: Any
) -> None:
    with Tracing(sensor, "accept", "--port", "8472") as tracing:
        said = python(
            """
            import ctypes, socket, time
            server = socket.create_server(("127.0.0.1", 8472))
            other = socket.create_server(("127.0.0.1", 8473))
            ends = [socket.create_connection(each.getsockname()) for each in (server, other)]
            for each in (other, server):
                ctypes.CDLL(None).accept(each.fileno(), None, None)
            time.sleep(1)
            print(ends[0].getsockname()[1])
            """
        )
        (line,) = tracing.all()
        assert (line["address"], line["port"]) == ("127.0.0.1", int(said))
        assert (line["local_address"], line["local_port"]) == ("127.0.0.1", 8472)


def test_execs_with_their_words_but_without_secrets(sensor: SensorProcess, python: Any) -> None:
    with Tracing(sensor, "exec", "--exe", str(Path("/bin/sh").resolve())) as tracing:
        python(
            r"""
            import subprocess
            words = ("--password", "hunter2", "a\x1b[2Jb")
            # Long enough for its file to be read, also on a busy machine.
            subprocess.run(["/bin/sh", "-c", "sleep 2; :", *words])
            """
        )
        line = tracing.next()
        assert (line["path"], line["error"]) == ("/bin/sh", None)
        assert "--password ***" in line["detail"]
        assert "hunter2" not in json.dumps(line)
        assert line["detail"].endswith("a\\x1b[2Jb")
    with Tracing(sensor, "exec", "--failed") as tracing:
        python(
            """
            import os, contextlib
            with contextlib.suppress(OSError):
                os.execv("/nowhere/program", ["x"])
            """
        )
        line = tracing.next()
        assert (line["path"], line["error"], line["detail"]) == ("/nowhere/program", "ENOENT", "")


def test_what_a_socket_sends_is_one_line_and_adds_up(sensor: SensorProcess, python: Any) -> None:
    with Tracing(sensor, "send") as together, Tracing(sensor, "recv") as received:
        python(
            """
            import socket, time
            server = socket.create_server(("127.0.0.1", 8474))
            client = socket.create_connection(server.getsockname())
            peer, _ = server.accept()
            for _ in range(100):
                client.sendall(bytes(50))
                peer.recv(50, socket.MSG_WAITALL)
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            datagrams.sendto(b"12345", ("127.0.0.1", 9))
            time.sleep(2.5)
            """
        )
        lines = together.all()
        stream = [each for each in lines if each["port"] == 8474]
        assert sum(each["bytes"] for each in stream) == 5000
        assert sum(each["calls"] for each in stream) == 100
        assert len(stream) <= 2
        (datagram,) = [each for each in lines if each["port"] == 9]
        assert (datagram["bytes"], datagram["calls"]) == (5, 1)
        assert sum(each["bytes"] for each in received.all()) == 5000


def test_every_single_send(sensor: SensorProcess, python: Any) -> None:
    with Tracing(sensor, "send", "--each") as tracing:
        python(
            """
            import socket
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for size in (1, 2, 3):
                datagrams.sendto(bytes(size), ("127.0.0.1", 9))
            datagrams.sendmsg([b"12", b"34"], [], 0, ("127.0.0.1", 9))
            """
        )
        lines = [tracing.next() for _ in range(4)]
        assert [each["bytes"] for each in lines] == [1, 2, 3, 4]
        assert {each["port"] for each in lines} == {9}


@pytest.mark.parametrize(
    ("call", "script", "expected"),
    [
        (
            "open",
            "import os; os.chdir('/tmp'); f = f'trace-{os.getpid()}'; open(f, 'w'); os.rename(f, f + '2');"
            " os.remove(f + '2'); open('/etc/passwd'); import time; time.sleep(1)",
            [("/tmp/trace-PID", "O_WRONLY|O_CREAT|O_TRUNC"), ("/tmp/trace-PID2", "rename")],
        ),
        (
            "socket",
            "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)",
            [(None, "packet raw")],
        ),
        ("memfd", "import os; os.memfd_create('x' * 30)", [("x" * 30, "")]),
        (
            "ptrace",
            "import ctypes; ctypes.CDLL(None).ptrace(16, 4194000, 0, 0)",
            [(None, "attach 4194000")],
        ),
        (
            "listen",
            "import socket; s = socket.create_server(('127.0.0.1', 8475), backlog=7);"
            " import time; time.sleep(1)",
            [(None, "backlog 7")],
        ),
        ("bind", "import socket; socket.create_server(('127.0.0.1', 8475))", [(None, "")]),
    ],
)
def test_other_calls(
    sensor: SensorProcess,
    python: Any,
    call: str,
    script: str,
    expected: list[tuple[str | None, str]],
) -> None:
    with Tracing(sensor, call) as tracing:
        pid = python(f"{script}\nimport os; print(os.getpid())")
        lines = [tracing.next() for _ in expected]
        found = [(each["path"], each["detail"]) for each in lines]
        assert found == [(path and path.replace("PID", pid), detail) for path, detail in expected]
        if call in ("listen", "bind"):
            assert [(each["address"], each["port"]) for each in lines] == [("127.0.0.1", 8475)]
        assert tracing.all() == []


def test_what_comes_too_fast_is_counted(sensor: SensorProcess, python: Any) -> None:
    number = 60_000
    with Tracing(sensor, "connect") as tracing:
        os.kill(tracing.process.pid, signal.SIGSTOP)  # a reader that reads nothing
        python(
            f"""
            import socket
            s = socket.socket(socket.AF_UNIX)
            for _ in range({number}):
                s.connect_ex("/nowhere")
            """
        )
        assert sensor.call("status")["pid"]  # the sensor goes on
        os.kill(tracing.process.pid, signal.SIGCONT)
        python('import socket; socket.socket().connect_ex(("127.0.0.1", 77))')
        told = lost = 0
        while (line := tracing.next()).get("port") != 77:
            told, lost = told + ("call" in line), lost + line.get("lost", 0)
    assert lost > 0
    assert told + lost == number


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_its_programs_go_with_it(sensor: SensorProcess, ending: signal.Signals) -> None:
    before = links(sensor)
    with Tracing(sensor, "recv") as tracing:
        assert until(lambda: links(sensor) > before)
        tracing.process.send_signal(ending)
        tracing.process.wait(10)
        assert until(lambda: links(sensor) == before)


def test_a_fifth_trace_is_refused(sensor: SensorProcess) -> None:
    four = [Tracing(sensor, each) for each in ("connect", "accept", "bind", "listen")]
    line = command("trace", "connect", "--json", "--socket", sensor.socket)
    done = subprocess.run(
        sensor.lab.argv(sensor.host, line), capture_output=True, text=True, timeout=30, check=False
    )
    assert json.loads(done.stdout)["error"]["code"] == "table_full"
    for each in reversed(four):
        with each:
            pass


def test_processes_outside_the_cgroup_are_nobodys_business(
    sensor: SensorProcess, lab: Lab, python: Any
) -> None:
    with Tracing(sensor, "connect") as tracing:
        script = 'import socket; socket.socket().connect_ex(("127.0.0.1", 78))'
        lab.run("gateway", [PYTHON, "-I", "-c", script])
        python(script.replace("78", "79"))
        assert tracing.next()["port"] == 79
