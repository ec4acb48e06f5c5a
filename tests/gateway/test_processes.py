"""This host's own processes: every connection is its program's, whatever becomes of the process that made it."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from tests.gateway.sensor_process import SensorProcess, until
from tests.gateway.talking import SERVER, SERVER6, Gateway, flows_of, programs, watched

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def scene(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SensorProcess, Gateway]]:
    """One sensor for all of the file's tests, and the gateway."""
    with watched(lab, tmp_path_factory.mktemp("watching")) as scene:
        yield scene


@pytest.fixture
def watching(scene: tuple[SensorProcess, Gateway]) -> SensorProcess:
    """The sensor."""
    return scene[0]


@pytest.fixture
def gateway(scene: tuple[SensorProcess, Gateway]) -> Gateway:
    """The gateway, as its programs see it."""
    return scene[1]


@pytest.fixture
def talker(built: Path, tmp_path: Path) -> Path:
    """The program that talks, under a path of this test's own."""
    return Path(shutil.copy(built, tmp_path / "talker"))


def losses(sensor: SensorProcess) -> dict[str, int]:
    """Return what the sensor did not get to know of processes."""
    lost = sensor.call("status")["lost"]
    return {name: lost[name] for name in lost if name.startswith("process")}


def test_ten_thousand_connections_of_a_hundred_processes_are_all_their_programs(
    watching: SensorProcess, gateway: Gateway, talker: Path, tmp_path: Path
) -> None:
    """What each program logged of itself is just what is told of it: no connection less, none of another's."""
    before = losses(watching)
    for number in range(5):
        program = tmp_path / f"program-{number}"
        shutil.copy(talker, program)
        logged = [
            (int(pid), int(port))
            for _ in range(20)
            for pid, port, said in gateway.run(program, "connect", SERVER, "80", "100")
            if said == "ok"
        ]
        assert len(logged) == 2000
        told = flows_of(watching, program, 2000)
        assert Counter((e["process_details"]["pid"], e["port"]) for e in told) == Counter(logged)
        assert {each["process"] for each in told} == {str(program)}
        assert {each["peer_address"] for each in told} == {SERVER}
    known = programs(watching)
    counts = {str(tmp_path / f"program-{number}"): 2000 for number in range(5)}
    assert {name: known[name]["connections"] for name in counts} == counts
    assert losses(watching) == before


def test_what_is_lost_under_a_storm_of_connections_is_counted(
    watching: SensorProcess, gateway: Gateway, talker: Path
) -> None:
    """Faster than anybody reads: what is told and what is lost are together what there was."""
    before = losses(watching)["process_records_lost"]
    os.kill(watching.pid, 19)  # SIGSTOP: nobody reads
    try:
        logged = gateway.run(talker, "connect", "127.0.0.1", "1", "20000")
    finally:
        os.kill(watching.pid, 18)
    assert len(logged) == 20_000
    until(lambda: str(talker) in programs(watching))
    time.sleep(2)
    lost = losses(watching)["process_records_lost"] - before
    assert lost > 0
    told = programs(watching)[str(talker)]["connections"]
    # A connection that begins and ends on the loopback interface has one record.
    assert told + lost == 20_000


def test_a_process_that_lives_a_moment_is_known_whole(
    watching: SensorProcess, gateway: Gateway, talker: Path
) -> None:
    ((pid, port, _),) = gateway.run(talker, "connect", SERVER, "80", "1", "--password=hush", "x y")
    (flow,) = flows_of(watching, talker)
    details = flow["process_details"]
    assert (details["pid"], flow["port"]) == (int(pid), int(port))
    assert details["uid"] == 0
    assert details["executable"] == str(talker)
    assert details["command_line"].startswith(str(talker) + " connect")
    assert "hush" not in str(flow)
    assert "--password=" in details["command_line"]


@pytest.mark.parametrize("way", ["forks", "threads"])
def test_children_and_threads_are_their_programs(
    watching: SensorProcess, gateway: Gateway, talker: Path, way: str
) -> None:
    logged = gateway.run(talker, way, SERVER, "80", "30")
    told = flows_of(watching, talker, 30)
    assert {(e["process_details"]["pid"], e["port"]) for e in told} == {
        (int(pid), int(port)) for pid, port, _ in logged
    }


@pytest.mark.parametrize(
    ("address", "env", "told"),
    [(SERVER6, {}, SERVER6), (SERVER, {"TALKER_MAPPED": "1"}, SERVER)],
)
def test_ipv6_and_ipv4_over_ipv6(
    watching: SensorProcess,
    gateway: Gateway,
    talker: Path,
    address: str,
    env: dict[str, str],
    told: str,
) -> None:
    ((_, port, _),) = gateway.run(talker, "connect", address, "80", "1", env=env)
    (flow,) = flows_of(watching, talker)
    assert (flow["peer_address"], flow["port"], flow["transport"]) == (told, int(port), "tcp")


def test_datagrams_without_a_connection(
    watching: SensorProcess, gateway: Gateway, talker: Path
) -> None:
    logged = gateway.run(talker, "send", SERVER, "4000", "20")
    (flow,) = flows_of(watching, talker)
    assert (flow["transport"], flow["peer_port"], flow["port"]) == ("udp", 4000, int(logged[0][1]))
    assert flow["upload_packets"] == 20
    assert flow["upload_bytes"] == 20 * (20 + 8 + 5)


def test_a_listener_and_whoever_calls_it(
    watching: SensorProcess, gateway: Gateway, lab: Lab, talker: Path
) -> None:
    """An accepted connection is the listener's, opened by the peer."""
    serving = gateway.start(talker, "serve", "4321", "1")
    assert serving.stdout is not None
    assert serving.stdout.readline().endswith("4321 listens\n")
    assert until(lambda: "tcp/4321" in programs(watching).get(str(talker), {}).get("listens", ()))
    address = lab.run(
        "laptop", ["sh", "-c", "ip -4 route show default | cut -d' ' -f3"]
    ).stdout.strip()
    script = f"exec 3<>/dev/tcp/{address}/4321; echo hello >&3; head -1 <&3"
    said = lab.run("laptop", ["bash", "-c", script])
    assert said.stdout == "hello\n", said.stderr
    (flow,) = flows_of(watching, talker)
    assert (flow["opened_by"], flow["port"], flow["address"]) == ("peer", 4321, address)
    assert flow["scope"] == "lan"
    assert flow["upload_bytes"] > 6
    serving.wait(10)


def test_a_container_and_a_service_are_told_by_their_cgroups(
    watching: SensorProcess, lab: Lab, gateway: Gateway, talker: Path
) -> None:
    container = gateway.cgroup.child("docker-" + "0123456789ab" * 5 + "0123.scope")
    service = gateway.cgroup.child("mosquitto.service")
    Gateway(lab, container).run(talker, "connect", SERVER, "80", "1")
    Gateway(lab, service).run(talker, "connect", SERVER, "80", "1")
    told = flows_of(watching, talker, 2)
    assert {(e["process_details"]["container"], e["process_details"]["unit"]) for e in told} == {
        ("0123456789ab", None),
        (None, "mosquitto.service"),
    }


def test_others_processes_are_not_watched(
    watching: SensorProcess, lab: Lab, gateway: Gateway, talker: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copy(talker, other)
    lab.run("gateway", [str(other), "connect", SERVER, "80", "1"])
    gateway.run(talker, "connect", SERVER, "80", "1")
    flows_of(watching, talker)
    assert str(other) not in programs(watching)
