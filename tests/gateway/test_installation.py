"""The sensor as it is installed: by a real systemd, with its unit's hardening, on a lab's gateway."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from lab.home import DEVICES
from tests.gateway.programs import reaches
from tests.gateway.sensor_process import until
from tests.gateway.systemd_host import UNIT, SystemdHost, copied

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

CAMERA = DEVICES["camera"]
#: What an installation may change.
PLACES = ("/etc", "/usr/local", "/var/lib", "/var/cache", "/run/hearthwall", "/sys/fs/bpf")
#: Does what an intruder would who has taken the sensor over.
INTRUDER = Path(__file__).with_name("intruder.py")
#: What other programs change there meanwhile: backups of the accounts' files, and systemd's own.
OTHERS = (".pwd.lock", "group-", "gshadow-", "passwd-", "shadow-", "subuid-", "subgid-")


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[SystemdHost]:
    host = SystemdHost(lab, f"hearthwall-systemd-{os.getpid()}")
    try:
        host.boot()
        yield host
    finally:
        host.halt()


@pytest.fixture(scope="module")
def once(host: SystemdHost, tmp_path_factory: pytest.TempPathFactory) -> SystemdHost:
    """A host on which the sensor is installed."""
    command = copied(tmp_path_factory.mktemp("first") / "bpf", "0.9.1")
    host.do(command, "install", "--interface", "br-lan")
    return host


@pytest.fixture
def installed(once: SystemdHost) -> Iterator[SystemdHost]:
    """That host, with the sensor up and without a rule."""
    once.do("systemctl", "start", UNIT)
    yield once
    once.do("systemctl", "start", UNIT)
    once.run("hearthwall-sensor", "unblock", "--all", CAMERA.mac)


def test_what_is_written_there_is_not_this_machines(host: SystemdHost) -> None:
    """Also by dpkg, whose files go below /usr, and by maintainers' scripts."""
    name = f"hearthwall-written-{os.getpid()}"
    folders = (
        "/usr/lib",
        "/usr/sbin",
        "/usr/local/lib",
        "/etc",
        "/var/lib",
        "/root",
        "/opt",
        "/run",
    )
    for folder in folders:
        host.do("touch", f"{folder}/{name}")
        written = Path(folder, name)
        assert not written.exists(), written.unlink()
        host.do("rm", f"{folder}/{name}")


def test_an_installation_leaves_nothing(host: SystemdHost, tmp_path: Path, lab: Lab) -> None:
    host.do("mkdir", "-p", "/run/hearthwall")
    host.do("rmdir", "/run/hearthwall")
    before = host.files(*PLACES[:4], PLACES[5])
    accounts = host.do("cat", "/etc/group", "/etc/gshadow", "/etc/passwd")
    command = copied(tmp_path / "first", "0.9.1")
    host.do(command, "install", "--interface", "br-lan", "--user", "games")
    assert host.call("status")["version"] == "0.9.1"
    assert (
        host.do("stat", "--format=%a %U:%G", "/run/hearthwall/sensor.sock")
        == "660 root:hearthwall\n"
    )
    assert host.do("stat", "--format=%a %U", "/etc/hearthwall/sensor.toml") == "600 root\n"
    assert "games" in host.do("getent", "group", "hearthwall")
    as_member = ("setpriv", "--reuid=games", "--init-groups", "--regid=games")
    host.do(*as_member, "/usr/local/sbin/hearthwall-sensor", "status")
    host.do(command, "install")  # once more changes nothing
    host.call("block", CAMERA.mac)
    assert until(lambda: not reaches(lab))
    host.do("hearthwall-sensor", "uninstall")
    assert reaches(lab)
    left = {
        each for each in host.files(*PLACES[:4], PLACES[5]) - before if not each.endswith(OTHERS)
    }
    assert left == set()
    assert host.do("cat", "/etc/group", "/etc/gshadow", "/etc/passwd") == accounts
    assert host.run("systemctl", "cat", UNIT).returncode != 0
    assert "Nothing was installed" in host.do(command, "uninstall")


