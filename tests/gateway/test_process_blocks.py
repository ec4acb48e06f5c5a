"""A program's network is cut, and nobody else's: at once, for what is open as well, and until it ends."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from tests.gateway.sensor_process import Refused, SensorProcess, until
from tests.gateway.talking import (
    ECHO,
    REFUSED,
    SERVER,
    SERVER6,
    Gateway,
    answers,
    outcome,
    watched,
)

pytestmark = pytest.mark.lab


@pytest.fixture
def talker(built: Path, tmp_path: Path) -> Path:
    """The program that talks, in a folder of its own."""
    (tmp_path / "cut").mkdir()
    return Path(shutil.copy(built, tmp_path / "cut" / "talker"))


@pytest.fixture(scope="module")
def scene(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SensorProcess, Gateway]]:
    """One sensor for most of the file's tests, and the gateway."""
    with watched(lab, tmp_path_factory.mktemp("watching")) as scene:
        yield scene


@pytest.fixture
def watching(scene: tuple[SensorProcess, Gateway]) -> Iterator[SensorProcess]:
    """That sensor, without a rule before and after."""
    sensor = scene[0]
    assert sensor.call("blocks") == []
    yield sensor
    for block in sensor.call("blocks"):
        sensor.call("unblock", str(block["id"]))


@pytest.fixture
def gateway(scene: tuple[SensorProcess, Gateway]) -> Gateway:
    """The gateway, as its programs see it."""
    return scene[1]


@pytest.fixture
def echo(lab: Lab, built: Path) -> Iterator[None]:
    """A server on the internet that sends back what it gets, to one after the other."""
    server = lab.popen("internet", [str(built), "serve", ECHO, "100"])
    assert server.stdout is not None
    server.stdout.readline()
    yield
    server.kill()
    server.wait(10)


@pytest.mark.parametrize("kind", ["exe", "dir"])
@pytest.mark.parametrize(
    ("address", "way"),
    [(SERVER, "connect"), (SERVER6, "connect"), (SERVER, "send"), (SERVER6, "send")],
)
def test_the_next_connection_fails_at_once_and_a_sibling_goes_on(
    watching: SensorProcess,
    gateway: Gateway,
    talker: Path,
    tmp_path: Path,
    kind: str,
    address: str,
    way: str,
) -> None:
    sibling = tmp_path / "sibling"
    shutil.copy(talker, sibling)
    target = f"{kind}:{talker if kind == 'exe' else talker.parent}"
    assert outcome(gateway, talker, address, way) == "ok"
    block = watching.call("block", target)
    assert outcome(gateway, talker, address, way) == REFUSED
    assert outcome(gateway, sibling, address, way) == "ok"
    (told,) = watching.call("blocks")
    assert told["packets"] >= 1
    assert told["first_hit"] >= block["created"] - 0.01
    watching.call("unblock", target)
    assert outcome(gateway, talker, address, way) == "ok"


@pytest.mark.usefixtures("echo")
def test_what_is_open_stalls_and_comes_back(
    watching: SensorProcess, gateway: Gateway, talker: Path
) -> None:
    holding = gateway.start(talker, "hold", SERVER, ECHO)
    assert answers(holding, 1.0) > 3
    watching.call("block", f"exe:{talker}")
    answers(holding, 0.3)  # what was on its way
    assert answers(holding, 1.0) == 0
    watching.call("unblock", f"exe:{talker}")
    assert until(lambda: answers(holding, 0.2) > 0)
    holding.kill()
    holding.wait(10)


