"""Logs: what happens on a gateway comes to a file, the journal and rsyslogd, once each, whatever befalls them."""

import asyncio
import json
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.client import Client, unix_session
from hearthwall_sensor.requests import AddBlock, RemoveBlock
from lab import Lab
from lab.home import DEVICES, SITES
from tests.gateway.log_servers import (
    CLIENT,
    STRICT,
    TCP,
    TLS,
    UDP,
    Journald,
    Rsyslog,
    child_of,
    end,
    journald,
    small_disk,
)
from tests.gateway.sensor_process import SensorProcess, until
from tests.unit.certificates import Authority, fingerprint

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

CAMERA = DEVICES["camera"]
BAD = SITES["bad.example"]
#: What would begin another message, element or field where it is not escaped; of letters that a reason may have.
REASON = 'x"] <13>1 - - - [a b="カメラ"] PRIORITY=0 {"a":1}\\'

_CONFIG = """
[[sink]]
name = "file"
type = "file"
path = "{folder}/log/events.json"

[[sink]]
name = "small"
type = "file"
path = "{folder}/disk/events.json"

[[sink]]
name = "journal"
type = "journald"
socket = "{journal}"

[[sink]]
name = "udp"
type = "syslog"
transport = "udp"
server = "127.0.0.1:{udp}"
format = "ecs"

[[sink]]
name = "tcp"
type = "syslog"
transport = "tcp"
server = "127.0.0.1:{tcp}"

[[sink]]
name = "tls"
type = "syslog"
server = "127.0.0.1:{tls}"
format = "ecs"
fingerprint = "{fingerprint}"

[[sink]]
name = "strict"
type = "syslog"
server = "127.0.0.1:{strict}"
ca_file = "{ca}"
server_name = "log.example"
client_certificate = "{certificate}"
client_key = "{key}"
"""
ALL = ("file", "small", "journal", "udp", "tcp", "tls", "strict")


@dataclass
class Scene:
    """A sensor, and all that it logs to."""

    sensor: SensorProcess
    rsyslog: Rsyslog
    journal: Journald
    folder: Path

    def numbers(self, sink: str) -> list[int]:
        """Return the numbers of the events that a sink has got."""
        return _NUMBERS[sink](self)

    def state(self, sink: str) -> dict[str, Any]:
        """Return how a sink fares."""
        (found,) = [each for each in self.sensor.call("status")["sinks"] if each["name"] == sink]
        return dict(found)

    @property
    def last(self) -> int:
        """The newest event's number."""
        told = self.sensor.call("events")
        return int(told[-1]["seq"]) if told else 0

    def arrives(self, *sinks: str, seconds: float = 30) -> None:
        """Return when all events have come to sinks; each once, in its order."""
        last = self.last
        for sink in sinks or ALL:
            came = until(lambda sink=sink: last in self.numbers(sink), seconds)
            assert came, (sink, self.numbers(sink)[-5:], last, self.state(sink))
            assert self.numbers(sink) == list(range(1, last + 1)), sink

    def orders(self, count: int) -> None:
        """Make events: give so many orders, and take each back."""

        async def give() -> None:
            async with unix_session(self.sensor.socket) as session:
                client = Client(session, name="test")
                await client.connect()
                for _ in range(count):
                    await client.call(AddBlock(target=BAD.ipv4, mode="audit", reason=REASON))
                    await client.call(RemoveBlock(target=BAD.ipv4))
                await client.close()

        asyncio.run(give())

    def answers_within(self) -> float:
        """Return the seconds that the sensor takes to answer, the median of some tries."""

        async def ask() -> float:
            took = []
            async with unix_session(self.sensor.socket) as session:
                client = Client(session, name="test")
                await client.connect()
                for _ in range(21):
                    asked = time.monotonic()
                    await client.status()
                    took.append(time.monotonic() - asked)
                await client.close()
            return statistics.median(took)

        return asyncio.run(ask())


def _lines(path: Path) -> list[int]:
    """Return the numbers in a file."""
    if not path.exists():
        return []
    return [json.loads(each)["event"]["sequence"] for each in path.read_text().splitlines()]