def test_the_unit_guards_with_few_rights_and_stopping_it_leaves_the_kernel_guarding(
    installed: SystemdHost, lab: Lab
) -> None:
    installed.call("block", CAMERA.mac)
    assert until(lambda: not reaches(lab))
    status = installed.do("cat", f"/proc/{installed.show('MainPID')}/status")
    said = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    kept = sum(1 << each for each in (12, 38, 39))
    assert int(said["CapBnd"], 16) == int(said["CapEff"], 16) == kept
    assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
    installed.do("systemctl", "stop", UNIT)
    assert not reaches(lab)
    installed.do("systemctl", "start", UNIT)
    assert not reaches(lab)
    assert [each["target"] for each in installed.call("blocks")] == [CAMERA.mac]


def test_systemd_knows_how_it_fares(installed: SystemdHost, lab: Lab) -> None:
    assert until(lambda: "camera" in installed.show("StatusText"))
    drop_in = f"/run/systemd/system/{UNIT}.d"
    soon = "[Service]\nWatchdogSec=6\nTimeoutAbortSec=1\nRestartSec=100ms\n"
    installed.do("mkdir", "-p", drop_in)
    installed.do("sh", "-c", f"printf '{soon}' >{drop_in}/soon.conf")
    try:
        installed.do("systemctl", "daemon-reload")
        installed.do("systemctl", "restart", UNIT)
        pid = installed.show("MainPID")
        assert not until(lambda: installed.show("MainPID") != pid, 8)  # it is heard of
        installed.do("kill", "-STOP", pid)  # as an event loop that hangs
        assert until(lambda: installed.show("MainPID") not in (pid, "0"), 30)
        assert until(lambda: installed.show("ActiveState") == "active", 60)
        assert installed.show("NRestarts") == "1"
    finally:
        installed.do("rm", "-r", drop_in)
        installed.do("systemctl", "daemon-reload")


def test_what_was_unloaded_is_not_started_again(installed: SystemdHost) -> None:
    installed.do("hearthwall-sensor", "unload")
    assert until(lambda: installed.show("ActiveState") == "inactive")
    assert installed.show("Result") == "success"
    assert not until(lambda: installed.show("ActiveState") != "inactive", 6)  # RestartSec is 5


def test_one_that_hangs_is_unloaded_all_the_same_and_not_started_again(
    installed: SystemdHost, lab: Lab
) -> None:
    installed.call("block", CAMERA.mac)
    assert until(lambda: not reaches(lab))
    pid = installed.show("MainPID")
    installed.do("kill", "-STOP", pid)
    assert f"its process, {pid}, was killed" in installed.do("hearthwall-sensor", "unload")
    assert reaches(lab)
    assert until(lambda: installed.show("ActiveState") == "inactive")
    assert installed.show("Result") == "success"
    assert not until(lambda: installed.show("ActiveState") != "inactive", 6)  # RestartSec is 5


def test_an_interface_that_comes_later_is_guarded(installed: SystemdHost, lab: Lab) -> None:
    def guard(name: str) -> None:
        setting = f's/^interfaces.*/interfaces = ["{name}"]/'
        installed.do("sed", "--in-place", setting, "/etc/hearthwall/sensor.toml")
        installed.do("systemctl", "restart", UNIT)

    guard("later")
    assert installed.show("StatusText") == "Waiting for later"
    lab.run("gateway", ["ip", "link", "add", "later", "type", "veth"], check=True)
    try:
        assert until(lambda: installed.show("StatusText") == "Guarding later")
    finally:
        lab.run("gateway", ["ip", "link", "del", "later"])
        guard("br-lan")


def test_an_upgrade_and_the_way_back(installed: SystemdHost, lab: Lab, tmp_path: Path) -> None:
    installed.call("block", CAMERA.mac)
    assert until(lambda: not reaches(lab))
    said = installed.do(copied(tmp_path / "second", "0.9.2"), "upgrade")
    assert "Restarted the sensor" in said
    assert installed.call("status")["version"] == "0.9.2"
    assert installed.show("Description") == "0.9.2", "the unit came with it"
    assert not reaches(lab)
    installed.do("hearthwall-sensor", "upgrade", "--back")
    assert installed.call("status")["version"] == "0.9.1"
    assert installed.show("Description") == "0.9.1"
    assert not reaches(lab)
    kept = installed.do("ls", "/usr/local/lib/hearthwall")
    assert [each in kept for each in ("0.9.1", "0.9.2")] == [True, True]


