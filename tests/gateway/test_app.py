"""The app in a container as the Supervisor makes one: its image's steps over this machine's Debian, and its rights."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import Lab
from lab.home import DEVICES, WEB
from tests.container import DOCKER_CAPABILITIES, Container, Image
from tests.gateway.programs import attachments, reaches
from tests.gateway.sensor_process import until
from tests.scripts.test_package import package

pytestmark = [pytest.mark.lab, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
CONFIG = yaml.safe_load((APP / "config.yaml").read_text())
CAPABILITIES = (*DOCKER_CAPABILITIES, *(each.lower() for each in CONFIG["privileged"]))
DOCKERFILE = (APP / "Dockerfile").read_text().replace("\\\n", " ")
ENTRYPOINT = json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[0])
SENSOR = "/usr/sbin/hearthwall-sensor"
KEY = "supervisors-key-0123456789"
CAMERA = DEVICES["camera"]


def build(image: Image, version: str) -> None:
    """Do the steps of the Dockerfile's image; what apt would fetch is on this machine, but for our own package."""
    deb = image.root / "tmp" / "hearthwall-sensor.deb"
    assert package("--deb", "--version", version, "--output", deb).returncode == 0
    for word, rest in re.findall(
        r"^(COPY|RUN) (.*)$", DOCKERFILE.split("\nFROM ")[-1], re.MULTILINE
    ):
        if rest.startswith("apt-get"):
            image.run("dpkg", "--install", "/tmp/hearthwall-sensor.deb")
        elif word == "RUN":
            image.run("sh", "-c", rest)
        elif "--from=" not in rest:
            source, target = rest.split()
            (image.root / target[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, image.root / target[1:])


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    with Image(tmp_path_factory.mktemp("app")) as image:
        build(image, "2.3.4")
        yield image


class App:
    """The app, as a Home Assistant's Supervisor runs it."""

    def __init__(self, image: Image, lab: Lab, folder: Path) -> None:
        self.image, self.lab = image, lab
        self.data = folder / "data"
        self.data.mkdir()
        self.options(interfaces=["br-lan"], unload_on_stop=False)
        self.container: Container
        #: What was compiled by another test's app; the app keeps it in /data.
        self._compiled = image.place.parent / "compiled"
        if self._compiled.is_dir():
            shutil.copytree(self._compiled, self.data / "cache")

    def options(self, **chosen: Any) -> None:
        (self.data / "options.json").write_text(json.dumps(chosen))

    def start(
        self, image: Image | None = None, *, key: str | None = KEY, bpffs: bool = False
    ) -> App:
        environment = [] if key is None else [f"SUPERVISOR_TOKEN={key}", f"HASSIO_TOKEN={key}"]
        self.container = Container(
            *(image or self.image, self.lab, self.data, ENTRYPOINT),
            capabilities=CAPABILITIES,
            environment=environment,
            bpffs=bpffs,
        )
        return self

    def ready(self) -> App:
        until(lambda: "Guarding" in self.container.said or self.container.has_ended, 150)
        assert "Guarding" in self.container.said, self.container.said
        if not self._compiled.is_dir():
            shutil.copytree(self.data / "cache", self._compiled)
        return self

    def unload(self, *options: str) -> str:
        """Take out what a container that has gone left, by another one; return what that says."""
        line = [*ENTRYPOINT, "unload", *options]
        self.container = Container(self.image, self.lab, self.data, line, capabilities=CAPABILITIES)
        assert until(lambda: self.container.has_ended, 60)
        return self.container.said

    def call(self, *words: str) -> Any:
        done = self.container.run(SENSOR, *words, "--json")
        return json.loads(done.stdout)


@pytest.fixture
def app(image: Image, lab: Lab, tmp_path: Path) -> Iterator[App]:
    app = App(image, lab, tmp_path)
    yield app
    app.container.kill()
    app.unload()


@contextlib.contextmanager
def supervisor(lab: Lab) -> Iterator[list[dict[str, Any]]]:
    """A Supervisor on the gateway's loopback, and what it was told."""
    line = [sys.executable, "-I", str(Path(__file__).with_name("supervisor.py")), KEY]
    told: list[dict[str, Any]] = []
    with subprocess.Popen(lab.argv("gateway", line), stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout
        assert output is not None
        reader = threading.Thread(target=lambda: told.extend(map(json.loads, output)))
        reader.start()
        yield told
        process.kill()
        reader.join(10)


class Sending:
    """A device that sends without a pause, and how much of that the internet gets."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._device = subprocess.Popen(
            lab.argv("camera", ["ping", "-q", "-n", "-i", "0.02", WEB.ipv4]),
            stdout=subprocess.PIPE,
            text=True,
        )

    def received(self) -> tuple[int, int]:
        """End it; return how many packets were sent, and how many answers came."""
        self._device.send_signal(2)
        said, _ = self._device.communicate(timeout=10)
        found = re.search(r"(\d+) packets transmitted, (\d+) received", said)
        assert found is not None, said
        return int(found[1]), int(found[2])


def test_nothing_passes_while_the_app_is_killed_restarted_and_upgraded(
    app: App, lab: Lab, tmp_path: Path
) -> None:
    """No right to mount, so no bpffs: what is on the interfaces goes on, and gives way only to what has the rules."""
    before = attachments(lab)
    app.start(key=None).ready()
    kept = (app.container.run("cat", "/proc/1/status").stdout.split("CapBnd:\t")[1])[:16]
    assert int(kept, 16).bit_count() == len(CAPABILITIES)
    assert not int(kept, 16) >> 21 & 1, "no SYS_ADMIN"
    assert app.container.run("mount", "-t", "bpf", "bpf", "/sys/fs/bpf").returncode != 0
    assert reaches(lab)
    assert app.call("block", CAMERA.mac, "--reason", "kept")["id"]
    sending = Sending(lab)
    time.sleep(0.5)
    status = app.call("status")
    assert "nothing is counted" in status["missing"]["bpffs"]
    assert {each["tc"] for each in status["interfaces"]} == {"clsact"}

    app.container.kill()
    time.sleep(1)
    app.start(key=None).ready()
    assert [(each["target"], each["reason"]) for each in app.call("blocks")] == [
        (CAMERA.mac, "kept")
    ]
    assert app.container.stop() == 0
    time.sleep(1)
    (tmp_path / "newer").mkdir()
    with Image(tmp_path / "newer") as newer:
        build(newer, "2.3.5")
        app.start(newer, key=None).ready()
        assert app.call("status")["version"] == "2.3.5"
        sent, received = sending.received()
        assert received == 0, f"{received} of {sent} packets got through"
        assert sent > 200

        laptop = lab.run("laptop", ["ping", "-c1", "-W1", WEB.ipv4])
        assert laptop.returncode == 0, "and nobody else was cut off"
        app.options(interfaces=["br-lan"], unload_on_stop=True)
        app.container.kill()
        app.start(newer, key=None).ready()
        assert app.container.stop() == 0
        assert reaches(lab)
        assert attachments(lab) == before


def test_what_a_killed_container_left_can_be_taken_out_without_a_start(app: App, lab: Lab) -> None:
    before = attachments(lab)
    app.start(key=None).ready()
    app.call("block", CAMERA.mac)
    app.container.kill()
    assert not reaches(lab)
    app.unload()
    assert reaches(lab), app.container.said
    assert attachments(lab) == before


def test_home_assistant_is_told_by_the_supervisor_and_the_same_again(app: App, lab: Lab) -> None:
    with supervisor(lab) as told:
        app.start().ready()
        assert until(lambda: len(told) == 1, 60), app.container.said
        app.container.stop()
        app.start().ready()
        assert until(lambda: len(told) == 2, 60), app.container.said
        first, again = told
        assert first == again, "a token that holds, else each restart would ask for a new one"
        assert first["service"] == CONFIG["discovery"][0] == "hearthwall"
        where = first["config"]
        assert (where["host"], where["port"]) == ("127.0.0.1", 8447)
        assert [each["name"] for each in app.call("token", "--list")["tokens"]] == [
            "Home Assistant app"
        ]
        app.call("token", "Home Assistant app", "--revoke")
        app.container.stop()
        app.start().ready()
        assert until(lambda: len(told) == 3, 60)
        assert told[2]["config"]["token"] != where["token"], "one that was revoked is no use"
    for secret in (KEY, where["token"], told[2]["config"]["token"]):
        assert secret not in "".join(each.read_text() for each in app.data.parent.glob("*.log"))
        assert secret not in app.container.run("cat", "/proc/1/cmdline").stdout
    pid = app.call("status")["pid"]
    assert KEY not in app.container.run("cat", f"/proc/{pid}/environ").stdout
    assert (app.data / "discovery.json").stat().st_mode & 0o777 == 0o600


def test_without_an_interface_the_log_lists_them(app: App) -> None:
    app.options(interfaces=[], unload_on_stop=False)
    app.start(key=None)
    assert until(lambda: app.container.has_ended, 150)
    assert re.search(r"br-lan \(bridge, .*proposed\)", app.container.said), app.container.said


def test_a_sensor_that_ends_is_started_again(app: App) -> None:
    app.start(key=None).ready()
    pid = app.call("status")["pid"]
    app.container.run("kill", "-KILL", str(pid))
    assert until(lambda: app.container.said.count("Guarding") == 2, 150), app.container.said
    assert "it is started again in 1 s" in app.container.said


def test_a_command_is_run_in_place_of_the_app(app: App, lab: Lab) -> None:
    app.container = Container(
        app.image, lab, app.data, [*ENTRYPOINT, "--version"], capabilities=CAPABILITIES
    )
    assert until(lambda: app.container.has_ended, 30)
    assert app.container.said == "hearthwall-sensor 2.3.4\n"
