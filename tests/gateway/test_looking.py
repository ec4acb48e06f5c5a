"""The one process that may look into others: what it tells, and that it can do nothing else."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearthwall_sensor.processes import looks
from hearthwall_sensor.tracing import descriptors
from tests.gateway.cgroup import TestCgroup
from tests.gateway.sensor_process import REPOSITORY, SensorProcess, until

pytestmark = pytest.mark.lab

_SYS_PTRACE = 1 << 19

#: Confined as that process is, it tries what an intruder would; `{}` are the words that come before.
CONFINED = """
import ctypes, errno, json, mmap, os, signal, socket, sys
sys.path.insert(0, sys.argv[1])
from hearthwall_sensor.processes import looker
victim, folder = int(sys.argv[2]), sys.argv[3]
its_file, its_link = 0, 1
libc = ctypes.CDLL(None, use_errno=True)
channel = socket.socket(fileno=0)
stranger = socket.socket()
looker._confine()

def call(name, *words):
    if getattr(libc, name)(*words) < 0:
        raise OSError(ctypes.get_errno(), name)

def stolen(number):
    found = libc.syscall(438, os.pidfd_open(victim), number, 0)
    if found < 0:
        sys.exit("what it has is not to be had: nothing is tried")
    return found

def map_file(kind, way):
    libc.mmap.restype = ctypes.c_void_p
    if libc.mmap(None, 4096, way, kind, stolen(its_file), 0) == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")

data = ctypes.create_string_buffer(16)
piece = (ctypes.c_void_p * 2)(ctypes.addressof(data), 4)
attempts = {
    "read a file": lambda: os.open("/etc/hostname", os.O_RDONLY),
    "write a file": lambda: os.open(folder + "/mine", os.O_WRONLY | os.O_CREAT),
    "write behind a root": lambda: os.open(f"/proc/{victim}/root" + folder + "/mine", os.O_RDWR | os.O_CREAT),
    "write memory": lambda: os.open(f"/proc/{victim}/mem", os.O_RDWR),
    "read memory": lambda: os.open(f"/proc/{victim}/mem", os.O_RDONLY),
    "make a folder": lambda: os.mkdir(folder + "/mine"),
    "remove": lambda: os.unlink(folder + "/there"),
    "trace": lambda: call("ptrace", 16, victim, 0, 0),
    "write its memory": lambda: call("process_vm_writev", victim, piece, 1, piece, 1, 0),
    "read its memory": lambda: call("process_vm_readv", victim, piece, 1, piece, 1, 0),
    "signal": lambda: os.kill(victim, signal.SIGTERM),
    "start another": os.fork,
    "become another": lambda: os.execv("/bin/true", ["true"]),
    "talk to the network": socket.socket,
    "use another's connection": lambda: stranger.sendto(b"x", ("127.0.0.1", 9)),
    "use the victim's": lambda: call("sendto", stolen(its_link), b"x", 1, 0, None, 0),
    "put it in the place of the sensor's": lambda: os.close(0),
    "write the victim's open file": lambda: map_file(mmap.MAP_SHARED, mmap.PROT_WRITE),
    "read it": lambda: map_file(mmap.MAP_PRIVATE, mmap.PROT_READ),
    "seek in it": lambda: os.lseek(stolen(its_file), 1, os.SEEK_SET),
}
found = {}
for name, attempt in attempts.items():
    try:
        attempt()
        found[name] = 0
    except OSError as error:
        found[name] = error.errno
channel.send(json.dumps(found).encode())
"""


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """Root's own process, with all that root has."""
    process = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def looking() -> Iterator[None]:
    """Have the process look, as the sensor has it."""
    looks.begin()
    yield
    looks.end()


@pytest.mark.usefixtures("looking")
def test_it_tells_what_the_kernel_would(victim: subprocess.Popen[bytes]) -> None:
    asked = [
        (what, victim.pid, number)
        for what, number in (("executable", 0), ("folder", 0), ("file", 0), ("network", 0))
    ]
    told = [looks.look(*each) for each in asked]
    with (
        socket.create_server(("127.0.0.1", 0)) as here,
        socket.create_connection(here.getsockname()) as there,
    ):
        assert os.fstat(there.fileno()).st_ino in looks.sockets(os.getpid())
        ends = descriptors.ends(os.getpid(), there.fileno())
        assert ends is not None
        assert (ends.address, ends.port) == there.getsockname()
        assert (ends.peer, ends.peer_port) == here.getsockname()
    assert looks.look("sockets", victim.pid) == b""
    with pytest.raises(FileNotFoundError):
        looks.look("file", victim.pid, 77)
    with pytest.raises((ProcessLookupError, FileNotFoundError)):
        looks.look("executable", 2**22 + 5)
    looks.end()
    assert told == [looks.look(*each) for each in asked], "and so the kernel does, to root"


def test_it_can_do_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(bytes(4096))
    told, its_link = socket.socketpair()
    with told, its_link, (tmp_path / "there").open("r+b") as its_file:
        victim = subprocess.Popen(["sleep", "60"], stdin=its_file, stdout=its_link)
        try:
            found = _attempts(victim, tmp_path)
            assert victim.poll() is None
        finally:
            victim.kill()
            victim.wait()
        with pytest.raises(BlockingIOError):
            told.recv(1, socket.MSG_DONTWAIT)
    assert len(found) == 20
    assert {
        name: errno.errorcode.get(code) for name, code in found.items() if code != errno.EPERM
    } == {}
    assert [each.name for each in tmp_path.iterdir()] == ["there"]


def _attempts(victim: subprocess.Popen[bytes], folder: Path) -> dict[str, int]:
    """Return what an intruder's attempts came to: an error's number, 0 for a success."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", CONFINED, str(REPOSITORY / "bpf"), str(victim.pid), folder],
            stdin=theirs.fileno(),
        )
        theirs.close()
        ours.settimeout(20)
        said = ours.recv(4096)
        process.wait(10)
    assert said, "it could not answer"
    found: dict[str, int] = json.loads(said)
    return found


@pytest.fixture
def watching(idle: SensorProcess) -> Iterator[SensorProcess]:
    """A sensor that watches the processes of a cgroup."""
    cgroup = TestCgroup.make()
    yield idle.start("--cgroup", str(cgroup.path))
    idle.clean()
    cgroup.clean()


def test_it_has_one_capability_and_ends_with_the_sensor(watching: SensorProcess) -> None:
    (pid,) = _lookers(watching.pid)
    status = _status(pid)
    assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == _SYS_PTRACE
    assert int(status["CapBnd"], 16) == int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert not int(_status(watching.pid)["CapBnd"], 16) & _SYS_PTRACE
    assert "sys_ptrace" in watching.call("status")["capabilities"]
    watching.kill()
    assert until(lambda: not Path(f"/proc/{pid}").exists())


def test_without_it_the_sensor_goes_on_and_says_so(watching: SensorProcess) -> None:
    (pid,) = _lookers(watching.pid)
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: "sys_ptrace" not in watching.call("status")["capabilities"])
    assert "start the sensor anew" in watching.log.read_text()


def test_who_watches_no_processes_needs_none(sensor: SensorProcess) -> None:
    assert _lookers(sensor.pid) == []


def _lookers(sensor: int) -> list[int]:
    """Return the processes of a sensor that look into others."""
    tasks = Path(f"/proc/{sensor}/task").iterdir()
    children = [each for task in tasks for each in (task / "children").read_text().split()]
    return [
        int(each)
        for each in children
        if Path(f"/proc/{each}/cmdline").read_bytes().endswith(b"\0look\0")
    ]


def _status(pid: int) -> dict[str, str]:
    """Return what the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