def test_a_version_that_does_not_come_up_is_taken_back(
    installed: SystemdHost, lab: Lab, tmp_path: Path
) -> None:
    installed.call("block", CAMERA.mac)
    assert until(lambda: not reaches(lab))
    broken = copied(tmp_path / "broken", "0.9.3", damage=["daemon.py"])
    done = installed.run(broken, "upgrade")
    assert done.returncode == 1
    assert "did not come up, so 0.9.1" in done.stderr
    assert "every rule stayed in force" in done.stderr
    assert "ImportError" in done.stderr  # the end of its log
    assert installed.call("status")["version"] == "0.9.1"
    assert not reaches(lab)
    assert "0.9.3" not in installed.do("ls", "/usr/local/lib/hearthwall")


#: Starts a service without all that one waits for at boot.
_RUN = ("systemd-run", "--collect", "--property=DefaultDependencies=no")
#: Takes connections at a path.
_LISTENER = """
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
while True:
    server.accept()
"""


def test_whoever_takes_the_sensor_over_stays_in_its_unit(installed: SystemdHost) -> None:
    folder = f"/etc/systemd/system/{UNIT}.d"
    drop_in = "[Service]\nExecStartPre=/usr/bin/python3 -I /usr/local/lib/intruder.py\n"
    installed.write("/usr/local/lib/intruder.py", INTRUDER.read_text())
    installed.do(*_RUN, "--unit=engine", "/usr/bin/python3", "-c", _LISTENER, "/run/docker.sock")
    assert until(lambda: not installed.run("test", "-S", "/run/docker.sock").returncode)
    try:
        installed.write(f"{folder}/tried.conf", drop_in)
        installed.do("systemctl", "daemon-reload")
        installed.do("systemctl", "restart", UNIT)
        before, after = json.loads(installed.do("cat", "/run/hearthwall/able.json"))
        assert "a file behind the first process's root" in before, "the attempts are good ones"
        assert after == []
        shown = installed.do("systemctl", "show", "--value", "--property=MainPID", UNIT).strip()
        status = installed.do("cat", f"/proc/{shown}/status")
        assert {
            int(line.split()[1], 16)
            for line in status.splitlines()
            if line.startswith(("CapP", "CapB"))
        } == {1 << 12 | 1 << 38 | 1 << 39}
    finally:
        installed.run("systemctl", "stop", "engine")
        told = ("/run/hearthwall/able.json", "/run/docker.sock")
        installed.do("rm", "-rf", folder, "/etc/owned", "/etc/hearthwall/owned", *told)
        installed.do("systemctl", "daemon-reload")
        installed.do("systemctl", "restart", UNIT)


def test_it_sees_of_run_what_it_needs_and_nothing_else(installed: SystemdHost) -> None:
    """DNS servers and who is logged in, also if that is written after it has started."""
    inside = ("nsenter", "--mount", f"--target={installed.show('MainPID')}", "--")
    for path in ("/run/systemd/resolve/stub-resolv.conf", "/run/systemd/sessions/7"):
        installed.write(path, "written later\n")
        assert installed.do(*inside, "cat", path) == "written later\n"
        installed.do("rm", path)
    sockets = ("-exec", "test", "-S", "{}", ";", "-print")  # also what is mounted on a file
    found = set(installed.do(*inside, "find", "/run", *sockets).split())
    assert {each for each in found if not each.startswith("/run/systemd/journal/")} == {
        "/run/systemd/notify",
        "/run/hearthwall/sensor.sock",
    }


def test_the_sensor_knows_the_programs_of_all_users(installed: SystemdHost) -> None:
    """By the one process that may look into them."""
    assert "sys_ptrace" in installed.call("status")["capabilities"]
    assert "libseccomp" not in installed.log()


#: Takes what is sent to a port.
_TAKER = """
import socket
server = socket.create_server(("127.0.0.1", 5140))
while True:
    one, _ = server.accept()
    while one.recv(4096):
        pass
"""
_SINKS = """
[[sink]]
name = "log"
type = "file"

[[sink]]
name = "journal"
type = "journald"

[[sink]]
name = "siem"
type = "syslog"
transport = "tcp"
server = "localhost:5140"
"""