@pytest.mark.parametrize("way", ["link", "relative", "twisted", "script"])
def test_it_holds_whatever_it_is_called_by(
    watching: SensorProcess, gateway: Gateway, talker: Path, tmp_path: Path, way: str
) -> None:
    """The first connection may be made before the sensor has seen what runs: it stalls then, the next are refused."""
    watching.call("block", f"exe:{talker}")
    link = tmp_path / "link"
    link.symlink_to(talker)
    script = tmp_path / "script"
    script.write_text(f"#!{talker} connect\n")
    script.chmod(0o755)
    line = {
        "link": [str(link), "connect"],
        "relative": ["sh", "-c", f'cd {talker.parent} && exec ./talker "$@"', "sh", "connect"],
        "twisted": [f"{talker.parent}/../cut//talker", "connect"],
        "script": [str(script)],
    }[way]
    if way == "script":  # the path of the script is the address then
        line = ["sh", "-c", f'exec {link} "$@"', "sh", "connect"]
    assert until(lambda: gateway.run(*line, SERVER, "80", "1")[0][2] == REFUSED, 5)


def test_children_are_held_if_that_is_asked_for(
    watching: SensorProcess, gateway: Gateway, talker: Path, tmp_path: Path
) -> None:
    starter = tmp_path / "starter"
    shutil.copy("/bin/dash", starter)
    line = [str(starter), "-c", f"{talker} connect {SERVER} 80 1; exit"]
    watching.call("block", f"exe:{starter}")
    assert gateway.run(*line)[0][2] == "ok"
    watching.call("block", f"exe:{starter}", "--children")
    assert gateway.run(*line)[0][2] == REFUSED


