"""What `processes` asks and shows, and how `flows` tells of processes; real commands and the sensor's own server."""

import json
from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest

from hearthwall_sensor.protocol import DeviceRule, Process, Program
from hearthwall_sensor.requests import GetFlows, GetProcesses
from tests.devices import CAMERA
from tests.unit.asking import asked, run, said
from tests.unit.household import Household, Serving, flow

HOSTILE = "\x1b]0;pwned\x07\x9b2J\u202egnp.exe"
CURL = Program(
    executable="/usr/bin/curl",
    container="4f1b9a6b7e0c",
    unit=None,
    pids=(40, 41, 42, 43, 44),
    uids=(1000,),
    upload_bytes=1_500,
    download_bytes=2_500_000,
    upload_packets=9,
    download_packets=90,
    connections=12,
    first_seen=1_700_000_000.0,
    last_seen=time(),
    peers=("video.example", "203.0.113.9"),
)
SSHD = Program(
    executable="/usr/sbin/sshd",
    container=None,
    unit="ssh.service",
    pids=(7,),
    uids=(0,),
    upload_bytes=0,
    download_bytes=0,
    upload_packets=0,
    download_packets=0,
    connections=0,
    first_seen=1_700_000_000.0,
    last_seen=time(),
    listens=("tcp/22",),
    rule=DeviceRule(3, "isolate", None),
)
DETAILS = Process(40, 1, 1000, "/usr/bin/curl", "curl", None, "4f1b9a6b7e0c", None)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    household = Household()
    household.answers["processes"] = [CURL.to_wire(), SSHD.to_wire()]
    serving = Serving(tmp_path / "s.sock", household).start()
    yield serving
    serving.stop()


def test_programs_are_a_table(serving: Serving) -> None:
    head, curl, sshd = said(serving, "processes").splitlines()
    assert head.split() == [
        *("program", "container", "unit", "pids", "up", "down", "connections", "listens", "peers"),
        *("seen", "rule"),
    ]
    assert curl.split()[:7] == ["/usr/bin/curl", "4f1b9a6b7e0c", "40,", "41,", "42", "and", "2"]
    assert "1.5 kB  2.5 MB" in curl
    assert "video.example, 203.0.113.9" in curl
    assert sshd.split()[:3] == ["/usr/sbin/sshd", "ssh.service", "7"]
    assert "tcp/22" in sshd
    assert sshd.endswith("isolate")
    assert asked(serving, GetProcesses) == GetProcesses(100)


def test_columns_that_say_nothing_are_not_there(serving: Serving) -> None:
    serving.household.answers["processes"] = [CURL.to_wire()]
    head = said(serving, "processes").splitlines()[0].split()
    assert not {"unit", "listens", "rule"} & set(head)


def test_json_and_limit(serving: Serving) -> None:
    wires = json.loads(said(serving, "processes", "--json", "--limit", "7"))
    assert [Program.from_wire(each) for each in wires] == [CURL, SSHD]
    assert asked(serving, GetProcesses).limit == 7
    assert "no number from 1 to 2,000" in run(serving, "processes", "--limit", "0").stderr


def test_nothing_seen_is_said_in_words(serving: Serving) -> None:
    serving.household.answers["processes"] = []
    assert said(serving, "processes") == "No program has talked yet.\n"


def test_what_a_program_wrote_does_not_reach_the_terminal_raw(serving: Serving) -> None:
    hostile = CURL.to_wire() | {"executable": HOSTILE, "unit": HOSTILE, "peers": [HOSTILE]}
    serving.household.answers["processes"] = [hostile]
    serving.household.flows = [flow(None, 1, process=HOSTILE)]
    for command in ("processes", "flows"):
        text = said(serving, command)
        assert text.count("\n") == 2
        assert all(each.isprintable() for line in text.splitlines() for each in line)


def test_flows_name_the_process_beside_devices(serving: Serving) -> None:
    serving.household.flows = [
        flow(None, 1, process="/usr/bin/curl", process_details=DETAILS),
        flow(CAMERA, 2),
    ]
    head, curl, camera = said(serving, "flows").splitlines()
    assert head.split()[:3] == ["device", "process", "peer"]
    assert curl.split()[:3] == ["192.168.20.21", "/usr/bin/curl@4f1b9a6b7e0c", "->"]
    assert camera.split()[:2] == ["camera", "->"]


@pytest.mark.parametrize("path", ["/usr/bin/curl", "exe:/usr/bin/curl"])
def test_flows_of_a_process_are_asked_for(serving: Serving, path: str) -> None:
    serving.household.flows = []
    assert said(serving, "flows", "--process", path) == "No flow fits.\n"
    assert asked(serving, GetFlows) == GetFlows(process="/usr/bin/curl")


def test_a_process_is_of_no_device(serving: Serving) -> None:
    done = run(serving, "flows", "--process", "/usr/bin/curl", "--device", CAMERA)
    assert done.returncode == 1
    assert "either --device or --process" in done.stderr
