"""Feeds on a gateway with real traffic, ordered as users order them: by the command line."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.home import DEVICES, HOSTS, SITES, WEB
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

TV = DEVICES["tv"]
BAD = SITES["bad.example"]
RATE, SECONDS = 1000, 8


def write(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def reaches(lab: Lab, host: str, address: str) -> bool:
    return lab.run(host, ["ping", "-c1", "-W1", address]).returncode == 0


def listen(lab: Lab, address: str) -> subprocess.Popen[str]:
    """Count what arrives at an address of the lab's internet."""
    line = lab.command("sink", "--on", "internet", "--listen", f"{address}:9998", "--seconds", "60")
    sink = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert sink.stdout is not None
    assert sink.stdout.readline() == "listening\n"
    return sink


def counted(sink: subprocess.Popen[str]) -> int:
    sink.terminate()
    record = json.loads(sink.communicate(timeout=20)[0])
    return sum(each["count"] for each in record["streams"])


def send(lab: Lab, address: str, seconds: float = SECONDS) -> subprocess.Popen[str]:
    line = lab.command(
        "send",
        "--from",
        "tv",
        "--to",
        f"{address}:9998",
        "--rate",
        str(RATE),
        "--seconds",
        str(seconds),
    )
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


def sent(sender: subprocess.Popen[str]) -> int:
    return int(json.loads(sender.communicate(timeout=60)[0])["sent"])


def feed(sensor: SensorProcess, name: str = "drop") -> dict[str, Any]:
    (found,) = (each for each in sensor.call("feeds") if each["name"] == name)
    return dict(found)


def test_no_packet_of_a_listed_peer_passes_while_its_list_changes(
    lab: Lab, sensor: SensorProcess, tmp_path: Path
) -> None:
    """The TV keeps sending to a listed peer through swaps of 50,000 prefixes, in which the peer's own moves."""
    path = tmp_path / "list"

    def fill(seed: int) -> str:
        others = (f"{30 + seed}.{n >> 8 & 255}.{n & 255}.{seed}" for n in range(50_000))
        return write(path, *others, BAD.ipv4 if seed % 2 else "203.0.113.64/26")

    assert sensor.call("feed", "drop", fill(0), "--action", "drop")["last_error"] is None
    assert until(lambda: feed(sensor)["addresses"] == 50_001, 20)
    before = feed(sensor)["packets"]
    sinks = {each.ipv4: listen(lab, each.ipv4) for each in (BAD, WEB)}
    senders = {address: send(lab, address) for address in sinks}
    swaps = 0
    while senders[BAD.ipv4].poll() is None:
        swaps += 1
        fill(swaps)
        assert sensor.call("refresh", "drop")["last_error"] is None
    assert swaps >= 2
    number = {address: sent(sender) for address, sender in senders.items()}
    assert number[BAD.ipv4] == RATE * SECONDS
    assert counted(sinks[BAD.ipv4]) == 0
    assert counted(sinks[WEB.ipv4]) == number[WEB.ipv4]
    assert until(lambda: feed(sensor)["packets"] - before == number[BAD.ipv4])


def test_an_audit_drops_nothing_and_counts_what_it_would(
    lab: Lab, sensor: SensorProcess, tmp_path: Path
) -> None:
    sensor.call("feed", "watch", write(tmp_path / "list", BAD.ipv4, BAD.ipv6))
    assert until(lambda: feed(sensor, "watch")["addresses"] == 2)
    sink = listen(lab, BAD.ipv4)
    number = sent(send(lab, BAD.ipv4, 0.5))
    assert reaches(lab, "tv", BAD.ipv6)
    assert counted(sink) == number
    assert until(lambda: feed(sensor, "watch")["packets"] >= number + 2)
    assert feed(sensor, "watch")["last_hit"] is not None


def test_a_list_with_private_networks_in_it_does_not_cut_the_home_off(
    lab: Lab, sensor: SensorProcess, tmp_path: Path
) -> None:
    """As FireHOL level 1 is: with RFC 1918, and here with the network of the gateway's own uplink too."""
    listed = ("0.0.0.0/8", "10.0.0.0/8", "192.168.0.0/16", "198.51.100.0/24", "203.0.113.64/26")
    sensor.call("feed", "level1", write(tmp_path / "list", *listed), "--action", "drop")
    assert until(lambda: feed(sensor, "level1")["subtracted"] >= 4)
    assert any("192.168.0.0/16" in each for each in feed(sensor, "level1")["subtracted_examples"])
    for address in (HOSTS["gateway"].ipv4, DEVICES["camera"].ipv4, WEB.ipv4, "198.51.100.1"):
        assert reaches(lab, "tv", address), address
    assert not reaches(lab, "tv", BAD.ipv4)
    sensor.call("unfeed", "level1")
    assert until(lambda: reaches(lab, "tv", BAD.ipv4), 10)
    assert sensor.call("feeds") == []


def test_a_sensor_that_is_killed_leaves_its_feeds_in_force_and_finds_them_again(
    lab: Lab, sensor: SensorProcess, tmp_path: Path
) -> None:
    sensor.call("feed", "drop", write(tmp_path / "list", BAD.ipv4), "--action", "drop")
    assert until(lambda: not reaches(lab, "tv", BAD.ipv4))
    packets = feed(sensor)["packets"]
    sensor.kill()
    assert not reaches(lab, "tv", BAD.ipv4)
    (tmp_path / "list").unlink()
    sensor.start()
    assert not reaches(lab, "tv", BAD.ipv4)
    assert feed(sensor)["packets"] >= packets + 2
    assert feed(sensor)["addresses"] == 1


def test_an_order_that_makes_no_sense_is_refused(sensor: SensorProcess) -> None:
    for arguments in (("a/b", "/x"), ("a", "ftp://x"), ("a", "/x", "--interval", "5s")):
        with pytest.raises(Refused) as refused:
            sensor.call("feed", *arguments)
        assert refused.value.code == "invalid_feed"
    with pytest.raises(Refused) as refused:
        sensor.call("refresh", "none")
    assert refused.value.code == "not_found"
    assert sensor.call("feeds") == []
