"""What holds for rules of every kind, side by side, in each other's place and without the sensor."""

import subprocess
import time

import pytest

from lab import Lab
from lab.home import DEVICES, WEB
from tests.gateway.reaching import (
    BAD,
    NEWS,
    WEB_PREFIX,
    fetches,
    only,
    reaches,
    start_on_both_sides,
)
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
TV = DEVICES["tv"]


@pytest.fixture
def sensor(ruled: SensorProcess) -> SensorProcess:
    """A sensor without a rule."""
    return ruled


#: One rule of each kind on the camera or a peer, and whether packets from the camera pass it.
EVERY_KIND = (
    ((CAMERA.mac, "--transport", "tcp", "--port", "80"), True),
    ((CAMERA.mac, "--mode", "no_internet"), False),
    ((CAMERA.ipv4, "--mode", "allow_only", "--peer", NEWS.ipv4), False),
    ((CAMERA.ipv4, "--transport", "udp", "--mode", "audit"), True),
    ((WEB_PREFIX[4], "--direction", "from_lan"), False),
    ((WEB.ipv4, "--mode", "rate_limit", "--packets-per-second", "1"), False),
    (("bad.example", "--duration", "1h"), True),
)


def test_every_kind_of_rule_outlives_the_sensor(lab: Lab, sensor: SensorProcess) -> None:
    """Killed, its rules hold; started again, they are counted on."""
    for order, _ in EVERY_KIND:
        sensor.call("block", *order)
    assert not reaches(lab, "camera", WEB.ipv4)
    before = sensor.call("blocks")
    sensor.kill()
    for peer in (WEB.ipv4, WEB.ipv6):
        assert not reaches(lab, "camera", peer)
    assert not fetches(lab, "camera", TV.ipv4)
    start_on_both_sides(sensor)
    after = {each["id"]: each for each in sensor.call("blocks")}
    counts = ("packets", "bytes", "first_hit", "last_hit", "latency_ms", "expires", "created")
    for each in before:
        told = after.pop(each["id"])
        assert told["packets"] >= each["packets"], each
        same = {name: value for name, value in each.items() if name not in counts}
        assert same == {name: value for name, value in told.items() if name not in counts}
        assert told["expires"] == pytest.approx(each["expires"], abs=0.1)
        assert told["first_hit"] == pytest.approx(each["first_hit"], abs=0.1) or not each["packets"]
    assert after == {}
    assert not reaches(lab, "camera", WEB.ipv4)


def test_nothing_passes_while_rules_change_places(lab: Lab, sensor: SensorProcess) -> None:
    """Each of these keeps the packets out, and so does every moment between them."""
    udp = ("--transport", "udp")
    sensor.call("block", CAMERA.mac)
    send = lab.command("send", "--from", "camera", "--rate", "2000", "--seconds", "30")
    with subprocess.Popen(send, stdout=subprocess.DEVNULL) as sender:
        time.sleep(0.5)
        lab.reset_sink()
        sensor.call("block", CAMERA.mac, *udp)
        sensor.call("block", CAMERA.mac, "--mode", "no_internet")
        sensor.call("block", CAMERA.mac, "--mode", "allow_only", "--peer", NEWS.ipv4)
        whole = next(each for each in sensor.call("blocks") if each["transport"] is None)
        sensor.call("unblock", str(whole["id"]))
        sensor.call("block", CAMERA.mac, *udp, "--mode", "allow_only", "--peer", NEWS.ipv4)
        sensor.call("block", CAMERA.mac, "--confirm-within", "1h")
        sensor.call("unblock", CAMERA.mac, *udp)
        sensor.call("confirm", CAMERA.mac)
        assert lab.sink()["streams"] == []
        assert only(sensor)["packets"] > 0
        sensor.call("unblock", CAMERA.mac)
        assert until(lambda: lab.sink()["streams"] != [])
        sender.terminate()


def test_rule_on_a_service_ends_on_time(lab: Lab, sensor: SensorProcess) -> None:
    block = sensor.call("block", CAMERA.mac, "--transport", "icmp", "--duration", "2s")
    assert not reaches(lab, "camera", WEB.ipv4)
    time.sleep(max(0.0, block["expires"] - time.time()) + 0.05)
    assert reaches(lab, "camera", WEB.ipv4)
    assert until(lambda: sensor.call("blocks") == [], 3)
    sensor.call("block", CAMERA.mac, "--transport", "icmp", "--confirm-within", "1s")
    assert until(lambda: sensor.call("blocks") == [], 3)
    assert reaches(lab, "camera", WEB.ipv4)


def test_prefix_with_the_gateway_in_it_is_refused_or_leaves_it_reachable(
    lab: Lab, sensor: SensorProcess
) -> None:
    home = "192.168.20.0/24"
    with pytest.raises(Refused) as refused:
        sensor.call("block", home)
    assert refused.value.code == "protected_target"
    assert "192.168.20.1" in refused.value.message
    assert "force" in refused.value.message
    with pytest.raises(Refused) as refused:
        sensor.call("block", "192.168.20.1", "--force")
    assert "nothing overrides" in refused.value.message
    sensor.call("block", home, "--force")
    assert not reaches(lab, "camera", TV.ipv4)
    assert reaches(lab, "tv", WEB.ipv4)
    assert reaches(lab, "gateway", "192.168.10.13")


@pytest.mark.parametrize(
    "order",
    [
        (WEB.ipv4, "--mode", "no_internet"),
        (WEB.ipv4, "--mode", "allow_only", "--peer", BAD.ipv4),
        ("203.0.113.0/24", "--mode", "audit", "--audits", "no_internet"),
        (CAMERA.mac, "--mode", "allow_only"),
        (CAMERA.mac, "--mode", "rate_limit"),
        (CAMERA.mac, "--mode", "redirect"),
        (CAMERA.mac, "--peer", BAD.ipv4),
        (CAMERA.mac, "--direction", "from_wan"),
        (CAMERA.mac, "--transport", "icmp", "--port", "7"),
        (CAMERA.mac, "--port", "0"),
        ("bad.example", "--port", "80"),
        ("bad.example", "--mode", "no_internet"),
    ],
)
def test_order_that_makes_no_sense_changes_nothing(
    sensor: SensorProcess, order: tuple[str, ...]
) -> None:
    with pytest.raises(Refused) as refused:
        sensor.call("block", *order)
    assert refused.value.code == "invalid_mode"
    assert sensor.call("blocks") == []
