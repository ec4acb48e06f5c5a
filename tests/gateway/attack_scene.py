"""A home that lives its everyday life under a sensor's eyes until some of its devices attack."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hearthwall_sensor.kinds import KINDS, SEVERITIES
from lab import Lab
from lab.attacks.stage import Running, Stage
from lab.home import DEVICES
from tests.gateway.sensor_process import REPOSITORY, SensorProcess, command, until

DOCUMENT: Final = REPOSITORY / "docs" / "detectors.md"
#: What a home of the lab does shows within 8 s; a habit is judged by once it has shown a few times.
LEARNING: Final = 20
#: So long after an attack has ended, in seconds, an event may still be its own.
AFTER: Final = 20.0
_POLICY: Final = f"""\
[all]
learning = "{LEARNING}s"
"""
#: Kinds whose evidence is flows wherever the device's packets are.
FLOWS: Final = frozenset(
    (
        "port_scan",
        "address_scan",
        "forbidden_protocol",
        "connection_burst",
        "volume_anomaly",
        "beacon",
        "unexpected_destination",
        "local_device_on_internet",
        "segment_crossing",
    )
)
#: Seen by ARP alone.
WITHOUT_FLOWS: Final = frozenset(("sweep-own-segment",))


def promised() -> dict[str, float]:
    """Return within how many seconds each attack is told, by the table in the documents."""
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|.*\| (\d+) s \|$", DOCUMENT.read_text(), re.MULTILINE)
    return {name: float(seconds) for name, seconds in rows}


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and when a client had it."""

    event: dict[str, Any]
    at: float


class Scene:
    """One home with its sensor; attacks are told of while everything else goes on."""

    def __init__(self, lab: Lab, folder: Path, policy: str, still: Collection[str]) -> None:
        """Take the lab, where files go, what else the policy says, and who has no habits."""
        self.sensor = SensorProcess(lab, folder)
        self.told: list[Told] = []
        self.running: dict[str, Running] = {}
        self._lab = lab
        self._living = [name for name in DEVICES if name not in still]
        self._policy = folder / "policy.toml"
        self._policy.write_text(_POLICY + policy)
        self._stage = Stage(lab)
        self._processes: list[subprocess.Popen[str]] = []

    def begin(self, *options: str, is_learnt: bool) -> None:
        """Let everyday life begin, and the sensor learn it first where that matters."""
        self.sensor.start("--policy", str(self._policy), *options)
        follow = command(
            "events", "--socket", self.sensor.socket, "--json", "--follow", "--since", "0"
        )
        follower = self._popen(self._lab.argv(self.sensor.host, follow), subprocess.PIPE)
        threading.Thread(target=self._listen, args=(follower,), daemon=True).start()
        traffic = self._lab.command("traffic", "--seed", "3", "--json", "--device", *self._living)
        self._popen(traffic, subprocess.DEVNULL)
        self._stage.serve_home()
        assert until(lambda: self._is_known(LEARNING + 5 if is_learnt else 0), 60)

    def _is_known(self, seconds: float) -> bool:
        """Return whether all who live here were seen for so long."""
        known = {each["mac"]: each["first_seen"] for each in self.sensor.call("devices")}
        first = [known.get(DEVICES[name].mac) for name in self._living]
        return all(each is not None and time.time() - each > seconds for each in first)

    def attack(self, *names: str) -> None:
        """Let devices attack side by side, and end each when it is told or its time is over."""
        self.start(*names)
        self.finish(*names)

    def start(self, *names: str) -> None:
        """Let devices attack side by side."""
        self.running |= self._stage.start(*names)

    def finish(self, *names: str) -> None:
        """End each attack when it is told or its time is over."""
        limits = promised()
        for name in names:
            running = self.running[name]
            until(
                lambda name=name: bool(self.named(name)),
                running.started + limits[name] - time.time(),
            )  # type: ignore[misc]
            running.stop()

    def named(self, name: str) -> list[Told]:
        """Return the events that name an attack: the right kind, of the right device."""
        running = self.running[name]
        attack = running.attack
        return [
            each
            for each in list(self.told)
            if each.event["kind"] == attack.kind
            and each.event["mac"] == DEVICES[attack.device].mac
            and attack.subject in json.dumps([each.event["subject"], each.event["summary"]])
            and each.at >= running.started
        ]

    def check(self, name: str) -> None:
        """Assert that an attack was told in time, with evidence that a person can use."""
        if not self._in_time(name):
            # Side by side on a busy machine, a flood may be none, and an even pace uneven: then it has its turn alone
            self.attack(name)
        assert self._in_time(name), (name, [each.event["summary"] for each in self.told])
        event = self.named(name)[0].event
        evidence = event["evidence"]
        assert evidence["detector"] == event["kind"]
        assert {"value", "threshold", "window"} <= set(evidence)
        assert evidence["why"].endswith(".")
        # Some kinds leave it to what was spoken or served, and for BitTorrent none fits
        expected = KINDS[event["kind"]].technique
        assert event["subject"] == "bittorrent" or (event["technique"] or "").startswith(
            (expected or "T").partition(".")[0]
        )
        if event["kind"] in FLOWS and name not in WITHOUT_FLOWS:
            assert evidence["flows"]
            assert all(each["upload_bytes"] for each in evidence["flows"])
        assert all(each["community_id"].startswith("1:") for each in evidence["flows"])

    def _in_time(self, name: str) -> bool:
        """Return whether an attack was told within the time that the table promises."""
        named = self.named(name)
        return bool(named) and named[0].at - self.running[name].started <= promised()[name]

    def blamed(self) -> list[tuple[str, str, str]]:
        """Return the events of medium or above that are no attack's, of devices that did not attack or otherwise."""
        least = SEVERITIES.index("medium")
        return [
            (each.event["mac"], each.event["kind"], each.event["summary"])
            for each in list(self.told)
            if SEVERITIES.index(each.event["severity"]) >= least
            and not any(_is_of(each, running) for running in self.running.values())
        ]

    def end(self) -> None:
        """End whatever runs."""
        self._stage.clean()
        for each in self._processes:
            each.terminate()
            each.wait(10)
        self.sensor.clean()

    def _popen(self, line: list[str], output: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=output, text=True)
        self._processes.append(process)
        return process

    def _listen(self, follower: subprocess.Popen[str]) -> None:
        assert follower.stdout is not None
        for line in follower.stdout:
            self.told.append(Told(json.loads(line), time.time()))


def _is_of(told: Told, running: Running) -> bool:
    """Return whether an event is an attack's: of its device and kind, while it went on or soon after."""
    attack, event = running.attack, told.event
    until_when = (running.ended or told.at) + AFTER
    return (
        event["mac"] == DEVICES[attack.device].mac
        and event["kind"] in attack.kinds
        and running.started <= told.at <= until_when
    )


@contextmanager
def scene(
    lab: Lab,
    folder: Path,
    *options: str,
    policy: str = "",
    still: Collection[str] = (),
    is_learnt: bool = False,
) -> Iterator[Scene]:
    """Give a home with its everyday life, which was learnt where that matters."""
    made = Scene(lab, folder, policy, still)
    try:
        made.begin(*options, is_learnt=is_learnt)
        yield made
    finally:
        made.end()
