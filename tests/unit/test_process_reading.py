"""Processes as /proc tells of them: real ones that the tests start, also hostile ones."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hearthwall_sensor.notation import boot_ns
from hearthwall_sensor.processes import looks, reading
from hearthwall_sensor.processes.masking import READ_BYTES, command_line, printable
from hearthwall_sensor.processes.units import Membership

SLEEP = shutil.which("sleep") or "/bin/sleep"
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process and wait until it is what it was started as."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*words: str | bytes, executable: bytes | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(words, executable=executable, stdin=subprocess.PIPE)
        started.append(process)
        while not Path(f"/proc/{process.pid}/cmdline").read_bytes():
            time.sleep(0.001)  # it is being executed
        return process

    yield begin
    for each in started:
        each.kill()
        each.wait()
        if each.stdin is not None:
            each.stdin.close()


def copied(folder: Path, name: bytes) -> bytes:
    """Return the path of a copy of `sleep` with this name."""
    path = os.fsencode(folder) + b"/" + name
    shutil.copy(SLEEP, path)
    return path


def test_a_process_is_read(start: Start) -> None:
    before = boot_ns()
    process = start(SLEEP, "60")
    found = reading.read(process.pid)
    assert found is not None
    assert (found.pid, found.parent_pid, found.uid) == (process.pid, os.getpid(), os.geteuid())
    assert found.executable == os.path.realpath(os.fsencode(SLEEP))
    assert found.words == (os.fsencode(SLEEP), b"60")
    assert not found.has_more
    assert found.comm == b"sleep"
    assert before - 10**8 < found.started < boot_ns() + 10**8
    assert (found.is_deleted, found.is_memfd, found.is_kernel) == (False, False, False)
    assert isinstance(found.membership, Membership)
    assert reading.glance(process.pid) == (found.started, found.link)


def test_a_process_that_has_gone_is_none(start: Start) -> None:
    process = start(SLEEP, "60")
    process.kill()
    process.wait()
    assert reading.read(process.pid) is None
    assert reading.glance(process.pid) is None
    assert looks.sockets(process.pid) == ()
    assert reading.listening(process.pid) is None
    assert reading.network(process.pid) is None


def test_a_zombie_has_no_executable(start: Start) -> None:
    process = start(SLEEP, "60")
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    found = reading.read(process.pid)
    assert found is not None
    assert (found.executable, found.words) == (b"", ())


def test_a_path_that_is_no_utf_8_keeps_its_bytes(start: Start, tmp_path: Path) -> None:
    path = copied(tmp_path, b"s\xff\x1b[2Jp")
    found = reading.read(start(path, "60").pid)
    assert found is not None
    assert found.executable == path
    assert printable(found.executable).endswith(r"/s\xff\x1b[2Jp")


def test_a_deleted_executable_is_told_by_the_name_it_had(start: Start, tmp_path: Path) -> None:
    path = copied(tmp_path, b"gone")
    process = start(path, "60")
    Path(os.fsdecode(path)).unlink()
    found = reading.read(process.pid)
    assert found is not None
    assert (found.executable, found.is_deleted, found.is_memfd) == (path, True, False)


def test_a_deleted_executable_with_another_file_in_its_place(start: Start, tmp_path: Path) -> None:
    path = copied(tmp_path, b"gone")
    process = start(path, "60")
    Path(os.fsdecode(path)).unlink()
    Path(f"{os.fsdecode(path)} (deleted)").write_text("to mislead")
    found = reading.read(process.pid)
    assert found is not None
    assert (found.executable, found.is_deleted) == (path, True)


def test_a_name_that_ends_like_the_kernels_word_is_a_name(start: Start, tmp_path: Path) -> None:
    path = copied(tmp_path, b"sleep (deleted)")
    found = reading.read(start(path, "60").pid)
    assert found is not None
    assert (found.executable, found.is_deleted) == (path, False)


def test_a_renamed_executable_is_told_by_its_new_name(start: Start, tmp_path: Path) -> None:
    path = copied(tmp_path, b"before")
    process = start(path, "60")
    Path(os.fsdecode(path)).rename(tmp_path / "after")
    found = reading.read(process.pid)
    assert found is not None
    assert (found.executable, found.is_deleted) == (os.fsencode(tmp_path / "after"), False)


def test_a_memfd_is_told(start: Start) -> None:
    memfd = os.memfd_create("pay\x1bload", 0)
    with Path(SLEEP).open("rb") as source:
        os.write(memfd, source.read())
    process = subprocess.Popen([SLEEP, "60"], executable=f"/proc/self/fd/{memfd}", pass_fds=[memfd])
    try:
        found = reading.read(process.pid)
        assert found is not None
        assert (found.executable, found.is_memfd) == (b"/memfd:pay\x1bload", True)
        assert found.is_deleted
    finally:
        process.kill()
        process.wait()
        os.close(memfd)


def test_a_command_line_of_128_kib_is_cut(start: Start) -> None:
    process = start(sys.executable, "-c", "input()", "\x1b[2J" + "a" * 130_000, b"\xff" * 100_000)
    found = reading.read(process.pid)
    assert found is not None
    assert found.has_more
    assert sum(map(len, found.words)) <= READ_BYTES
    text = command_line(found.words, has_more=found.has_more)
    assert text.isprintable()
    assert r"\x1b[2Jaaa" in text
    assert text.endswith("…")


def test_a_comm_may_hold_anything(start: Start) -> None:
    hostile = b") S 1 1 (\n\x1b"
    rename = f"import ctypes; ctypes.CDLL(None).prctl(15, {hostile!r}); print(flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        found = reading.read(process.pid)
        process.kill()
    assert found is not None
    assert found.comm == hostile
    assert found.parent_pid == os.getpid()


def test_sockets_and_ports(socket_enabled: None) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
    ):
        udp.bind(("127.0.0.1", 0))
        inodes = {os.fstat(each.fileno()).st_ino for each in (server, udp)}
        assert inodes <= set(looks.sockets(os.getpid()))
        with socket.create_connection(server.getsockname()) as client:
            found = reading.listening(os.getpid())
            assert found is not None
            assert {(6, server.getsockname()[1]), (17, udp.getsockname()[1])} <= found
            assert (6, client.getsockname()[1]) not in found
    assert reading.network(os.getpid()) == str(Path("/proc/self/ns/net").readlink())


@pytest.mark.filterwarnings("ignore:.*fork")
def test_what_may_not_be_known_is_not_guessed(start: Start) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    process = start(SLEEP, "60")
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:  # a stranger
        os.setgid(65534)
        os.setuid(65534)
        found = reading.read(process.pid)
        told = b"nothing" if found is None else b"%s|%s" % (found.executable, found.comm)
        os.write(sender, told + b"|%d" % len(looks.sockets(process.pid)))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(receiver, 200) == b"|sleep|0"
    os.close(receiver)
    os.close(sender)


@pytest.mark.parametrize(
    "text",
    [b"", b"1", b"1 (a", b"1 (a) S", b"1 a) S 1", b"1 (a) S x" + b" 0" * 40, b"\xff" * 5000],
)
def test_malformed_files_are_none(tmp_path: Path, text: bytes) -> None:
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "stat").write_bytes(text)
    for name in ("status", "cmdline", "cgroup"):
        (folder / name).write_bytes(b"")
    assert reading.read(7, tmp_path) is None
    assert reading.glance(7, tmp_path) is None


def test_malformed_tables_of_sockets_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "7" / "net").mkdir(parents=True)
    (tmp_path / "7" / "net" / "tcp").write_bytes(
        b"head\n\n 0: 0100007F:zz 0:0 0A x\n 1: 0100007F:0016 0:0 0A x\n\xff\n"
    )
    assert reading.listening(7, tmp_path) == {(6, 22)}


def test_processes_that_come_and_go_are_read_or_not() -> None:
    """What is read of a process is never of two."""
    until = time.monotonic() + 1.0
    seen = 0
    while time.monotonic() < until:
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"exec {SLEEP} 0"], {})
        for _ in range(20):
            found = reading.read(pid)
            if found is None or not found.executable:
                break
            seen += 1
            assert found.parent_pid == os.getpid()
        os.waitpid(pid, 0)
    assert seen > 0
