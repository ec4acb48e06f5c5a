"""The processes that deliver: what whoever takes one over can't do, and that all sinks work all the same."""

import asyncio
import contextlib
import errno
import json
import os
import re
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_socket

from hearthwall_sensor.sinks import limits, reading
from hearthwall_sensor.sinks.held import Held
from hearthwall_sensor.sinks.ledger import Account, Ledger
from hearthwall_sensor.sinks.sinks import Sinks
from tests.unit.household import Household, Serving
from tests.unit.receivers import Certified, certified, secret
from tests.unit.test_sink_mqtt_hostile import honest

ROOT: Final = Path(__file__).parents[2]

#: What whoever runs code in the process would try, each by itself; and what the libraries need.
_PROGRAM: Final = """
import ctypes, json, os, resource, signal, socket, subprocess, sys, threading
sys.path.insert(0, sys.argv[1])
from hearthwall_sensor.sinks import calls
libc = ctypes.CDLL(None, use_errno=True)
there = os.path.join(sys.argv[3], "there")
def new(call, *arguments):
    if call(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
def thread():
    done = []
    one = threading.Thread(target=lambda: done.append(socket.getaddrinfo("localhost", 80)))
    one.start(); one.join()
    return done[0]
def connection():
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    return server.accept(), client.close()
tries = {
    "fork": os.fork,
    "vfork": lambda: new(libc.syscall, 58) if os.uname().machine == "x86_64" else os.fork(),
    "spawn": lambda: subprocess.run(["/bin/true"]),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "signal": lambda: os.kill(os.getppid(), 0),
    "trace": lambda: new(libc.ptrace, 16, os.getppid(), 0, 0),
    "limit": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU),
    "stream": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "raw": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "netfilter": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12),
    "internet": lambda: socket.socket(socket.AF_INET),
    "make": lambda: open(there + ".new", "x"),
    "write": lambda: open(there, "r+"),
    "empty": lambda: os.open(there, os.O_RDONLY | os.O_TRUNC),
    "rename": lambda: os.rename(there, there + ".2"),
    "remove": lambda: os.unlink(there),
    "mode": lambda: os.chmod(there, 0o777),
    "owner": lambda: os.chown(there, 0, 0),
    "read": lambda: open(there).read(),
    "list": lambda: os.listdir("/"),
    "thread": thread,
    "datagram": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
    "datagrams": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
    "pair": socket.socketpair,
    "connection": connection,
    "memory": lambda: os.memfd_create("x"),
    "random": lambda: os.urandom(8),
}
calls.confine(sys.argv[2])
pid, done = os.getpid(), {}
for name, attempt in tries.items():
    try:
        attempt()
        done[name] = "done"
    except OSError as error:
        done[name] = error.errno
    if os.getpid() != pid:
        os._exit(0)
    if done[name] == "done" and not os.path.exists(there):
        open(there, "w").write("there")
print(json.dumps(done))
"""
#: What root's orders, files and other processes are reached by.
_NEVER: Final = {"fork", "vfork", "spawn", "exec", "signal", "trace", "limit", "stream", "raw"} | {
    *("netfilter", "owner", "datagrams")
}
_OF_HERE: Final = {"make", "write", "empty", "rename", "remove", "mode", "datagram"}
_OF_NETWORKS: Final = {"internet", "connection"}


@pytest.fixture(autouse=True)
def _sockets() -> None:
    """Let the tests talk over loopback: the plugin for Home Assistant guards every connect."""
    pytest_socket._remove_restrictions()


