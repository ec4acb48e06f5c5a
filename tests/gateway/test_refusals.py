"""Bad input: a clear error, and nothing changed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from lab.home import DEVICES, HOSTS
from tests.gateway.sensor_process import Refused, SensorProcess, command, until

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
GATEWAY = HOSTS["gateway"]
INTERNET = HOSTS["internet"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["00:00:5e:00:53"], "invalid_target"),
        (["00:00:5e:00:53:zz"], "invalid_target"),
        (["192.168.10.256"], "invalid_target"),
        (["fe80::1%eth0"], "invalid_target"),
        (["; reboot"], "invalid_target"),
        ([""], "invalid_target"),
        (["ff:ff:ff:ff:ff:ff"], "protected_target"),
        (["01:00:5e:00:00:01"], "protected_target"),
        (["00:00:00:00:00:00"], "protected_target"),
        (["255.255.255.255"], "protected_target"),
        (["224.0.0.1"], "protected_target"),
        (["ff02::1"], "protected_target"),
        (["0.0.0.0"], "protected_target"),
        (["127.0.0.1"], "protected_target"),
        ([GATEWAY.mac], "protected_target"),
        ([GATEWAY.ipv4], "protected_target"),
        ([GATEWAY.ipv6], "protected_target"),
        (["198.51.100.2"], "protected_target"),  # the gateway's own address towards the internet
        ([INTERNET.ipv4], "protected_target"),  # its default gateway
        ([CAMERA.mac, "--duration", "soon"], "invalid_duration"),
        ([CAMERA.mac, "--duration", "0s"], "invalid_duration"),
        ([CAMERA.mac, "--duration", "-5m"], "invalid_message"),
        ([CAMERA.mac, "--duration", "9999d"], "invalid_duration"),
        ([CAMERA.mac, "--mode", "maim"], "invalid_message"),
        ([CAMERA.mac, "--allow", "everything"], "invalid_mode"),
        ([CAMERA.mac, "--reason", "line\nbreak"], "invalid_message"),
        ([CAMERA.mac, "--reason", "x" * 201], "invalid_message"),
        (["203.0.113.10", "--mode", "no_internet"], "invalid_mode"),
        ([], "invalid_message"),
    ],
)
def test_block_refuses(shared: SensorProcess, arguments: list[str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        shared.call("block", *arguments)
    assert refused.value.code == code
    assert shared.call("blocks") == []


@pytest.fixture(scope="module")
def shared(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SensorProcess]:
    """One sensor for all refusals: none of them changes anything."""
    sensor = SensorProcess(lab, tmp_path_factory.mktemp("shared")).start()
    for address in (INTERNET.ipv4, GATEWAY.ipv4):
        lab.run("gateway", ["ping", "-c1", "-W1", address])
    yield sensor
    sensor.clean()


def test_unblock_of_nothing(shared: SensorProcess) -> None:
    for target in (CAMERA.mac, "12345"):
        with pytest.raises(Refused) as refused:
            shared.call("unblock", target)
        assert refused.value.code == "not_found"


def test_default_gateways_mac_is_protected(lab: Lab, shared: SensorProcess) -> None:
    """The box upstream is a neighbour like others, but without it the home has no internet."""
    lab.run("gateway", ["ping", "-c1", "-W1", INTERNET.ipv4])  # the kernel forgets neighbours
    assert until(lambda: INTERNET.mac in shared.call("status")["protected"])
    with pytest.raises(Refused) as refused:
        shared.call("block", INTERNET.mac)
    assert (refused.value.code, "default gateway" in refused.value.message) == (
        "protected_target",
        True,
    )


def test_second_sensor_on_the_same_interface(
    lab: Lab, shared: SensorProcess, idle: SensorProcess
) -> None:
    with pytest.raises(Refused) as refused:
        idle.start()
    assert refused.value.code == "interface_in_use"
    assert shared.call("status")["pid"] == shared.pid


def test_second_sensor_on_the_same_socket(lab: Lab, shared: SensorProcess, tmp_path: Path) -> None:
    line = command(
        "run",
        "--interface",
        "wan",
        "--socket",
        shared.socket,
        "--state-dir",
        str(tmp_path),
        "--json",
    )
    done = subprocess.run(
        lab.argv("gateway", line), capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 1
    assert '"already_running"' in done.stdout
    assert shared.call("status")["pid"] == shared.pid