def test_what_delivers_may_less_than_its_unit_and_delivers(installed: SystemdHost) -> None:
    config, taker = "/etc/hearthwall/sensor.toml", "taker.service"
    before = installed.do("cat", config)
    installed.do(*_RUN, f"--unit={taker}", "/usr/bin/python3", "-c", _TAKER)
    try:
        installed.write(config, before + _SINKS)
        installed.do("systemctl", "restart", UNIT)
        test = ("hearthwall-sensor", "sinks", "--test")
        for name in ("log", "journal", "siem"):
            assert until(lambda name=name: not installed.run(*test, name).returncode, 20), name
        assert "This is a test" in installed.do("cat", "/var/log/hearthwall/events.json")
        ours = _filters(installed, installed.show("MainPID"))
        for where in ("here", "elsewhere"):
            pid = installed.do("pgrep", "--full", f"hearthwall-sensor forward {where} ").strip()
            assert _filters(installed, pid) == ours + 1
        assert "libseccomp" not in installed.log()
    finally:
        installed.write(config, before)
        installed.do("systemctl", "stop", taker)
        installed.do("systemctl", "restart", UNIT)


def _filters(host: SystemdHost, pid: str) -> int:
    """Return how many filters of system calls a process has."""
    status = host.do("cat", f"/proc/{pid}/status")
    return int(status.partition("Seccomp_filters:")[2].split()[0])


def test_an_upgrade_that_was_killed_is_brought_to_its_end(
    installed: SystemdHost, tmp_path: Path
) -> None:
    command = copied(tmp_path / "fourth", "0.9.4")
    killing = (
        "import os, signal, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from hearthwall_sensor.installation.systemd import Systemd\n"
        "Systemd.restart = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from hearthwall_sensor.cli import main\n"
        "main(['upgrade'])\n"
    )
    done = installed.run("python3", "-I", "-c", killing, str(tmp_path / "fourth"))
    assert done.returncode != 0
    assert installed.call("status")["version"] == "0.9.1", "the old one runs, with the new in place"
    assert "was interrupted: it goes on" in installed.do(command, "upgrade")
    assert installed.call("status")["version"] == "0.9.4"
    assert installed.show("Description") == "0.9.4"
    assert "in use already" in installed.do(command, "upgrade")
    installed.do("hearthwall-sensor", "upgrade", "--back")
    assert installed.call("status")["version"] == "0.9.1"


def test_of_two_upgrades_at_once_one_is_refused_and_none_destroyed(
    installed: SystemdHost, tmp_path: Path
) -> None:
    commands = [copied(tmp_path / each, each) for each in ("0.9.5", "0.9.6")]
    both = f"{commands[0]} upgrade >/root/first & {commands[1]} upgrade >/root/second; a=$?; wait $!; echo $a $?"
    assert sorted(installed.do("sh", "-c", both).split()) == ["0", "1"]
    version = installed.call("status")["version"]
    assert version in {"0.9.5", "0.9.6"}
    installed.do("hearthwall-sensor", "upgrade", "--back")
    assert installed.call("status")["version"] == "0.9.1"


def test_settings_without_sense_stop_an_upgrade_before_it_begins_and_a_start_for_good(
    installed: SystemdHost, lab: Lab, tmp_path: Path
) -> None:
    installed.call("block", CAMERA.mac)
    assert until(lambda: not reaches(lab))
    settings = "/etc/hearthwall/sensor.toml"
    installed.do("cp", settings, "/root/kept.toml")
    installed.do("sed", "--in-place", "1i lissen = 1", settings)
    try:
        pid = installed.show("MainPID")
        done = installed.run(copied(tmp_path / "seventh", "0.9.7"), "upgrade")
        assert "there is no setting 'lissen'; did you mean listen?" in done.stderr
        assert installed.show("MainPID") == pid, "what runs was left alone"
        assert "0.9.7" not in installed.do("ls", "/usr/local/lib/hearthwall")
        assert installed.run("systemctl", "restart", UNIT).returncode != 0
        assert installed.show("ActiveState") == "failed"
        assert installed.show("ExecMainStatus") == "78"
        assert not until(lambda: installed.show("ActiveState") != "failed", 6)  # RestartSec is 5
        assert not reaches(lab)
    finally:
        installed.do("mv", "/root/kept.toml", settings)
        installed.do("systemctl", "restart", UNIT)
