"""What a rule drops, what it lets pass, and when it ends."""

import json
import subprocess
import time
from collections.abc import Iterator

import pytest
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import Ether

from lab import Lab
from lab.home import DEVICES, HOSTS, SITES, WEB
from tests.gateway.sensor_process import SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
TV = DEVICES["tv"]
GATEWAY = HOSTS["gateway"]
BAD = SITES["bad.example"]


def reaches(lab: Lab, host: str, address: str) -> bool:
    return lab.run(host, ["ping", "-c1", "-W1", address]).returncode == 0


def test_isolated_device_is_cut_off_in_both_directions_and_the_others_are_not(
    lab: Lab, sensor: SensorProcess
) -> None:
    assert reaches(lab, "camera", WEB.ipv4)
    block = sensor.call("block", CAMERA.mac, "--reason", "test")
    assert (block["target"], block["mode"], block["reason"]) == (CAMERA.mac, "isolate", "test")
    for address in (WEB.ipv4, WEB.ipv6, GATEWAY.ipv4, TV.ipv4):
        assert not reaches(lab, "camera", address), address
    assert not reaches(lab, "gateway", CAMERA.ipv4)
    for address in (WEB.ipv4, WEB.ipv6, GATEWAY.ipv4):
        assert reaches(lab, "tv", address), address