def _param(data: str, name: str) -> str:
    """Return a parameter of structured data."""
    found = re.search(rf' {name}="((?:\\.|[^"\\\]])*)"', data)
    assert found is not None, data
    return found[1]


def _sentences(scene: Scene, name: str) -> list[int]:
    """Return the numbers of messages with structured data."""
    return [int(_param(each["data"], "seq")) for each in scene.rsyslog.got(name)]


def _documents(scene: Scene, name: str) -> list[int]:
    """Return the numbers of messages that are documents."""
    return [json.loads(each["text"])["event"]["sequence"] for each in scene.rsyslog.got(name)]


_NUMBERS: dict[str, Callable[[Scene], list[int]]] = {
    "file": lambda scene: _lines(scene.folder / "log" / "events.json"),
    "small": lambda scene: _lines(scene.folder / "disk" / "events.json"),
    "journal": lambda scene: [int(each["HEARTHWALL_SEQUENCE"]) for each in scene.journal.got()],
    "udp": lambda scene: _documents(scene, "udp"),
    "tcp": lambda scene: _sentences(scene, "tcp"),
    "tls": lambda scene: _documents(scene, "tls"),
    "strict": lambda scene: _sentences(scene, "strict"),
}


@pytest.fixture(scope="module")
def scene(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A sensor that logs to everything."""
    folder = tmp_path_factory.mktemp("logs")
    authority = Authority(folder / "ca")
    certificate, key = authority.sign("client", f"DNS:{CLIENT}")
    rsyslog = Rsyslog(lab, folder / "rsyslog", authority)
    sensor = SensorProcess(lab, folder)
    with journald() as journal, small_disk(folder / "disk"):
        config = folder / "sensor.toml"
        config.write_text(
            _CONFIG.format(
                folder=folder,
                journal=journal.socket,
                udp=UDP,
                tcp=TCP,
                tls=TLS,
                strict=STRICT,
                fingerprint=fingerprint(folder / "ca" / "rsyslog.pem"),
                ca=authority.certificate,
                certificate=certificate,
                key=key,
            )
        )
        config.chmod(0o600)
        try:
            rsyslog.start()
            sensor.start("--config", str(config))
            made = Scene(sensor, rsyslog, journal, folder)
            assert until(lambda: len(sensor.call("status")["sinks"]) == len(ALL), 20)
            yield made
        finally:
            sensor.clean()
            rsyslog.stop()


def test_what_happens_comes_to_every_log(scene: Scene, lab: Lab) -> None:
    listed = scene.folder / "list.txt"
    listed.write_text(f"{BAD.ipv4}\n")
    scene.sensor.call("feed", "list", str(listed))
    lab.run("camera", ["ping", "-c", "3", "-i", "0.2", "-W", "1", BAD.ipv4])
    assert until(lambda: any(e["kind"] == "threat_address" for e in scene.sensor.call("events")))
    scene.orders(1)
    scene.arrives()
    (met,) = [each for each in scene.sensor.call("events") if each["kind"] == "threat_address"]
    lines = (scene.folder / "log" / "events.json").read_text().splitlines()
    (document,) = [
        each for line in lines if (each := json.loads(line))["event"]["sequence"] == met["seq"]
    ]
    assert document["message"] == met["summary"]
    assert document["source"]["mac"] == CAMERA.mac.replace(":", "-").upper()
    assert document["destination"]["ip"] == document["threat"]["indicator"]["ip"] == BAD.ipv4
    assert document["network"]["community_id"].startswith("1:")
    assert document["threat"]["technique"]["id"] == ["T1071"]
    for name in ("udp", "tls"):
        assert document in [json.loads(each["text"]) for each in scene.rsyslog.got(name)]
    for name in ("tcp", "strict"):
        said = next(each for each in scene.rsyslog.got(name) if each["kind"] == "threat_address")
        assert (said["facility"], said["severity"], said["app"]) == ("3", "4", "hearthwall")
        assert said["text"].strip().removeprefix("\ufeff") == met["summary"]
        assert _param(said["data"], "dstIp") == BAD.ipv4
        assert _param(said["data"], "communityId") == document["network"]["community_id"]
    (entry,) = [e for e in scene.journal.got() if e["HEARTHWALL_KIND"] == "threat_address"]
    assert (entry["MESSAGE"], entry["PRIORITY"]) == (met["summary"], "4")
    assert json.loads(entry["HEARTHWALL_ECS"]) == document
    # What a reason has in it is part of each log, and begins nothing there
    reasons = [each["text"] for each in scene.rsyslog.got("tcp") if each["kind"] == "blocked"]
    assert all(f"({REASON})" in each for each in reasons)
    assert reasons


def test_a_server_that_is_away_gets_what_it_missed(scene: Scene) -> None:
    scene.rsyslog.stop()
    scene.orders(20)
    for name in ("udp", "tcp", "tls", "strict"):
        assert until(lambda name=name: scene.state(name)["failing_since"] is not None)
    scene.arrives("file", "journal")  # which know nothing of it
    assert scene.state("tcp")["waiting"] >= 39
    scene.rsyslog.start()
    scene.arrives()
    for name in ALL:
        state = scene.state(name)
        assert (state["failing_since"], state["lost"], state["refused"]) == (None, 0, 0)


def test_a_forwarder_that_is_killed_begins_where_it_was(scene: Scene) -> None:
    for where in ("here", "elsewhere"):
        before = child_of(scene.sensor.pid, where)
        assert before is not None
        scene.orders(5)
        scene.arrives()
        time.sleep(1.5)  # how far each has come is on disk
        end(before)
        scene.orders(5)
        assert until(
            lambda before=before, where=where: (
                child_of(scene.sensor.pid, where) not in (None, before)
            )
        )
        scene.arrives()


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_the_forwarder_has_no_capability(scene: Scene, where: str) -> None:
    status = Path(f"/proc/{child_of(scene.sensor.pid, where)}/status").read_text()
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)


def test_the_forwarder_is_no_client(scene: Scene) -> None:
    assert scene.sensor.call("status")["clients"] == 1, "who asks, and nobody else"


def test_a_full_disk_is_said_and_the_rest_comes_when_there_is_room(scene: Scene) -> None:
    scene.orders(60)
    assert until(lambda: scene.state("small")["failing_since"] is not None)
    assert "No space left" in scene.state("small")["last_error"]
    scene.arrives("file", "tcp")
    held = scene.numbers("small")  # whole lines only
    assert held == list(range(1, len(held) + 1))
    assert len(held) < scene.last
    disk = scene.folder / "disk"
    subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
    scene.arrives("small", seconds=60)


def test_a_flood_of_events_and_receivers_that_hang_leave_the_sensor_alone(
    scene: Scene, lab: Lab
) -> None:
    process = scene.rsyslog.process
    assert process is not None
    lab.run("camera", ["ping", "-c", "1", "-W", "1", BAD.ipv4])
    assert until(lambda: scene.sensor.device(CAMERA.mac) is not None)
    process.send_signal(19)  # SIGSTOP: its kernel takes what it does not read
    try:
        scene.orders(150)
        assert scene.answers_within() < 1.0
        before = scene.sensor.device(CAMERA.mac)
        lab.run("camera", ["ping", "-c", "5", "-i", "0.2", "-W", "1", BAD.ipv4])
        assert before is not None

        def has_moved() -> bool:
            now = scene.sensor.device(CAMERA.mac)
            return now is not None and now["upload_packets"] >= before["upload_packets"] + 5

        assert until(has_moved)
        status = scene.sensor.call("status")
        assert not any(status["lost"].values()), status["lost"]
        scene.arrives("file", "journal", seconds=60)
    finally:
        process.send_signal(18)
    scene.arrives("tcp", "tls", "strict", seconds=60)
    came = scene.numbers("udp")  # datagrams for which its kernel had no room are gone
    assert came == sorted(set(came))
