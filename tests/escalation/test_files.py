"""The user tries root's files, folders, socket and pins."""

import subprocess
from pathlib import Path

import pytest

from tests.escalation.home import CONFIG, HOME, INTEGRATION, USER, Home
from tests.gateway.sensor_process import REPOSITORY

pytestmark = pytest.mark.lab

SOCKET = "/run/hearthwall/sensor.sock"
INSTALLED = (
    "/usr/local",
    "/etc",
    "/var/lib/hearthwall",
    "/var/cache/hearthwall",
    "/run/hearthwall",
    "/sys/fs/bpf/hearthwall",
)
PRIVATE = ("/etc/hearthwall", "/var/lib/hearthwall", "/var/cache/hearthwall")


def test_nothing_that_root_runs_or_reads_can_be_written(home: Home) -> None:
    """But for the socket, which is for talking."""
    search = " ".join((*INSTALLED, INTEGRATION))
    found = home.shell(f"find {search} -writable -not -type l 2>/dev/null").stdout.split()
    others = [each for each in found if not each.startswith(INTEGRATION)]
    assert others == [SOCKET]
    assert (
        f"{INTEGRATION}/bpf/hearthwall_sensor/cli.py" in found
    )  # the search finds what is the user's


def test_no_secret_can_be_read(home: Home) -> None:
    """The settings, tokens, the TLS key, and what was learnt of the home."""
    files = home.run("find", *PRIVATE, "-type", "f", check=False).split()
    assert CONFIG in files
    assert len([each for each in files if each.startswith("/var/lib/hearthwall/")]) > 3
    assert [each for each in files if home.attempt("cat", each).returncode == 0] == []
    key = home.run("grep", "-rl", "PRIVATE KEY", "/var/lib/hearthwall").split()
    assert len(key) == 1


@pytest.mark.parametrize(
    "attempt",
    [
        f"rm -f {SOCKET}",
        f"mv {SOCKET} {HOME}/",
        f"ln -sfn {HOME}/own.sock {SOCKET}",
        "mv /run/hearthwall /run/elsewhere",
        "mkdir /run/hearthwall/more",
        f"chmod 777 {SOCKET}",
        "touch /run/hearthwall/sensor.sock.lock",
    ],
)
def test_the_socket_cannot_be_replaced(home: Home, attempt: str) -> None:
    before = home.run("stat", "--format=%i %a %u %g", SOCKET)
    assert home.shell(attempt).returncode != 0
    assert home.run("stat", "--format=%i %a %u %g", SOCKET) == before
    assert before.split()[1] == "660"


@pytest.mark.parametrize(
    "attempt",
    [
        "ls /sys/fs/bpf/hearthwall",
        "rm -r /sys/fs/bpf/hearthwall",
        "mv /sys/fs/bpf/hearthwall /sys/fs/bpf/elsewhere",
    ],
)
def test_the_pins_cannot_be_touched(home: Home, attempt: str) -> None:
    assert home.shell(attempt).returncode != 0


def test_pins_in_a_folder_that_the_user_made_first_are_not_believed(tmp_path: Path) -> None:
    """Where bpffs is mounted for everybody to write, as some distributions' scripts do."""
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from hearthwall_sensor.kernel.pins import Pins\n"
        "from hearthwall_sensor.protocol import SensorError\n"
        "own = Pins('/run/hearthwall/sensor.sock')\n"
        "for attempt in (lambda: own.make(Path('/var/lib/hearthwall')), lambda: own.state):\n"
        "    try: print(attempt())\n"
        "    except SensorError as error: print(error.code)\n"
    )
    mine = "/sys/fs/bpf/hearthwall/run-hearthwall-sensor-sock-a0aa6f5d"
    name = subprocess.run(
        [
            "/usr/bin/python3",
            "-I",
            "-c",
            f"{script.splitlines()[0]}\n{script.splitlines()[1]}\n"
            "print(Pins('/run/hearthwall/sensor.sock').path.name)",
            str(REPOSITORY / "bpf"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    mine = f"/sys/fs/bpf/hearthwall/{name}"
    inside = (
        "mount -t bpf -o mode=1777 bpf /sys/fs/bpf\n"
        f"setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'mkdir -p {mine} && ln -s /etc {mine}/state'\n"
        'exec /usr/bin/python3 -I -c "$1" "$2"'
    )
    line = ["unshare", "--mount", "sh", "-ec", inside, "sh", script, str(REPOSITORY / "bpf")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["unsafe_files", "unsafe_files"], done.stderr


def test_the_user_is_nobody_special(home: Home) -> None:
    """What the attempts are made with: the group, and nothing else."""
    assert home.attempt("id", "-nG").stdout.split() == [USER, "hearthwall"]
    assert home.ask("status")["pid"] == home.pid