def test_nothing_from_outside_reaches_an_isolated_device(lab: Lab, sensor: SensorProcess) -> None:
    """Towards the device tc drops: what arrives is counted inside the device's own namespace."""
    sink = subprocess.Popen(
        lab.command("sink", "--on", "camera", "--listen", f"{CAMERA.ipv4}:9999", "--seconds", "8"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sink.stdout is not None
    assert sink.stdout.readline() == "listening\n"
    lab.run("gateway", ["ping", "-c1", "-W1", CAMERA.ipv4], check=True)
    send = lab.command(
        "send",
        "--from",
        "laptop",
        "--to",
        f"{CAMERA.ipv4}:9999",
        "--rate",
        "200",
        "--seconds",
        "0.5",
    )
    subprocess.run(send, check=True, capture_output=True)
    sensor.call("block", CAMERA.mac)
    subprocess.run(send, check=True, capture_output=True)
    sink.terminate()
    counted = json.loads(sink.communicate(timeout=20)[0])
    assert sum(each["count"] for each in counted["streams"]) == 100
    (block,) = sensor.call("blocks")
    assert block["packets"] >= 100


def test_xdp_drops_and_is_there_only_while_a_rule_needs_it(lab: Lab, sensor: SensorProcess) -> None:
    def gates() -> set[str]:
        return {each["xdp"] for each in sensor.call("status")["interfaces"]}

    def programs() -> int:
        return lab.run("gateway", ["ip", "-d", "link", "show", "camera"], check=True).stdout.count(
            "prog/xdp"
        )

    assert (gates(), programs()) == ({"off"}, 0)
    sensor.call("block", CAMERA.mac)
    assert until(lambda: gates() == {"native"})
    assert programs() == 1
    before = sensor.call("status")["dropped"]
    assert not reaches(lab, "camera", WEB.ipv4)
    after = sensor.call("status")["dropped"]
    assert after["dropped_gate"] > before["dropped_gate"]
    assert after["dropped_ingress"] == before["dropped_ingress"]
    sensor.call("unblock", CAMERA.mac)
    assert until(lambda: gates() == {"off"})
    assert programs() == 0


def test_open_connection_dies_and_comes_back(lab: Lab, sensor: SensorProcess) -> None:
    """A TCP transfer that runs when the device is cut off stalls, and goes on after the release."""
    url = f"http://{WEB.ipv4}/pace?rate=200000&seconds=6"
    with lab.popen(
        "camera",
        [
            "curl",
            "--silent",
            "--max-time",
            "30",
            "--output",
            "/dev/null",
            "--write-out",
            "%{size_download}",
            url,
        ],
    ) as curl:
        known = until(
            lambda: (sensor.device(CAMERA.mac) or {"download_bytes": 0})["download_bytes"] > 200_000
        )
        assert known
        sensor.call("block", CAMERA.mac)
        first = sensor.device(CAMERA.mac)
        time.sleep(1.5)
        second = sensor.device(CAMERA.mac)
        assert first is not None
        assert second is not None
        assert (
            second["download_bytes"] - first["download_bytes"] < 20_000
        )  # what was read before the order came
        assert second["rule"]["mode"] == "isolate"
        sensor.call("unblock", CAMERA.mac)
        assert curl.wait(30) == 0
        assert curl.stdout is not None
        assert int(curl.stdout.read()) == 1_200_000


def test_no_internet_keeps_the_home(lab: Lab, sensor: SensorProcess) -> None:
    sensor.call("block", CAMERA.mac, "--mode", "no_internet")
    for address in (WEB.ipv4, WEB.ipv6):
        assert not reaches(lab, "camera", address), address
    for address in (GATEWAY.ipv4, GATEWAY.ipv6, TV.ipv4, TV.ipv6):
        assert reaches(lab, "camera", address), address
    assert reaches(lab, "gateway", CAMERA.ipv4)


@pytest.mark.parametrize("peer", [BAD.ipv4, BAD.ipv6])
def test_peer_is_cut_off_for_every_device(lab: Lab, sensor: SensorProcess, peer: str) -> None:
    assert reaches(lab, "camera", peer)
    block = sensor.call("block", peer)
    assert block["kind"] == ("ipv6" if ":" in peer else "ipv4")
    for device in ("camera", "tv"):
        assert not reaches(lab, device, peer)
        assert reaches(lab, device, WEB.ipv4)
        assert reaches(lab, device, WEB.ipv6)
    sensor.call("unblock", str(block["id"]))
    assert reaches(lab, "camera", peer)


def test_device_is_cut_off_by_its_address(lab: Lab, sensor: SensorProcess) -> None:
    sensor.call("block", CAMERA.ipv4)
    assert not reaches(lab, "camera", WEB.ipv4)
    assert reaches(
        lab, "camera", WEB.ipv6
    )  # an address is an address: the MAC is what holds a device
    assert reaches(lab, "tv", WEB.ipv4)


def test_isolated_device_keeps_its_place(lab: Lab, sensor: SensorProcess) -> None:
    """ARP passes, so that a release works at once."""
    sensor.call("block", CAMERA.mac)
    router = str(CAMERA.gateway[0])
    lab.run("camera", ["ip", "neigh", "flush", "all"])
    assert not reaches(lab, "camera", router)
    assert GATEWAY.mac in lab.run("camera", ["ip", "neigh", "show", router]).stdout


def test_allowance_opens_dns_and_home_assistant_only_when_asked(
    lab: Lab, sensor: SensorProcess
) -> None:
    sensor.call("block", CAMERA.mac, "--allow", "addressing,home_assistant")
    assert reaches(lab, "camera", GATEWAY.ipv4)  # Home Assistant is on the gateway here
    assert not reaches(lab, "camera", WEB.ipv4)
    sensor.call("block", CAMERA.mac)
    assert not reaches(lab, "camera", GATEWAY.ipv4)


def test_device_that_claims_the_gateways_address_stays_cut_off(
    lab: Lab, sensor: SensorProcess
) -> None:
    """Neighbour discovery passes an isolating rule; what a device says in it must not set the device free."""
    sensor.call("block", CAMERA.mac)
    upstream = HOSTS["internet"].ipv6
    said = lab.run(
        "gateway", ["ip", "-6", "-json", "addr", "show", "br-lan", "scope", "link"], check=True
    )
    addresses = (each for link in json.loads(said.stdout) for each in link.get("addr_info", ()))
    link_local = next(each["local"] for each in addresses if "local" in each)
    frame = (
        Ether(src=CAMERA.mac, dst=GATEWAY.mac)
        / IPv6(src=upstream, dst=link_local, hlim=255)
        / ICMPv6ND_NS(tgt=link_local)
        / ICMPv6NDOptSrcLLAddr(lladdr=CAMERA.mac)
    )
    source = (
        "import socket,sys; s=socket.socket(socket.AF_PACKET, socket.SOCK_RAW);"
        "s.bind(('eth0', 0)); s.send(bytes.fromhex(sys.argv[1]))"
    )
    for _ in range(3):
        lab.run("camera", ["/usr/bin/python3", "-c", source, bytes(frame).hex()], check=True)
        time.sleep(0.3)
    known = lab.run("gateway", ["ip", "neigh", "show", "dev", "br-lan"], check=True).stdout
    assert f"{upstream} lladdr {CAMERA.mac}" in known, "the kernel believed it"
    assert CAMERA.mac not in sensor.call("status")["protected"]
    assert not reaches(lab, "camera", WEB.ipv4)


def test_a_connection_to_port_22_is_no_log_in(lab: Lab, sensor: SensorProcess) -> None:
    """Else whoever holds one, without ever logging in, could not be blocked."""
    server = "import socket; s=socket.create_server(('', 22)); c=s.accept(); c[0].recv(1)"
    client = (
        f"import socket,time; s=socket.create_connection(('{CAMERA.gateway[0]}', 22));"
        " print(1, flush=True); time.sleep(9)"
    )
    with (
        lab.popen("gateway", ["/usr/bin/python3", "-c", server]) as listening,
        lab.popen(
            "camera", ["sh", "-c", f'sleep 0.5; exec /usr/bin/python3 -c "{client}"']
        ) as connected,
    ):
        assert connected.stdout is not None
        assert connected.stdout.readline() == "1\n"
        time.sleep(1.5)
        sensor.call("block", CAMERA.mac)
        time.sleep(1.5)
        assert not reaches(lab, "camera", WEB.ipv4)
        connected.kill()
        listening.kill()


def test_rule_ends_on_time_with_the_sensor_killed(lab: Lab, sensor: SensorProcess) -> None:
    block = sensor.call("block", CAMERA.mac, "--duration", "3s")
    sensor.kill()
    assert time.time() < block["expires"] - 1
    assert not reaches(lab, "camera", WEB.ipv4)
    time.sleep(max(0.0, block["expires"] - time.time()) + 0.05)
    assert reaches(lab, "camera", WEB.ipv4)
    sensor.start()
    assert sensor.call("blocks") == []


def test_unconfirmed_rule_is_taken_back(lab: Lab, sensor: SensorProcess) -> None:
    sensor.call("block", CAMERA.mac, "--confirm-within", "1s")
    assert not reaches(lab, "camera", WEB.ipv4)
    assert until(lambda: reaches(lab, "camera", WEB.ipv4), 3)
    assert until(lambda: sensor.call("blocks") == [], 3)
    sensor.call("block", CAMERA.mac, "--confirm-within", "2s", "--duration", "1h")
    block = sensor.call("confirm", CAMERA.mac)
    assert block["confirm_by"] is None
    assert block["expires"] > time.time() + 3000
    time.sleep(2.2)
    assert not reaches(lab, "camera", WEB.ipv4)


def test_second_order_replaces_the_first(lab: Lab, sensor: SensorProcess) -> None:
    first = sensor.call("block", CAMERA.mac)
    second = sensor.call("block", CAMERA.mac, "--mode", "no_internet")
    (only,) = sensor.call("blocks")
    assert only["id"] == second["id"] != first["id"]
    assert reaches(lab, "camera", GATEWAY.ipv4)


def test_latency_is_from_the_order_to_the_first_drop(lab: Lab, sensor: SensorProcess) -> None:
    send = lab.command("send", "--from", "camera", "--rate", "1000", "--seconds", "3")
    with subprocess.Popen(send, stdout=subprocess.DEVNULL) as sender:
        time.sleep(1)
        sensor.call("block", CAMERA.mac)
        sender.wait()
    (block,) = sensor.call("blocks")
    assert 0 <= block["latency_ms"] < 1000
    assert block["first_hit"] == pytest.approx(
        block["created"] + block["latency_ms"] / 1000, abs=0.05
    )
    assert block["first_hit"] <= block["last_hit"]


@pytest.fixture
def stream(lab: Lab) -> Iterator[None]:
    """1,000 numbered packets a second from the camera to the internet, as long as the test lasts."""
    send = lab.command("send", "--from", "camera", "--rate", "1000", "--seconds", "40")
    with subprocess.Popen(send, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sender:
        time.sleep(0.5)
        yield
        assert sender.poll() is None, "the stream ended before the test did"
        sender.terminate()


def test_no_packet_leaks_through_kill_restart_and_upgrade(
    lab: Lab, sensor: SensorProcess, stream: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lab.reset_sink()
    time.sleep(0.5)
    assert (
        sum(each["count"] for each in lab.sink()["streams"]) > 200
    )  # the counter at the far end works
    sensor.call("block", CAMERA.mac)
    time.sleep(0.3)
    lab.reset_sink()
    dropped = sensor.call("blocks")[0]["packets"]

    sensor.kill()
    time.sleep(1)
    sensor.start()
    sensor.stop()
    time.sleep(0.5)
    sensor.start()
    sensor.stop()

    # An upgrade: other sources, so other programs and tables, loaded beside the ones in force.
    copy = tmp_path_factory.mktemp("upgrade") / "bpf"
    subprocess.run(["cp", "-r", str(sensor.launcher.parent), str(copy)], check=True)
    with (copy / "gate.c").open("a") as source:
        source.write("\n/* another version */\n")
    sensor.launcher = copy / "hearthwall-sensor"
    sensor.start()
    assert "earlier version were replaced" in sensor.log.read_text()
    time.sleep(0.5)

    assert lab.sink()["streams"] == []
    (block,) = sensor.call("blocks")
    assert block["packets"] > dropped + 2000  # it went on counting all the while
    sensor.call("unblock", CAMERA.mac)
    assert until(lambda: sum(each["count"] for each in lab.sink()["streams"]) > 100)
