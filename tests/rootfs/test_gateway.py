"""The README's commands on Debian 12 and 13, with their own bcc and Python, on a gateway with traffic."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab import Lab
from lab.home import DEVICES
from tests.gateway.sensor_process import until
from tests.rootfs.footprint import cgroup_programs, footprint
from tests.rootfs.made import RELEASES, REPOSITORY, packed
from tests.rootfs.readme import RELEASES as DOWNLOADS, commands
from tests.rootfs.system import USER, System

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
INSTALLING = commands("## On your gateway")
UPGRADING = commands("### A newer version")
#: What stands in for GitHub: the same zip, made from this checkout, on the system's own loopback.
PORT = "8017"
SERVED = f"http://127.0.0.1:{PORT}"


class Gateway:
    """The sensor as people install it, typed as they type it."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.served = system.path("/srv")
        self.log = system.folder / "sensor.log"
        self._sensor: subprocess.Popen[bytes] | None = None
        server = (
            "python3",
            "-m",
            "http.server",
            "--bind",
            "127.0.0.1",
            "--directory",
            "/srv",
            PORT,
        )
        system.popen(*server, log=system.folder / "server.log")

    def type(self, lines: list[str]) -> list[str]:
        """Type lines of the README; return what each prints."""
        return [self.system.say(each.replace(DOWNLOADS, SERVED)) for each in lines]

    def start(self) -> None:
        """Start the sensor as the unit would, and wait until it answers."""
        line = ("hearthwall-sensor", "run", "--config", "/etc/hearthwall/sensor.toml")
        self._sensor = self.system.popen(*line, log=self.log)
        assert until(lambda: self.answer("status") is not None, 200), self.log.read_text()

    def kill(self) -> None:
        """End the sensor as a crash would."""
        assert self._sensor is not None
        self._sensor.kill()
        self._sensor.wait(10)

    def answer(self, *words: str) -> Any:
        """Return a command's document, None without a sensor."""
        done = self.system.run("hearthwall-sensor", *words, "--json", check=False)
        assert done.stdout, done.stderr
        document = json.loads(done.stdout)
        return document if done.returncode == 0 else None

    def device(self, mac: str) -> dict[str, Any] | None:
        return next((each for each in self.answer("devices") if each["mac"] == mac), None)


@pytest.fixture
def gateway(system: System) -> Gateway:
    gateway = Gateway(system)
    packed(gateway.served / "hearthwall.zip", "1.0.0")
    time.sleep(0.5)
    return gateway


@pytest.fixture
def stream(lab: Lab) -> Iterator[None]:
    """1,000 numbered packets a second from the camera to the internet, as long as the test lasts."""
    send = lab.command("send", "--from", "camera", "--rate", "1000", "--seconds", "600")
    with subprocess.Popen(send, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sender:
        yield
        assert sender.poll() is None, "the stream ended before the test did"
        sender.terminate()


def arrived(lab: Lab) -> int:
    return sum(each["count"] for each in lab.sink()["streams"])


def test_the_readme_installs_in_at_most_five_commands_what_the_table_of_packages_names() -> None:
    assert 1 < len(INSTALLING) <= 5
    assert len(UPGRADING) <= 5
    table = (REPOSITORY / "scripts/environment/packages").read_text()
    needed = set(re.findall(r"^gateway +(\S+)", table, re.MULTILINE)) - {"libbpf1"}
    assert set(INSTALLING[0].split()[3:]) == needed | {"curl", "unzip"}


@pytest.mark.timeout(600)
def test_installed_run_upgraded_under_fire_and_uninstalled_without_a_trace(
    release: str, gateway: Gateway, lab: Lab, stream: None
) -> None:
    system = gateway.system
    gateway.type(INSTALLING[:1])
    before = footprint(system)
    gateway.type(INSTALLING[1:3])

    told = gateway.type(INSTALLING[3:4])[0]
    assert "br-lan is guarded" in told
    assert "systemd does not run here" in told
    gateway.start()
    assert "br-lan" in gateway.type(INSTALLING[4:])[0]
    assert gateway.answer("check")["ok"]
    assert gateway.answer("status")["version"] == "1.0.0"
    assert cgroup_programs(system.cgroup.path), "nothing watches this host's own processes"
    assert until(lambda: (found := gateway.device(CAMERA.mac)) and found["upload_packets"] > 500)
    assert arrived(lab) > 500, "nothing arrives, with nothing blocked"

    system.say(f"sudo hearthwall-sensor block {CAMERA.mac}")
    time.sleep(0.3)
    lab.reset_sink()
    packed(gateway.served / "hearthwall.zip", "1.1.0")
    gateway.type(UPGRADING[:-1])
    _change_the_programs(system)
    assert "1.1.0" in gateway.type(UPGRADING[-1:])[0]
    gateway.kill()
    time.sleep(0.5)
    gateway.start()
    assert "earlier version were replaced" in gateway.log.read_text()
    time.sleep(0.5)
    assert arrived(lab) == 0
    assert gateway.answer("status")["version"] == "1.1.0"
    (block,) = gateway.answer("blocks")
    assert block["target"] == CAMERA.mac
    assert block["packets"] > 1000

    assert "Uninstalled." in system.say("sudo hearthwall-sensor uninstall")
    gateway.type(UPGRADING[:1])  # takes away what was downloaded
    assert until(lambda: footprint(system) == before, 5), _difference(before, footprint(system))
    assert until(lambda: arrived(lab) > 100), "the camera is still cut off"


def _change_the_programs(system: System) -> None:
    """Let the newer version have other kernel programs, too."""
    with system.path(f"/home/{USER}/hearthwall-release/bpf/gate.c").open("a") as source:
        source.write("\n/* another version */\n")


def _difference(before: dict[str, str], after: dict[str, str]) -> str:
    keys = [each for each in {*before, *after} if before.get(each) != after.get(each)]
    return "\n".join(f"{each}: {before.get(each)} -> {after.get(each)}" for each in sorted(keys))


def test_with_a_package_missing_it_names_the_line_and_leaves_nothing(gateway: Gateway) -> None:
    system = gateway.system
    gateway.type(INSTALLING[1:3])
    system.run("dpkg", "--remove", "python3-bpfcc")
    before = footprint(system)
    said = system.say(INSTALLING[3], check=False)
    assert "apt-get install python3-bpfcc" in said
    assert footprint(system) == before, _difference(before, footprint(system))


def test_the_release_brings_the_versions_that_are_claimed(release: str, system: System) -> None:
    said = system.run(
        "python3", "-c", "import bcc, sys; print(bcc.__version__, *sys.version_info[:2])"
    ).stdout.split()
    bcc, python = RELEASES[release]
    assert said[0].startswith(bcc)
    assert tuple(int(each) for each in said[1:]) == python