@pytest.mark.parametrize(
    ("where", "refused"),
    [("elsewhere", _NEVER | _OF_HERE), ("here", _NEVER | _OF_NETWORKS | {"mode"})],
)
def test_whoever_takes_it_over_is_nobody(where: str, refused: set[str], tmp_path: Path) -> None:
    (tmp_path / "there").write_text("there")
    line = [sys.executable, "-c", _PROGRAM, str(ROOT / "bpf"), where, str(tmp_path)]
    ran = subprocess.run(line, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 0, ran.stderr
    done: dict[str, Any] = json.loads(ran.stdout)
    assert done == {name: errno.EPERM if name in refused else "done" for name in done}


# All sinks work


async def _page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what is posted."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(found[1]) if found else 0)
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    writer.close()


async def _mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take mails."""
    writer.write(b"220 here\r\n")
    while line := await reader.readline():
        if line.startswith(b"DATA"):
            writer.write(b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 fine\r\n")
    writer.close()


async def _log(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take messages."""
    while await reader.read(4096):
        pass
    writer.close()


@contextlib.asynccontextmanager
async def _serving(
    treat: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    made: Certified | None = None,
) -> AsyncIterator[int]:
    """Yield the port of a server."""
    tls = None if made is None else made.context
    server = await asyncio.start_server(treat, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@contextlib.asynccontextmanager
async def _all(folder: Path) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield a sink of each type, by name and with TLS, and have receivers for them."""
    made = certified(folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(folder / "journal"))
        async with (
            _serving(_page, made) as page,
            _serving(_mail) as mail,
            _serving(_log, made) as log,
            _serving(honest, made) as broker,
        ):
            trust = {"fingerprint": made.fingerprint}
            login = {"username": "me", "password_file": secret(folder, "x"), "commands": True}
            mails = {"tls": "none", "from": "gateway@example.org", "to": ["me@example.org"]}
            yield [
                {"name": "file", "type": "file", "path": str(folder / "log" / "events.json")},
                {"name": "hook", "type": "webhook", "url": f"https://localhost:{page}/"} | trust,
                {"name": "journal", "type": "journald", "socket": str(folder / "journal")},
                {"name": "mail", "type": "smtp", "server": f"localhost:{mail}"} | mails,
                {"name": "siem", "type": "syslog", "server": f"localhost:{log}"} | trust,
                {"name": "broker", "type": "mqtt", "server": f"localhost:{broker}", "tls": True}
                | trust
                | login,
            ]


def _confinement(pid: int) -> tuple[str, str]:
    """Return a process's capabilities, and whether it has a filter of system calls."""
    said = Path(f"/proc/{pid}/status").read_text()
    found = [re.search(rf"^{name}:\s*(\w+)$", said, re.MULTILINE) for name in ("CapPrm", "Seccomp")]
    return tuple("" if each is None else each[1] for each in found)  # type: ignore[return-value]


async def test_each_sink_works_in_a_process_that_may_little(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    household = Household()
    household.answers |= {"events": [], "journal": {"id": "this one", "last": 0, "erased": 0}}
    serving = Serving(tmp_path / "s.sock", household).start()
    try:
        async with _all(tmp_path) as tables:
            sinks = Sinks(reading.read(tables), serving.socket, str(state), lambda: 0)
            serving.server.role_of = sinks.role_of
            sinks.start()
            try:
                async with asyncio.timeout(60):
                    while any(each.reached is None for each in sinks.states):
                        await asyncio.sleep(0.1)
                tests = await asyncio.gather(*(sinks.test(each["name"]) for each in tables))
                assert tests == [None] * len(tables)
                assert [each.name for each in sinks.states] == [each["name"] for each in tables]
                assert serving.server.clients == 0
                children = sinks._children.values()
                pids = {each.pid: sinks.role_of(each.pid or 0) for each in children}
                assert sorted(pids.values(), key=str) == ["operate", "read"]
                for each in pids:
                    assert _confinement(each or 0) == ("0" * 16, "2")
                    memory = resource.prlimit(each or 0, resource.RLIMIT_DATA)
                    assert memory == (limits.MEMORY, limits.MEMORY)
            finally:
                await sinks.stop()
    finally:
        await asyncio.to_thread(serving.stop)
    kept = {each.name for each in state.iterdir()}
    assert {"sinks.json", "sinks_here.json"} <= kept
    assert set(Ledger.read(state).accounts) == {"hook", "mail", "siem", "broker"}
    assert set(Ledger.read(state, "here").accounts) == {"file", "journal"}
    assert "This is a test" in (tmp_path / "log" / "events.json").read_text()


# What they keep


async def test_what_is_cut_off_is_made_good_by_the_version_before(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "sinks.json", {"siem": Account(1)})
    await ledger.write()
    os.link(tmp_path / "sinks.json", tmp_path / "sinks.json.previous")  # a power cut may leave that
    for cursor in (2, 3):
        ledger = Ledger.read(tmp_path)
        ledger.hold()
        ledger.accounts["siem"].cursor = cursor
        await ledger.write()
    path = tmp_path / "sinks.json"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert Ledger.read(tmp_path).accounts["siem"].cursor == 2
    Held(path).close()
    assert Ledger.read(tmp_path).accounts["siem"].cursor == 2, "it is not taken for a good one"
    assert path.stat().st_mode & 0o077 == 0


async def test_a_full_disk_damages_one_of_both_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path / "sinks.json", {"siem": Account(1)})
    await ledger.write()
    ledger.hold()
    write, room = os.pwrite, [0]

    def cramped(file: int, content: bytes, at: int) -> int:
        room[0] -= 1
        if room[0] < 0:
            raise OSError(28, "No space left on device")
        return write(file, content, at)

    monkeypatch.setattr(os, "pwrite", cramped)
    for number in range(2, 12):
        room[0] = number % 3
        ledger.accounts["siem"].cursor = number
        await ledger.write()
        assert Ledger.read(tmp_path).accounts["siem"].cursor in range(1, number + 1)
    room[0] = 2
    ledger.accounts["siem"].cursor = 12
    await ledger.write()
    assert Ledger.read(tmp_path).accounts["siem"].cursor == 12