def test_a_process_by_its_number_and_its_children(
    watching: SensorProcess, gateway: Gateway, talker: Path
) -> None:
    line = f"read go; {talker} connect {SERVER} 80 1"
    for options, said in (((), "ok"), (("--children",), REFUSED)):
        shell = subprocess.Popen(
            gateway.lab.argv("gateway", gateway.cgroup.argv(["dash", "-c", line])),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert until(lambda pid=shell.pid: Path(f"/proc/{pid}/comm").read_text() == "dash\n")  # type: ignore[misc]
        watching.call("block", f"pid:{shell.pid}", *options)
        out, _ = shell.communicate("go\n", timeout=10)
        assert out.split(" ", 2)[2].strip() == said
    assert until(lambda: watching.call("blocks") == [])  # their processes have ended


def test_all_but_its_peers(watching: SensorProcess, gateway: Gateway, talker: Path) -> None:
    watching.call("block", f"exe:{talker}", "--mode", "allow_only", "--peer", SERVER)
    assert outcome(gateway, talker, SERVER) == "ok"
    assert outcome(gateway, talker, SERVER6) == REFUSED
    assert outcome(gateway, talker, "127.0.0.1") == REFUSED


def test_an_audit_counts_only(watching: SensorProcess, gateway: Gateway, talker: Path) -> None:
    watching.call("block", f"exe:{talker}", "--mode", "audit")
    assert outcome(gateway, talker) == "ok"
    assert watching.call("blocks")[0]["packets"] >= 1


def test_a_thread_that_goes_on_without_the_first_one_is_held(
    watching: SensorProcess, gateway: Gateway, talker: Path
) -> None:
    watching.call("block", f"exe:{talker}")
    assert outcome(gateway, talker, way="threads") == REFUSED


def test_a_raw_socket_is_refused_to_a_program_that_is_cut_off(
    watching: SensorProcess, gateway: Gateway, tmp_path: Path
) -> None:
    """It would send past the hooks."""
    python = tmp_path / "python"
    shutil.copy("/usr/bin/python3", python)
    for protocol in (1, 6, 17):
        line = [python, "-c", f"import socket; socket.socket(2, 3, {protocol}); print('1 2 ok')"]
        assert gateway.run(*line) == [["1", "2", "ok"]]
        watching.call("block", f"exe:{python}")
        assert gateway.run(*line) == []
        watching.call("unblock", f"exe:{python}")


def test_nothing_is_received_either(
    watching: SensorProcess, gateway: Gateway, lab: Lab, tmp_path: Path
) -> None:
    """A socket that only waits is held as well, on the loopback interface too."""
    python = tmp_path / "python"
    shutil.copy("/usr/bin/python3", python)
    waits = (
        "import socket; s = socket.socket(2, 2); s.bind(('127.0.0.1', 4477)); s.settimeout(2)\n"
        "print('ready', 0, 0, flush=True)\n"
        "try: print(s.recv(9).decode(), 0, 0)\n"
        "except TimeoutError: print('nothing', 0, 0)"
    )
    sends = "import socket; socket.socket(2, 2).sendto(b'order', ('127.0.0.1', 4477))"
    for is_cut, said in ((False, "order"), (True, "nothing")):
        if is_cut:
            watching.call("block", f"exe:{python}")
        program = gateway.start(python, "-c", waits)
        assert program.stdout is not None
        assert program.stdout.readline().startswith("ready")
        lab.run("gateway", ["/usr/bin/python3", "-c", sends])
        out, _ = program.communicate(timeout=10)
        assert out.split()[0] == said


@pytest.mark.usefixtures("echo")
def test_what_waits_in_a_socket_is_not_sent_after_its_end(
    watching: SensorProcess, gateway: Gateway, lab: Lab, tmp_path: Path
) -> None:
    """The kernel goes on sending for a process that has closed its socket, or ended."""
    python = tmp_path / "python"
    shutil.copy("/usr/bin/python3", python)
    sink = (
        "import socket; s = socket.create_server(('', 4488)); s.settimeout(9); print('ready', flush=True)\n"
        "c = s.accept()[0]; c.settimeout(3); n = 0\n"
        "try:\n while d := c.recv(65536): n += len(d)\n"
        "except OSError: pass\nprint(n)"
    )
    server = lab.popen("internet", ["/usr/bin/python3", "-c", sink])
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    line = (
        f"import socket, sys; s = socket.create_connection(('{SERVER}', 4488)); print('open', flush=True)\n"
        "sys.stdin.readline(); s.setblocking(False); s.send(b'x' * 50_000); s.close()"
    )
    argv = gateway.lab.argv("gateway", gateway.cgroup.argv([str(python), "-c", line]))
    program = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "open\n"
    watching.call("block", f"exe:{python}")
    program.communicate("go\n", timeout=10)
    out, _ = server.communicate(timeout=20)
    assert int(out) == 0


def test_a_neighbours_port_is_not_taken_over(
    watching: SensorProcess, gateway: Gateway, lab: Lab, talker: Path, tmp_path: Path
) -> None:
    """A program that is cut off binds the same port on another address: whoever listens goes on."""
    python = tmp_path / "python"
    shutil.copy("/usr/bin/python3", python)
    serving = gateway.start(
        "/usr/bin/python3",
        "-c",
        "import socket; s = socket.create_server(('192.168.10.1', 4499)); print('ready', flush=True)\n"
        "for _ in range(2): c, _ = s.accept(); c.sendall(c.recv(9)); c.close()",
    )
    assert serving.stdout is not None
    assert serving.stdout.readline() == "ready\n"
    watching.call("block", f"exe:{python}")
    binds = (
        "import socket, time; socket.create_server(('127.0.0.9', 4499))\n"
        "print(1, 2, 'bound', flush=True); time.sleep(9)"
    )
    evil = gateway.start(python, "-c", binds)
    assert evil.stdout is not None
    assert evil.stdout.readline() == "1 2 bound\n"
    script = "exec 3<>/dev/tcp/192.168.10.1/4499; echo hello >&3; head -1 <&3"
    assert lab.run("laptop", ["timeout", "5", "bash", "-c", script]).stdout == "hello\n"
    for each in (serving, evil):
        each.kill()
        each.wait(10)


def test_the_sensor_is_never_cut_off(watching: SensorProcess) -> None:
    python = f"exe:{Path('/usr/bin/python3').resolve()}"
    for line in ((f"pid:{watching.pid}", "--force"), (python,), ("dir:/usr/bin",)):
        with pytest.raises(Refused) as refused:
            watching.call("block", *line)
        assert refused.value.code == "protected_target"
