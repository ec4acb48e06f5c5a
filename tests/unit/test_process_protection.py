"""Programs that a rule may not cut off: found among processes that really run, refused with why, forced or not."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.rules.process_protection import (
    HOME_ASSISTANT_PORT,
    NEEDED,
    ProcessProtection,
)
from hearthwall_sensor.rules.running import Host, Running, Sockets
from hearthwall_sensor.targets import parse_target

WAITS = "import sys; print(flush=True); sys.stdin.read()"


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that has begun, and end it."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*command], stdin=pipe, stdout=pipe) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield running
        running.kill()


def refusal(
    target: str,
    protection: ProcessProtection | None = None,
    *,
    children: bool = False,
    force: bool = False,
) -> str | None:
    """Return why a rule is refused, None for one that is not."""
    protection = protection or ProcessProtection(lambda: (), sensor=10**9)
    try:
        protection.check(parse_target(target), protection.look(), children=children, force=force)
    except SensorError as error:
        return error.message if error.code == "protected_target" else repr(error)
    return None


def executable(pid: int) -> str:
    return str(Path(f"/proc/{pid}/exe").readlink())


def test_other_processes_are_not_protected() -> None:
    with process(sys.executable, "-c", WAITS) as other:
        for target in (f"pid:{other.pid}", f"exe:{executable(other.pid)}"):
            assert refusal(target, children=True) is None


def test_the_sensor_is_never_cut_off() -> None:
    with process(sys.executable, "-c", WAITS) as sensor:
        protection = ProcessProtection(lambda: (), sensor=sensor.pid)
        for force in (False, True):
            said = refusal(f"pid:{sensor.pid}", protection, force=force)
            assert said is not None
            assert "nothing overrides" in said
        said = refusal(f"exe:{executable(sensor.pid)}", protection)
        assert said is not None
        assert "Hearthwall's own" in said
        # The kernel leaves the sensor out; what it starts is the user's choice.
        assert refusal(f"exe:{executable(sensor.pid)}", protection, force=True) is None


def test_who_follows_the_sensor_is_protected_with_what_starts_it(tmp_path: Path) -> None:
    script = tmp_path / "hass"
    script.write_text(WAITS)
    with process(sys.executable, str(script)) as home_assistant:
        protection = ProcessProtection(lambda: (home_assistant.pid,), sensor=10**9)
        folder = Path(executable(home_assistant.pid)).parent
        for target in (
            f"pid:{home_assistant.pid}",
            f"exe:{executable(home_assistant.pid)}",
            f"dir:{folder}",
            f"dir:{folder.parent}",
            f"exe:{script}",
            f"dir:{tmp_path}",
        ):
            said = refusal(target, protection)
            assert said is not None, target
            assert "connected to Hearthwall" in said
            assert "force overrides" in said
            assert refusal(target, protection, force=True) is None
        assert refusal(f"pid:{os.getpid()}", protection) is None
        assert refusal(f"pid:{os.getpid()}", protection, children=True) is not None
        assert refusal(f"dir:{tmp_path}-other", protection) is None


@pytest.mark.usefixtures("socket_enabled")
def test_what_listens_as_home_assistant_does_is_protected() -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", HOME_ASSISTANT_PORT))
        listener.listen()
        said = refusal(f"pid:{os.getpid()}")
        assert said is not None
        assert f"port {HOME_ASSISTANT_PORT}" in said
    assert refusal(f"pid:{os.getpid()}") is None


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("name", ["sshd", "sshd-session", "dropbear"])
def test_open_login_is_protected_and_an_idle_server_is_not(tmp_path: Path, name: str) -> None:
    """The server is a copy of `cat` under the name, with a connection as its standard input."""
    copy = tmp_path / name
    shutil.copy(shutil.which("cat") or "", copy)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        stack.enter_context(socket.create_connection(listener.getsockname()))
        accepted = stack.enter_context(listener.accept()[0])
        session = subprocess.Popen([copy], stdin=accepted, stdout=subprocess.DEVNULL)
        idle = subprocess.Popen([copy], stdin=subprocess.PIPE)
        stack.callback(idle.kill)
        stack.callback(session.kill)
        for target in (f"pid:{session.pid}", f"exe:{copy}", f"dir:{tmp_path}"):
            said = refusal(target)
            assert said is not None, target
            assert "logged in" in said
        assert refusal(f"pid:{idle.pid}") is None
        session.kill()
        session.wait()
        assert refusal(f"exe:{copy}") is None
        idle.kill()
        idle.communicate()


class Gateway(Host):
    """A host on which the programs of a gateway run."""

    def processes(self) -> dict[int, Running]:
        """Return a process of each, and one that only bears such a name."""
        names = dict(enumerate(NEEDED, 100))
        found = {pid: Running(pid, 1, b"/usr/sbin/" + name) for pid, name in names.items()}
        return found | {
            1: Running(1, 0, b"/usr/lib/systemd/systemd"),
            99: Running(99, 1, b"/tmp/dnsmasq"),
        }

    def sockets(self) -> Sockets:
        """Return none."""
        empty: Mapping[int, frozenset[int]] = {}
        return Sockets(frozenset(), empty)

    def paths_of(self, process: Running) -> set[bytes]:
        """Return the executable."""
        return {process.executable}

    def holds_any(self, pid: int, inodes: Collection[int]) -> bool:
        """Return that it has none."""
        return False


def test_what_makes_a_gateway_is_protected_where_only_root_puts_programs() -> None:
    protection = ProcessProtection(lambda: (), Gateway(), sensor=10**9)
    for pid, name in enumerate(NEEDED, 100):
        for target in (f"pid:{pid}", f"exe:/usr/sbin/{name.decode()}"):
            said = refusal(target, protection)
            assert said is not None, target
            assert NEEDED[name] in said
            assert refusal(target, protection, force=True) is None
    assert refusal("dir:/usr/sbin", protection) is not None
    assert refusal("exe:/usr/lib/systemd/systemd", protection) is not None
    for target in ("exe:/tmp/dnsmasq", "pid:99", "dir:/tmp", "dir:/opt"):
        assert refusal(target, protection) is None


def test_needed_program_that_does_not_run_now() -> None:
    said = refusal("exe:/usr/sbin/hostapd")
    assert said is not None
    assert "wireless" in said
