"""Sender and sink count to the packet, also at 1,000 packets a second."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from lab import Lab

pytestmark = pytest.mark.lab


def send(lab: Lab, host: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        lab.command("send", "--from", host, *arguments),
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def test_every_datagram_is_counted(lab: Lab, tmp_path: Path) -> None:
    lab.reset_sink()
    log = tmp_path / "sent.json"
    summary = send(lab, "camera", "--rate", "1000", "--seconds", "3", "--log", str(log))
    record = lab.sink(full=True)
    (stream,) = record["streams"]
    assert (record["lost_here"], record["malformed"]) == (0, 0)
    assert summary["sent"] == stream["count"] == 3000
    assert stream["sequences"] == list(range(3000))
    assert 2.9 < (summary["last_sent_ns"] - summary["first_sent_ns"]) / 1e9 < 3.3
    # Both ends read the same clock: nothing arrives before it was sent.
    delays = [
        arrived - sent
        for sent, arrived in zip(
            json.loads(log.read_text())["sent_ns"], stream["arrivals_ns"], strict=True
        )
    ]
    assert min(delays) > -50_000
    assert sorted(delays)[len(delays) // 2] < 5_000_000


def test_devices_behind_one_address_are_told_apart(lab: Lab) -> None:
    lab.reset_sink()
    for host in ("tv", "plug"):
        send(lab, host, "--rate", "100", "--seconds", "0.1")
    streams = lab.sink()["streams"]
    assert {(s["address"], s["label"], s["count"]) for s in streams} == {
        ("198.51.100.2", "tv", 10),
        ("198.51.100.2", "plug", 10),
    }


def test_a_gap_shows_in_the_sequence_numbers(lab: Lab) -> None:
    lab.reset_sink()
    with subprocess.Popen(
        lab.command("send", "--from", "tv", "--rate", "500", "--seconds", "2"),
        stdout=subprocess.PIPE,
    ) as sender:
        time.sleep(1.0)
        for state in ("down", "up"):
            lab.run("gateway", ["ip", "link", "set", "tv", state], check=True)
            time.sleep(0.3)
        sender.communicate(timeout=30)
    (stream,) = lab.sink(full=True)["streams"]
    missing = set(range(1000)) - set(stream["sequences"])
    assert 100 < len(missing) < 400
    assert stream["count"] == 1000 - len(missing)


@pytest.mark.parametrize("to", ["203.0.113.10:7777", "[2001:db8:ffff::10]:7777"])
def test_echo_brings_every_datagram_back(lab: Lab, to: str) -> None:
    summary = send(lab, "camera", "--to", to, "--rate", "1000", "--seconds", "1")
    assert (summary["sent"], summary["echoed"], summary["last_echo"]) == (1000, 1000, 999)


def test_a_device_can_be_the_receiver(lab: Lab) -> None:
    where = "[2001:db8:20::21]:9000"
    with subprocess.Popen(
        lab.command("sink", "--on", "camera", "--listen", where, "--seconds", "20"),
        stdout=subprocess.PIPE, text=True,
    ) as receiver:  # fmt: skip
        assert receiver.stdout
        assert receiver.stdout.readline() == "listening\n"
        send(lab, "internet", "--to", where, "--rate", "500", "--seconds", "0.2")
        receiver.send_signal(signal.SIGTERM)
        (stream,) = json.loads(receiver.communicate(timeout=10)[0])["streams"]
    assert (stream["label"], stream["count"]) == ("internet", 100)


@pytest.mark.parametrize(
    "arguments",
    [("--rate", "0"), ("--rate", "1e9"), ("--seconds", "-1"), ("--size", "8"), ("--to", "camera")],
    ids=" ".join,
)
def test_bad_arguments_are_refused(lab: Lab, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        lab.command("send", "--from", "tv", *arguments), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert arguments[0] in done.stderr
